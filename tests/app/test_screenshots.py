"""The pictures of the guide: when they are taken, and whose folders they show."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel

from app.bench.driving import BenchFailed
from app.screenshots import taking
from app.screenshots.home import make_home, places_in
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, made, started


@pytest.fixture
def window(owned: Callable[[Any], Any], qapp: Any) -> QLabel:
    result: QLabel = owned(QLabel("0"))
    result.resize(120, 40)
    result.show()
    return result


def test_a_picture_waits_until_nothing_moves(
    window: QLabel, run_async: RunAsync, owned: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "STILL_S", 0.1)
    timer = owned(QTimer())
    timer.timeout.connect(lambda: window.setText(str(min(int(window.text()) + 1, 9))))
    timer.start(40)
    shell: Any = SimpleNamespace(window=window)

    async def story() -> None:
        image = await taking._whole(shell, "page")
        assert window.text() == "9"
        assert image == window.grab().toImage()

    run_async(story())


def test_a_picture_waits_until_all_is_drawn(
    window: QLabel, run_async: RunAsync, owned: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "STILL_S", 0.01)
    asked: list[bool] = []

    def is_drawn(_shell: Any) -> bool:
        asked.append(len(asked) >= 5)
        return asked[-1]

    monkeypatch.setitem(taking.DRAWN, "page", is_drawn)
    shell: Any = SimpleNamespace(window=window)
    run_async(taking._whole(shell, "page"))
    assert asked.count(True) == 1
    monkeypatch.setitem(taking.DRAWN, "page", lambda _: False)
    monkeypatch.setattr(taking, "PATIENCE_S", 0.05)
    with pytest.raises(BenchFailed, match="page"):
        run_async(taking._whole(shell, "page"))


def test_the_library_is_drawn_when_its_small_pictures_are_there(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        tiles = await made(shell)
        shell.window.show_page("library")
        is_drawn = taking.DRAWN["library"]
        assert not is_drawn(shell)
        await until(lambda: is_drawn(shell))
        assert shell.program.session.gallery.list.rowCount() == len(tiles)
        assert not shell.window.library_page.grid.thumbnails.is_waiting

    run_async(story())


def test_the_folders_are_those_of_a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USERPROFILE", "PYTHONUSERBASE"):
        monkeypatch.setenv(name, os.environ.get(name, str(tmp_path)))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    bundled = tmp_path / "program" / "models"
    (bundled / "scenes").mkdir(parents=True)
    home = make_home()
    assert Path.home() == home
    places = places_in(home, bundled)
    assert [root.relative_to(home).as_posix() for root in places.models] == [
        "ul-studio/assets/models",
        "UL Studio/models",
    ]
    assert (places.models[0] / "scenes").is_dir()
    assert places.settings.is_relative_to(home)
