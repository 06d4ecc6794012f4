"""The whole form: a search line, what everybody sets, and folded sections for the rest."""

from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.models.config_form import ConfigForm, FieldSpec, SectionSpec
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip, TextButton
from app.ui.widgets.config_form.row import FieldRow
from app.ui.widgets.config_form.section import Filling, FoldedSection, num_changed
from app.ui.widgets.labels import label

SEARCH_MS = 120
MOST_FOUND = 24


class ConfigFormView(QWidget):
    """Put it into something that scrolls. Sections are made when they are unfolded, results as they are found."""

    def __init__(
        self,
        form: ConfigForm,
        parent: QWidget | None = None,
        *,
        is_compact: bool = False,
        has_search: bool = True,
        expert_title: str = "",
    ) -> None:
        """`expert_title` stands above the expert fields of a form without sections."""
        super().__init__(parent)
        self._form = form
        self._expert_title = expert_title
        self._is_compact = is_compact
        self._open: set[str] = set()
        self.search = QLineEdit(self)
        self.only_changed = Chip("")
        self.reset_all = TextButton(self.tr("Reset all"), "link", parent=self)
        self._whole_error = label("", "error", is_wrapped=True)
        self._body = QWidget(self)
        self._found = QWidget(self)
        self._layout = QVBoxLayout(self)
        self._bar = self._make_bar()
        self._bar.setVisible(has_search)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SEARCH_MS)
        self._build()
        self._timer.timeout.connect(self._show_found)
        self.search.textChanged.connect(self._on_search_changed)
        self.only_changed.toggled.connect(self._on_search_changed)
        self.reset_all.clicked.connect(form.reset_all)
        form.structure_changed.connect(self._on_structure_changed)
        form.values_changed.connect(self._on_values_changed)
        form.errors_changed.connect(self._on_errors_changed)
        self._rebuild()
        self._on_values_changed()
        self._on_errors_changed()

    def _make_bar(self) -> QWidget:
        bar = QWidget(self)
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.s)
        self.search.setPlaceholderText(self.tr("Find a setting"))
        self.search.setAccessibleName(self.tr("Find a setting"))
        self.search.setClearButtonEnabled(True)
        self.only_changed.setCheckable(True)
        row.addWidget(self.search, 1)
        row.addWidget(self.only_changed)
        row.addWidget(self.reset_all)
        return bar

    def _build(self) -> None:
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACING.m)
        for part in (self._bar, self._whole_error, self._body, self._found):
            self._layout.addWidget(part)
        self._layout.addStretch(1)
        self._found.hide()

    # ---- what others ask --------------------------------------------------------------------------------------------

    def rows(self) -> list[FieldRow]:
        """All rows made so far that are on show."""
        return [row for row in self.findChildren(FieldRow) if row.isVisibleTo(self)]

    def row(self, path: str) -> FieldRow | None:
        """The row of a field, if it is on show."""
        return next((row for row in self.rows() if row.field.path == path), None)

    def sections(self) -> list[FoldedSection]:
        """The folded sections."""
        return self._body.findChildren(FoldedSection)

    def show_problem(self) -> QWidget | None:
        """Bring the first wrong field on show and put the cursor into it; returns it, so that it can be scrolled to."""
        path = next((path for path in self._form.errors if path), None)
        if path is None:
            return None
        if self.row(path) is None:
            self.search.clear()
            self.only_changed.setChecked(False)
            self._show_found()
            self._unfold_to(path)
        row = self.row(path)
        if row is not None:
            row.control.input.setFocus()
        return row

    def _unfold_to(self, path: str) -> None:
        """Open the sections in which a field stands, from the outside in."""
        for _ in range(path.count(".") + 1):
            for section in self.sections():
                is_around = path.startswith(f"{section.path}.") if section.path else "." not in path
                if is_around and not section.is_open:
                    section.set_open(True)

    # ---- rows and sections ------------------------------------------------------------------------------------------

    def _on_structure_changed(self) -> None:
        """Later, for the control that asked for it must first be done with its own event."""
        QTimer.singleShot(0, self, self._rebuild)

    def _rebuild(self) -> None:
        focused = self._focused_path()
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING.s)
        self._fill_basic(body, column)
        self._fill_expert(body, column)
        self._layout.replaceWidget(self._body, body)
        self._body.hide()
        self._body.deleteLater()
        self._body = body
        self._show_found()
        row = self.row(focused) if focused else None
        if row is not None:
            row.control.input.setFocus()

    def _focused_path(self) -> str:
        return next((row.field.path for row in self.rows() if row.control.input.hasFocus()), "")

    def _fill_basic(self, body: QWidget, column: QVBoxLayout) -> None:
        """In the order asked for, without headings; if nothing was asked for, everything under its headings."""
        form = self._form
        if not form.basic:
            Filling(form, self._make_row, self._is_basic).fill(form.spec, column, body)
            return
        fields = [field for field in form.fields() if form.is_basic(field.path)]
        for wanted in form.basic:
            for field in fields:
                if field.path == wanted or field.path.startswith(f"{wanted}."):
                    column.addWidget(self._make_row(field, body))

    def _fill_expert(self, body: QWidget, column: QVBoxLayout) -> None:
        form = self._form
        filling = Filling(
            form, self._make_row, self._is_expert, self._on_fold_changed, frozenset(self._open), is_folded=True
        )
        sections = [part for part in form.spec.parts if isinstance(part, SectionSpec)]
        wanted = [each for each in (_without_sections(form.spec), *sections) if filling.has_any(each)]
        if not wanted:
            return
        if self._expert_title:
            for section in wanted:
                column.addWidget(filling.folded(section, section.title or self._expert_title, body))
            return
        count = sum(self._is_expert(field.path) for field in form.fields())
        heading = label(self.tr("Expert settings ({count})").format(count=count), "field", parent=body)
        column.addSpacing(SPACING.s)
        column.addWidget(heading)
        for section in wanted:
            column.addWidget(filling.folded(section, section.title or self.tr("General"), body))

    def _on_fold_changed(self) -> None:
        """What is open stays open when the form is made anew."""
        self._open = {each.path for each in self.sections() if each.is_open}

    def _make_row(self, field: FieldSpec, parent: QWidget) -> FieldRow:
        return FieldRow(self._form, field, is_compact=self._is_compact, parent=parent)

    def _is_basic(self, path: str) -> bool:
        return self._form.is_basic(path) and not self._form.is_hidden(path)

    def _is_expert(self, path: str) -> bool:
        return not self._form.is_basic(path) and not self._form.is_hidden(path)

    # ---- search -----------------------------------------------------------------------------------------------------

    def _on_search_changed(self) -> None:
        self._timer.start()

    def _show_found(self) -> None:
        text, is_only_changed = self.search.text().strip(), self.only_changed.isChecked()
        is_searching = bool(text) or is_only_changed
        self._body.setVisible(not is_searching)
        found = QWidget(self)
        if is_searching:
            self._fill_found(found, text, is_only_changed=is_only_changed)
        self._layout.replaceWidget(self._found, found)
        self._found.hide()
        self._found.deleteLater()
        self._found = found
        self._found.setVisible(is_searching)

    def _fill_found(self, found: QWidget, text: str, *, is_only_changed: bool) -> None:
        paths = self._form.matching(text)
        fields = [field for field in self._form.fields() if field.path in paths]
        if is_only_changed:
            fields = [field for field in fields if self._form.is_changed(field.path)]
        fields.sort(key=lambda field: text.lower() not in f"{field.title} {field.path}".lower())
        column = QVBoxLayout(found)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING.s)
        for field in fields[:MOST_FOUND]:
            row = FieldRow(self._form, field, is_compact=self._is_compact, is_named_fully=True, parent=found)
            column.addWidget(row)
        if not fields:
            column.addWidget(label(self.tr("No setting matches. Try another word."), "muted", parent=found))
        if len(fields) > MOST_FOUND:
            words = self.tr("{count} more; type another word to narrow it down").format(count=len(fields) - MOST_FOUND)
            column.addWidget(label(words, "muted", parent=found))

    # ---- news of the form -------------------------------------------------------------------------------------------

    def _on_values_changed(self, _paths: Any = None) -> None:
        count = num_changed(self._form, [field.path for field in self._form.fields()])
        self.only_changed.set_text(self.tr("{count} changed").format(count=count))
        has_some = count > 0 or self.only_changed.isChecked()
        self.only_changed.setVisible(has_some)
        self.reset_all.setVisible(has_some)

    def _on_errors_changed(self, _errors: Any = None) -> None:
        known = {field.path for field in self._form.fields()}
        beyond = [words for path, words in self._form.errors.items() if path not in known]
        self._whole_error.setText("\n".join(beyond))
        self._whole_error.setVisible(bool(beyond))


def _without_sections(section: SectionSpec) -> SectionSpec:
    fields = tuple(part for part in section.parts if isinstance(part, FieldSpec))
    return SectionSpec(section.path, "", fields)
