"""The page Library with real files and the real index."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.shell import Shell
from app.ui.widgets.question_dialog import QuestionDialog
from app.ui.widgets.restore_dialog import RestoreDialog
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, made, started, texts
from tests.helpers.many_results import prompt_of, write_results


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


def gallery(shell: Shell) -> Any:
    return shell.program.session.gallery


def page(shell: Shell) -> Any:
    return shell.window.library_page


async def opened(make_shell: Make, count: int) -> Shell:
    """The page on show, with all results read."""
    shell = make_shell()
    shell.window.show_page("library")
    await until(lambda: not gallery(shell).scan.is_first and gallery(shell).list.rowCount() == count)
    await until(lambda: all(gallery(shell).list.item(row) is not None for row in range(min(count, 40))))
    return shell


def shown(shell: Shell) -> list[str]:
    rows = gallery(shell).list
    return [rows.item(row).prompt if rows.item(row) else "" for row in range(rows.rowCount())]


async def search(shell: Shell, text: str, count: int) -> None:
    page(shell).search.field.setText(text)
    await until(lambda: gallery(shell).filter.text == text and gallery(shell).list.rowCount() == count)
    await until(lambda: all(shown(shell)) or count == 0)


def choose(shell: Shell, *rows: int) -> None:
    grid = page(shell).grid
    grid.clearSelection()
    for row in rows:
        grid.selectionModel().setCurrentIndex(
            gallery(shell).list.index(row), grid.selectionModel().SelectionFlag.Select
        )


def test_an_empty_library_says_what_will_appear(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = await opened(make_shell, 0)
        await until(lambda: "Everything you make is kept here" in texts(page(shell)))
        click(page(shell).notes.generate_button)
        assert shell.window.page == "generate"

    run_async(story())


def test_search_filters_and_the_way_back(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        write_results(outputs, 30)
        shell = await opened(make_shell, 30)
        assert shown(shell) == [prompt_of(number) for number in range(30)]
        await search(shell, "red cube", 1)
        assert shown(shell) == [prompt_of(21)]
        assert "1 of 30" in page(shell).filters.count.text().replace("\u2009", " ")
        await search(shell, "sede:4", 30)
        assert "Did you mean seed:" in page(shell).search.problem
        await search(shell, "nothing like it", 0)
        assert "Nothing fits" in texts(page(shell))
        click(page(shell).notes.clear_button)
        await until(lambda: gallery(shell).list.rowCount() == 30)
        assert page(shell).search.field.text() == ""
        combo = page(shell).filters.model
        combo.setCurrentIndex(combo.findData("Faces"))
        combo.activated.emit(combo.currentIndex())
        await until(lambda: gallery(shell).list.rowCount() == 15)

    run_async(story())


def test_help_puts_its_examples_into_the_search(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        write_results(outputs, 3)
        shell = await opened(make_shell, 3)
        assert page(shell).search.help is None
        click(page(shell).search.help_button)
        assert "longer side in pixels" in texts(page(shell).search.help)
        page(shell).search.help.example_chosen.emit("star:")
        await until(lambda: gallery(shell).list.rowCount() == 0)
        assert page(shell).search.field.text() == "star:"
        assert page(shell).handle_escape()
        await until(lambda: gallery(shell).list.rowCount() == 3)

    run_async(story())


def test_stars_by_key_and_by_click(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        write_results(outputs, 6)
        shell = await opened(make_shell, 6)
        grid = page(shell).grid
        choose(shell, 1, 2)
        page(shell).verbs.star()
        assert gallery(shell).list.item(1).is_starred
        place = grid._painter.star_place(grid.visualRect(gallery(shell).list.index(4))).center()
        QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert gallery(shell).list.item(4).is_starred
        stars = outputs / ".ul-studio" / "stars.txt"
        await until(lambda: stars.exists() and len(stars.read_text().splitlines()) == 3)
        await search(shell, "star:", 3)
        assert shown(shell) == [prompt_of(1), prompt_of(2), prompt_of(4)]
        choose(shell, 0)
        page(shell).verbs.star()
        await until(lambda: gallery(shell).list.rowCount() == 2)

    run_async(story())


def test_deleting_and_the_way_back(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        paths = write_results(outputs, 6)
        shell = await opened(make_shell, 6)
        choose(shell, 0, 1)
        page(shell).verbs.delete()
        await until(lambda: gallery(shell).list.rowCount() == 4)
        assert not paths[0].exists()
        assert len(page(shell).grid.chosen_ids()) == 1, "the neighbour is chosen, so that Del can be pressed again"
        await until(lambda: "2 deleted" in page(shell).bin_button.toolTip())
        (notice,) = shell.program.session.notices.notices
        assert notice.title == "2 moved to the bin"
        shell.program.session.notices.choose(notice, notice.actions[0].name, notice.actions[0].argument)
        await until(lambda: gallery(shell).list.rowCount() == 6)
        assert all(path.exists() for path in paths)
        await until(lambda: "empty" in page(shell).bin_button.toolTip())

    run_async(story())


def test_the_bin_shows_restores_and_is_emptied(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        write_results(outputs, 3)
        shell = await opened(make_shell, 3)
        choose(shell, 0, 1)
        page(shell).verbs.delete()
        await until(lambda: gallery(shell).list.rowCount() == 1)
        click(page(shell).bin_button)
        dialog = page(shell).dialogs.bin
        await until(lambda: dialog.list.count() == 2)
        assert "2 deleted results" in texts(dialog)
        dialog.list.setCurrentRow(0)
        chosen, other = dialog._entries
        dialog.set_entries((other, replace(chosen, name="newer"), chosen))
        assert dialog.restore_button.text() == "Bring 1 back", "what is chosen outlives news of the bin"
        dialog.set_entries((chosen, other))
        click(dialog.restore_button)
        await until(lambda: gallery(shell).list.rowCount() == 2 and dialog.list.count() == 1)
        assert "1 deleted result takes" in texts(dialog)
        click(dialog.empty_button)
        question = dialog.findChild(QuestionDialog)
        assert "gone for good" in question.sentence
        click(question.go_button)
        await until(lambda: dialog.list.count() == 0)
        assert not (outputs / ".trash").exists()
        dialog.reject()

    run_async(story())


def test_clean_up_shows_what_would_go_first(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        paths = write_results(outputs, 5)
        (outputs / "copy.png").write_bytes(paths[0].read_bytes())
        shell = await opened(make_shell, 6)
        click(page(shell).cleanup_button)
        dialog = page(shell).dialogs.cleanup
        await until(lambda: "Nothing is ticked yet" in texts(dialog))
        assert not dialog.go_button.isEnabled()
        dialog.is_duplicate.setChecked(True)
        await until(lambda: dialog.go_button.isEnabled())
        assert "1 result," in texts(dialog)
        assert len(list(outputs.rglob("*.png"))) == 6
        click(dialog.go_button)
        await until(lambda: gallery(shell).list.rowCount() == 5)
        assert not (outputs / "copy.png").exists()

    run_async(story())


def test_details_can_be_read_and_copied(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        write_results(outputs, 3)
        shell = await opened(make_shell, 3)
        choose(shell, 2)
        details = page(shell).details
        wanted = (prompt_of(2), "Scenes", "28 × DPM++ 2M SDE", "16 × 16 px", "00498-2.png")
        await until(lambda: all(words in texts(details) for words in wanted))
        details._whole.click()
        details._copy_text.click()
        assert '"seed": 2' in QGuiApplication.clipboard().text()
        choose(shell, 0, 1)
        assert "2 chosen" in texts(details)

    run_async(story())


def test_a_large_result_and_its_neighbours(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        write_results(outputs, 4)
        shell = await opened(make_shell, 4)
        choose(shell, 1)
        page(shell).grid.setFocus()
        QTest.keyClick(page(shell).grid, Qt.Key.Key_Return)
        large = page(shell).large
        await until(lambda: large.view.image is not None)
        assert page(shell).is_large
        QTest.keyClick(large, Qt.Key.Key_Right)
        await until(lambda: large.item.seed == 2)
        assert "3 of 4" in texts(large)
        assert prompt_of(2) in texts(page(shell).details)
        page(shell).verbs.delete()
        await until(lambda: large.item.seed == 3)
        assert page(shell).handle_escape()
        assert page(shell).grid.currentIndex().row() == 2

    run_async(story())


def test_a_clip_plays(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    import numpy as np

    from ul_engine.outputs import write_clip

    async def story() -> None:
        outputs.mkdir()
        frames = np.zeros((5, 32, 48, 3), np.uint8)
        write_clip(outputs / "clip.mp4", frames, 8)
        shell = await opened(make_shell, 1)
        page(shell).open_item(gallery(shell).list.item(0))
        large = page(shell).large
        await until(lambda: large.player.play.count == 5)
        choose(shell, 0)
        assert page(shell).verbs.can_continue()

    run_async(story())


def test_settings_are_offered_with_a_difference(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        write_results(outputs, 2)
        shell = await opened(make_shell, 2)
        choose(shell, 0)
        page(shell).verbs.use()
        await until(lambda: shell.window.findChild(RestoreDialog))
        assert prompt_of(0) in texts(shell.window.findChild(RestoreDialog))

    run_async(story())


def test_chosen_results_go_into_compare(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        paths = write_results(outputs, 3)
        shell = await opened(make_shell, 3)
        choose(shell, 0, 2)
        page(shell).verbs.compare()
        assert shell.window.page == "compare"
        inputs = shell.program.session.compare.inputs
        await until(lambda: [item.path for item in inputs.items] == [str(paths[0]), str(paths[2])])

    run_async(story())


def test_new_pictures_appear_by_themselves(make_shell: Make, run_async: RunAsync) -> None:
    """Those of this program at once; those of others when the disk tells."""

    async def story() -> None:
        shell = await opened(make_shell, 0)
        await started(shell)
        first, _ = await made(shell)
        await until(lambda: gallery(shell).list.rowCount() == 2)
        await until(lambda: all(shown(shell)))
        day = Path(first.path).parent
        shell.program.late.gallery.open()
        await until(lambda: str(day) in shell.program.late.gallery._watch._watcher.directories())
        (day / "from-elsewhere.png").write_bytes(Path(first.path).read_bytes())
        await until(lambda: gallery(shell).list.rowCount() == 3)

    run_async(story())


def test_the_keyboard_walks_and_chooses(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        write_results(outputs, 40)
        shell = await opened(make_shell, 40)
        grid = page(shell).grid
        grid.setFocus()
        grid.setCurrentIndex(gallery(shell).list.index(0))
        columns = grid.num_columns
        for key, row in (
            (Qt.Key.Key_Right, 1),
            (Qt.Key.Key_Down, 1 + columns),
            (Qt.Key.Key_Left, columns),
            (Qt.Key.Key_Up, 0),
            (Qt.Key.Key_Up, 0),
            (Qt.Key.Key_End, 39),
            (Qt.Key.Key_Home, 0),
        ):
            QTest.keyClick(grid, key)
            assert grid.currentIndex().row() == row
        QTest.keyClick(grid, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        assert len(grid.chosen_ids()) == columns + 1, "Shift takes all between, as in reading"
        QTest.keyClick(grid, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        assert len(grid.chosen_ids()) == 40
        page(shell).focus_search()
        assert QApplication.focusWidget() is page(shell).search.field
        QTest.keyClicks(page(shell).search.field, "s")
        assert not gallery(shell).list.item(0).is_starred, "typing is no shortcut"

    run_async(story())


def test_nothing_sticks_out_at_the_smallest_size(make_shell: Make, run_async: RunAsync, outputs: Path) -> None:
    async def story() -> None:
        write_results(outputs, 3)
        shell = await opened(make_shell, 3)
        for width, height in ((960, 600), (1280, 720)):
            shell.window.resize(width, height)
            await asyncio.sleep(0)
            QApplication.processEvents()
            filters = page(shell).filters
            parts = [filters.model, filters.period, filters.kind, filters.order, filters.starred, filters.count]
            places = [QRect(part.mapTo(filters, QPoint()), part.size()) for part in parts]
            for index, one in enumerate(places):
                assert one.right() < filters._sizes[0].mapTo(filters, QPoint()).x()
                assert not any(one.intersects(other) for other in places[index + 1 :])
            assert shell.window.width() == width

    run_async(story())


@pytest.mark.stress
def test_25_000_results_cost_no_more_than_those_on_show(
    make_shell: Make, run_async: RunAsync, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Structure, not time: a paint asks for the cells on show, a search for one block, memory for a bounded number."""
    from app.ui.widgets.library import cell_painter

    async def story() -> None:
        write_results(outputs, 25_000, side_px=2)
        shell = make_shell()
        shell.window.show_page("library")
        await until(lambda: gallery(shell).list.rowCount() == 25_000, timeout_s=240)
        await until(lambda: not gallery(shell).scan.is_running, timeout_s=240)
        painted: list[Callable[..., Any]] = []
        real = cell_painter.CellPainter.paint
        monkeypatch.setattr(
            cell_painter.CellPainter, "paint", lambda self, *given: (painted.append(given[0]), real(self, *given))[1]
        )
        grid = page(shell).grid
        on_show = grid.num_columns * (grid.viewport().height() // grid.cell_size.height() + 2)
        for share in (0.1, 0.5, 0.9, 1.0):
            painted.clear()
            grid.verticalScrollBar().setValue(round(grid.verticalScrollBar().maximum() * share))
            grid.viewport().repaint()
            assert 0 < len(painted) <= on_show
        await search(shell, "number 24999", 1)
        page(shell).search.field.setText("")
        await until(lambda: gallery(shell).list.rowCount() == 25_000, timeout_s=60)
        assert len(gallery(shell).list._items) <= 4096
        assert grid.indexAt(QPoint(40, 40)).isValid()

    run_async(story())
