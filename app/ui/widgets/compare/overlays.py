"""Maps to lay over a picture: bits per latent cell, their spread, what is invented, the latent as colours."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QImage

from app.models.compare.findings import BitMap, FloatMap, Latent, Spread
from app.services.difference import image_of_rgb
from app.ui.widgets.image_view.colour_maps import BITS, HEAT, ColourMap, coloured

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class MapOverlay:
    """Colours over a picture, and the numbers behind them."""

    image: QImage
    low: float
    high: float
    colour_map: ColourMap
    cell_px: int
    values: "Floats"
    errors: "Floats | None" = None

    def value_at(self, x: int, y: int) -> float | None:
        """The number at a pixel of the picture; None where the map does not reach."""
        return self._at(self.values, x, y)

    def error_at(self, x: int, y: int) -> float | None:
        """Its standard error; None: unknown."""
        return None if self.errors is None else self._at(self.errors, x, y)

    def _at(self, numbers: "Floats", x: int, y: int) -> float | None:
        row, column = y // self.cell_px, x // self.cell_px
        height, width = numbers.shape
        return float(numbers[row, column]) if 0 <= row < height and 0 <= column < width else None


def array_of(numbers: FloatMap, frame: int = 0) -> "Floats":
    """float32 `[height, width]` of one frame (the last, if there are fewer)."""
    values = np.frombuffer(numbers.data, "<f4").reshape(numbers.num_frames, numbers.height, numbers.width)
    found: Floats = values[min(frame, numbers.num_frames - 1)]
    return found


def bits_overlay(bits: BitMap, size_px: tuple[int, int], *, frame: int = 0, is_spread: bool = False) -> MapOverlay:
    """Bits per cell, or the standard error of each; `frame` counts the latent's frames."""
    cells = array_of(bits.cells, frame)
    errors = array_of(bits.cell_errors, frame) if bits.cell_errors else None
    values = errors if is_spread and errors is not None else cells
    high = max(float(values.max()), 1e-6)
    return MapOverlay(
        _stretched(coloured(values, 0.0, high, BITS), bits.cell_px, size_px),
        0.0,
        high,
        BITS,
        bits.cell_px,
        values,
        errors,
    )


def invented_overlay(spread: Spread, frame: int = 0) -> MapOverlay:
    """Standard deviation over the decodes, in 8-bit levels; the scale ends where one pixel in two hundred is above."""
    values = array_of(spread.deviation, frame)
    high = max(float(np.percentile(values, 99.5)), 1.0)
    return MapOverlay(coloured(values, 0.0, high, HEAT), 0.0, high, HEAT, 1, values)


def components_image(latent: Latent, size_px: tuple[int, int], frame: int = 0) -> QImage:
    """The first three principal components as colours, in the picture's place."""
    shape = (latent.num_frames, latent.height, latent.width, 3)
    pixels = np.frombuffer(latent.components, np.uint8).reshape(shape)[min(frame, latent.num_frames - 1)]
    return _stretched(image_of_rgb(pixels), latent.cell_px, size_px)


def _stretched(cells: QImage, cell_px: int, size_px: tuple[int, int]) -> QImage:
    """The picture of the cells, cut to the picture where they reach beyond it, at the least size that is exact."""
    width, height = size_px
    common = math.gcd(cell_px, width, height)
    factor = cell_px // common
    if factor > 1:
        cells = cells.scaled(cells.width() * factor, cells.height() * factor)
    return cells.copy(0, 0, width // common, height // common)
