"""Two pictures against each other: a wipe, in turns, side by side, or their difference."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.services.difference import DifferenceKind
from app.ui.theme.tokens import SPACING
from app.ui.widgets.image_view.difference_picture import MAX_GAIN, DifferencePicture, Differences, scale_of
from app.ui.widgets.image_view.image_view import ImageView
from app.ui.widgets.image_view.view_state import ViewState
from app.ui.widgets.image_view.wipe_view import WipeView

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BLINK_KEY = Qt.Key.Key_B


class PairMode(StrEnum):
    """How two pictures are compared."""

    WIPE = "wipe"
    BLINK = "blink"
    SIDE_BY_SIDE = "side-by-side"
    DIFFERENCE = "difference"


class PairView(QWidget):
    """A is on the left of the wipe and shown first when blinking; B while its key is held.

    All views share `state`, so zoom and place stay when the mode changes.
    """

    probed = Signal(object)  # Probe | None
    mode_changed = Signal(object)  # PairMode
    difference_changed = Signal()  # which one is shown, or how much it is amplified
    difference_shown = Signal(object)  # DifferencePicture

    def __init__(self, state: ViewState | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state or ViewState(self)
        self._first: QImage | None = None
        self._second: QImage | None = None
        self._labels = ("A", "B")
        self._mode = PairMode.WIPE
        self._kind = DifferenceKind.ABSOLUTE
        self._gain = 1.0
        self._flip_map: npt.NDArray[np.float32] | None = None
        self.main = WipeView(self.state, self)
        self.side = ImageView(self.state, self)
        self._differences = Differences(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addWidget(self.main, 1)
        layout.addWidget(self.side, 1)
        self.setFocusProxy(self.main)
        self._differences.picture_made.connect(self._on_difference_made)
        for view, other in ((self.main, self.side), (self.side, self.main)):
            view.probed.connect(self.probed)
            view.probed.connect(other.set_crosshair)
        self._show()

    # ---- what it shows --------------------------------------------------------------------------------------------

    @property
    def mode(self) -> PairMode:
        """How the two are compared now."""
        return self._mode

    @property
    def difference_kind(self) -> DifferenceKind:
        """What is shown of their difference."""
        return self._kind

    @property
    def gain(self) -> float:
        """How much the difference is amplified, 1 to 32."""
        return self._gain

    @property
    def has_flip_map(self) -> bool:
        """Whether the FLIP map of this pair is there."""
        return self._flip_map is not None

    def set_pair(
        self, first: QImage | None, second: QImage | None, first_label: str = "A", second_label: str = "B"
    ) -> None:
        """Two other pictures; a FLIP map of the ones before no longer counts."""
        self._first, self._second = first, second
        self._labels = (first_label, second_label)
        self._flip_map = None
        if first is not None:
            self.state.set_size(first.size())
        self._show()

    def set_flip_map(self, flip_map: "npt.NDArray[np.float32] | None") -> None:
        """The FLIP error of every pixel, float32 `[H, W]` from 0 to 1, of the pair on show."""
        self._flip_map = flip_map
        self._show_difference()

    def set_mode(self, mode: PairMode) -> None:
        """Compare in another way."""
        if mode is not self._mode:
            self._mode = mode
            self._show()
            self.mode_changed.emit(mode)

    def set_difference(self, kind: DifferenceKind, gain: float | None = None) -> None:
        """Which difference is shown, and how much amplified."""
        self._kind = kind
        self._gain = self._gain if gain is None else min(max(gain, 1.0), MAX_GAIN)
        self._show_difference()
        self.difference_changed.emit()

    def set_gain(self, gain: float) -> None:
        """Amplify the difference more or less, 1 to 32 times."""
        self.set_difference(self._kind, gain)

    def set_swapped(self, is_swapped: bool) -> None:
        """Show B in place of A, or A again; at once, without any passage."""
        self.main.set_swapped(is_swapped)

    def _show(self) -> None:
        is_difference = self._mode is PairMode.DIFFERENCE
        self.main.set_wiping(self._mode is PairMode.WIPE)
        self.main.set_swapped(False)
        self.main.set_pair(self._first, self._second, *self._labels)
        self.main.set_covered(is_difference)
        self.side.setVisible(self._mode is PairMode.SIDE_BY_SIDE)
        self.side.set_image(self._second if self._mode is PairMode.SIDE_BY_SIDE else None)
        self.side.set_label(self._labels[1])
        self._show_difference()

    # ---- difference -----------------------------------------------------------------------------------------------

    def _show_difference(self) -> None:
        if self._mode is not PairMode.DIFFERENCE or self._first is None or self._second is None:
            self._differences.drop()
        elif self._kind is DifferenceKind.FLIP and self._flip_map is None:
            self._differences.drop()
            self.main.set_cover(None, self.tr("There is no FLIP map of these two yet"))
        else:
            self._differences.ask(self._first, self._second, self._kind, self._gain, self._flip_map)

    def _on_difference_made(self, made: DifferencePicture) -> None:
        self.main.set_cover(made.image, self._difference_label(made), scale_of(made.kind, made.gain))
        self.difference_shown.emit(made)

    def _difference_label(self, made: DifferencePicture) -> str:
        first, second = self._labels
        names = {
            DifferenceKind.ABSOLUTE: f"|{second} − {first}|",
            DifferenceKind.SIGNED: f"({second} − {first})",
            DifferenceKind.FLIP: self.tr("FLIP of {second} against {first}").format(second=second, first=first),
        }
        return f"{names[made.kind]} × {made.gain:.3g}" if made.gain != 1.0 else names[made.kind].strip("()")

    # ---- what a person does ---------------------------------------------------------------------------------------

    def set_wipe(self, share: float) -> None:
        """Where the wipe stands, 0 (all B) to 1 (all A) of the view."""
        self.main.set_wipe(share)

    def keyPressEvent(self, event: Any) -> None:
        """B shows the other picture while it is held."""
        if event.key() == BLINK_KEY and not event.modifiers() and self._mode is not PairMode.SIDE_BY_SIDE:
            if not event.isAutoRepeat():
                self.set_swapped(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: Any) -> None:
        """And A again."""
        if event.key() == BLINK_KEY:
            if not event.isAutoRepeat():
                self.set_swapped(False)
        else:
            super().keyReleaseEvent(event)

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom all views."""
        self.main.zoom_to(zoom, at)

    def fit(self) -> None:
        """Show all of the picture."""
        self.main.fit()
