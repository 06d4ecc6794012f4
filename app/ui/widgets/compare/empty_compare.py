"""What the page Compare says before there is a picture: what it is good for, and three ways to begin."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.ui.theme.icons import pixmap
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.middle_column import middle_column

WIDTH_PX = 520


class EmptyCompare(QWidget):
    """Files, the clipboard, or pictures of our own."""

    files_requested = Signal()
    paste_requested = Signal()
    samples_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = QLabel(self)
        self.samples_button = TextButton(self.tr("Use our sample pictures"), "primary", parent=self)
        self.files_button = TextButton(self.tr("Choose files…"), "", "folder", self)
        self.paste_button = TextButton(self.tr("Paste"), "", "copy", self)
        self._build()
        self.samples_button.clicked.connect(self.samples_requested)
        self.files_button.clicked.connect(self.files_requested)
        self.paste_button.clicked.connect(self.paste_requested)

    def _build(self) -> None:
        self._sign.setPixmap(pixmap("compare", colours().accent_text, 40))
        self.files_button.setToolTip(self.tr("Ctrl+O"))
        self.paste_button.setToolTip(self.tr("Ctrl+V"))
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACING.s)
        for button in (self.samples_button, self.files_button, self.paste_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        words = middle_column(self, WIDTH_PX)
        words.addWidget(self._sign)
        words.addWidget(label(self.tr("See what a model keeps of a picture"), "display", is_wrapped=True))
        for text in self._sentences():
            words.addWidget(label(text, "muted", is_wrapped=True))
        words.addSpacing(SPACING.s)
        words.addLayout(buttons)

    def _sentences(self) -> tuple[str, ...]:
        return (
            self.tr(
                "Drop pictures or videos here. The model squeezes each into its latent, a few numbers, and paints it "
                "anew from them; you see both in step, with the numbers."
            ),
            self.tr(
                "Then move along the noise ladder: the latent gets more and more noise before it is painted, so you "
                "see what survives. Bits, invented detail and ordinary codecs are a click away."
            ),
        )

    def changeEvent(self, event: Any) -> None:
        """The sign follows the palette."""
        super().changeEvent(event)
        if event.type() == event.Type.StyleChange and hasattr(self, "_sign"):
            self._sign.setPixmap(pixmap("compare", colours().accent_text, 40))
