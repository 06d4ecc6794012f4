"""The generated settings form as it is drawn: typing, arrows, search, folds, errors beside the field, the way back."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from app.models.config_form import ConfigForm, FieldKind, Limits
from app.ui.widgets.config_form import ConfigFormView
from app.ui.widgets.config_form.number_edit import parsed_number, stepped
from app.ui.widgets.config_form.row import FieldRow
from tests.app.test_config_form import other_value, run_values
from tests.helpers.qt import wait_until
from trainer.config import RunConfig
from ul_engine.requests import SamplingSettings

BASIC = ("num_steps", "optimizer.learning_rate")
Make = Callable[..., tuple[ConfigForm, ConfigFormView]]


@pytest.fixture
def make(owned: Callable[[Any], Any]) -> Make:
    def build(*, is_compact: bool = False, **options: Any) -> tuple[ConfigForm, ConfigFormView]:
        form = owned(ConfigForm(RunConfig, run_values(), **options))
        view = owned(ConfigFormView(form, is_compact=is_compact))
        view.resize(900, 700)
        view.show()
        view.activateWindow()
        return form, view

    return build


def unfold(view: ConfigFormView) -> None:
    while closed := [section for section in view.sections() if not section.is_open]:
        for section in closed:
            section.set_open(True)


def typed(row: FieldRow, text: str) -> None:
    row.control.input.setFocus()
    if isinstance(row.control.input, QLineEdit | QPlainTextEdit):
        row.control.input.selectAll()
    QTest.keyClicks(row.control.input, text)


def field_row(view: ConfigFormView, path: str) -> FieldRow:
    row = view.row(path)
    assert row is not None, path
    return row


def words(widget: QWidget) -> str:
    return "\n".join(each.text() for each in widget.findChildren(QLabel) if each.isVisibleTo(widget))


def test_every_setting_has_a_control_that_shows_and_changes_it(make: Make) -> None:
    form, view = make(basic=BASIC)
    unfold(view)
    rows = {row.field.path: row for row in view.rows()}
    assert sorted(rows) == sorted(field.path for field in form.fields())
    for path, row in rows.items():
        control, field = row.control, row.field
        before, other = form.value(path), other_value(field, form.value(path))
        form.set(path, other)
        edited: list[Any] = []
        control.value_edited.connect(edited.append)
        if isinstance(control.input, QCheckBox):
            assert control.input.isChecked() is other
            control.input.click()
        elif isinstance(control.input, QComboBox):
            assert control.input.currentData() == other
            control.input.activated.emit(control.input.findData(before))
        elif isinstance(control.input, QPlainTextEdit):
            assert control.input.toPlainText().split("\n") == other
            control.input.setPlainText("\n".join(before))
        else:
            assert control.input.text()
            typed(row, "x")
            assert edited, path
            form.reset(path)
        assert form.value(path) == before, path
        assert row.is_changed is False


def test_nothing_is_made_before_it_is_unfolded(make: Make) -> None:
    _, view = make(basic=BASIC)
    assert [row.field.path for row in view.findChildren(FieldRow)] == list(BASIC)
    next(section for section in view.sections() if section.path == "guard").set_open(True)
    assert field_row(view, "guard.max_rollbacks").isVisible()


def test_typing_errors_and_the_way_back(make: Make) -> None:
    form, view = make(basic=BASIC)
    row = field_row(view, "optimizer.learning_rate")
    typed(row, "7")
    assert form.value("optimizer.learning_rate") == 7.0
    assert row.error == "It must be at most 1."
    assert "at most 1" in row.control.input.accessibleDescription()
    assert row.is_changed
    typed(row, "fast")
    assert (row.error, row.control.input.text()) == ("A number is needed.", "fast")
    typed(row, "0,5")
    assert form.value("optimizer.learning_rate") == 0.5
    assert row.control.input.text() == "0,5"
    row.reset_button.click()
    assert row.control.input.text() == "0.001"
    assert (row.is_changed, row.reset_button.isVisible(), row.error) == (False, False, "")


def test_numbers_may_be_typed_with_gaps_and_stepped_with_arrows(make: Make) -> None:
    form, view = make(basic=BASIC)
    row = field_row(view, "num_steps")
    typed(row, "10 000")
    assert form.value("num_steps") == 10_000
    assert row.control.input.text() == "10 000"
    QTest.keyClick(row.control.input, Qt.Key.Key_Up)
    QTest.keyClick(row.control.input, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert form.value("num_steps") == 9_991
    rate = field_row(view, "optimizer.learning_rate")
    QTest.keyClick(rate.control.input, Qt.Key.Key_Down)
    assert form.value("optimizer.learning_rate") == 0.00099


@pytest.mark.parametrize(
    ("number", "way", "limits", "expected"),
    [
        (0.001, 1, Limits(), 0.0011),
        (0.9, 1, Limits(0.0, 1.0), 0.99),
        (0.0, -1, Limits(0.0, 1.0), 0.0),
        (1.0, 1, Limits(0.0, 1.0), 1.0),
        (5.0, -10, Limits(), 4.0),
    ],
)
def test_steps_of_decimals(number: float, way: int, limits: Limits, expected: float) -> None:
    if number == 0.9:
        expected = 0.91
    assert stepped(number, way, limits, is_whole=False) == pytest.approx(expected)


def test_what_is_no_number() -> None:
    assert parsed_number("nan", is_whole=False) is None
    assert parsed_number("1,5", is_whole=True) is None
    assert parsed_number("1e-4", is_whole=False) == 1e-4


def test_an_empty_optional_field_means_nothing(make: Make) -> None:
    form, view = make()
    unfold(view)
    row = field_row(view, "scale.micro_batch")
    typed(row, "8")
    assert form.value("scale.micro_batch") == 8
    row.control.input.selectAll()
    QTest.keyClick(row.control.input, Qt.Key.Key_Delete)
    assert form.value("scale.micro_batch") is None
    assert row.control.input.placeholderText() == "all at once"


def test_search_shows_only_what_matches_and_goes_away_again(make: Make) -> None:
    _, view = make(basic=BASIC)
    view.search.setFocus()
    QTest.keyClicks(view.search, "weight decay")
    wait_until(lambda: [row.field.path for row in view.rows()][:1] == ["optimizer.weight_decay"])
    assert view.row("num_steps") is None
    assert "Optimizer: Weight decay" in words(view)
    QTest.keyClicks(view.search, " nonsense")
    wait_until(lambda: "No setting matches" in words(view))
    view.search.clear()
    wait_until(lambda: [row.field.path for row in view.rows()] == list(BASIC))


def test_only_what_was_changed(make: Make) -> None:
    form, view = make(basic=BASIC)
    assert not view.only_changed.isVisible()
    form.set("guard.max_rollbacks", 9)
    assert view.only_changed.text() == "1 changed"
    view.only_changed.click()
    wait_until(lambda: [row.field.path for row in view.rows()] == ["guard.max_rollbacks"])
    view.reset_all.click()
    wait_until(lambda: not view.rows())
    view.only_changed.click()
    wait_until(lambda: len(view.rows()) == len(BASIC))


def test_another_kind_of_section_brings_its_fields_and_keeps_what_is_open(make: Make) -> None:
    form, view = make(basic=BASIC)
    section = next(each for each in view.sections() if each.path == "data")
    section.set_open(True)
    combo = next(box for box in section.findChildren(QComboBox) if box.accessibleName() == "Kind of Data")
    assert combo.currentText() == "Scenes"
    combo.setCurrentIndex(combo.findData("pictures"))
    combo.activated.emit(combo.findData("pictures"))
    wait_until(lambda: view.row("data.path"))
    assert view.row("data.train_seed") is None
    assert field_row(view, "data.path").error == "This is needed."
    assert form.value("data.kind") == "pictures"


def test_an_optional_section_is_ticked(make: Make) -> None:
    form, view = make(basic=BASIC)
    unfold(view)
    tick = next(box for box in view.findChildren(QCheckBox) if box.text() == "Use Video")
    assert view.row("model.video.num_frames") is None
    tick.click()
    wait_until(lambda: view.row("model.video.num_frames"))
    assert form.value("model.video.num_frames") == 16


def test_the_first_problem_is_brought_on_show(make: Make) -> None:
    form, view = make(basic=BASIC)
    assert view.show_problem() is None
    form.set("model.encoder.blocks_per_stage", 99)
    row = view.show_problem()
    assert isinstance(row, FieldRow)
    assert row.field.path == "model.encoder.blocks_per_stage"
    assert QTest.qWaitForWindowActive(view, 5000)
    assert QApplication.focusWidget() is row.control.input


def test_a_problem_of_the_whole_form_is_told_on_top(make: Make) -> None:
    form, view = make(basic=BASIC, hidden=("init_from",))
    form.set("stage", "stage2")
    assert "needs “Start from”" in words(view)


def test_in_narrow_places_help_is_a_tool_tip(owned: Callable[[Any], Any]) -> None:
    form = owned(ConfigForm(SamplingSettings))
    view = owned(ConfigFormView(form, is_compact=True, has_search=False))
    view.resize(300, 600)
    view.show()
    row = field_row(view, "guidance.weight")
    assert row.control.input.toolTip().startswith(row.field.help)
    assert not view.search.isVisible()
    for child in view.findChildren(QWidget):
        if child.isVisibleTo(view) and child.parentWidget() is row:
            assert child.x() + child.width() <= row.width()


def test_the_keyboard_reaches_everything_and_everything_has_a_name(make: Make) -> None:
    form, view = make(basic=BASIC)
    unfold(view)
    form.set("num_steps", 5)
    for widget in view.findChildren(QWidget):
        if not widget.isVisibleTo(view) or widget.objectName().startswith("qt_"):
            continue
        if isinstance(widget, QLineEdit | QComboBox | QPlainTextEdit | QAbstractButton):
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget
            assert widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()), widget
    assert "back to 800" in field_row(view, "num_steps").reset_button.accessibleName()
    kinds = {row.field.kind for row in view.rows()}
    assert kinds == set(FieldKind) - {FieldKind.OTHER}
