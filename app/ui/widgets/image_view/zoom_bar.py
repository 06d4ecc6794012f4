"""Buttons for what wheel and keys do to a view."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.image_view.view_state import STEP, ViewState
from app.ui.widgets.labels import label


class ZoomBar(QWidget):
    """Smaller, the present size, larger, all of it, and hard or soft pixels."""

    def __init__(self, state: ViewState, parent: QWidget | None = None, *, has_crisp: bool = False) -> None:
        super().__init__(parent)
        self._state = state
        self._percent = label("", "muted")
        self._percent.setFont(font(has_even_digits=True))
        self._percent.setMinimumWidth(56)
        self._percent.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.smaller = IconButton("minus", self.tr("Smaller (−)"), parent=self)
        self.larger = IconButton("plus", self.tr("Larger (+)"), parent=self)
        self.fit = IconButton("fit", self.tr("All of it (0)"), parent=self)
        self.crisp = IconButton("pixels", "", parent=self)
        self.crisp.setCheckable(True)
        self.crisp.setVisible(has_crisp)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.xs)
        for part in (self.smaller, self._percent, self.larger, self.fit, self.crisp):
            row.addWidget(part)
        self.smaller.clicked.connect(self._on_smaller)
        self.larger.clicked.connect(self._on_larger)
        self.fit.clicked.connect(state.fit)
        self.crisp.toggled.connect(state.set_crisp)
        state.view_changed.connect(self._show)
        self._show()

    @property
    def text(self) -> str:
        """The size on show."""
        return self._percent.text()

    def _show(self, *_payload: Any) -> None:
        self._percent.setText(f"{self._state.zoom * 100:.0f}\u202f%")
        self.crisp.setChecked(self._state.is_crisp)
        crisp, smooth = self.tr("Sharp pixels; click for smooth"), self.tr("Smooth; click for sharp pixels")
        self.crisp.set_name(crisp if self._state.is_crisp else smooth)

    def _on_smaller(self) -> None:
        self._state.zoom_to(self._state.zoom / STEP, self._state.centre)

    def _on_larger(self) -> None:
        self._state.zoom_to(self._state.zoom * STEP, self._state.centre)
