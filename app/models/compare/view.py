"""How the findings are looked at: candidate, mode, rung, overlays. Small and quick to change."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.models.compare.levels import NATIVE, Ladder, Rung

MAX_GAIN = 32.0


class ViewMode(StrEnum):
    """How candidates are laid beside each other."""

    GRID = "grid"
    WIPE = "wipe"
    BLINK = "blink"
    SIDE = "side"
    DIFFERENCE = "difference"


class DifferenceKind(StrEnum):
    """What a difference shows."""

    ABSOLUTE = "absolute"
    SIGNED = "signed"
    FLIP = "flip"


class Overlay(StrEnum):
    """What lies over the picture."""

    NONE = "none"
    BITS = "bits"
    BITS_SPREAD = "bits-spread"
    INVENTED = "invented"
    COMPONENTS = "components"


@dataclass(frozen=True)
class CompareView:
    """One way of looking."""

    mode: ViewMode = ViewMode.WIPE
    candidate: int = 1
    """Place among the candidates; 0 is the original."""
    reference: int = 0
    """Place of what it is held against."""
    ladder: Ladder = Ladder.LATENT
    latent_rung: Rung = NATIVE
    decoder_rung: Rung = NATIVE
    difference: DifferenceKind = DifferenceKind.ABSOLUTE
    gain: float = 4.0
    overlay: Overlay = Overlay.NONE
    overlay_opacity: float = 0.6
    shows_mean: bool = False
    """The mean of several decodes stands for a model's picture, where it is there."""
    frame: int = 0
    are_panels_hidden: bool = False

    @property
    def rung(self) -> Rung:
        """Place on the ladder now scrubbed."""
        return self.latent_rung if self.ladder is Ladder.LATENT else self.decoder_rung


class CompareViewState(QObject):
    """Compares, stores, tells."""

    view_changed = Signal(object)  # CompareView

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = CompareView()

    @property
    def view(self) -> CompareView:
        """How it is looked at now."""
        return self._view

    def update(self, **changes: Any) -> None:
        """Look differently."""
        view = replace(self._view, **changes)
        if view != self._view:
            self._view = view
            self.view_changed.emit(view)

    def set_rung(self, rung: Rung) -> None:
        """Move along the ladder now scrubbed."""
        name = "latent_rung" if self._view.ladder is Ladder.LATENT else "decoder_rung"
        self.update(**{name: rung})

    def set_gain(self, gain: float) -> None:
        """Amplify differences so much."""
        self.update(gain=min(max(gain, 1.0), MAX_GAIN))

    def cycle_mode(self, offset: int = 1) -> None:
        """The next way of laying candidates beside each other."""
        modes = list(ViewMode)
        self.update(mode=modes[(modes.index(self._view.mode) + offset) % len(modes)])
