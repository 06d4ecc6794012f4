"""What the first paint does not wait for is done afterwards, while nobody does anything."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.ui.main_window import LATE_PAGES
from app.ui.reading_ahead import LARGE, PAGE_MODULES, QUIET_S, RUN_MODULES, ReadingAhead, reading
from tests.app.conftest import ROOT, RunAsync, until


def test_nothing_is_done_while_somebody_types(qapp: Any, owned: Callable[[Any], Any], run_async: RunAsync) -> None:
    now = [0.0]
    done: list[str] = []
    steps = [*reading(("app.models.fuzzy",)), lambda: done.append("first"), lambda: done.append("second")]
    ahead = owned(ReadingAhead(qapp, steps, clock=lambda: now[0]))
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
        assert ahead.num_left == 2
        await until(lambda: ahead.is_done)

    run_async(go())
    ahead.stop()
    assert done == ["first", "second"]


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
        await until(lambda: shell._reading_ahead.is_done)

    run_async(go())
    shell._reading_ahead.stop()
    assert all(shell.window.has_page(name) for name in LATE_PAGES)
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
