"""What the page Compare says before there is a picture: what it is good for, and three ways to begin."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.theme.icons import pixmap
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label

WIDTH_PX = 560


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
        column = QWidget(self)
        column.setMaximumWidth(WIDTH_PX)
        inner = QVBoxLayout(column)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(SPACING.m)
        inner.addWidget(self._sign)
        inner.addWidget(label(self.tr("See what a model keeps of a picture"), "title", is_wrapped=True))
        for text in self._sentences():
            inner.addWidget(label(text, "muted", is_wrapped=True))
        inner.addLayout(buttons)
        middle = QHBoxLayout()
        middle.setContentsMargins(SPACING.xl, SPACING.l, SPACING.xl, SPACING.l)
        middle.addStretch(1)
        middle.addWidget(column, 8)
        middle.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addStretch(2)
        outer.addLayout(middle)
        outer.addStretch(3)

    def _sentences(self) -> tuple[str, ...]:
        return (
            self.tr(
                "Drop pictures or videos here. The model squeezes each into its latent, a few numbers, and paints it "
                "anew from them; you see both in step, with the numbers."
            ),
            self.tr(
                "Then move along the noise ladder: the latent gets more and more noise before it is painted, so you "
                "see what survives. Bits, invented detail and ordinary codecs at equal size are a click away."
            ),
        )

    def changeEvent(self, event: object) -> None:
        """The sign follows the palette."""
        super().changeEvent(event)  # type: ignore[arg-type]
        if event.type() == event.Type.StyleChange and hasattr(self, "_sign"):  # type: ignore[attr-defined]
            self._sign.setPixmap(pixmap("compare", colours().accent_text, 40))
