"""Step 3: what the run will cost, its settings, and its name."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from app.models.config_form import ConfigForm
from app.models.new_run.new_run import NewRun
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.config_form import ConfigFormView
from app.ui.widgets.labels import label
from app.ui.widgets.train.new_run.cost_card import CostCard
from app.ui.widgets.train.new_run.sheet_view import SheetView


class StartStep(QWidget):
    """Cost first, then what decides it, then what the model will see."""

    sweep_requested = Signal()

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._form: ConfigForm | None = None
        self.form_view: ConfigFormView | None = None
        self.cost = CostCard(model, self)
        self.launch_view = ConfigFormView(
            model.launch_form, self, has_search=False, expert_title=self.tr("Device, several GPUs, several machines")
        )
        self._place = QVBoxLayout()
        self._settings_title = label(self.tr("Settings"), "strong")
        self.sweep_button = TextButton(self.tr("Try several loss factors instead…"), "link", parent=self)
        self.sweep_button.setToolTip(
            self.tr("A sweep: the same run over several loss factors, in one table and one chart")
        )
        self.sheet = SheetView(model, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.m)
        layout.addWidget(self.cost)
        layout.addWidget(label(self.tr("The run"), "strong"))
        layout.addWidget(self.launch_view)
        layout.addWidget(self._settings_title)
        layout.addLayout(self._place)
        layout.addWidget(self.sweep_button)
        layout.addWidget(self.sheet)
        layout.addStretch(1)
        self.sweep_button.clicked.connect(self.sweep_requested)
        model.state_changed.connect(self._on_state_changed)
        model.form_replaced.connect(self._on_form_replaced)
        self._on_form_replaced()

    def _on_form_replaced(self) -> None:
        """The form of the settings, made when it is first seen."""
        if self.isVisibleTo(self.window()) or self.form_view is not None:
            self._make_form()

    def showEvent(self, event: Any) -> None:
        """Now it is seen."""
        self._make_form()
        super().showEvent(event)

    def _make_form(self) -> None:
        form = self._model.form
        if form is self._form:
            return
        self._form = form
        if self.form_view is not None:
            self._place.removeWidget(self.form_view)
            self.form_view.hide()
            self.form_view.deleteLater()
            self.form_view = None
        if form is not None:
            self.form_view = ConfigFormView(form, self)
            self._place.addWidget(self.form_view)

    def _on_state_changed(self, state: Any) -> None:
        self.sweep_button.setVisible(self._model.config is not None and self._model.config.stage.value == "stage1")

    def show_problem(self) -> None:
        """Bring the first wrong field into view, and the cursor into it."""
        for view in (self.launch_view, self.form_view):
            row = view.show_problem() if view is not None else None
            if row is not None:
                area = self._scroll_area()
                if area is not None:
                    area.ensureWidgetVisible(row)
                return

    def _scroll_area(self) -> QScrollArea | None:
        parent = self.parentWidget()
        while parent is not None and not isinstance(parent, QScrollArea):
            parent = parent.parentWidget()
        return parent
