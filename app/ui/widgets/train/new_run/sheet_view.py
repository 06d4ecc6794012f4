"""The exact tensors that the model will see, drawn by the trainer from its own loader."""

from typing import Any

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.new_run.new_run import NewRun
from app.ui.theme.tokens import SPACING
from app.ui.widgets.image_view import ImageView
from app.ui.widgets.labels import label
from app.ui.widgets.train.new_run.trouble_card import TroubleCard

HEIGHT_PX = 420


class SheetView(QFrame):
    """A picture to zoom and pan in; says when it is being drawn anew."""

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.image = ImageView(parent=self)
        self.image.setFixedHeight(HEIGHT_PX)
        self.image.setAccessibleName(self.tr("What the model will see"))
        self.image.installEventFilter(self)
        self._note = label("", "caption")
        self.trouble = TroubleCard(self.tr("The pictures cannot be drawn"), self)
        head = QHBoxLayout()
        head.addWidget(label(self.tr("What the model will see"), "emphasis"))
        head.addStretch(1)
        head.addWidget(self._note)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.m, SPACING.s, SPACING.m, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addLayout(head)
        layout.addWidget(self.trouble)
        layout.addWidget(self.image)
        model.state_changed.connect(self._on_state_changed)
        self._on_state_changed(model.state)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The wheel scrolls the page until the picture was clicked."""
        if watched is self.image and event.type() == QEvent.Type.Wheel and not self.image.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _on_state_changed(self, state: Any) -> None:
        self.setVisible(state.sheet is not None or state.is_drawing or state.sheet_trouble is not None)
        if state.sheet is not self.image.image:
            self.image.set_image(state.sheet)
        self.image.setVisible(state.sheet is not None)
        self._note.setText(
            self.tr("Drawing…") if state.is_drawing else self.tr("Click, then zoom with the wheel · 0: fit")
        )
        self.trouble.show_trouble(state.sheet_trouble)
