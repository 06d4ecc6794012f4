"""A section of the form: a heading to fold, made when it is first unfolded, and the rows under it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from app.models.config_form import ConfigForm, FieldSpec, SectionSpec
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.config_form.row import FieldRow
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.labels import label
from app.ui.widgets.quiet_inputs import QuietComboBox

Fill = Callable[[QVBoxLayout, QWidget], None]
MakeRow = Callable[[FieldSpec, QWidget], FieldRow]
Wanted = Callable[[str], bool]
INDENT_PX = 22


class FoldedSection(QWidget):
    """Closed, it costs one button."""

    fold_changed = Signal()

    def __init__(self, section: SectionSpec, title: str, fill: Fill, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = section.path
        self._fill = fill
        self._is_filled = False
        self.button = TextButton(title, "fold", "chevron-right", self)
        self.button.setCheckable(True)
        self.body = QWidget(self)
        self._column = QVBoxLayout(self.body)
        self._column.setContentsMargins(INDENT_PX, SPACING.xs, 0, SPACING.s)
        self._column.setSpacing(SPACING.s)
        self.body.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        head = QHBoxLayout()
        head.setSpacing(SPACING.m)
        head.addWidget(self.button)
        head.addWidget(ElidedLabel(section.help, "caption", self), 1)
        layout.addLayout(head)
        layout.addWidget(self.body)
        self.button.toggled.connect(self.set_open)

    @property
    def is_open(self) -> bool:
        """Whether its body is on show."""
        return self.button.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Fold or unfold."""
        if is_open and not self._is_filled:
            self._is_filled = True
            self._fill(self._column, self.body)
        self.button.setChecked(is_open)
        self.button.set_icon("chevron-down" if is_open else "chevron-right")
        self.body.setVisible(is_open)
        self.fold_changed.emit()


class SectionHead(QWidget):
    """Above a section that may be absent, or that comes in several kinds: the choice of that."""

    def __init__(self, form: ConfigForm, section: SectionSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._section = section
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.s)
        if section.is_optional:
            tick = QCheckBox(self.tr("Use {title}").format(title=section.title), self)
            tick.setChecked(form.value(section.path) is not None)
            tick.setToolTip(section.help)
            tick.toggled.connect(self._on_toggled)
            row.addWidget(tick)
        if section.variants:
            combo = QuietComboBox(self)
            combo.setAccessibleName(self.tr("Kind of {title}").format(title=section.title))
            for choice, _ in section.variants:
                combo.addItem(choice.title, choice.value)
            values = form.value(section.path)
            now = values.get(section.tag_name) if isinstance(values, Mapping) else None
            combo.setCurrentIndex(combo.findData(now))
            combo.activated.connect(self._on_kind_activated)
            row.addWidget(label(self.tr("Kind"), "setting"))
            row.addWidget(combo)
        row.addStretch(1)

    def _on_toggled(self, is_on: bool) -> None:
        if is_on:
            self._form.add_section(self._section)
        else:
            self._form.set(self._section.path, None)

    def _on_kind_activated(self, row: int) -> None:
        self._form.choose_kind(self._section, self._section.variants[row][0].value)


def _nothing() -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class Filling:
    """How sections are filled: with rows made so, for the paths that are wanted."""

    form: ConfigForm
    make: MakeRow
    wanted: Wanted
    on_fold: Callable[[], None] = _nothing
    opened: frozenset[str] = frozenset()
    """Paths of the sections that are open from the start."""
    is_folded: bool = False
    """Whether sections in sections fold as well."""

    def fill(self, section: SectionSpec, column: QVBoxLayout, parent: QWidget) -> None:
        """Put the wanted rows of a section, and of those in it with their headings, into a column."""
        if (section.is_optional or section.variants) and self.wanted(section.path):
            column.addWidget(SectionHead(self.form, section, parent))
        if section.is_optional and self.form.value(section.path) is None:
            return
        for part in self.form.section(section).parts:
            if isinstance(part, FieldSpec):
                if self.wanted(part.path):
                    column.addWidget(self.make(part, parent))
            elif self.has_any(part):
                self._add_section(part, column, parent)

    def _add_section(self, section: SectionSpec, column: QVBoxLayout, parent: QWidget) -> None:
        if self.is_folded:
            column.addWidget(self.folded(section, section.title, parent))
            return
        column.addSpacing(SPACING.xs)
        column.addWidget(label(section.title, "emphasis", parent=parent))
        self.fill(section, column, parent)

    def folded(self, section: SectionSpec, title: str, parent: QWidget) -> FoldedSection:
        """A section under a heading that unfolds it; open if it was open before."""
        folded = FoldedSection(section, title, partial(self.fill, section), parent)
        folded.set_open(section.path in self.opened)
        folded.fold_changed.connect(self.on_fold)
        return folded

    def has_any(self, section: SectionSpec) -> bool:
        """Whether anything of a section is to be seen."""
        if self.form.is_hidden(section.path):
            return False
        if (section.is_optional or section.variants) and self.wanted(section.path):
            return True
        return any(self.wanted(field.path) for field in self.form.fields(section))


def num_changed(form: ConfigForm, paths: Any) -> int:
    """How many of these fields differ from the start."""
    return sum(form.is_changed(path) for path in paths)
