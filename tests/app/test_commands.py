"""Everything that can be done is in one registry: found by a few letters, run when possible, listed with its keys."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit

from app.models.commands import Command, Commands
from app.models.fuzzy import match
from app.shell import Shell
from app.ui.theme.theme import colours
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, made, prepare, started

# ---- finding ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "title", "fits"),
    [
        ("", "Anything", True),
        ("gen", "Generate", True),
        ("NERA", "Generate", True),
        ("pim", "Preview images", True),
        ("st jo", "Stop the running job", True),
        ("job st", "Stop the running job", True),
        ("sj", "Stop the running job", True),
        ("xyz", "Generate", False),
        ("gne", "Generate", False),
        ("stop now", "Stop the running job", False),
        ("größe", "GRÖSSE wählen", True),
    ],
)
def test_a_few_letters_find_it(query: str, title: str, fits: bool) -> None:
    assert (match(query, title) is not None) is fits


def test_the_beginning_counts_more_than_the_middle_and_synonyms_count_least() -> None:
    scores = [
        match("stop", title, words)
        for title, words in (("Stop", ""), ("A stop", ""), ("Nonstop", ""), ("Halt", "stop"))
    ]
    values = [found.score for found in scores if found is not None]
    assert len(values) == 4
    assert values == sorted(values, reverse=True)
    assert match("ru jo", "Stop the running job").letters == (9, 10, 17, 18)  # type: ignore[union-attr]


def test_commands_are_ranked_remembered_and_guarded(qapp: Any, owned: Callable[[Any], Any]) -> None:
    commands, done = owned(Commands()), []
    commands.add(Command("a.open", "Open the folder", "A", ("Ctrl+O",), page="a"), lambda: done.append("open"))
    commands.add(Command("b.stop", "Stop", "B", ("Esc",), page="b"), lambda: done.append("stop"), lambda: False)
    commands.add(Command("b.drag", "Move the picture", "B", ("Drag",)))
    commands.add(Command("w.theme", "Dark or light", "W"), lambda: done.append("theme"))
    assert [found.command.name for found in commands.find("", "a")] == ["a.open", "b.stop", "w.theme"]
    assert [found.command.name for found in commands.find("", "b")] == ["a.open", "w.theme"]
    assert commands.run("w.theme")
    assert [found.command.name for found in commands.find("")] == ["w.theme", "a.open", "b.stop"]
    assert commands.find("")[0].is_recent
    assert not commands.run("b.stop")
    assert not commands.run("b.drag")
    assert not commands.run("no.such")
    assert done == ["theme"]
    assert [(group, len(each)) for group, each in commands.explained()] == [("A", 1), ("B", 2)]
    assert [group for group, _ in commands.explained("drag")] == ["B"]


# ---- the palette --------------------------------------------------------------------------------------------------


def press(shell: Shell, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or shell.window, key, modifier)


def opened_palette(shell: Shell) -> Any:
    assert QTest.qWaitForWindowActive(shell.window, 5000)
    press(shell, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert shell.window.palette_overlay is not None
    assert shell.window.palette_overlay.isVisible()
    return shell.window.palette_overlay


def test_the_palette_opens_over_a_text_field_and_gives_the_focus_back(make_shell: Make) -> None:
    shell = make_shell()
    editor = shell.window.generate_page.panel.prompt_field.editor
    editor.setFocus()
    before = editor.toPlainText()
    palette = opened_palette(shell)
    assert QApplication.focusWidget() is palette.search
    assert palette.titles[0] == "Generate"
    press(shell, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert QApplication.focusWidget() is editor
    assert editor.toPlainText() == before


def test_letters_and_enter_do_it(make_shell: Make) -> None:
    shell = make_shell()
    palette = opened_palette(shell)
    QTest.keyClicks(palette.search, "dark light")
    assert palette.titles == ["Turn dark into light or back"]
    press(shell, Qt.Key.Key_Return)
    assert colours().name == "light"
    assert not palette.isVisible()
    shell.theme.set_wish("dark")


def test_arrows_and_the_mouse_choose_too(make_shell: Make) -> None:
    shell = make_shell()
    palette = opened_palette(shell)
    QTest.keyClicks(palette.search, "go to")
    assert palette.titles[:2] == ["Go to Generate", "Go to Compare"]
    press(shell, Qt.Key.Key_Down)
    press(shell, Qt.Key.Key_Return)
    assert shell.window.page == "compare"
    palette = opened_palette(shell)
    QTest.keyClicks(palette.search, "settings")
    rect = palette.list.visualRect(palette.list.currentIndex())
    QTest.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert shell.window.page == "settings"


def test_what_nothing_is_called_is_said(make_shell: Make) -> None:
    palette = opened_palette(make_shell())
    QTest.keyClicks(palette.search, "qqqq")
    assert palette.titles == []
    assert palette._nothing.isVisible()
    press_return = Qt.Key.Key_Return
    QTest.keyClick(palette.search, press_return)
    assert palette.isVisible()


def test_a_command_of_another_page_goes_there_first(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        prepare(shell)
        shell.window.show_page("settings")
        palette = opened_palette(shell)
        QTest.keyClicks(palette.search, "generate")
        row = palette.titles.index("Generate")
        palette.list.setCurrentIndex(palette._found.index(row))
        press(shell, Qt.Key.Key_Return)
        assert shell.window.page == "generate"
        await until(lambda: shell.program.session.results.num_done == 2)
        await until(lambda: all(tile.path for tile in shell.program.session.results.done_tiles()))

    run_async(story())


# ---- the list of shortcuts ----------------------------------------------------------------------------------------


def sheet_texts(shell: Shell) -> list[str]:
    sheet = shell.window.sheet_overlay
    assert sheet is not None
    return [label.text() for label in sheet._area.widget().findChildren(QLabel)]


def test_a_question_mark_lists_the_shortcuts_but_not_while_typing(make_shell: Make) -> None:
    shell = make_shell()
    assert QTest.qWaitForWindowActive(shell.window, 5000)
    editor = shell.window.generate_page.panel.prompt_field.editor
    editor.setFocus()
    editor.clear()
    QTest.keyClicks(editor, "?")
    assert editor.toPlainText() == "?"
    assert shell.window.sheet_overlay is None
    shell.window.generate_page.panel.bar.generate_button.setFocus()
    press(shell, Qt.Key.Key_Question)
    assert shell.window.sheet_overlay is not None
    assert shell.window.sheet_overlay.isVisible()
    assert "Find anything to do" in sheet_texts(shell)
    assert "Ctrl+K" in sheet_texts(shell)
    QTest.keyClicks(shell.window.sheet_overlay.search, "zoom larg")
    assert "Find anything to do" not in sheet_texts(shell)
    press(shell, Qt.Key.Key_F1)
    assert shell.window.sheet_overlay.isVisible()
    press(shell, Qt.Key.Key_Escape)
    assert not shell.window.sheet_overlay.isVisible()


def test_no_key_means_two_things(make_shell: Make) -> None:
    """Two bindings of one key that hold at once would both fall silent."""
    shell = make_shell()
    window = shell.window
    window.ensure_pages()
    bound: dict[tuple[str, str], object] = {}
    for shortcut in window.findChildren(QShortcut):
        if shortcut.context() is not Qt.ShortcutContext.WindowShortcut:
            continue
        pages = [
            name
            for name, page in window._pages.items()
            if page.isAncestorOf(shortcut.parent()) or page is shortcut.parent()
        ]
        for page in pages or list(window._pages):
            sequences = shortcut.keys()
            for keys in sequences:
                assert bound.setdefault((page, keys.toString()), shortcut) is shortcut, (page, keys.toString())
    assert ("train", "Esc") in bound
    assert ("generate", "Ctrl+Return") in bound
    assert ("train", "Ctrl+Return") not in bound or bound["train", "Ctrl+Return"] is not bound[
        "generate", "Ctrl+Return"
    ]


# ---- Esc ----------------------------------------------------------------------------------------------------------


def test_escape_closes_what_is_in_front_before_it_stops_the_job(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.05)
        await started(shell)
        await made(shell, num_images=1, base_steps=1, decoder_steps=1)
        prepare(shell, num_images=1, base_steps=100)
        click(shell.window.generate_page.panel.bar.generate_button)
        queue = shell.program.session.queue
        await until(lambda: queue.view.running is not None)
        tile = shell.program.session.results.done_tiles()[-1]
        shell.window.generate_page.stage.open_tile(tile)
        palette = opened_palette(shell)
        press(shell, Qt.Key.Key_Escape)
        assert not palette.isVisible()
        assert shell.window.generate_page.stage.is_single
        press(shell, Qt.Key.Key_Escape)
        assert not shell.window.generate_page.stage.is_single
        assert queue.view.running is not None
        assert queue.view.running.state.value == "running"
        press(shell, Qt.Key.Key_Escape)
        await until(lambda: queue.view.is_idle)

    run_async(story())


@pytest.mark.parametrize("page", ["compare", "train", "models", "library", "settings"])
def test_escape_stops_the_job_from_every_page(make_shell: Make, run_async: RunAsync, page: str) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.05)
        await started(shell)
        assert QTest.qWaitForWindowActive(shell.window, 5000)
        prepare(shell, num_images=1, base_steps=200)
        click(shell.window.generate_page.panel.bar.generate_button)
        queue = shell.program.session.queue
        await until(lambda: queue.view.running is not None)
        shell.window.show_page(page)
        await asyncio.sleep(0)
        press(shell, Qt.Key.Key_Escape)
        await until(lambda: queue.view.is_idle)

    run_async(story())


def test_the_keyboard_stays_on_what_lies_over_the_window(make_shell: Make) -> None:
    shell = make_shell()
    assert QTest.qWaitForWindowActive(shell.window, 5000)
    shell.window.open_shortcuts()
    sheet = shell.window.sheet_overlay
    assert sheet is not None
    seen = set()
    for _ in range(6):
        press(shell, Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        assert focus is not None
        assert sheet.card.isAncestorOf(focus)
        seen.add(focus)
    assert sheet.search in seen
    assert len(seen) >= 2
    assert isinstance(sheet.search, QLineEdit)
