"""Three steps to a run: the data, the model, the start. Whoever accepts what is proposed presses Next twice."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.models.session import Session
from app.ui.pieces import Pieces, polish
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.labels import label
from app.ui.widgets.train.scrolling_column import scrolling_column

if TYPE_CHECKING:
    from app.ui.widgets.train.new_run.model_step import ModelStep
    from app.ui.widgets.train.new_run.start_step import StartStep
    from app.ui.widgets.train.sweeps.view import SweepsView

DATA, MODEL, START = range(3)


class NewRunView(QWidget):
    """Its insides are made when it is opened first."""

    closed = Signal()  # the person leaves without starting anything
    run_started = Signal(object)  # str: the folder of the run that has begun

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.pieces = Pieces(self._make, self._make_ahead)
        self.step = DATA
        self._sweeps: SweepsView | None = None
        self._model_step: ModelStep | None = None
        self._start_step: StartStep | None = None

    def prepare(self, source: str = "") -> None:
        """Begin anew, or with the settings of the run folder `source`."""
        self._build()
        self.model.begin(self._session.folders.places.runs, source)
        self.show_step(DATA)

    def take_data(self, path: str) -> None:
        """Train on this; step 1 shows what it holds."""
        self.show_step(DATA)
        self.model.choose_data(path)

    def _build(self) -> None:
        self.pieces.finish()

    def _make(self) -> Iterator[None]:
        from app.ui.widgets.train.new_run.data_step import DataStep
        from app.ui.widgets.train.new_run.footer import Footer

        self.model = self._session.new_run
        yield
        self.data_step = DataStep(self.model, self)
        yield
        self.footer = Footer(self.model, self)
        self._steps = QStackedWidget(self)
        self._areas = {DATA: scrolling_column(self.data_step, self)}
        self._steps.addWidget(self._areas[DATA])
        self._pages = QStackedWidget(self)
        self._lay_out()
        self._connect()

    def _make_ahead(self) -> Iterator[None]:
        self.model_step.ensurePolished()
        yield
        self.start_step.ensurePolished()
        yield
        yield from polish(self)

    @property
    def model_step(self) -> "ModelStep":
        """Step 2, made when it is first needed."""
        if self._model_step is None:
            from app.ui.widgets.train.new_run.model_step import ModelStep

            self._model_step = ModelStep(self.model, self)
            self._add_step(MODEL, self._model_step)
        return self._model_step

    @property
    def start_step(self) -> "StartStep":
        """Step 3, made when it is first needed."""
        if self._start_step is None:
            from app.ui.widgets.train.new_run.start_step import StartStep

            self._start_step = StartStep(self.model, self)
            self._start_step.sweep_requested.connect(self._on_sweep_requested)
            self._add_step(START, self._start_step)
        return self._start_step

    def _add_step(self, step: int, widget: QWidget) -> None:
        self._areas[step] = scrolling_column(widget, self)
        self._steps.addWidget(self._areas[step])

    def area(self, step: int) -> QScrollArea:
        """What a step scrolls in."""
        makers: dict[int, Callable[[], QWidget]] = {MODEL: lambda: self.model_step, START: lambda: self.start_step}
        if step in makers:
            makers[step]()
        return self._areas[step]

    def _lay_out(self) -> None:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_head())
        column.addWidget(self._steps, 1)
        column.addWidget(self.footer)
        self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)

    def _make_head(self) -> QFrame:
        head = QFrame(self)
        outer = QVBoxLayout(head)
        outer.setContentsMargins(SPACING.xl, SPACING.l, SPACING.xl, SPACING.s)
        inner = QWidget(head)
        outer.addWidget(inner)
        row = FlowLayout(SPACING.s, inner)
        row.addWidget(label(self.tr("New run"), "title", parent=head))
        self.step_buttons = [
            self._step_button(self.tr("1  Data"), self._on_data_clicked),
            self._step_button(self.tr("2  Model"), self._on_model_clicked),
            self._step_button(self.tr("3  Start"), self._on_start_clicked),
        ]
        for button in self.step_buttons:
            row.addWidget(button)
        self.sweeps_button = Chip(self.tr("Sweeps"), variant="link", parent=head)
        self.sweeps_button.setToolTip(self.tr("Several runs over the loss factor and bias, in one table and chart"))
        self.sweeps_button.clicked.connect(self.show_sweeps)
        row.addWidget(self.sweeps_button)
        close = Chip(self.tr("Back to the runs"), variant="link", parent=head)
        close.clicked.connect(self._on_close_clicked)
        row.addWidget(close)
        return head

    def _step_button(self, text: str, slot: Callable[[], None]) -> Chip:
        button = Chip(text, variant="tab", parent=self)
        button.setToolTip(text)
        button.setCheckable(True)
        button.clicked.connect(slot)
        return button

    def _connect(self) -> None:
        self.footer.back_requested.connect(self._on_back)
        self.footer.next_requested.connect(self._on_next)
        self.footer.start_requested.connect(self._on_start)
        self.model.form_replaced.connect(self._on_form_replaced)
        self.model.state_changed.connect(self._on_state_changed)
        self.model.began.connect(self.run_started)
        for keys, slot in (("Ctrl+Return", self._on_forward), ("Alt+Left", self._on_back)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(slot)

    # ---- steps ----------------------------------------------------------------------------------------------------

    def show_step(self, step: int) -> None:
        """Bring a step on show."""
        self._pages.setCurrentIndex(0)
        self.step = step
        self._steps.setCurrentWidget(self.area(step))
        self.footer.set_step(step)
        self.model.set_estimating(step == START)
        self._mark_steps()

    def _mark_steps(self) -> None:
        reachable = self.furthest()
        for number, button in enumerate(self.step_buttons):
            button.setChecked(number == self.step)
            button.setEnabled(number <= max(reachable, self.step))

    def furthest(self) -> int:
        """The last step that the choices so far lead to."""
        if self.model.form is not None:
            return START
        return MODEL if not self.model.data_blockers() else DATA

    def _on_state_changed(self, _state: Any) -> None:
        self._mark_steps()

    def _on_form_replaced(self) -> None:
        """Settings taken from a run lead straight to the start."""
        if self.model.form is not None and self.model.is_clone and self.step != START:
            self.show_step(START)
        self._mark_steps()

    def _on_data_clicked(self) -> None:
        self.show_step(DATA)

    def _on_model_clicked(self) -> None:
        self.show_step(MODEL)

    def _on_start_clicked(self) -> None:
        self.show_step(START)

    def _on_back(self) -> None:
        if self._is_sweeping:
            self._on_sweeps_closed()
        elif self.step > DATA:
            self.show_step(self.step - 1)

    def _on_next(self) -> None:
        if self.step < self.furthest():
            self.show_step(self.step + 1)

    def _on_forward(self) -> None:
        """What the main button on show does."""
        if self._is_sweeping:
            self.sweeps.start()
        elif self.step == START:
            self._on_start()
        else:
            self._on_next()

    def _on_start(self) -> None:
        if not self.model.launch():
            self.start_step.show_problem()

    def _on_close_clicked(self) -> None:
        self.model.set_estimating(False)
        self.model.stop_check()
        self.closed.emit()

    # ---- sweeps ---------------------------------------------------------------------------------------------------

    @property
    def sweeps(self) -> "SweepsView":
        """The place of the sweeps, made when it is first needed: its charts want numpy."""
        if self._sweeps is None:
            from app.ui.widgets.train.sweeps.view import SweepsView

            self._sweeps = SweepsView(self._session, self)
            self._sweeps.closed.connect(self._on_sweeps_closed)
            self._pages.addWidget(self._sweeps)
        return self._sweeps

    def show_sweeps(self) -> None:
        """Bring the sweeps on show."""
        self.model.set_estimating(False)
        self.sweeps.show_list()
        self._pages.setCurrentWidget(self.sweeps)

    @property
    def _is_sweeping(self) -> bool:
        return self._sweeps is not None and self._pages.currentWidget() is self._sweeps

    def _on_sweep_requested(self) -> None:
        """Of settings that are wrong no sweep can be made."""
        if self.sweeps.show_new(self.model):
            self._pages.setCurrentWidget(self.sweeps)
        else:
            self.start_step.show_problem()

    def _on_sweeps_closed(self) -> None:
        self.show_step(self.step)
