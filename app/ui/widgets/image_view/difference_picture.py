"""The difference of two pictures as a picture, made in a thread; what was computed once is kept."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.services.background import LatestTask
from app.services.difference import DifferenceKind, difference_of, image_of_rgb
from app.ui.widgets.image_view.colour_maps import DIVERGING, HEAT, coloured
from app.ui.widgets.image_view.legend_bar import Scale

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

MAX_GAIN = 32.0
_MAX_KEPT = 4


@dataclass(frozen=True)
class _Wish:
    first: QImage
    second: QImage
    kind: DifferenceKind
    gain: float
    flip_map: "Floats | None"


@dataclass(frozen=True)
class DifferencePicture:
    """A finished picture of a difference."""

    image: QImage
    kind: DifferenceKind
    gain: float


def scale_of(kind: DifferenceKind, gain: float) -> Scale | None:
    """What the colours of a difference mean; an absolute one speaks for itself."""
    if kind is DifferenceKind.SIGNED:
        end = f"{255 / gain:.3g}"
        return Scale(DIVERGING, f"−{end}", f"+{end}", "0")
    if kind is DifferenceKind.FLIP:
        return Scale(HEAT, "0", f"{1 / gain:.3g}")
    return None


class Differences(QObject):
    """Makes difference pictures; of several wishes the newest is fulfilled."""

    picture_made = Signal(object)  # DifferencePicture

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: dict[tuple[int, int, DifferenceKind], Any] = {}
        self._task = LatestTask(self)
        self._task.finished.connect(self.picture_made)

    def ask(
        self,
        first: QImage,
        second: QImage,
        kind: DifferenceKind,
        gain: float,
        flip_map: "Floats | None" = None,
    ) -> None:
        """Ends in `picture_made`, unless something newer is asked for first. FLIP needs its map."""
        self._task.start(partial(self._make, _Wish(first, second, kind, gain, flip_map)))

    def drop(self) -> None:
        """Nothing is wanted any more."""
        self._task.drop()

    # ---- in the thread; only one runs at a time -------------------------------------------------------------------

    def _make(self, wish: _Wish) -> DifferencePicture:
        return DifferencePicture(self._image(wish), wish.kind, wish.gain)

    def _image(self, wish: _Wish) -> QImage:
        if wish.kind is DifferenceKind.FLIP:
            assert wish.flip_map is not None
            return coloured(wish.flip_map, 0.0, 1.0 / wish.gain, HEAT)
        change = self._difference(wish)
        if wish.kind is DifferenceKind.SIGNED:
            return coloured(change, -255.0 / wish.gain, 255.0 / wish.gain, DIVERGING)
        return _amplified(change, wish.gain)

    def _difference(self, wish: _Wish) -> Any:
        key = (wish.first.cacheKey(), wish.second.cacheKey(), wish.kind)
        if key not in self._kept:
            self._kept[key] = difference_of(wish.first, wish.second, wish.kind)
            while len(self._kept) > _MAX_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return self._kept[key]


def _amplified(change: "npt.NDArray[np.int16]", gain: float) -> QImage:
    import numpy as np

    steps = np.arange(256) * gain
    return image_of_rgb(np.clip(np.rint(steps), 0, 255).astype(np.uint8)[change])
