"""Which values a sweep tries, and what that costs."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.models.progress import duration
from app.models.sweeps.settings import SweepSettings
from app.models.sweeps.sweeps import Sweeps
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.config_form import ConfigFormView
from app.ui.widgets.labels import label


class NewSweep(QWidget):
    """The proposed values can be accepted with one click."""

    started = Signal()

    def __init__(self, sweeps: Sweeps, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sweeps = sweeps
        words = self.tr(
            "The same run is trained once for each loss factor, and all are measured alike: how many bits the latent "
            "takes, how well pictures come back, and (with Stage 2) how good new ones are. The paper's Table 2 "
            "was made in this way."
        )
        self.form_view = ConfigFormView(sweeps.form, self, has_search=False)
        self._cost = label("", "emphasis", is_wrapped=True)
        self._trouble = label("", "error", is_wrapped=True)
        self.start_button = TextButton(self.tr("Start the sweep"), "primary", parent=self)
        row = QHBoxLayout()
        row.addWidget(self._cost, 1)
        row.addWidget(self.start_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.m)
        layout.addWidget(label(words, "muted", is_wrapped=True))
        layout.addWidget(self.form_view)
        layout.addLayout(row)
        layout.addWidget(self._trouble)
        layout.addStretch(1)
        self.start_button.clicked.connect(self._on_start_clicked)
        sweeps.form.values_changed.connect(self._refresh)
        sweeps.form.structure_changed.connect(self._refresh)
        sweeps.state_changed.connect(self._refresh)
        self._refresh()

    @property
    def cost(self) -> str:
        """What it says of the cost."""
        return self._cost.text()

    def _refresh(self, _payload: Any = None) -> None:
        settings: SweepSettings | None = self._sweeps.form.result
        self._cost.setText(self._cost_words(settings) if settings is not None else "")
        state = self._sweeps.state
        trouble = self._sweeps.obstacle or state.trouble
        self._trouble.setText(trouble)
        self._trouble.setVisible(bool(trouble))
        is_ready = settings is not None and not self._sweeps.obstacle
        self.start_button.setEnabled(is_ready and not state.is_starting)

    def _cost_words(self, settings: SweepSettings) -> str:
        count = settings.num_points
        words = self.tr("{count} runs").format(count=count)
        if self._sweeps.run_seconds is None:
            return words
        runs_s = self._sweeps.run_seconds * count * (3 if settings.use_stage2 else 1) / settings.points_at_once
        whole = self._sweeps.rendering_seconds + runs_s
        return self.tr("{runs} of about {each}: about {whole} in all, and measuring on top").format(
            runs=words, each=duration(self._sweeps.run_seconds), whole=duration(whole)
        )

    def _on_start_clicked(self) -> None:
        if self._sweeps.start():
            self.started.emit()
