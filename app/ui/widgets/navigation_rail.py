"""The pages that exist, one below the other at the left edge."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeySequence
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from app.ui.theme.fonts import font
from app.ui.theme.icons import app_icon, icon
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING, TYPE
from app.ui.widgets.buttons import IconButton

LEAST_PX, MOST_PX = 60, 104
"""Width of a button: that of the longest title, within these."""


class NavigationRail(QFrame):
    """Knows names and icons of pages, not the pages."""

    page_requested = Signal(object)  # str

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "rail")
        self._buttons: dict[str, RailButton] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(SPACING.xs, SPACING.m, SPACING.xs + 1, SPACING.m)
        self._layout.setSpacing(SPACING.xs)
        self._button_px = LEAST_PX
        sign = QLabel(self)
        sign.setPixmap(app_icon().pixmap(32, 32))
        sign.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        sign.setAccessibleName("UL Studio")
        self._layout.addWidget(sign)
        self._layout.addSpacing(SPACING.m)
        self._layout.addStretch(1)

    def add_page(self, name: str, title: str, icon_name: str, keys: str, *, is_last: bool = False) -> "RailButton":
        """Offer a page; `is_last` puts it at the bottom."""
        button = RailButton(name, title, icon_name, self)
        button.setToolTip(f"{title} ({QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)})")
        button.setShortcut(QKeySequence(keys))
        button.clicked.connect(self._on_clicked)
        self._buttons[name] = button
        place = self._layout.count() if is_last else self._layout.count() - 1
        self._layout.insertWidget(place, button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._fit(title)
        return button

    def _fit(self, title: str) -> None:
        """All buttons are as wide as the longest title asks for."""
        needed = QFontMetrics(font(TYPE.caption, QFont.Weight.Medium)).horizontalAdvance(title) + SPACING.s
        self._button_px = min(max(self._button_px, needed), MOST_PX)
        for button in self._buttons.values():
            button.setFixedWidth(self._button_px)
        margins = self._layout.contentsMargins()
        self.setFixedWidth(self._button_px + margins.left() + margins.right() + 3)

    def button(self, name: str) -> "RailButton":
        """The button of a page."""
        return self._buttons[name]

    def set_current(self, name: str) -> None:
        """Mark the page on show."""
        for each, button in self._buttons.items():
            button.setChecked(each == name)

    def _on_clicked(self) -> None:
        button = self.sender()
        if isinstance(button, RailButton):
            self.set_current(button.page)
            self.page_requested.emit(button.page)


class RailButton(IconButton):
    """Icon above its title."""

    def __init__(self, page: str, title: str, icon_name: str, parent: QWidget | None = None) -> None:
        self.page = page
        super().__init__(icon_name, title, "rail", parent)
        self.setText(title)
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.toggled.connect(self._on_toggled)

    def _on_toggled(self, _is_checked: bool) -> None:
        self._tint()

    def _tint(self) -> None:
        c = colours()
        self.setIcon(icon(self._icon_name, c.accent_text if self.isChecked() else c.muted, c.disabled))
