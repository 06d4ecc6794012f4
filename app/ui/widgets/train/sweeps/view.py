"""The place of the sweeps: a new one, or those there are."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.models.new_run.launching import LaunchSettings
from app.models.new_run.new_run import NewRun
from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.train.scrolling_column import scrolling_column
from app.ui.widgets.train.sweeps.new_sweep import NewSweep
from app.ui.widgets.train.sweeps.results import SweepResults


class SweepsView(QWidget):
    """Looks at the folders again every few seconds while it is on show."""

    closed = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._sweeps = session.sweeps
        self._title = label("", "title")
        self.new_sweep = NewSweep(session.sweeps, self)
        self.results = SweepResults(session.sweeps, self)
        self._pages = QStackedWidget(self)
        for page in (self.new_sweep, self.results):
            self._pages.addWidget(scrolling_column(page, self))
        close = TextButton(self.tr("Back to the new run"), "link", parent=self)
        head = QHBoxLayout()
        head.setContentsMargins(SPACING.xl, SPACING.l, SPACING.xl, SPACING.s)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._pages, 1)
        close.clicked.connect(self.closed)
        self.new_sweep.started.connect(self.show_list)

    def show_new(self, model: NewRun) -> bool:
        """Put a sweep together of what the new run would do; False if its settings are wrong."""
        config, launch = model.config, model.launch_form.result
        if config is None or not isinstance(launch, LaunchSettings):
            return False
        state = model.state
        estimate = state.estimate
        rendering_s = (estimate.rendering_s or 0.0) if estimate is not None else 0.0
        self._sweeps.prepare(
            self._session.folders.places.runs,
            config,
            device=launch.device,
            run_seconds=estimate.total_s - rendering_s if estimate is not None else None,
            rendering_seconds=rendering_s,
            num_held_out=state.report.num_valid if state.report is not None and not state.is_scenes else None,
        )
        self._title.setText(self.tr("New sweep"))
        self._pages.setCurrentIndex(0)
        return True

    def start(self) -> None:
        """What the button of a new sweep does."""
        if self._pages.currentIndex() == 0 and self.new_sweep.start_button.isEnabled():
            self.new_sweep.start_button.click()

    def show_list(self) -> None:
        """Those there are."""
        self._title.setText(self.tr("Sweeps"))
        self._pages.setCurrentIndex(1)
        self._sweeps.look()
