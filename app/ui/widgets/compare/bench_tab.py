"""The equal-rate bench: ordinary codecs at the model's bits per pixel, and all rates in one chart."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.models.compare.candidates import CODEC_TITLES, CandidateKind
from app.models.compare.comparison import Comparison
from app.models.compare.figures import Figures, Metric, metrics
from app.models.compare.findings import CodecCurve, CurveKey
from app.models.compare.form import CODECS
from app.ui.theme.tokens import SPACING
from app.ui.widgets.chart import Axis, Chart, Mark, Series, Style
from app.ui.widgets.compare.tab_frame import TabFrame
from app.ui.widgets.labels import label
from app.ui.widgets.quiet_inputs import QuietComboBox

CHART_PX = 320


class BenchTab(TabFrame):
    """Several models and all codecs in one chart of rate against distortion."""

    run_requested = Signal()

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._compare = compare
        self.explanation.setText(
            self.tr(
                "How good is a picture at so many bits per pixel? Codecs are tried at several qualities; their bits "
                "are those of the file. A model's are an upper bound on information: no such file is written."
            )
        )
        self.measure = QuietComboBox(self)
        self.measure.setAccessibleName(self.tr("Measure"))
        self._metrics = tuple(metric for metric in metrics() if metric.key != "bits_per_pixel")
        for metric in self._metrics:
            self.measure.addItem(metric.title, metric.key)
        self.chart = Chart("", self)
        self.chart.setMinimumHeight(CHART_PX)
        self.chart.set_wheel_shared(True)
        self._missing = label("", "caption", is_wrapped=True)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(label(self.tr("Measure"), "field"))
        row.addWidget(self.measure)
        row.addStretch(1)
        self.column.addLayout(row)
        self.column.addWidget(self.chart, 1)
        self.column.addWidget(self._missing)
        self.button.clicked.connect(self.run_requested)
        self.measure.activated.connect(self._draw)
        self.follow(compare)

    def refresh(self) -> None:
        """Follow the comparison."""
        has_curves = bool(self._curves())
        has_model = self._compare.bits_per_pixel() is not None
        is_busy = any(self._compare.results.is_expected(CurveKey(self._compare.source, codec)) for codec in CODECS)
        note = ""
        if is_busy:
            note = self.tr("At work; each curve appears when it is measured.")
        elif not has_curves:
            note = self.tr("Not measured yet for this picture.")
        self.button.setText(self.tr("Measure the codecs"))
        self.show_state(
            note,
            has_body=has_curves or has_model,
            has_button=not is_busy and not has_curves and bool(self._compare.source),
        )
        missing = self._compare.missing_codecs
        self._missing.setText("\n".join(f"{CODEC_TITLES[name]}: {reason}" for name, reason in missing.items()))
        self._missing.setVisible(bool(missing))
        self._draw()

    def _curves(self) -> dict[str, CodecCurve]:
        found = {
            codec: self._compare.results.get(CurveKey(self._compare.source, codec), CodecCurve) for codec in CODECS
        }
        return {codec: curve for codec, curve in found.items() if curve}

    def _draw(self, _payload: Any = None) -> None:
        metric = self._metrics[max(0, self.measure.currentIndex())]
        curves = self._curves()
        series = [_curve_series(CODEC_TITLES[codec], curve, metric) for codec, curve in curves.items()]
        series += self._model_series(metric)
        self.chart.set_axes(
            Axis(self.tr("bits per pixel"), is_log=True),
            Axis(metric.title, "dB" if metric.key == "psnr_db" else ""),
        )
        self.chart.set_series([each for each in series if each.x])
        floors = [
            Mark(
                self.tr("{codec}: floor").format(codec=CODEC_TITLES[codec]),
                x=curve.points[0].figures.bits_per_pixel,
                y=curve.points[0].figures.value(metric.key),
            )
            for codec, curve in curves.items()
            if curve.points and curve.points[0].figures.value(metric.key) is not None
        ]
        self.chart.set_marks(floors)

    def _model_series(self, metric: Metric) -> list[Series]:
        """One point per model at its native level."""
        series = []
        for candidate in self._compare.candidates:
            if candidate.kind is not CandidateKind.MODEL:
                continue
            figures = self._compare.native_figures(candidate)
            if figures is not None and (point := _point(figures, metric)) is not None:
                bits, value = point
                label_text = self.tr("≤ {bits} bits/px").format(bits=f"{bits:.4f}")
                series.append(Series(candidate.title, [bits], [value], style=Style.SCATTER, labels=[label_text]))
        return series


def _point(figures: Figures, metric: Metric) -> tuple[float, float] | None:
    bits, value = figures.value("bits_per_pixel"), figures.value(metric.key)
    return (bits, value) if bits is not None and bits > 0 and value is not None else None


def _curve_series(title: str, curve: CodecCurve, metric: Metric) -> Series:
    points = [point for each in curve.points if (point := _point(each.figures, metric)) is not None]
    labels = [each.figures.setting for each in curve.points if _point(each.figures, metric) is not None]
    return Series(
        title, [x for x, _ in points], [y for _, y in points], labels=labels, has_dots=True, is_smoothed=False
    )
