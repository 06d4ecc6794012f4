"""What the first paint does not wait for is done afterwards, while nobody does anything."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from app.ui.main_window import LATE_PAGES
from app.ui.pieces import WIDGETS_AT_ONCE, Pieces, polish
from app.ui.reading_ahead import LARGE, PAGE_MODULES, QUIET_S, RUN_MODULES, ReadingAhead, reading
from tests.app.conftest import ROOT, RunAsync, until


def test_nothing_is_done_while_somebody_types(qapp: Any, owned: Callable[[Any], Any], run_async: RunAsync) -> None:
    now = [0.0]
    done: list[str] = []
    steps = [*reading(("app.models.fuzzy",)), lambda: done.append("first"), lambda: done.append("second")]
    busy = [True]
    ahead = owned(ReadingAhead(qapp, steps, is_busy=lambda: busy[0], clock=lambda: now[0]))
    widget = owned(QWidget())
    widget.show()

    async def go() -> None:
        ahead.start()
        await until(lambda: "numpy" in sys.modules and not ahead._thread.is_alive())
        now[0] = 10.0
        QTest.keyClick(widget, Qt.Key.Key_A)
        ahead._on_timeout()
        assert ahead.num_left == 3
        now[0] = 10.0 + 2 * QUIET_S
        ahead._on_timeout()
        assert ahead.num_left == 3  # a job runs
        busy[0] = False
        ahead._on_timeout()
        assert ahead.num_left == 2
        await until(lambda: ahead.is_done)

    run_async(go())
    ahead.stop()
    assert done == ["first", "second"]


class Work:
    """Two needed pieces, and one that is only quicker later."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.pieces = Pieces(self._make, self._ahead)

    def _make(self) -> Iterator[None]:
        self.done.append("first")
        self.pieces.finish()  # as a page does that is shown by what it makes
        yield
        self.done.append("second")

    def _ahead(self) -> Iterator[None]:
        self.done.append("ahead")
        yield


def test_pieces_are_made_one_at_a_time_once_and_the_rest_when_wanted() -> None:
    work = Work()
    work.pieces.make_next()
    assert (work.done, work.pieces.is_made) == (["first"], False)
    work.pieces.finish()
    assert (work.done, work.pieces.is_made, work.pieces.is_over) == (["first", "second"], True, False)
    work.pieces.finish()
    assert work.done == ["first", "second"]
    while not work.pieces.is_over:
        work.pieces.make_next()
    assert work.done == ["first", "second", "ahead"]


def test_a_piece_that_cannot_be_made_fails_where_it_is_wanted() -> None:
    def fail() -> Iterator[None]:
        yield
        raise ValueError("no")

    pieces = Pieces(fail, lambda: iter(()))
    with pytest.raises(ValueError, match="no"):
        pieces.finish()
    pieces.finish()
    assert not pieces.is_made


def test_styles_are_looked_up_a_few_at_a_time(qapp: Any, owned: Callable[[Any], Any]) -> None:
    root = owned(QWidget())
    labels = [QLabel(root) for _ in range(WIDGETS_AT_ONCE + 1)]
    steps = polish(root)
    next(steps)
    polished = [each.testAttribute(Qt.WidgetAttribute.WA_WState_Polished) for each in labels]
    assert polished == [True] * WIDGETS_AT_ONCE + [False]
    assert len(list(steps)) == 0
    assert labels[-1].testAttribute(Qt.WidgetAttribute.WA_WState_Polished)


def test_every_name_stands_for_a_module() -> None:
    names = (*LARGE, *RUN_MODULES, *PAGE_MODULES)
    code = f"import importlib\nfor name in {names!r}: importlib.import_module(name)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_pages_are_made_when_asked_for_and_while_nobody_does_anything(
    make_shell: Callable[..., Any], run_async: RunAsync
) -> None:
    shell = make_shell()
    assert not any(shell.window.has_page(name) for name in LATE_PAGES)
    assert not any(shell.program.session.has(part) for part in ("compare", "gallery", "desk", "runs"))

    async def go() -> None:
        shell._reading_ahead.start()
        shell._reading_ahead._timer.setInterval(0)
        await until(lambda: shell._reading_ahead.is_done, timeout_s=60.0)

    run_async(go())
    shell._reading_ahead.stop()
    assert all(shell.window.has_page(name) for name in LATE_PAGES)
    assert all(shell.window.ensure_page(name).pieces.is_over for name in LATE_PAGES)
    assert not any(shell.window.ensure_page(name).isVisible() for name in LATE_PAGES)


def test_the_palette_knows_the_commands_of_pages_nobody_opened(make_shell: Callable[..., Any]) -> None:
    shell = make_shell()
    shell.window.open_palette()
    groups = {command.group for command in shell.program.session.commands.all}
    assert {"Compare", "Train", "Models", "Library", "Settings"} <= groups


def test_what_was_remembered_of_a_page_nobody_opened_is_remembered_again(
    make_shell: Callable[..., Any], tmp_path: Path
) -> None:
    """Its part of the session was never made, and has nothing to say."""
    first = make_shell()
    first.window.library_page.set_tile_px(224)
    first.program.session.compare.form.update(seed=7, codecs=("webp",))
    first.program.session.runs.add_opened(str(tmp_path))
    kept = first.settings()
    assert not first.program.memory.save(kept)
    again = make_shell()
    assert again.settings().compare == kept.compare
    assert again.settings().opened_runs == kept.opened_runs == (str(tmp_path),)
    assert again.settings().library_tile_px == kept.library_tile_px
    assert not any(again.window.has_page(name) for name in LATE_PAGES)
    assert not again.program.session.has("compare")
    assert again.program.session.compare.form.values() == kept.compare
