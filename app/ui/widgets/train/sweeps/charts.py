"""Bits per pixel against quality: the sweep's lines, and the paper's Table 2 as reference."""

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from app.models.sweeps.reading import SweepReport, SweepRow
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.chart import Axis, Chart, Series
from trainer.sweep.paper import TABLE_2, PaperRow

BITS = "bits_per_pixel_prior"
HEIGHT_PX = 300


class SweepCharts(QWidget):
    """Three charts; one without figures says what it waits for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawn: object = None
        titles = {
            "psnr_db": self.tr("Bits against PSNR"),
            "rfd_small": self.tr("Bits against the distance of reconstructions"),
            "gfd_small": self.tr("Bits against the distance of new pictures"),
        }
        axes = {"psnr_db": ("PSNR", "dB"), "rfd_small": ("rFD-Small", ""), "gfd_small": ("gFD-Small", "")}
        self.charts: dict[str, Chart] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACING.m)
        for place, (key, title) in enumerate(titles.items()):
            chart = Chart(title, self)
            chart.setFixedHeight(HEIGHT_PX)
            chart.set_wheel_shared(True)
            name, unit = axes[key]
            chart.set_axes(Axis(self.tr("latent bits per pixel"), is_log=True), Axis(name, unit))
            chart.set_empty_text(self.tr("Appears when the first point is measured."))
            grid.addWidget(chart, place // 2, place % 2)
            self.charts[key] = chart
        self.charts["gfd_small"].set_empty_text(self.tr("Appears for sweeps with Stage 2."))

    def show_report(self, report: SweepReport) -> None:
        """Draw what is measured so far."""
        measured = tuple(row for row in report.rows if row.figures.get(BITS) is not None)
        if (report.folder, measured) == self._drawn:
            return
        self._drawn = (report.folder, measured)
        for key, chart in self.charts.items():
            chart.set_series([*self._lines(report, measured, key), *self._paper(key, has_ours=bool(measured))])

    def _lines(self, report: SweepReport, rows: Sequence[SweepRow], key: str) -> list[Series]:
        """One line per value of every axis but the first."""
        groups: dict[tuple[str, ...], list[SweepRow]] = {}
        for row in rows:
            if row.figures.get(key) is not None:
                groups.setdefault(row.values[1:], []).append(row)
        return [self._line(report, group, rest, key) for rest, group in groups.items()]

    def _line(self, report: SweepReport, rows: list[SweepRow], rest: tuple[str, ...], key: str) -> Series:
        rows.sort(key=lambda row: row.figures[BITS] or 0.0)
        names = [f"{axis} {value}" for axis, value in zip(report.axes[1:], rest, strict=False)]
        return Series(
            ", ".join(names) or self.tr("this sweep"),
            [float(row.figures[BITS] or 0.0) for row in rows],
            [float(row.figures[key] or 0.0) for row in rows],
            labels=[row.name for row in rows],
            is_smoothed=False,
            has_dots=True,
        )

    def _paper(self, key: str, *, has_ours: bool) -> list[Series]:
        """The paper's, where its measure is the same; distances of its own network would only mislead."""
        if key != "psnr_db" or not has_ours:
            return []
        rows: list[PaperRow] = [row for row in TABLE_2 if row.psnr_db is not None]
        return [
            Series(
                self.tr("the paper's Table 2 (ImageNet, 512 px)"),
                [row.bits_per_pixel for row in rows],
                [float(row.psnr_db or 0.0) for row in rows],
                colour=colours().muted,
                labels=[self.tr("loss factor {value}").format(value=row.name) for row in rows],
                is_dashed=True,
                is_smoothed=False,
                has_dots=True,
            )
        ]
