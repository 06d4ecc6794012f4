"""Where the bits went: over the picture, and by level of noise."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.models.compare.candidates import Candidate, CandidateKind
from app.models.compare.comparison import Comparison
from app.models.compare.findings import BitMap
from app.models.compare.ladder_curve import bit_map_of
from app.models.compare.view import Overlay
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.chart import Axis, Chart, Mark, Series, Style
from app.ui.widgets.compare.legend import ValueLegend
from app.ui.widgets.compare.overlays import MapOverlay, bits_overlay
from app.ui.widgets.compare.tab_frame import TabFrame
from app.ui.widgets.image_view import Probe
from app.ui.widgets.labels import label

CHART_PX = 220


class BitsTab(TabFrame):
    """Follows the chosen model; without a bit map it says how to get one."""

    run_requested = Signal()
    overlay_changed = Signal()

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._compare = compare
        self._shown: BitMap | None = None
        self.overlay: MapOverlay | None = None
        self.explanation.setText(
            self.tr(
                "Each cell of the latent holds so many bits, at most. Busy places cost more than plain ones. "
                "It is a bound on information from the prior, not the size of a file."
            )
        )
        self.button.setText(self.tr("Compare now"))
        self.bits_chip = Chip(self.tr("Bits per cell"), Overlay.BITS, "tab", self)
        self.spread_chip = Chip(self.tr("How sure"), Overlay.BITS_SPREAD, "tab", self)
        self.none_chip = Chip(self.tr("No overlay"), Overlay.NONE, "tab", self)
        self.legend = ValueLegend(parent=self)
        self.value = label("", "caption", is_wrapped=True)
        self.value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.total = label("", is_wrapped=True)
        self.total.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.chart = Chart(self.tr("Bits by level of noise"), self)
        self._build()
        self.button.clicked.connect(self.run_requested)
        self.follow(compare)

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACING.xs)
        self.spread_chip.setToolTip(self.tr("The standard error of each cell's bits over several draws of noise"))
        for chip in (self.bits_chip, self.spread_chip, self.none_chip):
            chip.setCheckable(True)
            chip.clicked.connect(self._on_chip_clicked)
            row.addWidget(chip)
        row.addStretch(1)
        self.chart.setMinimumHeight(CHART_PX)
        self.chart.set_wheel_shared(True)
        self.column.addLayout(row)
        for part in (self.legend, self.value, self.total, self.chart):
            self.column.addWidget(part)

    # ---- what it shows --------------------------------------------------------------------------------------------

    def is_needed(self) -> bool:
        """What lies over the picture stays right while the panels are hidden."""
        return self._compare.view.view.overlay in (Overlay.BITS, Overlay.BITS_SPREAD)

    def refresh(self) -> None:
        """Follow the comparison."""
        candidate = model_candidate(self._compare)
        bits = bit_map_of(self._compare, candidate) if candidate else None
        view = self._compare.view.view
        chosen = view.overlay if view.overlay in (Overlay.BITS, Overlay.BITS_SPREAD) else Overlay.NONE
        for chip in (self.bits_chip, self.spread_chip, self.none_chip):
            chip.setChecked(chip.value == chosen)
        key = (id(bits), chosen, view.frame, self._compare.source)
        if key == self.property("on_show"):
            return
        self.setProperty("on_show", key)
        self._shown = bits
        self.spread_chip.setVisible(bits is not None and bits.cell_errors is not None)
        note = "" if bits else self.tr("Nothing yet: press Compare, and the map appears with the first reconstruction.")
        has_source = bool(self._compare.source)
        self.show_state(note, has_body=bits is not None, has_button=bits is None and has_source)
        self._make_overlay(bits, chosen)
        if bits is not None:
            self._draw(bits)

    def _make_overlay(self, bits: BitMap | None, chosen: Overlay) -> None:
        original = self._compare.original()
        self.overlay = None
        if bits is not None and original is not None:
            poster = original.clip.poster
            size_px = (poster.width_px, poster.height_px)
            frame = latent_frame(self._compare.view.view.frame, len(original.clip.frames), bits.cells.num_frames)
            self.overlay = bits_overlay(bits, size_px, frame=frame, is_spread=chosen is Overlay.BITS_SPREAD)
            unit = self.tr("bits ± (standard error)") if chosen is Overlay.BITS_SPREAD else self.tr("bits per cell")
            self.legend.set_range(self.overlay.colour_map, self.overlay.low, self.overlay.high, unit)
        self.set_probe(None)
        self.overlay_changed.emit()

    def _draw(self, bits: BitMap) -> None:
        middles = [(band.low + band.high) / 2 for band in bits.bands]
        values = [band.bits for band in bits.bands]
        errors = [band.error or 0.0 for band in bits.bands]
        low = [value - error for value, error in zip(values, errors, strict=True)]
        high = [value + error for value, error in zip(values, errors, strict=True)]
        series = Series(self.tr("bits"), middles, values, style=Style.BARS, low=low, high=high)
        levels = Axis(self.tr("log-SNR: clean to noisy"), is_reversed=True)  # as the ladder runs
        self.chart.set_axes(levels, Axis(self.tr("bits"), low=0.0))
        self.chart.set_series([series])
        level = self._compare.rung.level
        self.chart.set_marks([Mark(self.tr("level on show"), x=level)] if level is not None else [])
        total = f"{bits.bits_per_pixel:.4f}"
        if bits.bits_per_pixel_error is not None:
            total += f" ± {bits.bits_per_pixel_error:.4f}"
        self.total.setText(
            self.tr("At most {total} bits per pixel in all, from {count} draws of noise.").format(
                total=total, count=bits.num_draws
            )
        )

    def set_probe(self, probe: Probe | None) -> None:
        """The value under the pointer."""
        value = self.overlay.value_at(probe.x, probe.y) if probe is not None and self.overlay is not None else None
        self.legend.set_value(value)
        if probe is None or self.overlay is None or self._shown is None or value is None:
            self.value.setText(self.tr("Point at the picture to read a cell."))
            return
        error = self.overlay.error_at(probe.x, probe.y)
        cell = (probe.x // self._shown.cell_px, probe.y // self._shown.cell_px)
        text = self.tr("Cell {x}, {y}: {value} bits").format(x=cell[0], y=cell[1], value=f"{value:.2f}")
        is_bits = self._compare.view.view.overlay is not Overlay.BITS_SPREAD
        self.value.setText(f"{text} ± {error:.2f}" if error is not None and is_bits else text)

    def _on_chip_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self._compare.view.update(overlay=Overlay(chip.value))
            self.refresh()


def model_candidate(compare: Comparison) -> Candidate | None:
    """The chosen candidate if it is a model, else the first model; None without models."""
    if compare.candidate.kind is CandidateKind.MODEL:
        return compare.candidate
    return next((each for each in compare.candidates if each.kind is CandidateKind.MODEL), None)


def latent_frame(frame: int, num_frames: int, num_latent_frames: int) -> int:
    """The latent's frame that a frame of the clip belongs to."""
    return min(frame * num_latent_frames // max(1, num_frames), num_latent_frames - 1)
