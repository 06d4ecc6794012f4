"""Everything known of the chosen result, in words that can be copied; of several, their sum."""

import json
from datetime import datetime
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFormLayout, QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from app.gallery import GalleryItem, GalleryKind
from app.models.gallery.request_rows import request_rows
from app.models.progress import grouped
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.labels import label, line, selectable
from app.ui.widgets.library.gallery_verbs import GalleryVerbs
from app.ui.widgets.scrolling import scrolling
from app.ui.widgets.shown_path import shown_path
from ul_engine.hub.wording import size_text

WIDTH_PX = 288
_REQUEST_HEIGHT_PX = 180


class DetailsPanel(QFrame):
    """A column at the right."""

    def __init__(self, verbs: GalleryVerbs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._verbs = verbs
        self.setProperty("role", "inspector")
        self.setFixedWidth(WIDTH_PX)
        self._title = selectable(label("", "emphasis", is_wrapped=True))
        self._problem = selectable(label("", "warning", is_wrapped=True))
        self._facts = QFormLayout()
        self._facts.setHorizontalSpacing(SPACING.m)
        self._facts.setVerticalSpacing(6)
        self._facts.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._request = QPlainTextEdit(self)
        self._request.setReadOnly(True)
        self._request.setMinimumHeight(_REQUEST_HEIGHT_PX)
        self._request.setAccessibleName(self.tr("The whole request"))
        self._star = IconButton("star", self.tr("Star (S)"), parent=self)
        self._compare = TextButton(self.tr("Compare"), "", "compare", self)
        self._use = TextButton(self.tr("Use these settings"), "primary", "reuse", self)
        self._continue = TextButton(self.tr("Continue this clip"), "", "film", self)
        self._whole = TextButton(self.tr("The whole request"), "fold", "chevron-right", self)
        self._copy_text = TextButton(self.tr("Copy the request"), "link", parent=self)
        self._build()
        self._connect()
        self._refresh()

    def _build(self) -> None:
        body = QWidget()
        body.setProperty("role", "plain")
        column = QVBoxLayout(body)
        column.setContentsMargins(SPACING.l, SPACING.l, SPACING.l, SPACING.l)
        column.setSpacing(SPACING.m)
        column.addWidget(self._title)
        column.addWidget(self._problem)
        column.addWidget(self._buttons())
        column.addWidget(self._use)
        column.addWidget(self._continue)
        column.addWidget(line(self))
        column.addLayout(self._facts)
        column.addWidget(self._whole)
        column.addWidget(self._request)
        column.addWidget(self._copy_text, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        scroll = scrolling(body, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def _buttons(self) -> QWidget:
        buttons = QWidget(self)
        row = FlowLayout(2, buttons)
        row.addWidget(self._star)
        for icon_name, name, slot in (
            ("copy", self.tr("Copy (Ctrl+C)"), self._verbs.copy),
            ("folder", self.tr("Show in folder"), self._verbs.show_in_folder),
            ("trash", self.tr("Move to the bin (Del)"), self._verbs.delete),
        ):
            button = IconButton(icon_name, name, parent=self)
            button.clicked.connect(slot)
            row.addWidget(button)
        row.addWidget(self._compare)
        return buttons

    def _connect(self) -> None:
        verbs = self._verbs
        self._star.clicked.connect(verbs.star)
        self._compare.clicked.connect(verbs.compare)
        self._use.clicked.connect(verbs.use)
        self._continue.clicked.connect(verbs.continue_clip)
        self._whole.setCheckable(True)
        self._whole.toggled.connect(self._on_fold_toggled)
        self._copy_text.clicked.connect(self._on_copy_clicked)
        verbs.chosen_changed.connect(self._refresh)

    @property
    def request_text(self) -> str:
        """The request on show."""
        return self._request.toPlainText()

    # ---- what it says ---------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        verbs = self._verbs
        item = verbs.single
        for child in self.findChildren(QWidget):
            if isinstance(child, (IconButton, TextButton)) and child is not self._whole:
                child.setEnabled(verbs.has_any())
        self._compare.setEnabled(verbs.can_compare())
        self._use.setVisible(item is None or bool(item.request))
        self._use.setEnabled(verbs.can_use())
        self._continue.setVisible(verbs.can_continue())
        is_starred = bool(verbs.items) and all(each.is_starred for each in verbs.items)
        self._star.set_icon("star-full" if is_starred else "star")
        self._star.set_name(self.tr("Take the star away (S)") if is_starred else self.tr("Star (S)"))
        while self._facts.rowCount():
            self._facts.removeRow(0)
        if item is not None:
            self._show_one(item)
        else:
            self._show_several()

    def _show_one(self, item: GalleryItem) -> None:
        self._title.setText(item.prompt or PurePath(item.path).name)
        self._problem.setText(self._problem_words(item))
        self._problem.setVisible(bool(self._problem.text()))
        for name, value in (*request_rows(item.request), *self._file_rows(item)):
            self._facts.addRow(label(name, "caption"), selectable(label(value, is_wrapped=True)))
        self._request.setPlainText(_pretty(item.request))
        self._whole.setVisible(bool(item.request))
        self._on_fold_toggled(self._whole.isChecked() and bool(item.request))

    def _problem_words(self, item: GalleryItem) -> str:
        if item.problem:
            return self.tr("This file {problem}.").format(problem=item.problem.rstrip("."))
        if not item.request:
            return self.tr("This file does not say how it was made; another program made or saved it.")
        return ""

    def _file_rows(self, item: GalleryItem) -> list[tuple[str, str]]:
        size = f"{item.width_px} × {item.height_px} px" if item.width_px else ""
        rows = [(self.tr("Picture"), size)]
        if item.kind is GalleryKind.CLIP and item.num_frames > 1:
            rows.append((self.tr("Frames"), grouped(item.num_frames)))
        when = datetime.fromtimestamp(item.modified_s).strftime("%Y-%m-%d %H:%M")
        rows += [(self.tr("Made"), when), (self.tr("Size"), size_text(item.size_bytes))]
        path = PurePath(item.path)
        rows += [(self.tr("File"), path.name), (self.tr("Folder"), shown_path(path.parent, is_breakable=True))]
        return [(name, value) for name, value in rows if value]

    def _show_several(self) -> None:
        verbs = self._verbs
        count = len(verbs.ids)
        self._title.setText(self.tr("{n} chosen").format(n=grouped(count)) if count else self.tr("Nothing chosen"))
        self._problem.hide()
        if not count:
            words = self.tr("Click a result to see how it was made. Ctrl and Shift choose several.")
            self._facts.addRow(label(words, "muted", is_wrapped=True))
        elif len(verbs.items) == count:
            total = sum(item.size_bytes for item in verbs.items)
            self._facts.addRow(label(self.tr("Together"), "caption"), selectable(label(size_text(total))))
        self._whole.hide()
        self._request.hide()
        self._copy_text.hide()

    # ---- the whole request ----------------------------------------------------------------------------------------

    def _on_fold_toggled(self, is_open: Any) -> None:
        self._whole.set_icon("chevron-down" if is_open else "chevron-right")
        self._request.setVisible(bool(is_open))
        self._copy_text.setVisible(bool(is_open))

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self.request_text)


def _pretty(request: str) -> str:
    return json.dumps(json.loads(request), indent=2, ensure_ascii=False) if request else ""
