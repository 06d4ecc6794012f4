"""Widgets by real keys, clicks and wheels."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from app.errors import Notice, NoticeAction, Severity
from app.models.form_state import SeedMode
from app.models.generate_form import GenerateForm
from app.models.model_library import ModelLibrary
from app.models.notices import NoticeBoard
from app.ui.widgets.expert_section import ExpertSection
from app.ui.widgets.model_chooser import ModelChooser
from app.ui.widgets.notices_bar import NoticesBar
from app.ui.widgets.preset_field import PresetField
from app.ui.widgets.prompt_field import PromptField
from app.ui.widgets.prompt_suggestions import WordChoice
from app.ui.widgets.prompt_underline import character_index, utf16_units
from app.ui.widgets.quiet_inputs import QuietComboBox, QuietDoubleSpinBox, QuietSpinBox
from app.ui.widgets.seed_field import SeedField
from app.ui.widgets.steady_label import SteadyLabel
from tests.app.model_folders import EXAMPLES, manifest, write_model
from tests.helpers.qt import spin
from ul_engine.model_folder import ModelEntry

Own = Callable[[Any], Any]


@pytest.fixture
def form(qapp: Any) -> GenerateForm:
    form = GenerateForm()
    form.choose_model(ModelEntry(path="/models/scenes", name="Scenes", manifest=manifest()))
    return form


def shown(own: Own, widget: Any) -> Any:
    own(widget).show()
    widget.activateWindow()
    assert QTest.qWaitForWindowActive(widget, 5000)
    return widget


@pytest.fixture
def prompt(form: GenerateForm, owned: Own) -> PromptField:
    field = shown(owned, PromptField(form))
    field.editor.setFocus()
    assert field.editor.hasFocus()
    return field  # type: ignore[no-any-return]


def wheel(widget: QWidget, notches: int) -> None:
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


# ---- the prompt ---------------------------------------------------------------------------------------------------


def test_typing_reaches_the_form(prompt: PromptField, form: GenerateForm) -> None:
    QTest.keyClicks(prompt.editor, "a red cube")
    assert form.state.prompt == "a red cube"


def test_enter_inserts_nothing_and_tab_moves_on(prompt: PromptField, form: GenerateForm) -> None:
    QTest.keyClicks(prompt.editor, "a ")
    QTest.keyClick(prompt.editor, Qt.Key.Key_Return)
    QTest.keyClick(prompt.editor, Qt.Key.Key_Enter)
    QTest.keyClick(prompt.editor, Qt.Key.Key_Tab)
    assert form.state.prompt == "a "
    assert not prompt.editor.hasFocus()


def test_pasted_lines_become_one(prompt: PromptField, form: GenerateForm) -> None:
    data = QMimeData()
    data.setText("a red\ncube\r\n\ton a floor")
    prompt.editor.insertFromMimeData(data)
    assert form.state.prompt == "a red cube on a floor"


def test_dropped_files_are_not_text(prompt: PromptField) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/a.png")])
    assert not prompt.editor.canInsertFromMimeData(data)


def test_a_completion_is_taken_by_enter(prompt: PromptField, form: GenerateForm) -> None:
    QTest.keyClicks(prompt.editor, "an oct")
    popup = prompt.editor._completer.popup()
    assert popup is not None
    assert popup.isVisible()
    QTest.keyClick(popup, Qt.Key.Key_Return)
    assert form.state.prompt == "an octahedron"
    assert not popup.isVisible()


def test_escape_refuses_a_completion(prompt: PromptField, form: GenerateForm) -> None:
    QTest.keyClicks(prompt.editor, "an oct")
    QTest.keyClick(prompt.editor._completer.popup(), Qt.Key.Key_Escape)
    assert form.state.prompt == "an oct"


def formats(prompt: PromptField) -> list[tuple[int, int]]:
    layout = prompt.editor.document().firstBlock().layout()
    return [(each.start, each.length) for each in layout.formats()]


def test_unknown_words_are_underlined_and_named(prompt: PromptField) -> None:
    QTest.keyClicks(prompt.editor, "a sphre on a gren floor")
    assert formats(prompt) == [(2, 5), (13, 4)]
    assert prompt.unknown_line.isVisible()
    assert "“sphre” is not a word this model knows: " in prompt.unknown_line.text()
    prompt.editor.set_prompt("a sphere")
    assert formats(prompt) == []
    assert not prompt.unknown_line.isVisible()


def test_a_word_being_typed_is_not_yet_wrong(prompt: PromptField) -> None:
    for letter in "a pur":
        QTest.keyClicks(prompt.editor, letter)
        assert formats(prompt) == []
        assert prompt.unknown_line.text() == ""
    QTest.keyClick(prompt.editor, Qt.Key.Key_Left)
    assert formats(prompt) == [(2, 3)]
    assert "“pur” is not" in prompt.unknown_line.text()
    QTest.keyClick(prompt.editor, Qt.Key.Key_End)
    assert formats(prompt) == []
    assert prompt.unknown_line.text() == ""
    QTest.keyClick(prompt.editor._completer.popup(), Qt.Key.Key_Escape)
    prompt.editor.clearFocus()
    assert formats(prompt) == [(2, 3)]


def test_positions_are_right_beyond_the_first_plane(prompt: PromptField) -> None:
    prompt.editor.set_prompt("🟥🟥 sphre")
    assert formats(prompt)[-1] == (5, 5)
    assert utf16_units("🟥a") == 3
    assert character_index("🟥🟥 sphre", 5) == 3


def test_a_near_word_is_taken_by_its_link(prompt: PromptField, form: GenerateForm) -> None:
    prompt.editor.set_prompt("a red sphre on a floor")
    prompt.unknown_line.linkActivated.emit("0/0")
    assert form.state.prompt == "a red sphere on a floor"


def test_near_words_are_in_the_context_menu(prompt: PromptField, form: GenerateForm, owned: Own) -> None:
    prompt.editor.set_prompt("sphre")
    menu = owned(prompt.editor.make_menu(QPoint(12, 12)))
    assert menu.actions()[0].text() == "sphere"
    menu.actions()[0].trigger()
    assert form.state.prompt == "sphere"


def test_prompt_text_is_never_markup(prompt: PromptField) -> None:
    prompt.editor.set_prompt("<b>bold</b>")
    assert "<b>" not in prompt.unknown_line.text()


def test_a_word_is_swapped_in_its_slot(prompt: PromptField, form: GenerateForm) -> None:
    prompt.editor.set_prompt("a blue cube on a blue floor under a blue sky")
    prompt.suggestions.word_chosen.emit(WordChoice("floor_color", "yellow"))
    prompt.suggestions.word_chosen.emit(WordChoice("color", "orange"))
    assert form.state.prompt == "an orange cube on a yellow floor under a blue sky"


def test_a_word_without_a_slot_goes_to_the_cursor(prompt: PromptField, form: GenerateForm) -> None:
    prompt.editor.set_prompt("a cube", 1)
    prompt.suggestions.word_chosen.emit(WordChoice("color", "red"))
    assert form.state.prompt == "a red cube"
    assert prompt.editor.cursor_index == 5


def test_the_cursor_opens_its_words_slot(prompt: PromptField) -> None:
    prompt.editor.set_prompt("a blue cube under a pink sky")
    assert (prompt.suggestions.slot, prompt.suggestions._current_word) == ("color", "blue")
    prompt.editor.set_prompt("a blue cube under a pink sky", 22)
    assert (prompt.suggestions.slot, prompt.suggestions._current_word) == ("sky", "pink")


def test_examples_are_a_click_away(prompt: PromptField, form: GenerateForm) -> None:
    prompt.suggestions.show_slot("")
    QTest.mouseClick(prompt.suggestions._chips[1], Qt.MouseButton.LeftButton)
    assert form.state.prompt == EXAMPLES[1]


def test_replacing_can_be_undone(prompt: PromptField, form: GenerateForm) -> None:
    QTest.keyClicks(prompt.editor, "a cone")
    prompt.show_example("a red cube")
    prompt.editor.undo()
    assert form.state.prompt == "a cone"


def test_a_model_without_words_has_no_prompt(prompt: PromptField, form: GenerateForm) -> None:
    form.choose_model(ModelEntry(path="/c", name="C", manifest=manifest(kind="class")))
    assert not prompt.isVisible()


# ---- quiet inputs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [QuietComboBox, QuietSpinBox, QuietDoubleSpinBox])
def test_the_wheel_changes_nothing(kind: type[QWidget], owned: Own, qapp: Any) -> None:
    widget = shown(owned, kind())
    if isinstance(widget, QuietComboBox):
        widget.addItems(["a", "b", "c"])
        widget.setCurrentIndex(1)
    else:
        widget.setRange(0, 10)
        widget.setValue(5)
    widget.setFocus()
    for notches in (1, -1, -3):
        wheel(widget, notches)
    assert widget.currentIndex() == 1 if isinstance(widget, QuietComboBox) else widget.value() == 5


# ---- seed, preset, expert -----------------------------------------------------------------------------------------


def test_whoever_types_a_seed_gets_it(form: GenerateForm, owned: Own) -> None:
    field = shown(owned, SeedField(form))
    field._edit.selectAll()
    QTest.keyClicks(field._edit, "9007199254740993")
    assert (form.state.seed, form.state.seed_mode) == ("9007199254740993", SeedMode.FIXED)
    request = form.request
    assert request is not None
    assert request.seed == 9007199254740993  # not rounded through a float


def test_a_wrong_seed_is_told_beside_the_field(form: GenerateForm, owned: Own) -> None:
    field = shown(owned, SeedField(form))
    field._edit.selectAll()
    QTest.keyClicks(field._edit, "x")
    assert "whole number" in field._field.error
    assert field._edit.property("wrong") == "true"
    field._edit.selectAll()
    QTest.keyClicks(field._edit, "1")
    assert field._field.error == ""


def test_the_die_draws(form: GenerateForm, owned: Own) -> None:
    field = shown(owned, SeedField(form))
    form.update(seed="1", seed_mode=SeedMode.FIXED)
    QTest.mouseClick(field._die, Qt.MouseButton.LeftButton)
    assert form.state.seed != "1"  # one chance in 2^32
    assert field._edit.text() == form.state.seed


def test_the_preset_reads_custom_when_a_number_differs(form: GenerateForm, owned: Own) -> None:
    form.choose_preset("Preview")
    field = shown(owned, PresetField(form))
    assert field._combo.currentText() == "Preview · 12 + 8 steps"
    form.update(base_steps=13)
    assert field._combo.currentText() == "Custom · 13 + 8 steps"
    form.choose_preset("Preview")
    assert field._combo.count() == 3


def test_expert_fields_follow_and_lead(form: GenerateForm, owned: Own) -> None:
    section = shown(owned, ExpertSection(form))
    section.set_open(True)
    form.choose_preset("Paper")
    assert section._samplers["base_sampler"].currentText() == "DDPM"
    box = next(box for box in section.findChildren(QuietSpinBox) if box.value() == 256)
    box.setValue(40)
    assert 40 in (form.state.base_steps, form.state.decoder_steps)


def test_an_interval_the_wrong_way_is_told(form: GenerateForm, owned: Own) -> None:
    shown(owned, ExpertSection(form)).set_open(True)
    form.update(logsnr_low=4.0)
    assert form.errors["logsnr_low"]


# ---- models -------------------------------------------------------------------------------------------------------


def test_broken_models_are_listed_with_their_problem_but_cannot_be_chosen(
    qapp: Any, owned: Own, tmp_path: Path
) -> None:
    write_model(tmp_path, "good")
    (write_model(tmp_path, "bad") / "config.json").write_text("{")
    library, form = ModelLibrary((tmp_path,)), GenerateForm()
    chooser = shown(owned, ModelChooser(form, library))
    library.refresh()
    form.choose_model(library.usable[0])
    combo = chooser._combo
    assert [combo.itemText(row) for row in range(combo.count())] == ["Scenes", "bad (unusable)"]
    assert not combo.model().index(1, 0).flags() & Qt.ItemFlag.ItemIsEnabled
    assert "not valid JSON" in combo.itemData(1, Qt.ItemDataRole.ToolTipRole)
    assert "31 words, no others" in chooser._facts.text()


# ---- notices ------------------------------------------------------------------------------------------------------


def test_a_notice_can_be_read_acted_on_and_closed(qapp: Any, owned: Own) -> None:
    board = NoticeBoard()
    bar = owned(NoticesBar(board))
    notice = Notice(
        Severity.ERROR, "Oh", "It <b>broke</b>.", details="trace", actions=(NoticeAction("mend", "Mend", "it"),)
    )
    for number in range(3):
        board.post(Notice(Severity.INFO, f"old {number}", ""))
    board.post(notice)
    bar.show()
    card = bar.cards[0]
    assert card.accessibleName() == "Oh. It <b>broke</b>."
    choices: list[Any] = []
    board.action_chosen.connect(choices.append)
    button = next(button for button in card.findChildren(QWidget) if button.property("action_name") == "mend")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert [(choice.name, choice.argument) for choice in choices] == [("mend", "it")]
    assert [card.notice.title for card in bar.cards] == ["old 2", "old 1"]


def test_without_notices_the_bar_takes_no_room(qapp: Any, owned: Own) -> None:
    board = NoticeBoard()
    bar = owned(NoticesBar(board))
    assert bar.isHidden()
    board.post(Notice(Severity.INFO, "a", "b"))
    assert not bar.isHidden()


def test_a_notice_in_other_words_keeps_its_card_and_the_keyboard(qapp: Any, owned: Own) -> None:
    board = NoticeBoard()
    bar = owned(NoticesBar(board))
    first = Notice(Severity.WARNING, "The loss is rising", "It is at 3.", key="rising")
    board.post(first)
    board.post(Notice(Severity.INFO, "Something newer", "", key="newer"))
    card = bar.cards[1]
    board.reword(replace(first, sentence="It is at 4."))
    assert bar.cards[1] is card
    assert card.notice.sentence == "It is at 4."
    assert "It is at 4." in [each.text() for each in card.findChildren(QLabel)]
    board.reword(replace(first, severity=Severity.ERROR))
    assert bar.cards[1] is not card
    board.reword(Notice(Severity.INFO, "Nobody", "asked", key="absent"))
    assert [each.key for each in board.notices] == ["newer", "rising"]


def test_a_steady_label_never_asks_for_another_layout(qapp: Any, owned: Own) -> None:
    window = owned(QWidget())
    column = QVBoxLayout(window)
    steady = SteadyLabel(widest="100 %")
    column.addWidget(steady)
    long = SteadyLabel()
    column.addWidget(long)
    window.resize(200, 80)
    window.show()
    spin(20)
    watch = LayoutWatch(window)
    for number in range(5):
        steady.set_text(f"{number} %")
        long.set_text(f"step {number} of very many, and more words than there is room for in so narrow a place")
        spin(5)
    assert watch.count == 0
    shown = long.findChild(QLabel)
    assert shown.text().endswith("…")
    assert shown.toolTip() == long.text()
    assert steady.width() >= steady.fontMetrics().horizontalAdvance("100 %")
    column.addWidget(usual := QLabel("0 %"))
    spin(20)
    before = watch.count
    usual.setText("1 %")
    spin(5)
    assert watch.count > before  # which is what it is for


class LayoutWatch(QObject):
    """Counts how often a window is asked to lay itself out."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.count = 0
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False
