"""One result large: a picture, or a clip that plays."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app.models.results import Tile, TileState
from app.services.difference import rgb_of
from app.services.media import pixels_of
from app.ui.widgets.single_view import SingleView
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, made, started
from tests.app.views import plain
from tests.helpers.clips import marked, number_in
from tests.helpers.qt import wait_until
from ul_engine.outputs import write_clip
from ul_engine.requests import GenerateRequest


def test_a_finished_clip_opens_and_plays(make_shell: Make, run_async: RunAsync) -> None:
    shell = make_shell(frames=5)

    async def drive() -> None:
        await started(shell)
        tile = (await made(shell, num_images=1))[0]
        stage = shell.window.generate_page.stage
        stage.open_tile(tile)
        single: SingleView = stage.single
        assert single.player.bar.isVisible()
        assert single.player.play.count == 5
        assert single.player.play.is_playing
        await until(lambda: single.player.play.frame == 3)
        QTest.keyClick(single, Qt.Key.Key_Space)
        assert not single.player.play.is_playing
        single.player.play.seek(2)
        assert tile.clip is not None
        assert single.canvas.image is not None
        assert pixels_of(single.canvas.image) == tile.clip.frames[2]
        QTest.keyClick(single, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert pixels_of(QGuiApplication.clipboard().image()) == tile.clip.frames[2]
        QTest.keyClick(single, Qt.Key.Key_D)
        assert pixels_of(single.canvas.image) == tile.clip.frames[3]
        QTest.keyClick(single, Qt.Key.Key_Escape)
        assert not stage.is_single

    run_async(drive())


def tile_of(path: Path, *, is_moving: bool) -> Tile:
    request = GenerateRequest(model="m", seed=1)
    return Tile("a", 0, request, request, "M", (64, 64), TileState.DONE, is_moving=is_moving, path=str(path))


def test_what_is_no_longer_in_memory_comes_from_its_file(
    make_shell: Make, tmp_path: Path, owned: Callable[[Any], Any]
) -> None:
    single: SingleView = make_shell().window.generate_page.stage.single
    stage = single.parent()
    assert stage is not None
    shell_stage = single.window().generate_page.stage  # type: ignore[attr-defined]
    write_clip(tmp_path / "a.mkv", marked(6), 10)
    shell_stage.open_tile(tile_of(tmp_path / "a.mkv", is_moving=True))
    wait_until(lambda: single.player.play.is_playing and single.canvas.image is not None)
    single.player.play.seek(4)
    single.player.play.pause()
    wait_until(lambda: number_in(rgb_of(single.canvas.image)) == 4)  # type: ignore[arg-type]
    plain(8, 8, "#00ff00").save(str(tmp_path / "b.png"))
    single._tile = None
    shell_stage.open_tile(tile_of(tmp_path / "b.png", is_moving=False))
    wait_until(lambda: single.canvas.image is not None and single.canvas.image.width() == 8)
    assert not single.player.bar.isVisible()
