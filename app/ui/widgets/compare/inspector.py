"""The right side of the page Compare: numbers and analyses one at a time, and the pixel under the pointer below."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout, QWidget

from app.models.compare.view import Overlay
from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.compare.bench_tab import BenchTab
from app.ui.widgets.compare.bits_tab import BitsTab
from app.ui.widgets.compare.clip_tab import ClipTab
from app.ui.widgets.compare.invented_tab import InventedTab
from app.ui.widgets.compare.latent_tab import LatentTab
from app.ui.widgets.compare.numbers_tab import NumbersTab
from app.ui.widgets.compare.overlays import components_image
from app.ui.widgets.compare.probe_table import ProbeTable
from app.ui.widgets.compare.stage import CompareStage
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.labels import line

WIDTH_PX = 404
LEAST_PX = 320
OVERLAYS = {"bits": Overlay.BITS, "invented": Overlay.INVENTED}
"""What an analysis lays over the picture when it is opened; it is taken away when another one is."""


class Inspector(QFrame):
    """Only the analysis in front is kept up to date on the screen; all of them follow the models."""

    run_requested = Signal()
    spread_requested = Signal()
    bench_requested = Signal()

    def __init__(self, session: Session, stage: CompareStage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compare = session.compare
        self._stage = stage
        self.setProperty("role", "inspector")
        self.setMinimumWidth(LEAST_PX)
        compare = session.compare
        self.numbers = NumbersTab(compare, self)
        self.bits = BitsTab(compare, self)
        self.invented = InventedTab(compare, self)
        self.latent = LatentTab(compare, self)
        self.bench = BenchTab(compare, self)
        self.clip = ClipTab(compare, self)
        self.probe = ProbeTable(compare, stage, self)
        self.chips: list[Chip] = []
        self._pages = QStackedWidget(self)
        self._build()
        self._connect()
        self.show_tab("numbers")

    def _build(self) -> None:
        tabs: dict[str, tuple[str, QWidget]] = {
            "numbers": (self.tr("Numbers"), self.numbers),
            "bits": (self.tr("Bits"), self.bits),
            "invented": (self.tr("Invented?"), self.invented),
            "latent": (self.tr("Latent"), self.latent),
            "bench": (self.tr("Codecs"), self.bench),
            "clip": (self.tr("Clip"), self.clip),
        }
        head = QWidget(self)
        flow = FlowLayout(2, head)
        for name, (title, page) in tabs.items():
            chip = Chip(title, name, "tab", head)
            chip.setCheckable(True)
            chip.clicked.connect(self._on_chip_clicked)
            flow.addWidget(chip)
            self.chips.append(chip)
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.m, SPACING.s, SPACING.m, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addWidget(head)
        layout.addWidget(self._pages, 1)
        layout.addWidget(line(self))
        layout.addWidget(self.probe)

    def _connect(self) -> None:
        for tab in (self.bits, self.latent):
            tab.run_requested.connect(self.run_requested)
        self.invented.run_requested.connect(self.spread_requested)
        self.bench.run_requested.connect(self.bench_requested)
        for each in (self.bits, self.invented, self.latent):
            each.overlay_changed.connect(self._on_overlay_changed)
        self._compare.view.view_changed.connect(self._on_overlay_changed)
        self._stage.probed.connect(self._on_probed)

    # ---- tabs -----------------------------------------------------------------------------------------------------

    @property
    def tab(self) -> str:
        """The analysis in front."""
        return next(chip.value for chip in self.chips if chip.isChecked())

    def show_tab(self, name: str) -> None:
        """Bring an analysis to the front, with what it lays over the picture."""
        before = next((chip.value for chip in self.chips if chip.isChecked()), "")
        for place, chip in enumerate(self.chips):
            chip.setChecked(chip.value == name)
            if chip.value == name:
                self._pages.setCurrentIndex(place)
        if name != before:
            self._compare.view.update(overlay=OVERLAYS.get(name, Overlay.NONE))

    def step_tab(self, offset: int) -> None:
        """The next analysis."""
        names = [chip.value for chip in self.chips]
        self.show_tab(names[(names.index(self.tab) + offset) % len(names)])

    def _on_chip_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self.show_tab(chip.value)

    # ---- over the picture -----------------------------------------------------------------------------------------

    def _on_overlay_changed(self, _payload: Any = None) -> None:
        self._stage.set_overlay(self._overlay())

    def _overlay(self) -> QImage | None:
        match self._compare.view.view.overlay:
            case Overlay.BITS | Overlay.BITS_SPREAD:
                return self.bits.overlay.image if self.bits.overlay else None
            case Overlay.INVENTED:
                return self.invented.overlay.image if self.invented.overlay else None
            case Overlay.COMPONENTS:
                return self._components()
        return None

    def _components(self) -> QImage | None:
        original, latent = self._compare.original(), self.latent.latent
        if original is None or latent is None:
            return None
        poster = original.clip.poster
        return components_image(latent, (poster.width_px, poster.height_px), self.latent.frame)

    def _on_probed(self, probe: Any) -> None:
        self.bits.set_probe(probe)
        self.invented.set_probe(probe)
