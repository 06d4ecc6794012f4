"""The way to a new run: data, recipe, settings, start."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label


class NewRun(QWidget):
    """Built when it is opened first."""

    closed = Signal()  # the person leaves without starting anything
    run_started = Signal(object)  # str: the folder of the run that has begun

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        back = TextButton(self.tr("Back to the runs"), parent=self)
        back.clicked.connect(self.closed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.xl)
        layout.addWidget(label(self.tr("New run"), "title"))
        layout.addWidget(label(self.tr("Start runs with ul-train for now; they appear here."), "muted"))
        layout.addWidget(back)
        layout.addStretch(1)

    def prepare(self, source: str = "") -> None:
        """Begin anew, or with the settings of the run folder `source`."""
