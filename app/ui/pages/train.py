"""The page Train: the runs on the left; one of them live, or the way to a new one, on the right."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label

LIST_WIDTH_PX = 288


class TrainPage(QWidget):
    """Emits wishes; shows what the models hold. Its insides are built when it is shown first."""

    run_started = Signal(object)  # str: a run that the new-run pages have started

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._is_built = False

    def showEvent(self, event: QShowEvent) -> None:
        """Build what the first paint of the window need not wait for."""
        self.build()
        super().showEvent(event)

    def build(self) -> None:
        """Make the insides, once."""
        if self._is_built:
            return
        self._is_built = True
        from app.ui.widgets.train.new_run import NewRun

        panel = QFrame(self)
        panel.setProperty("role", "panel")
        panel.setFixedWidth(LIST_WIDTH_PX)
        self.new_button = TextButton(self.tr("New run"), "primary", "plus", panel)
        column = QVBoxLayout(panel)
        column.setContentsMargins(SPACING.l, SPACING.l, SPACING.l, SPACING.l)
        column.setSpacing(SPACING.m)
        column.addWidget(self.new_button)
        column.addStretch(1)
        self.new_run = NewRun(self._session, self)
        self._empty = QWidget(self)
        words = QVBoxLayout(self._empty)
        words.addWidget(label(self.tr("Training runs appear here."), "muted"))
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self._empty)
        self.stack.addWidget(self.new_run)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(panel)
        layout.addWidget(self.stack, 1)
        self.new_button.clicked.connect(self._on_new_clicked)
        self.new_run.closed.connect(self._on_new_run_closed)
        self.new_run.run_started.connect(self._on_run_started)

    def open_new_run(self, source: str = "") -> None:
        """The way to a new run, with the settings of the run folder `source` if there is one."""
        self.build()
        self.new_run.prepare(source)
        self.stack.setCurrentWidget(self.new_run)

    def _on_new_clicked(self) -> None:
        self.open_new_run()

    def _on_new_run_closed(self) -> None:
        self.stack.setCurrentWidget(self._empty)

    def _on_run_started(self, folder: str) -> None:
        self.stack.setCurrentWidget(self._empty)
        self.run_started.emit(folder)
