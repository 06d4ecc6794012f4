"""Buttons: with a tinted icon, with words, and small round suggestions."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from app.ui.theme.icons import ICON_PX, icon
from app.ui.theme.theme import colours

_SMALL = ("small", "title")
_RETINT = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)


class IconButton(QToolButton):
    """A tool button with an icon in the palette's colour; its name is for the tool tip and for screen readers."""

    def __init__(self, icon_name: str, name: str, variant: str = "icon", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name = icon_name
        self.setProperty("variant", variant)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(ICON_PX, ICON_PX) if variant not in _SMALL else QSize(16, 16))
        self.set_name(name)
        self._tint()

    def set_name(self, name: str) -> None:
        """What the button does."""
        self.setToolTip(name)
        self.setAccessibleName(name)

    def set_icon(self, icon_name: str) -> None:
        """Another picture."""
        self._icon_name = icon_name
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        """A new palette means a new tint."""
        super().changeEvent(event)
        if event.type() in _RETINT:
            self._tint()

    def _tint(self) -> None:
        c = colours()
        colour = c.muted if self.property("variant") in ("status", *_SMALL) else c.text
        self.setIcon(icon(self._icon_name, colour, c.disabled))


class TextButton(QPushButton):
    """A push button in one of the style sheet's variants, with an icon if named."""

    def __init__(self, text: str, variant: str = "", icon_name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._icon_name = icon_name
        if variant:
            self.setProperty("variant", variant)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(False)
        self._tint()

    def set_icon(self, icon_name: str) -> None:
        """Another picture."""
        self._icon_name = icon_name
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        """A new palette means a new tint."""
        super().changeEvent(event)
        if event.type() in _RETINT:
            self._tint()

    def _tint(self) -> None:
        if self._icon_name:
            c = colours()
            colour = c.on_accent if self.property("variant") == "primary" else c.text
            self.setIcon(icon(self._icon_name, colour, c.disabled))


class Chip(TextButton):
    """A small suggestion that carries a text to put somewhere."""

    def __init__(self, text: str, value: str = "", variant: str = "chip", parent: QWidget | None = None) -> None:
        super().__init__(_literal(text), variant, parent=parent)
        self.value = value or text
        self._whole_text = text

    def set_text(self, text: str) -> None:
        """Other words."""
        self._whole_text = text
        self.setText(_literal(text))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Room for the whole text, even while only a part of it is shown."""
        metrics, shown = self.fontMetrics(), self.text().replace("&&", "&")
        missing = metrics.horizontalAdvance(self._whole_text) - metrics.horizontalAdvance(shown)
        return super().sizeHint() + QSize(missing, 0)

    def minimumSizeHint(self) -> QSize:
        """It can become narrow: then the text ends in an ellipsis."""
        return QSize(40, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the text to the room."""
        super().resizeEvent(event)
        missing = self.sizeHint().width() - self.width()
        room = self.fontMetrics().horizontalAdvance(self._whole_text) - missing
        short = self.fontMetrics().elidedText(self._whole_text, Qt.TextElideMode.ElideRight, room)
        self.setText(_literal(short if missing > 0 else self._whole_text))


def _literal(text: str) -> str:
    """Text whose ampersands are no keyboard shortcuts."""
    return text.replace("&", "&&")
