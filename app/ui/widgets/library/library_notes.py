"""What the library says when it has nothing to show: what will appear, or how to see more."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.models.gallery.gallery import Gallery
from app.ui.theme.icons import pixmap
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.middle_column import middle_column

WIDTH_PX = 460


class LibraryNotes(QWidget):
    """Three cases: nothing made yet, nothing found, still looking."""

    generate_requested = Signal()
    clear_requested = Signal()

    def __init__(self, gallery: Gallery, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gallery = gallery
        self._sign = QLabel(self)
        self._title = label("", "display", is_wrapped=True)
        self._text = label("", "muted", is_wrapped=True)
        self.generate_button = TextButton(self.tr("Make the first one"), "primary", "generate", self)
        self.clear_button = TextButton(self.tr("Show everything"), "primary", parent=self)
        words = middle_column(self, WIDTH_PX)
        buttons = QHBoxLayout()
        buttons.addWidget(self.generate_button)
        buttons.addWidget(self.clear_button)
        buttons.addStretch(1)
        for part in (self._sign, self._title, self._text):
            words.addWidget(part)
        words.addSpacing(SPACING.s)
        words.addLayout(buttons)
        self.generate_button.clicked.connect(self.generate_requested)
        self.clear_button.clicked.connect(self.clear_requested)
        gallery.shown_changed.connect(self.refresh)
        gallery.scan_changed.connect(self.refresh)
        gallery.facts_changed.connect(self.refresh)
        self.refresh()

    def refresh(self, _payload: Any = None) -> None:
        """Say what fits."""
        icon_name, title, text = self._words()
        self._sign.setPixmap(pixmap(icon_name, colours().accent_text, 40))
        self._title.setText(title)
        self._text.setText(text)
        has_filter = not self._gallery.filter.is_open
        self.clear_button.setVisible(has_filter)
        self.generate_button.setVisible(not has_filter and not self._is_looking)

    @property
    def _is_looking(self) -> bool:
        return self._gallery.scan.is_first or self._gallery.scan.is_running

    def _words(self) -> tuple[str, str, str]:
        if not self._gallery.filter.is_open:
            return "search", self.tr("Nothing fits"), self.tr("Change the search or the filters, or show everything.")
        if self._gallery.scan.problem:
            return "warning", self.tr("The folder cannot be read"), self._gallery.scan.problem
        if self._is_looking:
            return (
                "library",
                self.tr("Looking at your results"),
                self.tr("The files are being read for the first time."),
            )
        return (
            "library",
            self.tr("Everything you make is kept here"),
            self.tr(
                "Pictures and clips appear by themselves as they are made, with all their settings. You can search "
                "them, star the best, compare them, and make more like them."
            ),
        )

    def changeEvent(self, event: Any) -> None:
        """The sign follows the palette."""
        super().changeEvent(event)
        if event.type() == event.Type.StyleChange and hasattr(self, "clear_button"):
            self.refresh()
