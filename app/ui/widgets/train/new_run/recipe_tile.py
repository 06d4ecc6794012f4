"""One model to choose: what it is, what it is for, what it needs."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.models.new_run.recipes import RecipeCard
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import label


class RecipeTile(QPushButton):
    """A button with several lines of words."""

    def __init__(self, card: RecipeCard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card = card
        self.setProperty("variant", "tile")
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._words = label(card.sentence, "muted", is_wrapped=True)
        head = QHBoxLayout()
        head.setSpacing(SPACING.s)
        head.addWidget(label(card.title, "emphasis", is_wrapped=True), 1)
        if card.is_recommended:
            head.addWidget(label(self.tr("Recommended"), "badge"))
        head.addWidget(label(card.needs, "caption" if card.fits else "warning"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(SPACING.l, SPACING.m, SPACING.l, SPACING.m)
        self._column.setSpacing(2)
        self._column.addLayout(head)
        self._column.addWidget(self._words)
        for part in self.findChildren(QWidget):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        recommended = self.tr("Recommended.") if card.is_recommended else ""
        self.setAccessibleName(" ".join(part for part in (card.title, recommended) if part))
        self.setAccessibleDescription(f"{card.sentence} {card.needs}")

    def hasHeightForWidth(self) -> bool:
        """Narrower means higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Of the words in it."""
        return self._column.totalHeightForWidth(width)

    def sizeHint(self) -> QSize:
        """Of the words in it, not of a button's text."""
        width = self.width() or 600
        return QSize(400, self._column.totalHeightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """As narrow as it may become."""
        return QSize(240, 56)
