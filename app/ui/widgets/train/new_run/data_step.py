"""Step 1: what to train, and on what. The data is looked through as soon as it is chosen."""

from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.models.new_run.base_settings import Goal
from app.models.new_run.new_run import NewRun
from app.models.new_run.state import NewRunState
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import label
from app.ui.widgets.train.new_run.check_strip import CheckStrip
from app.ui.widgets.train.new_run.data_report import DataReportView
from app.ui.widgets.train.new_run.data_source import DataSource
from app.ui.widgets.train.new_run.goal_field import GoalField
from app.ui.widgets.train.new_run.start_field import StartField
from app.ui.widgets.train.new_run.trouble_card import TroubleCard


class DataStep(QWidget):
    """Goal, starting point where there must be one, data, and what was found in it."""

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.goal = GoalField(model, self)
        self.start = StartField(model, self)
        self._title = label(self.tr("Data"), "strong")
        self._own_data = label("", "muted", is_wrapped=True)
        self.source = DataSource(model, self)
        self.strip = CheckStrip(model, self)
        self.trouble = TroubleCard(self.tr("This data cannot be used"), self)
        self.report = DataReportView(model, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.m)
        for part in (
            self.goal,
            self.start,
            self._title,
            self._own_data,
            self.source,
            self.strip,
            self.trouble,
            self.report,
        ):
            layout.addWidget(part)
        layout.addStretch(1)
        model.state_changed.connect(self._on_state_changed)
        self._on_state_changed(model.state)

    def _on_state_changed(self, state: Any) -> None:
        self.trouble.show_trouble(state.check_trouble)
        words = self._own_words(state)
        self._own_data.setText(words)
        self._own_data.setVisible(bool(words))

    def _own_words(self, state: NewRunState) -> str:
        """Of Stage 2, which goes on with the data of its Stage 1."""
        if state.goal is not Goal.STAGE2 or state.data or state.start is None or state.start.run is None:
            return ""
        data = state.start.run.data
        place = getattr(data, "path", self.tr("the built-in scenes"))
        return self.tr("The data of the Stage 1 run is used: {place}. You can choose other data below.").format(
            place=place
        )
