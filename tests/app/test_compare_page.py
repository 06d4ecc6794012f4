"""The page Compare in its window, driven as a person would, with a fake engine that speaks the real protocol."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from app.models.compare.candidates import ShownState
from app.models.compare.comparison import Comparison
from app.models.compare.levels import NATIVE, Ladder, Rung
from app.models.compare.samples import sample_pictures
from app.models.compare.view import DifferenceKind, Overlay, ViewMode
from app.shell import Shell
from app.ui.pages.compare import ComparePage
from app.ui.widgets.compare.report_dialog import ReportDialog
from app.ui.widgets.image_view import Probe
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, started, texts, told
from tests.app.fake_comparison import share_of
from tests.app.model_folders import manifest, write_model
from ul_engine.model_folder import list_models

SIDE = 16


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Two gradients as the fake engine paints them."""
    paths = []
    for number in range(2):
        image = QImage(SIDE, SIDE, QImage.Format.Format_RGB888)
        for y in range(SIDE):
            for x in range(SIDE):
                image.setPixel(x, y, (255 << 24) | (255 * x // SIDE << 16) | (255 * y // SIDE << 8) | number)
        path = tmp_path / f"picture-{number}.png"
        assert image.save(str(path))
        paths.append(str(path))
    return paths


def opened(shell: Shell) -> tuple[ComparePage, Comparison]:
    shell.window.show_page("compare")
    page, compare = shell.window.compare_page, shell.program.session.compare
    compare.form.update(latent_levels=(2.0, -1.0), decoder_levels=(4.0,), num_decodes=2)
    return page, compare


async def compared(shell: Shell, paths: list[str]) -> tuple[ComparePage, Comparison]:
    """A page with a finished ladder."""
    await started(shell)
    page, compare = opened(shell)
    compare.add_files(paths)
    await until(lambda: compare.original() is not None)
    assert page.panel is not None
    click(page.panel.bar.run_button)
    await ended(shell)
    return page, compare


async def ended(shell: Shell) -> None:
    session = shell.program.session
    await until(lambda: session.queue.view.is_idle and not session.compare.results.is_working)


def rung_shown(compare: Comparison, place: int = 1) -> Any:
    return compare.shown(compare.candidates[place])


def states(page: ComparePage) -> list[str]:
    """Where the rungs of the track stand."""
    assert page.center is not None
    return [mark.state for mark in page.center.ladder.track.marks]


def seen(page: ComparePage, x: int, y: int, place: int = 0) -> tuple[int, int, int]:
    """The colour of a pixel in the view at a place."""
    assert page.center is not None
    colour = page.center.stage.views[place].colour_at(Probe(x, y))
    assert colour is not None
    return colour.red(), colour.green(), colour.blue()


# ---- ways in ------------------------------------------------------------------------------------------------------


def test_the_empty_page_says_what_will_appear_and_how(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        page, compare = opened(shell)
        assert page.center is not None
        await until(lambda: "See what a model keeps of a picture" in texts(page))
        click(page.center.empty.samples_button)
        assert len(compare.inputs.items) == 3
        await ended(shell)
        assert rung_shown(compare).state is ShownState.READY
        assert page.center.stage.isVisible()

    run_async(story())


def test_a_first_stage_of_scenes_gets_scenes(model_root: Path) -> None:
    """It has no grammar to prompt by before it has a base model."""
    networks = {name: file for name, file in manifest().networks.items() if name != "base"}
    stage1 = write_model(model_root, "stage1", networks=networks, prompt_grammar=None)
    (entry,) = (entry for entry in list_models([model_root]) if Path(entry.path) == stage1)
    assert {Path(path).suffix for path in sample_pictures([entry])} == {".png"}


def test_a_codec_is_offered_here_alone_and_gets_rich_pictures(
    make_shell: Make, run_async: RunAsync, model_root: Path
) -> None:
    """A model without a base model; beside a model of Scenes there are pictures for both."""
    networks = {name: file for name, file in manifest().networks.items() if name != "base"}
    codec = str(write_model(model_root, "codec", name="A Codec", kind="none", networks=networks))

    async def story() -> None:
        shell = make_shell()
        await started(shell)
        page, compare = opened(shell)
        session = shell.program.session
        assert [entry.name for entry in session.library.generators] == ["Scenes"]
        assert [entry.name for entry in compare.form.offered] == ["A Codec", "Scenes"]
        scenes = next(entry.path for entry in compare.form.offered if entry.name == "Scenes")
        kinds = []
        for chosen in ((codec,), (codec, scenes), (scenes,)):
            compare.form.update(models=chosen)
            kinds.append([Path(path).suffix for path in sample_pictures(compare.form.chosen)])
        assert kinds == [[".jpg"] * 3, [".jpg"] * 3 + [".png"] * 3, [".png"] * 3]
        assert page.isVisible()

    run_async(story())


def test_files_are_dropped_on_the_page(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = opened(shell)
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(path) for path in pictures])
        copy, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        enter = QDragEnterEvent(QPoint(500, 300), copy, data, button, none)
        QApplication.sendEvent(page, enter)
        assert enter.isAccepted()
        QApplication.sendEvent(page, QDropEvent(QPointF(500, 300), copy, data, button, none))
        await until(lambda: all(item.size_px for item in compare.inputs.items))
        assert [item.name for item in compare.inputs.items] == ["picture-0.png", "picture-1.png"]

    run_async(story())


def test_a_pasted_picture_becomes_a_file(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        page, compare = opened(shell)
        QGuiApplication.clipboard().setImage(QImage(pictures[0]))
        QTest.keyClick(page, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: compare.original() is not None)
        assert compare.source.endswith(".png")
        assert compare.inputs.current is not None
        assert compare.inputs.current.size_px == (SIDE, SIDE)
        QGuiApplication.clipboard().setText("https://example.org/a.png")
        page.paste()
        assert "address on the web" in told(shell)

    run_async(story())


def test_what_is_no_picture_is_told_and_nothing_is_lost(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = opened(shell)
        tmp_path = Path(pictures[0]).parent
        path = tmp_path / "notes.txt"
        path.write_text("no picture")
        compare.add_files([str(path), str(tmp_path)])
        await until(lambda: len(compare.inputs.items) == 1 and bool(compare.inputs.items[0].problem))
        words = told(shell)
        assert "notes.txt cannot be compared" in words
        assert "is a folder" in words
        await until(lambda: page.panel is not None and not page.panel.bar.run_button.isEnabled())

    run_async(story())


def test_results_of_other_pages_come_to_be_compared(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        shell.window.library_page.compare_requested.emit(tuple(pictures))
        page, compare = shell.window.compare_page, shell.program.session.compare
        assert shell.window.page == "compare"
        await until(lambda: all(compare.original(path) for path in pictures))
        assert [candidate.title for candidate in compare.candidates][:2] == ["Original", "picture-1.png"]
        await until(lambda: rung_shown(compare).state is ShownState.READY)
        compare.view.update(mode=ViewMode.SIDE)
        assert (seen(page, 3, 5, 0)[2], seen(page, 3, 5, 1)[2]) == (0, 1)

    run_async(story())


def test_files_against_each_other_have_numbers_without_a_model(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        page, compare = opened(shell)
        shell.window.library_page.compare_requested.emit(tuple(pictures))
        assert page.inspector is not None
        await until(lambda: compare.shown(compare.candidates[1]).figures is not None)
        await ended(shell)
        numbers = page.inspector.numbers.numbers
        await until(lambda: numbers.index(0, 1).data() == "30.00")
        assert numbers.index(0, 0).data() == "picture-1.png"
        assert "Not measured: LPIPS" in texts(page.inspector.numbers)
        compare.view.update(mode=ViewMode.DIFFERENCE, difference=DifferenceKind.FLIP)
        assert compare.shown(compare.candidate).flip_map is not None

    run_async(story())


# ---- the ladders --------------------------------------------------------------------------------------------------


def test_one_click_makes_the_ladder_and_the_scrubber_moves_along_it(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        assert page.center is not None
        compare.view.update(mode=ViewMode.SIDE)
        track = page.center.ladder.track
        assert [mark.state for mark in track.marks] == ["ready"] * 3
        assert [mark.psnr_db for mark in track.marks] == [30.0, 27.0, 24.0]
        bits = [mark.bits_per_pixel for mark in track.marks]
        assert bits == sorted(bits, reverse=True)
        assert bits[0] == pytest.approx(0.125)
        track.setFocus()
        for level in (5.0, 2.0, -1.0):
            assert seen(page, 15, 0, 1)[0] == int(255 * share_of(level, None) * 15 / SIDE)
            QTest.keyClick(track, Qt.Key.Key_Right)
        assert page.inspector is not None
        assert page.center.ladder.words.startswith(f"log-SNR -1 · ≤ {bits[2]:.4f} bits/px · 24.00 dB")
        await until(lambda: f"{bits[2]:.4f}" in page.inspector.numbers.numbers.index(0, 6).data())
        assert page.center.stage.label_of(rung_shown(compare)) == "Scenes · log-SNR -1"
        QTest.keyClick(track, Qt.Key.Key_Home)
        assert compare.rung == NATIVE
        assert page.center.stage.label_of(rung_shown(compare)) == "Scenes"
        page.scrub_to(2)
        assert compare.rung == Rung(Ladder.LATENT, -1.0)

    run_async(story())


def test_arrows_on_the_page_move_along_the_ladder_too(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        page.setFocus()
        QTest.keyClick(page, Qt.Key.Key_Right)
        assert compare.rung == Rung(Ladder.LATENT, 2.0)
        QTest.keyClick(page, Qt.Key.Key_L)
        assert compare.rung == NATIVE
        QTest.keyClick(page, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        await ended(shell)
        QTest.keyClick(page, Qt.Key.Key_PageDown)
        assert rung_shown(compare).state is ShownState.READY
        compare.view.update(mode=ViewMode.SIDE)
        assert seen(page, 15, 0, 1)[0] == int(255 * share_of(5.0, 4.0) * 15 / SIDE)

    run_async(story())


def test_escape_stops_what_this_page_asked_for_and_keeps_what_is_made(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.2)
        await started(shell)
        page, compare = opened(shell)
        compare.form.update(latent_levels=tuple(float(level) for level in range(4, -8, -1)))
        compare.add_files(pictures)
        await until(lambda: compare.original() is not None)
        page._on_all_requested()
        await until(lambda: rung_shown(compare).state is ShownState.READY)
        QTest.keyClick(shell.window, Qt.Key.Key_Escape)
        await ended(shell)
        await until(lambda: states(page)[-1] == "missing")
        assert states(page)[0] == "ready"
        assert not shell.program.session.queue.view.is_paused

    run_async(story())


def test_jobs_taken_out_of_the_queue_are_not_waited_for(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        _, compare = opened(shell)  # the engine is not started: all of it waits
        compare.add_files(pictures[:1])
        await until(lambda: compare.original() is not None)
        assert compare.run()
        assert not compare.run(), "it is on its way"
        shell.program.session.queue.clear_waiting()
        assert not compare.results.is_working
        assert compare.run(), "it can be asked for again"

    run_async(story())


def test_a_failed_job_leaves_a_mark_and_a_notice(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell("fails")
        await started(shell)
        page, compare = opened(shell)
        compare.form.update(latent_levels=(3.0, 2.0, 1.0, 0.0))
        compare.add_files(pictures[:1])
        await until(lambda: compare.original() is not None)
        page.run()
        await ended(shell)
        await until(lambda: states(page) == ["ready", "ready", "ready", "failed", "failed"])
        assert "not finite" in told(shell)

    run_async(story())


# ---- views --------------------------------------------------------------------------------------------------------


def test_the_original_shows_while_c_is_held(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        page.setFocus()
        made = int(255 * share_of(5.0, None) * 15 / SIDE)
        compare.view.update(mode=ViewMode.BLINK)
        assert seen(page, 15, 0)[0] == made
        QTest.keyPress(page, Qt.Key.Key_C)
        assert seen(page, 15, 0)[0] == 255 * 15 // SIDE
        QTest.keyRelease(page, Qt.Key.Key_C)
        assert seen(page, 15, 0)[0] == made
        compare.view.update(mode=ViewMode.GRID)
        QTest.keyPress(page, Qt.Key.Key_C)
        assert seen(page, 15, 0, 1)[0] == 255 * 15 // SIDE
        QTest.keyRelease(page, Qt.Key.Key_C)
        assert seen(page, 15, 0, 1)[0] == made

    run_async(story())


def test_a_held_c_is_let_go_with_the_page_and_the_window(
    make_shell: Make, run_async: RunAsync, owned: Callable[[Any], Any], pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        page.setFocus()
        compare.view.update(mode=ViewMode.BLINK)
        original, made = 255 * 15 // SIDE, int(255 * share_of(5.0, None) * 15 / SIDE)
        QTest.keyPress(page, Qt.Key.Key_C)
        assert seen(page, 15, 0)[0] == original
        shell.window.show_page("generate")
        shell.window.show_page("compare")
        assert seen(page, 15, 0)[0] == made
        QTest.keyPress(page, Qt.Key.Key_C)
        assert seen(page, 15, 0)[0] == original
        other = owned(QWidget())
        other.show()
        other.activateWindow()
        await until(lambda: not page.isActiveWindow())
        assert seen(page, 15, 0)[0] == made

    run_async(story())


def test_who_blinks_is_told_how(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        assert page.center is not None
        compare.view.update(mode=ViewMode.BLINK)
        assert "hold C to see Original" in page.center.stage.pair.main.accessibleDescription()

    run_async(story())


def test_comparing_what_is_made_already_says_so(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        page, _compare = await compared(shell, pictures[:1])
        assert page.panel is not None
        assert "Nothing is missing" not in told(shell)
        click(page.panel.bar.run_button)
        assert "Nothing is missing" in told(shell)
        assert shell.program.session.queue.view.is_idle

    run_async(story())


def test_keys_choose_modes_candidates_and_room(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        assert page.panel is not None
        assert page.inspector is not None
        page.setFocus()
        before = compare.view.view.mode
        QTest.keyClick(page, Qt.Key.Key_M)
        assert compare.view.view.mode is not before
        QTest.keyClick(page, Qt.Key.Key_1)
        assert compare.view.view.candidate == 0
        QTest.keyClick(page, Qt.Key.Key_2)
        assert compare.view.view.candidate == 1
        QTest.keyClick(page, Qt.Key.Key_F)
        assert not page.panel.isVisible()
        assert not page.inspector.isVisible()
        QTest.keyClick(shell.window, Qt.Key.Key_Escape)
        assert page.panel.isVisible()
        assert page.inspector.isVisible()
        page.center.stage.pair.zoom_to(3.0)  # type: ignore[union-attr]
        QTest.keyClick(page, Qt.Key.Key_0)
        assert page.center.stage.state.is_fitted  # type: ignore[union-attr]

    run_async(story())


def test_differences_with_gain_and_the_engines_map(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        assert page.center is not None
        shown: list[Any] = []
        page.center.stage.pair.difference_shown.connect(shown.append)
        compare.view.update(mode=ViewMode.DIFFERENCE, difference=DifferenceKind.ABSOLUTE, gain=8.0)
        await until(lambda: shown)
        off = abs(255 * 15 // SIDE - int(255 * share_of(5.0, None) * 15 / SIDE))
        assert shown[-1].image.pixelColor(15, 0).red() == min(255, 8 * off)
        compare.view.update(difference=DifferenceKind.FLIP)
        await until(lambda: shown[-1].kind.value == "flip")
        row = [shown[-1].image.pixelColor(x, 0).lightness() for x in (0, 15)]
        assert row[0] < row[1], "the fake's errors rise to the right"

    run_async(story())


def test_the_pixel_under_the_pointer_in_all_candidates(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        page, _compare = await compared(shell, pictures[:1])
        assert page.inspector is not None
        assert page.center is not None
        page.center.stage.probed.emit(Probe(15, 8))
        table = page.inspector.probe.table
        rows = [[table.item(row, column).text() for column in range(5)] for row in range(2)]  # type: ignore[union-attr]
        share = share_of(5.0, None)
        red, green = int(255 * share * 15 / SIDE), int(255 * share * 8 / SIDE)
        assert rows[0] == ["Original", str(255 * 15 // SIDE), str(255 * 8 // SIDE), "0", ""]
        assert rows[1][:4] == ["Scenes", str(red), str(green), "0"]
        assert rows[1][4] == f"\u2212{255 * 15 // SIDE - red} \u2212{255 * 8 // SIDE - green} 0"

    run_async(story())


def test_what_is_seen_is_saved(make_shell: Make, run_async: RunAsync, pictures: list[str], tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell()
        page, _compare = await compared(shell, pictures[:1])
        assert page.center is not None
        size = page.center.stage.size()
        page.save_view()
        dialog = shell.window.findChild(QFileDialog)
        assert dialog is not None
        target = tmp_path / "seen.png"
        dialog.fileSelected.emit(str(target))
        dialog.close()
        await until(lambda: "Saved" in told(shell))
        assert QImage(str(target)).size() == size
        page.csv_save_requested.emit((str(tmp_path / "no" / "such.csv"), "a"))
        await until(lambda: "It was not saved" in told(shell))

    run_async(story())


def test_the_curve_beside_the_table_runs_as_the_ladder_does(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        page.resize(1280, 1000)
        shell.window.resize(1400, 1100)
        assert page.inspector is not None
        page.inspector.show_tab("numbers")
        chart = page.inspector.numbers.chart
        await until(lambda: chart.series and len(chart.series[0].x) > 1)
        for ladder, is_reversed in ((Ladder.LATENT, True), (Ladder.DECODER, False), (Ladder.LATENT, True)):
            compare.view.update(ladder=ladder)
            await until(lambda: chart.axes[0].is_reversed is is_reversed)  # noqa: B023 - within the turn
            places = [chart.plot.frame.x.px_of(rung.level) for rung in compare.form.rungs(ladder) if rung.level]
            assert places == sorted(places)

    run_async(story())


# ---- analyses -----------------------------------------------------------------------------------------------------


def test_bits_over_the_picture_with_values_and_spread(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        assert page.inspector is not None
        page.inspector.show_tab("bits")
        tab = page.inspector.bits
        assert compare.view.view.overlay is Overlay.BITS
        assert tab.overlay is not None
        assert tab.overlay.image.width() == 2
        tab.set_probe(Probe(9, 9))
        assert tab.value.text() == "Cell 1, 1: 3.00 bits ± 1.00"
        assert "0.1250 ± 0.0100" in tab.total.text()
        (series,) = tab.chart.series
        assert list(series.y) == [1.0, 3.0, 12.0]
        assert list(series.high or ()) == [1.25, 3.5, 13.0]
        page.inspector.show_tab("numbers")
        assert compare.view.view.overlay is Overlay.NONE

    run_async(story())


def test_a_map_of_a_smaller_picture_is_not_read_beyond_its_edge(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        page, _compare = await compared(shell, pictures[:1])
        assert page.inspector is not None
        assert page.center is not None
        page.inspector.show_tab("bits")
        page.inspector.show_tab("numbers")
        page.center.stage.probed.emit(Probe(40 * SIDE, 40 * SIDE))
        assert page.inspector.bits.value.text() == "Point at the picture to read a cell."
        page.center.stage.probed.emit(Probe(9, 9))
        assert page.inspector.bits.value.text() == "Cell 1, 1: 3.00 bits ± 1.00"

    run_async(story())


def test_a_measure_that_cannot_be_taken_is_named_and_explained_on_demand(
    make_shell: Make, run_async: RunAsync, pictures: list[str]
) -> None:
    async def story() -> None:
        shell = make_shell()
        page, _compare = await compared(shell, pictures[:1])
        assert page.inspector is not None
        missing = page.inspector.numbers.missing
        await until(lambda: "Not measured: LPIPS." in texts(missing))
        assert "weights" not in texts(missing)
        click(missing.why_button)
        assert "LPIPS: its weights are not here." in texts(missing)

    run_async(story())


def test_a_second_wish_for_a_report_finds_the_dialog_that_is_open(
    make_shell: Make, run_async: RunAsync, tmp_path: Path
) -> None:
    async def story() -> None:
        shell = make_shell()
        page, _compare = opened(shell)
        page.open_report()
        page.open_report(str(tmp_path))
        (dialog,) = page.findChildren(ReportDialog)
        assert dialog.folder.text() == str(tmp_path)
        dialog.close()
        await until(lambda: not page.findChildren(ReportDialog))

    run_async(story())


def test_what_is_encoded_and_what_is_invented(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        assert page.inspector is not None
        assert page.center is not None
        page.inspector.show_tab("invented")
        tab = page.inspector.invented
        assert tab.button.isVisible()
        assert tab.overlay is None
        click(tab.button)
        await ended(shell)
        await until(lambda: tab.overlay is not None)
        tab.set_probe(Probe(9, 0))
        assert tab.value.text() == "Pixel 9, 0: ± 9.0 levels, made up anew in each decode"
        tab.set_probe(Probe(1, 0))
        assert "the latent knows it" in tab.value.text()
        assert "32.00 dB; of one decode: 30.00 dB" in tab.facts.text()
        compare.view.update(mode=ViewMode.SIDE)
        click(tab.mean_box)
        assert seen(page, 15, 0, 1)[0] == int(255 * 0.25 * 15 / SIDE)

    run_async(story())


def test_the_latent_its_channels_and_its_noise(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        assert page.inspector is not None
        assert page.center is not None
        page.inspector.show_tab("latent")
        tab = page.inspector.latent
        assert "4 channels of 2 × 2 cells (16 numbers)" in tab.facts.text()
        (bars,) = tab.scale.series
        assert bars.y[3] == pytest.approx(0.4 / (0.0818 / 0.9966))
        tab.sheet.setFocus()
        QTest.keyClick(tab.sheet, Qt.Key.Key_Right)
        assert tab.histogram.title == "Channel 2"
        click(tab.components_box)
        assert compare.view.view.overlay is Overlay.COMPONENTS
        assert page.center.stage._overlay is not None

    run_async(story())


def test_codecs_at_equal_bits_and_the_whole_bench(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = await compared(shell, pictures[:1])
        assert page.inspector is not None
        assert page.panel is not None
        click(page.panel.codecs.boxes["jpeg"])
        click(page.panel.codecs.boxes["jpegxl"])
        page.run()
        await ended(shell)
        jpeg, jpegxl = (compare.shown(candidate) for candidate in compare.candidates[-2:])
        assert jpeg.figures is not None
        assert jpeg.figures.is_floor
        assert (jpegxl.state, jpegxl.words) == (ShownState.FAILED, "needs a package that is not here")
        box = page.panel.codecs.boxes["jpegxl"]
        assert box.isEnabled(), "what is ticked can be let go"
        click(box)
        assert not box.isEnabled()
        assert box.toolTip() == "needs a package that is not here"
        page.inspector.show_tab("bench")
        click(page.inspector.bench.button)
        await ended(shell)
        await until(lambda: len(page.inspector.bench.chart.series) == 4)  # type: ignore[union-attr]
        names = [series.name for series in page.inspector.bench.chart.series]
        assert names == ["JPEG", "WebP", "AVIF", "Scenes"]
        assert "JPEG XL: needs a package" in texts(page.inspector.bench)

    run_async(story())


def test_several_models_in_one_comparison(
    make_shell: Make, run_async: RunAsync, pictures: list[str], model_root: Path
) -> None:
    async def story() -> None:
        write_model(model_root, "other", name="Other")
        shell = make_shell()
        await started(shell)
        page, compare = opened(shell)
        assert page.panel is not None
        assert page.inspector is not None
        other = next(box for box in page.panel.models.boxes if box.text() == "Other")
        if not other.isChecked():
            other.click()
        first = next(box for box in page.panel.models.boxes if box.text() == "Scenes")
        if not first.isChecked():
            first.click()
        compare.add_files(pictures[:1])
        page.run()
        await ended(shell)
        assert [shown.state for shown in compare.all_shown()] == [ShownState.READY] * 3
        assert page.center is not None
        compare.view.update(mode=ViewMode.WIPE, reference=2)
        await until(lambda: page.center.tools.reference.currentIndex() == 2)  # type: ignore[union-attr]
        await until(lambda: page.inspector.numbers.numbers.rowCount() == 2)  # type: ignore[union-attr]

    run_async(story())


def test_clips_run_in_step_with_their_curves(make_shell: Make, run_async: RunAsync, pictures: list[str]) -> None:
    async def story() -> None:
        shell = make_shell(frames=3)
        page, compare = await compared(shell, pictures[:1])
        assert page.center is not None
        assert page.inspector is not None
        await until(lambda: page.center.play.count == 3)  # type: ignore[union-attr]
        compare.view.update(mode=ViewMode.SIDE)
        page.setFocus()
        QTest.keyClick(page, Qt.Key.Key_D)
        assert compare.view.view.frame == 1
        assert (seen(page, 0, 0, 0)[2], seen(page, 0, 0, 1)[2]) == (10 * 53 % 256,) * 2
        page.inspector.show_tab("clip")
        (psnr,), (flicker,) = page.inspector.clip.psnr.series, page.inspector.clip.flicker.series
        assert list(psnr.y) == [30.0, 31.0, 32.0]
        assert list(flicker.x) == [2.0, 3.0]
        QTest.keyClick(page, Qt.Key.Key_A)
        assert compare.view.view.frame == 0
        QTest.keyClick(page, Qt.Key.Key_Space)
        assert page.center.play.is_playing
        shell.window.show_page("generate")
        assert not page.center.play.is_playing, "nobody sees it"

    run_async(story())


def test_the_form_is_remembered(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        _page, compare = opened(shell)
        compare.form.update(seed=7)
        assert shell.settings().compare["seed"] == 7
        assert shell.settings().compare["latent_levels"] == [2.0, -1.0]

    run_async(story())


def test_wrong_levels_are_told_beside_the_field_and_change_nothing(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        page, compare = opened(shell)
        assert page.panel is not None
        field = page.panel.settings.latent_levels
        click(page.panel.settings.fold)
        field.edit.setFocus()
        field.edit.selectAll()
        QTest.keyClicks(field.edit, "4, x")
        QTest.keyClick(field.edit, Qt.Key.Key_Return)
        assert "Numbers with commas" in field.error
        assert compare.form.state.latent_levels != (4.0,)
        field.edit.selectAll()
        QTest.keyClicks(field.edit, "4, 1")
        QTest.keyClick(field.edit, Qt.Key.Key_Return)
        assert field.error == ""
        assert compare.form.state.latent_levels == (4.0, 1.0)

    run_async(story())


@pytest.fixture(autouse=True)
def clean_clipboard(qapp: Any) -> Callable[[], None]:
    QGuiApplication.clipboard().clear()
    return QGuiApplication.clipboard().clear
