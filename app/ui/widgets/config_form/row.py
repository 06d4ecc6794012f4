"""One setting of the form: title, control, what it means, what is wrong with it, and the way back."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.models.config_form import ConfigForm, FieldKind, FieldSpec
from app.models.config_form.words import number_text, range_words
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.config_form.controls import make_control
from app.ui.widgets.labels import label, set_flag

TITLE_PX = 170
CONTROL_PX = 236
TEXT_TOP_PX = 8
"""Puts the first line of a text level with the text in a control."""
SHOWN_CHARACTERS = 40


class FieldRow(QWidget):
    """Bound to one field of a form, in both directions. Narrow places show the help as a tool tip only."""

    def __init__(
        self, form: ConfigForm, field: FieldSpec, *, is_compact: bool, is_named_fully: bool = False, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._form = form
        self.field = field
        title = f"{field.section}: {field.title}" if is_named_fully and field.section else field.title
        self._title = label(title, "setting", is_wrapped=not is_compact)
        self.control = make_control(field, self)
        self._title.setBuddy(self.control.input)
        self._help = label(_help(field), "caption", is_wrapped=True)
        self._error = label("", "error", is_wrapped=True)
        self._error.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reset_button = IconButton("reset", "", "small", self)
        _keep_room(self.reset_button)
        self._set_tool_tips()
        (self._build_compact if is_compact else self._build_wide)()
        self.control.value_edited.connect(self._on_value_edited)
        self.reset_button.clicked.connect(self._on_reset_clicked)
        form.values_changed.connect(self._on_values_changed)
        form.errors_changed.connect(self._on_errors_changed)
        self._refresh()
        self._on_errors_changed(form.errors)

    @property
    def error(self) -> str:
        """The sentence on show; empty if nothing is wrong."""
        return self._error.text()

    @property
    def is_changed(self) -> bool:
        """Whether the row is marked as changed."""
        return bool(self._title.property("changed") == "true")

    def _build_wide(self) -> None:
        self.control.setFixedWidth(CONTROL_PX)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACING.s)
        grid.setVerticalSpacing(2)
        top = Qt.AlignmentFlag.AlignTop
        for words in (self._title, self._help):
            words.setContentsMargins(0, TEXT_TOP_PX, 0, 0)
            words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        grid.setColumnMinimumWidth(0, TITLE_PX)
        grid.addWidget(self._title, 0, 0)
        grid.addWidget(self.control, 0, 1, top)
        grid.addWidget(self.reset_button, 0, 2, top)
        grid.addWidget(self._help, 0, 3)
        grid.addWidget(self._error, 1, 1, 1, 3)
        grid.setColumnStretch(3, 1)

    def _build_compact(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(SPACING.xs)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self.reset_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.control)
        layout.addWidget(self._error)
        self._help.setParent(self)
        self._help.hide()

    def _set_tool_tips(self) -> None:
        """For the pointer: also the name that the command line uses."""
        tip = "\n".join(part for part in (_help(self.field), f"--set {self.field.path}=…") if part)
        self._title.setToolTip(tip)
        self.control.input.setToolTip(tip)

    def _on_value_edited(self, value: Any) -> None:
        self._form.set(self.field.path, value)

    def _on_reset_clicked(self) -> None:
        self._form.reset(self.field.path)
        self.control.input.setFocus()

    def _on_values_changed(self, paths: Any) -> None:
        own = self.field.path
        if any(own == path or own.startswith(f"{path}.") for path in paths):
            self._refresh()

    def _refresh(self) -> None:
        path = self.field.path
        self.control.show_value(self._form.value(path))
        is_changed = self._form.is_changed(path)
        if is_changed != self.is_changed:
            set_flag(self._title, "changed", "true" if is_changed else "false")
        self.reset_button.setVisible(is_changed)
        before = _shown(self._form.baseline(path))
        self.reset_button.set_name(self.tr("{title}: back to {value}").format(title=self.field.title, value=before))

    def _on_errors_changed(self, errors: Any) -> None:
        sentence = errors.get(self.field.path, "")
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))
        changed = self.tr("Changed.") if self._form.is_changed(self.field.path) else ""
        described = " ".join(part for part in (sentence, _help(self.field), changed) if part)
        self.control.input.setAccessibleDescription(described)
        if bool(sentence) != (self.control.input.property("wrong") == "true"):
            set_flag(self.control.input, "wrong", "true" if sentence else "false")


def _help(field: FieldSpec) -> str:
    """What the field means, and its range where the text does not say."""
    limits = field.limits
    words = range_words(limits.low, limits.high, is_low_open=limits.is_low_open, is_high_open=limits.is_high_open)
    is_told = not words or limits.high is None or field.kind is FieldKind.CHOICE
    return field.help if is_told else f"{field.help} ({words})".strip()


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    text = ", ".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _keep_room(widget: QWidget) -> None:
    """Hiding it moves nothing."""
    policy: QSizePolicy = widget.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    widget.setSizePolicy(policy)
