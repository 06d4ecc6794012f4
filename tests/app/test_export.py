"""Exports: what the form knows, what the files hold, what is said when it goes wrong, and the dialog."""

import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.models.export_form import ExportForm, ExportFormat, ExportSubject, ExportWish, PlaceNote
from app.pixels import Clip, Pixels
from app.services.clip_export import ClipExporter, Exported, ExportFailed, ExportOrder
from app.services.media import pixels_of
from app.studio.exporting import look_at
from app.ui.widgets.export_dialog import ExportDialog
from app.ui.widgets.question_dialog import QuestionDialog
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, made, started, texts, told
from tests.app.views import noise, shown
from tests.helpers.clips import marked, number_in
from tests.helpers.qt import wait_for_signal, wait_until
from ul_engine.errors import DataError
from ul_engine.media.reading import probe, read_clip
from ul_engine.metadata import embed, read_request
from ul_engine.outputs import write_clip
from ul_engine.requests import GenerateRequest

Own = Callable[[Any], Any]
EMBEDDED = embed(GenerateRequest(model="/secret/place/m", prompt="a red cube", seed=7), 0, model_name="M")


def clip_of(num_frames: int, fps: float = 25.0) -> Clip:
    frames = marked(num_frames)
    height, width = frames.shape[1:3]
    return Clip(tuple(Pixels(width, height, frame.tobytes()) for frame in frames), fps)


def numbers(path: Path) -> list[int]:
    return [number_in(frame) for frame in read_clip(path).frames]


@pytest.fixture
def exporter(qapp: Any, owned: Own) -> Iterator[ClipExporter]:
    exporter: ClipExporter = owned(ClipExporter())
    yield exporter
    exporter.close()


def exported(exporter: ClipExporter, order: ExportOrder) -> Exported:
    return wait_for_signal(exporter.exported, trigger=lambda: exporter.start(order), timeout_s=30)[0]  # type: ignore[no-any-return]


def refused(exporter: ClipExporter, order: ExportOrder) -> ExportFailed:
    return wait_for_signal(exporter.failed, trigger=lambda: exporter.start(order), timeout_s=30)[0]  # type: ignore[no-any-return]


# ---- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.gif", "a.webp"])
def test_a_clip_is_written_whole_with_its_request(exporter: ClipExporter, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    result = exported(exporter, ExportOrder(str(path), clip_of(20), fps=10.0, quality=90, embedded=EMBEDDED))
    assert numbers(path) == list(range(20))
    assert probe(path).fps == 10
    assert (result.num_frames, result.num_bytes) == (20, path.stat().st_size)
    assert read_request(path).request.seed == 7
    assert read_request(path).request.model == "m"


def test_a_clip_becomes_a_folder_of_pictures(exporter: ClipExporter, tmp_path: Path) -> None:
    order = ExportOrder(str(tmp_path / "shots"), clip_of(5), as_pictures=True, fps=12.5, embedded=EMBEDDED)
    result = exported(exporter, order)
    assert sorted(file.name for file in (tmp_path / "shots").iterdir()) == [f"{k:05d}.png" for k in range(5)]
    assert numbers(tmp_path / "shots") == list(range(5))
    assert probe(tmp_path / "shots").fps == 12.5
    assert result.path == str(tmp_path / "shots")


def test_the_request_is_left_out_on_wish(exporter: ClipExporter, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    exported(exporter, ExportOrder(str(path), clip_of(4), embedded=EMBEDDED, keeps_request=False))
    with pytest.raises(DataError):
        read_request(path)
    assert b"red cube" not in path.read_bytes()


def test_there_and_back_and_enlarged(exporter: ClipExporter, tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    exported(exporter, ExportOrder(str(path), clip_of(4), quality=100, is_ping_pong=True, scale=2))
    frames = read_clip(path).frames
    assert [number_in(frame) for frame in frames] == [0, 1, 2, 3, 2, 1]
    assert frames.shape[1:3] == (64, 128)
    small = marked(4)[2]
    assert np.array_equal(frames[2], small.repeat(2, 0).repeat(2, 1))


def test_a_clip_in_a_file_is_written_anew_with_what_it_says_of_itself(exporter: ClipExporter, tmp_path: Path) -> None:
    source = tmp_path / "source.mkv"
    exported(exporter, ExportOrder(str(tmp_path / "first.mp4"), clip_of(9), embedded=EMBEDDED))
    write_clip(source, marked(9), 25)
    exported(exporter, ExportOrder(str(tmp_path / "a.gif"), source_path=str(tmp_path / "first.mp4")))
    exported(exporter, ExportOrder(str(tmp_path / "b.webm"), source_path=str(source)))
    assert read_request(tmp_path / "a.gif").request.prompt == "a red cube"
    assert numbers(tmp_path / "b.webm") == list(range(9))
    with pytest.raises(DataError):
        read_request(tmp_path / "b.webm")


@pytest.mark.parametrize(("name", "is_exact"), [("a.png", True), ("a.webp", True), ("a.jpg", False)])
def test_a_picture(exporter: ClipExporter, tmp_path: Path, name: str, is_exact: bool) -> None:
    clip = Clip(clip_of(1).frames)
    order = ExportOrder(str(tmp_path / name), clip, is_moving=False, quality=100, scale=4, embedded=EMBEDDED)
    exported(exporter, order)
    with Image.open(tmp_path / name) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    expected = marked(1)[0].repeat(4, 0).repeat(4, 1)
    assert pixels.shape == expected.shape
    assert np.array_equal(pixels, expected) is is_exact
    assert read_request(tmp_path / name).request.seed == 7


def test_quality_makes_files_smaller(exporter: ClipExporter, tmp_path: Path) -> None:
    rough = pixels_of(noise(128, 128))
    sizes = [
        exported(exporter, ExportOrder(str(tmp_path / f"{quality}{suffix}"), clip, quality=quality, is_moving=moves))
        for clip, suffix, moves in ((Clip((rough,) * 4, 8.0), ".mp4", True), (Clip((rough,)), ".jpg", False))
        for quality in (95, 20)
    ]
    assert sizes[0].num_bytes > 1.5 * sizes[1].num_bytes
    assert sizes[2].num_bytes > 1.5 * sizes[3].num_bytes


# ---- what can go wrong --------------------------------------------------------------------------------------------


def test_progress_and_cancel_leave_nothing_behind(exporter: ClipExporter, tmp_path: Path) -> None:
    seen: list[Any] = []
    exporter.progressed.connect(seen.append)
    exporter.progressed.connect(exporter.cancel)
    wait_for_signal(
        exporter.cancelled, trigger=lambda: exporter.start(ExportOrder(str(tmp_path / "a.mp4"), clip_of(400)))
    )
    assert seen[0].total == 400
    assert seen[-1].done < 400
    assert list(tmp_path.iterdir()) == []
    exporter.progressed.disconnect(exporter.cancel)
    exported(exporter, ExportOrder(str(tmp_path / "b.mp4"), clip_of(4)))  # the next one is not cancelled


def test_closing_stops_what_runs(qapp: Any, owned: Own, tmp_path: Path) -> None:
    exporter = owned(ClipExporter())
    wait_for_signal(
        exporter.progressed, trigger=lambda: exporter.start(ExportOrder(str(tmp_path / "a.webm"), clip_of(400)))
    )
    exporter.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told(exporter: ClipExporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 10**9 - 10**6, 10**6))
    for order in (
        ExportOrder(str(tmp_path / "a.mp4"), clip_of(3)),
        ExportOrder(str(tmp_path / "a.png"), Clip(clip_of(1).frames), is_moving=False),
    ):
        assert "1 MB are free on this disk" in refused(exporter, order).message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_and_one_that_is_taken(exporter: ClipExporter, tmp_path: Path) -> None:
    assert "the folder is gone" in refused(exporter, ExportOrder(str(tmp_path / "no" / "a.mp4"), clip_of(3))).message
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    order = ExportOrder(str(tmp_path / "taken"), clip_of(3), as_pictures=True)
    assert "already holds something" in refused(exporter, order).message
    assert (tmp_path / "taken" / "mine.txt").read_text() == "mine"


def test_a_failed_export_leaves_the_old_file(exporter: ClipExporter, tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(b"the old one")
    assert "at most 50 frames" in refused(exporter, ExportOrder(str(path), clip_of(3), fps=60.0)).message
    assert path.read_bytes() == b"the old one"


def test_a_source_that_is_gone(exporter: ClipExporter, tmp_path: Path) -> None:
    order = ExportOrder(str(tmp_path / "a.mp4"), source_path=str(tmp_path / "gone.mp4"))
    assert refused(exporter, order).message == "there is no such file"


def test_places_are_looked_at_before(tmp_path: Path) -> None:
    words = {name: name for name in ("folder", "locked", "full-folder", "is-folder", "exists")}
    (tmp_path / "old.mp4").write_bytes(b"x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_bytes(b"x")
    assert look_at(str(tmp_path / "new.mp4"), False, words) == PlaceNote(str(tmp_path / "new.mp4"))
    assert look_at(str(tmp_path / "old.mp4"), False, words).warning == "exists"
    assert look_at(str(tmp_path / "no" / "a.mp4"), False, words).problem == "folder"
    assert look_at(str(tmp_path / "full"), False, words).problem == "is-folder"
    assert look_at(str(tmp_path / "full"), True, words).problem == "full-folder"
    assert look_at("/proc/version/x.mp4", False, words).problem == "folder"


# ---- the form -----------------------------------------------------------------------------------------------------


@pytest.fixture
def form(qapp: Any, owned: Own) -> ExportForm:
    form: ExportForm = owned(ExportForm())
    assert form.begin(ExportSubject("00012-7", (65, 64), 48, 12.0, clip_of(48)))
    form.set_path("/data/00012-7.mp4")
    return form


def test_the_summary_says_what_will_come_of_it(form: ExportForm) -> None:
    assert form.summary == "48 frames · 66 × 64 px · 4.00 s"  # H.264 takes even sizes
    form.update(format=ExportFormat.WEBM, scale=2, is_ping_pong=True, fps=24.0)
    assert form.summary == "94 frames · 130 × 128 px · 3.92 s"


def test_format_and_suffix_go_together(form: ExportForm) -> None:
    form.update(format=ExportFormat.GIF)
    assert form.path == "/data/00012-7.gif"
    form.set_path("/data/new.webp")
    assert form.settings.format is ExportFormat.WEBP
    form.update(format=ExportFormat.PNG)
    assert form.path == "/data/new"
    assert form.makes_folder
    form.set_path("/data/v1.5 final")
    form.update(format=ExportFormat.MP4)
    assert form.path == "/data/v1.5 final.mp4"
    form.set_path("/data/bare")
    wishes: list[ExportWish] = []
    form.export_requested.connect(wishes.append)
    form.request()
    assert wishes[0].path == "/data/bare.mp4"


def test_what_a_format_cannot_do_is_said_before(form: ExportForm) -> None:
    form.update(fps=60.0)
    assert form.errors == {}
    form.update(format=ExportFormat.GIF)
    assert "at most 50" in form.errors["fps"]
    form.update(format=ExportFormat.WEBP, fps=100.0)
    assert "at most 90" in form.errors["fps"]
    form.set_path(" ")
    assert "path" in form.errors
    wishes: list[ExportWish] = []
    form.export_requested.connect(wishes.append)
    form.request()
    assert wishes == []


def test_the_next_export_remembers_format_and_folder(form: ExportForm) -> None:
    form.update(format=ExportFormat.GIF)
    form.request()
    assert form.begin(ExportSubject("00013-8", (64, 64), 10, 12.0))
    assert form.path == "/data/00013-8.gif"
    assert form.begin(ExportSubject("00014-9", (64, 64)))
    assert form.path == "/data/00014-9.png"


# ---- the dialog, and the whole way --------------------------------------------------------------------------------


def test_the_dialog_is_bound_to_the_form(form: ExportForm, owned: Own) -> None:
    dialog = ExportDialog(form)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    shown(owned, dialog, 560, 400)
    assert dialog.fps.text() == "12"
    dialog.format.setCurrentIndex(2)
    dialog.format.activated.emit(2)
    assert form.settings.format is ExportFormat.GIF
    assert not dialog.quality.isEnabled()
    assert dialog.path.text() == "/data/00012-7.gif"
    dialog.fps.setValue(60.0)
    assert "50 frames" in texts(dialog)
    assert not dialog.go_button.isEnabled()
    dialog.fps.setValue(30.0)
    assert dialog.go_button.isEnabled()
    QTest.keyClicks(dialog.path, "x")
    assert form.path.endswith("gifx")
    form.set_note(PlaceNote(form.path, problem="Not there."))
    assert "Not there." in texts(dialog)


def test_an_odd_rate_is_not_rounded_by_being_shown(form: ExportForm, owned: Own) -> None:
    form.begin(ExportSubject("a", (64, 64), 10, 30000 / 1001))
    dialog = ExportDialog(form)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    shown(owned, dialog, 560, 400)
    assert dialog.fps.text() == "29.97"
    assert form.settings.fps == 30000 / 1001


def test_from_the_finished_clip_to_the_gif(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell(frames=5)
        await started(shell)
        tile = (await made(shell, num_images=1))[0]
        form = shell.program.session.export
        shell.window.generate_page.verbs.save_requested.emit(tile)
        dialog = shell.window.findChild(ExportDialog)
        assert dialog is not None
        assert dialog.fps.text() == "8"
        form.set_path(str(tmp_path / "no" / "a.gif"))
        await until(lambda: "path" in form.errors)
        assert not dialog.go_button.isEnabled()
        form.set_path(str(tmp_path / "a.gif"))
        await until(lambda: not form.errors)
        click(dialog.go_button)
        assert form.progress is not None
        await until((tmp_path / "a.gif").exists)
        await until(lambda: "Exported" in told(shell))
        assert probe(tmp_path / "a.gif").num_frames == 5
        assert read_request(tmp_path / "a.gif").request.seed == tile.seed
        assert form.progress is None

    run_async(story())


def test_a_clip_that_is_only_in_its_file_is_saved_with_its_own_rate(
    make_shell: Make, run_async: RunAsync, tmp_path: Path
) -> None:
    async def story() -> None:
        shell = make_shell(frames=5)
        await started(shell)
        tile = replace((await made(shell, num_images=1))[0], clip=None)
        page = shell.window.generate_page
        page.verbs.save_requested.emit(tile)
        await until(lambda: shell.window.findChild(ExportDialog))
        subject = shell.program.session.export.subject
        assert (subject.num_frames, subject.fps, subject.path) == (5, 8.0, tile.path)
        shell.window.findChild(ExportDialog).reject()
        Path(tile.path).unlink()
        page.verbs.save_requested.emit(tile)
        await until(lambda: "is no longer there" in told(shell))

    run_async(story())


def test_the_library_saves_a_clip_anew(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell(frames=5)
        await started(shell)
        tile = (await made(shell, num_images=1))[0]
        shell.window.show_page("library")
        rows = shell.program.session.gallery.list
        await until(lambda: rows.rowCount() == 1 and rows.item(0) is not None)
        library = shell.window.library_page
        library.grid.setCurrentIndex(rows.index(0))
        await until(library.verbs.can_open)
        library.verbs.export()
        await until(lambda: shell.window.findChild(ExportDialog))
        form = shell.program.session.export
        assert (form.subject.num_frames, form.subject.fps) == (5, 8.0)
        form.set_path(str(tmp_path / "again.gif"))
        await until(lambda: not form.errors)
        click(shell.window.findChild(ExportDialog).go_button)
        await until((tmp_path / "again.gif").exists)
        await until(lambda: "Exported" in told(shell))
        assert read_request(tmp_path / "again.gif").request.seed == tile.seed

    run_async(story())


def test_a_failure_is_a_notice_and_stays_in_the_dialog(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell(frames=5)
        await started(shell)
        tile = (await made(shell, num_images=1))[0]
        form = shell.program.session.export
        shell.window.generate_page.verbs.save_requested.emit(tile)
        dialog = shell.window.findChild(ExportDialog)
        assert dialog is not None
        folder = tmp_path / "stick"
        folder.mkdir()
        form.set_path(str(folder / "a.mp4"))
        await until(lambda: not form.errors and not shell.program.exporting._looking.is_running)
        folder.rmdir()
        click(dialog.go_button)
        await until(lambda: "The folder is gone" in told(shell))
        assert "The folder is gone" in texts(dialog)
        assert dialog.isVisible()
        dialog.reject()

    run_async(story())


def test_closing_the_window_asks_while_an_export_runs(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        form = shell.program.session.export
        form.set_progress(_progress(0.5))
        shell.window.close()
        question = shell.window.findChild(QuestionDialog)
        assert question is not None
        assert "still being exported" in question.sentence
        assert shell.window.isVisible()
        question.reject()
        form.set_progress(None)
        shell.window.close()
        assert not shell.window.isVisible()

    run_async(story())


def test_the_words_of_progress(qapp: Any, owned: Own, form: ExportForm) -> None:
    dialog = ExportDialog(form)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    shown(owned, dialog, 560, 400)
    stops: list[int] = []
    form.cancel_requested.connect(lambda: stops.append(1))
    form.export_requested.connect(lambda _wish: form.set_progress(_progress(0.5)))
    click(dialog.go_button)
    wait_until(dialog.bar.isVisible)
    assert dialog.bar.value() == 500
    assert not dialog.path.isEnabled()
    click(dialog.cancel_button)
    assert stops == [1]
    assert dialog.isVisible()
    assert not form.begin(ExportSubject("b", (1, 1)))
    form.finish()
    assert not dialog.isVisible()


def _progress(fraction: float) -> Any:
    from app.models.export_form import ExportProgress

    return ExportProgress("Frame 1 / 2", fraction)
