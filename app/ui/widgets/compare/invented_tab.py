"""Encoded or invented: what several decodes of one latent agree on, and where they differ."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QWidget

from app.models.compare.comparison import Comparison
from app.models.compare.findings import Reconstruction, Spread, SpreadKey
from app.models.compare.form import DECODES
from app.models.compare.view import Overlay
from app.ui.theme.tokens import SPACING
from app.ui.widgets.compare.bits_tab import model_candidate
from app.ui.widgets.compare.legend import ValueLegend
from app.ui.widgets.compare.overlays import MapOverlay, invented_overlay
from app.ui.widgets.compare.tab_frame import TabFrame
from app.ui.widgets.image_view import Probe
from app.ui.widgets.labels import Field, label
from app.ui.widgets.quiet_inputs import QuietComboBox

AGREE_LEVELS, DIFFER_LEVELS = 2.0, 8.0
"""A deviation of 2 of 255 levels is hardly seen, one of 8 plainly."""


class InventedTab(TabFrame):
    """Of the rung on show; each rung has a spread of its own."""

    run_requested = Signal()
    overlay_changed = Signal()

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._compare = compare
        self._shown: Spread | None = None
        self.overlay: MapOverlay | None = None
        self.explanation.setText(
            self.tr(
                "The same latent is decoded several times with other noise. Dark: all decodes agree, so the latent "
                "knows this. Bright: they differ, so the decoder makes it up each time."
            )
        )
        self.count = QuietComboBox()
        for number in DECODES:
            self.count.addItem(self.tr("{count} decodes").format(count=number), number)
        self.count.setMinimumWidth(150)
        self.overlay_box = QCheckBox(self.tr("Deviation over the picture"), self)
        self.mean_box = QCheckBox(self.tr("Show the mean of all decodes"), self)
        self.legend = ValueLegend(parent=self)
        self.value = label("", "caption", is_wrapped=True)
        self.facts = label("", is_wrapped=True)
        self._build()
        self.follow(compare)

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(Field(self.tr("How many"), self.count, self))
        row.addStretch(1)
        self.above.addLayout(row)
        for part in (self.facts, self.overlay_box, self.mean_box, self.legend, self.value):
            self.column.addWidget(part)
        for words in (self.facts, self.value):
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column.addStretch(1)
        self.button.clicked.connect(self.run_requested)
        self.count.activated.connect(self._on_count_activated)
        self.overlay_box.clicked.connect(self._on_overlay_clicked)
        self.mean_box.clicked.connect(self._on_mean_clicked)

    # ---- what it shows --------------------------------------------------------------------------------------------

    def is_needed(self) -> bool:
        """What lies over the picture stays right while the panels are hidden."""
        return self._compare.view.view.overlay is Overlay.INVENTED

    def refresh(self) -> None:
        """Follow the comparison."""
        compare, view = self._compare, self._compare.view.view
        candidate = model_candidate(compare)
        spread = compare.spread_of(candidate) if candidate else None
        count = compare.form.state.num_decodes
        if self.count.findData(count) < 0:
            self.count.addItem(self.tr("{count} decodes").format(count=count), count)
        self.count.setCurrentIndex(self.count.findData(count))
        self.overlay_box.setChecked(view.overlay is Overlay.INVENTED)
        self.mean_box.setChecked(view.shows_mean)
        self.button.setText(self.tr("Decode {count} times").format(count=count))
        self.show_state(
            self._note(spread, candidate),
            has_body=spread is not None,
            has_button=spread is None and bool(compare.source) and not self._is_expected(candidate),
        )
        key = (id(spread), view.frame)
        if key != self.property("on_show"):
            self.setProperty("on_show", key)
            self._show(spread)

    def _note(self, spread: Spread | None, candidate: Any) -> str:
        if spread is not None:
            return ""
        if self._is_expected(candidate):
            return self.tr("At work; the map appears when all decodes are made.")
        return self.tr("Not made yet at this level.")

    def _is_expected(self, candidate: Any) -> bool:
        key = self._compare.key_of(candidate) if candidate else None
        recipe, rung = getattr(key, "recipe", None), getattr(key, "rung", None)
        if recipe is None or rung is None:
            return False
        wanted = SpreadKey(self._compare.source, recipe, rung, self._compare.form.state.num_decodes)
        return self._compare.results.is_expected(wanted)

    def _show(self, spread: Spread | None) -> None:
        self._shown = spread
        self.overlay = None
        if spread is not None:
            self.overlay = invented_overlay(spread, self._compare.view.view.frame)
            self.legend.set_range(self.overlay.colour_map, 0.0, self.overlay.high, self.tr("levels of 255"))
            self.facts.setText(self._fact_words(spread))
        self.set_probe(None)
        self.overlay_changed.emit()

    def _fact_words(self, spread: Spread) -> str:
        one = self._one_psnr()
        lines = [
            self.tr("Decodes differ by {levels} of 255 levels (root mean square).").format(
                levels=f"{spread.mean_deviation:.2f}"
            ),
            self.tr("PSNR of the mean: {value} dB").format(value=f"{spread.mean_psnr_db:.2f}"),
        ]
        if one is not None:
            lines[1] += self.tr("; of one decode: {value} dB. The mean is always closer, and always softer.").format(
                value=f"{one:.2f}"
            )
        return "\n".join(lines)

    def _one_psnr(self) -> float | None:
        candidate = model_candidate(self._compare)
        key = self._compare.key_of(candidate) if candidate else None
        found = self._compare.results.get(key, Reconstruction) if key else None
        return found.figures.psnr_db if found else None

    def set_probe(self, probe: Probe | None) -> None:
        """The value under the pointer."""
        value = self.overlay.value_at(probe.x, probe.y) if probe is not None and self.overlay is not None else None
        self.legend.set_value(value)
        if probe is None or value is None:
            self.value.setText(self.tr("Point at the picture to read a pixel."))
            return
        self.value.setText(
            self.tr("Pixel {x}, {y}: ± {value} levels, {words}").format(
                x=probe.x, y=probe.y, value=f"{value:.1f}", words=self._words(value)
            )
        )

    def _words(self, levels: float) -> str:
        if levels < AGREE_LEVELS:
            return self.tr("all decodes agree: the latent knows it")
        if levels < DIFFER_LEVELS:
            return self.tr("the decodes differ a little")
        return self.tr("made up anew in each decode")

    # ---- what a person does ---------------------------------------------------------------------------------------

    def _on_count_activated(self, row: int) -> None:
        self._compare.form.update(num_decodes=self.count.itemData(row))

    def _on_overlay_clicked(self, is_on: bool) -> None:
        self._compare.view.update(overlay=Overlay.INVENTED if is_on else Overlay.NONE)

    def _on_mean_clicked(self, is_on: bool) -> None:
        self._compare.view.update(shows_mean=is_on)
