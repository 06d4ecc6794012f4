"""How the charts of a run are drawn: smoothing, horizontal axis, references, other runs laid over."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QSlider, QWidget

from app.models.runs.runs import X_AXES, ChartOptions, Runs
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip, TextButton
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.labels import label
from app.ui.widgets.quiet_inputs import QuietComboBox

SMOOTHING_STEPS = 100
MAX_OFFERED = 40


class ChartToolbar(QWidget):
    """One row above the charts; on a narrow window two."""

    def __init__(self, runs: Runs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._smoothing = QSlider(Qt.Orientation.Horizontal, self)
        self._smoothing.setRange(0, SMOOTHING_STEPS - 1)
        self._smoothing.setFixedSize(120, 26)
        self._smoothing.setAccessibleName(self.tr("Smoothing"))
        self._smoothing.setToolTip(self.tr("How many steps the drawn curve averages over; the raw one stays behind it"))
        self._amount = label("", "muted")
        self._amount.setFixedWidth(34)
        self._axis = QuietComboBox(self)
        self._axis.addItems([self.tr("Step"), self.tr("Time"), self.tr("Samples seen")])
        self._axis.setAccessibleName(self.tr("Horizontal axis"))
        self._axis.setFixedWidth(136)
        self._log_x = self._chip(self.tr("Log x"), self.tr("Logarithmic horizontal axis"))
        self._references = self._chip(
            self.tr("Paper’s Table 2"),
            self.tr("Bits and PSNR of the paper at loss factors 1.3 to 2.1, for ImageNet-512"),
        )
        self.overlay_button = TextButton(self.tr("Compare runs"), "chip", parent=self)
        self.overlay_button.setToolTip(self.tr("Lay other runs over this one"))
        layout = FlowLayout(SPACING.s, self)
        parts = (label(self.tr("Smoothing"), "muted"), self._smoothing, self._amount, self._axis)
        for part in (*parts, self._log_x, self._references, self.overlay_button):
            layout.addWidget(part)
        self._smoothing.valueChanged.connect(self._on_smoothing_changed)
        self._axis.activated.connect(self._on_axis_activated)
        self._log_x.toggled.connect(self._on_log_x_toggled)
        self._references.toggled.connect(self._on_references_toggled)
        self.overlay_button.clicked.connect(self._on_overlay_clicked)
        runs.options_changed.connect(self._on_options_changed)
        runs.overlays_changed.connect(self._on_overlays_changed)
        self._on_options_changed(runs.options)
        self._on_overlays_changed()

    def _chip(self, text: str, tip: str) -> Chip:
        chip = Chip(text, parent=self)
        chip.setCheckable(True)
        chip.setToolTip(tip)
        return chip

    def _on_options_changed(self, options: Any) -> None:
        assert isinstance(options, ChartOptions)
        self._smoothing.setValue(round(options.smoothing * SMOOTHING_STEPS))
        self._amount.setText(f"{options.smoothing:.2f}" if options.smoothing else self.tr("off"))
        self._axis.setCurrentIndex(X_AXES.index(options.x))
        self._log_x.setChecked(options.is_log_x)
        self._log_x.setEnabled(options.x != "time")
        self._references.setChecked(options.has_references)

    def _change(self, **changes: Any) -> None:
        self._runs.set_options(replace(self._runs.options, **changes))

    def _on_smoothing_changed(self, value: int) -> None:
        self._change(smoothing=value / SMOOTHING_STEPS)

    def _on_axis_activated(self, row: int) -> None:
        self._change(x=X_AXES[row])

    def _on_log_x_toggled(self, is_log: bool) -> None:
        self._change(is_log_x=is_log)

    def _on_references_toggled(self, has_references: bool) -> None:
        self._change(has_references=has_references)

    # ---- other runs -----------------------------------------------------------------------------------------------

    def _on_overlays_changed(self) -> None:
        count = len(self._runs.overlays)
        text = self.tr("Compare runs ({count})").format(count=count) if count else self.tr("Compare runs")
        self.overlay_button.setText(text)

    def _on_overlay_clicked(self) -> None:
        self.overlay_menu().popup(self.overlay_button.mapToGlobal(self.overlay_button.rect().bottomLeft()))

    def overlay_menu(self) -> QMenu:
        """All other runs, those laid over ticked."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        overlaid = {view.path for view in self._runs.overlays}
        current = self._runs.current.path if self._runs.current is not None else ""
        others = [run for run in self._runs.list.runs if run.path != current]
        for run in others[:MAX_OFFERED]:
            action = menu.addAction(run.name)
            action.setCheckable(True)
            action.setChecked(run.path in overlaid)
            action.setData(run.path)
        if not others:
            menu.addAction(self.tr("There is no other run yet")).setEnabled(False)
        menu.triggered.connect(self._on_overlay_triggered)
        return menu

    def _on_overlay_triggered(self, action: Any) -> None:
        self._runs.set_overlaid(str(action.data()), action.isChecked())
