"""One control for each kind of setting. Each shows a value and tells what a person makes of it, right or wrong."""

from collections.abc import Callable
from typing import Any

import yaml
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QPlainTextEdit, QWidget

from app.models.config_form import FieldKind, FieldSpec
from app.models.config_form.words import choice_helps, number_text
from app.ui.theme.tokens import SPACING
from app.ui.widgets.config_form.number_edit import NumberEdit, parsed_number
from app.ui.widgets.config_form.path_edit import PathEdit
from app.ui.widgets.labels import label
from app.ui.widgets.quiet_inputs import QuietComboBox

LINES_SHOWN = 3
PATHS = ("path", "folder", "cache", "init_from", "base_from")
"""Names of fields that hold a place on the disk."""


class Control(QWidget):
    """What all controls share: `input` is what takes the keyboard."""

    value_edited = Signal(object)

    def __init__(self, field: FieldSpec, control: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self.input = control
        control.setAccessibleName(f"{field.section}: {field.title}" if field.section else field.title)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACING.s)
        self._row.addWidget(control, 1)
        if field.unit:
            self._row.addWidget(label(field.unit, "caption"))
        self.setFocusProxy(control)

    def show_value(self, value: Any) -> None:
        """Show a value, right or wrong."""
        raise NotImplementedError


class NumberControl(Control):
    """A whole or decimal number; arrow keys step it."""

    def __init__(self, field: FieldSpec, parent: QWidget | None = None) -> None:
        control = NumberEdit(field.limits, is_whole=field.kind is FieldKind.WHOLE)
        super().__init__(field, control, parent)
        self._edit = control
        self._edit.setPlaceholderText(none_words(field))
        self._edit.textEdited.connect(self._on_text_edited)

    def show_value(self, value: Any) -> None:
        """A number as short as it can be written; what is no number as it was typed."""
        if self._read(self._edit.text()) != value or (value is None) != (not self._edit.text()):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            self._edit.setText(number_text(value) if is_number else str(value if value is not None else ""))

    def _on_text_edited(self, text: str) -> None:
        self.value_edited.emit(self._read(text))

    def _read(self, text: str) -> Any:
        if not text.strip():
            return None if self.field.is_optional else ""
        number = parsed_number(text, is_whole=self.field.kind is FieldKind.WHOLE)
        return text if number is None else number


class SwitchControl(Control):
    """On or off."""

    def __init__(self, field: FieldSpec, parent: QWidget | None = None) -> None:
        control = QCheckBox()
        super().__init__(field, control, parent)
        self._box = control
        self._box.setText(self.tr("On"))
        self._box.toggled.connect(self._on_toggled)

    def show_value(self, value: Any) -> None:
        """Ticked for on."""
        with QSignalBlocker(self._box):
            self._box.setChecked(bool(value))

    def _on_toggled(self, is_on: bool) -> None:
        self.value_edited.emit(is_on)


class ChoiceControl(Control):
    """One of several; the tool tip of each says what it means."""

    def __init__(self, field: FieldSpec, parent: QWidget | None = None) -> None:
        control = QuietComboBox()
        super().__init__(field, control, parent)
        self._combo = control
        if field.is_optional:
            self._combo.addItem(none_words(field), None)
        for choice in field.choices:
            self._combo.addItem(choice.title, choice.value)
            self._combo.setItemData(self._combo.count() - 1, choice.help, Qt.ItemDataRole.ToolTipRole)
        self._combo.activated.connect(self._on_activated)

    def show_value(self, value: Any) -> None:
        """The choice of that value; none for a value that is not among them."""
        self._combo.setCurrentIndex(self._combo.findData(value))

    def _on_activated(self, row: int) -> None:
        self.value_edited.emit(self._combo.itemData(row))


class TextControl(Control):
    """A line of text; with a button to choose a folder where it names one."""

    def __init__(self, field: FieldSpec, parent: QWidget | None = None) -> None:
        control: QLineEdit = PathEdit(field.title) if field.name in PATHS else QLineEdit()
        super().__init__(field, control, parent)
        self._edit = control
        self._edit.setPlaceholderText(none_words(field))
        self._edit.textEdited.connect(self._on_text_edited)

    def show_value(self, value: Any) -> None:
        """Nothing for None."""
        text = "" if value is None else str(value)
        if self._edit.text() != text:
            self._edit.setText(text)

    def _on_text_edited(self, text: str) -> None:
        self.value_edited.emit(text if text or not self.field.is_optional else None)


class NumbersControl(Control):
    """Several numbers, parted by commas."""

    def __init__(self, field: FieldSpec, parent: QWidget | None = None) -> None:
        control = QLineEdit()
        super().__init__(field, control, parent)
        self._edit = control
        self._edit.textEdited.connect(self._on_text_edited)

    def show_value(self, value: Any) -> None:
        """As in ``0.9, 0.99``."""
        if self._read(self._edit.text()) != value:
            is_list = isinstance(value, list | tuple)
            self._edit.setText(", ".join(_item_text(each) for each in value) if is_list else str(value or ""))

    def _on_text_edited(self, text: str) -> None:
        self.value_edited.emit(self._read(text))

    def _read(self, text: str) -> list[Any]:
        parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
        return [_number_or_text(part) for part in parts]


class LinesControl(Control):
    """Several texts, one per line; Tab goes on to the next field."""

    def __init__(self, field: FieldSpec, parent: QWidget | None = None) -> None:
        control = QPlainTextEdit()
        super().__init__(field, control, parent)
        self._edit = control
        self._edit.setTabChangesFocus(True)
        self._edit.setPlaceholderText(self.tr("One per line"))
        self._edit.setFixedHeight(round(QFontMetricsF(self._edit.font()).lineSpacing() * LINES_SHOWN) + 16)
        self._edit.textChanged.connect(self._on_text_changed)

    def show_value(self, value: Any) -> None:
        """One per line."""
        lines = [str(each) for each in value] if isinstance(value, list | tuple) else []
        if self._read() != lines:
            with QSignalBlocker(self._edit):
                self._edit.setPlainText("\n".join(lines))

    def _on_text_changed(self) -> None:
        self.value_edited.emit(self._read())

    def _read(self) -> list[str]:
        text = self._edit.toPlainText()
        return text.split("\n") if text else []


class YamlControl(Control):
    """Anything else, as YAML."""

    def __init__(self, field: FieldSpec, parent: QWidget | None = None) -> None:
        control = QLineEdit()
        super().__init__(field, control, parent)
        self._edit = control
        self._edit.textEdited.connect(self._on_text_edited)

    def show_value(self, value: Any) -> None:
        """On one line."""
        if self._read(self._edit.text()) != value:
            self._edit.setText(yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n...\n"))

    def _on_text_edited(self, text: str) -> None:
        self.value_edited.emit(self._read(text))

    def _read(self, text: str) -> Any:
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError:
            return text


_KINDS: dict[FieldKind, Callable[[FieldSpec, QWidget | None], Control]] = {
    FieldKind.WHOLE: NumberControl,
    FieldKind.DECIMAL: NumberControl,
    FieldKind.SWITCH: SwitchControl,
    FieldKind.CHOICE: ChoiceControl,
    FieldKind.TEXT: TextControl,
    FieldKind.NUMBERS: NumbersControl,
    FieldKind.LINES: LinesControl,
    FieldKind.OTHER: YamlControl,
}


def make_control(field: FieldSpec, parent: QWidget | None = None) -> Control:
    """The control that a field's kind asks for."""
    return _KINDS[field.kind](field, parent)


def none_words(field: FieldSpec) -> str:
    """What leaving a field empty means; empty for one that must be filled."""
    if not field.is_optional:
        return ""
    words = choice_helps(field.help, []).get("None", "").rstrip(".")
    return words or "–"


def _item_text(value: Any) -> str:
    return number_text(value) if isinstance(value, int | float) else str(value)


def _number_or_text(text: str) -> Any:
    number = parsed_number(text, is_whole="." not in text and "e" not in text.lower())
    return text if number is None else number
