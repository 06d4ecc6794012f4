"""How two pictures differ, as numbers per pixel and as a picture of them. Runs in threads; loads numpy."""

from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Floats = npt.NDArray[np.float32]


class DifferenceKind(StrEnum):
    """What is shown of a difference."""

    ABSOLUTE = "absolute"
    """|B - A| of each colour, as a colour."""
    SIGNED = "signed"
    """B - A, the mean of the three colours: lighter or darker."""
    FLIP = "flip"
    """What a person would see when the two alternate; computed by the engine."""


def rgb_of(image: QImage) -> "Bytes":
    """uint8 `[H, W, 3]`, a copy."""
    import numpy as np

    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).copy()


def image_of_rgb(pixels: "Bytes") -> QImage:
    """A picture with bytes of its own, of uint8 `[H, W, 3]`."""
    import numpy as np

    packed = np.ascontiguousarray(pixels)
    height, width, _ = packed.shape
    return QImage(packed.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def difference_of(first: QImage, second: QImage, kind: DifferenceKind) -> "npt.NDArray[np.int16]":
    """int16: `[H, W, 3]` from 0 to 255 if absolute, `[H, W]` from -255 to 255 if signed.

    A second picture of another size is scaled to the first.
    """
    import numpy as np

    if second.size() != first.size():
        any_shape, smooth = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        second = second.scaled(first.size(), any_shape, smooth)
    change: npt.NDArray[np.int16] = rgb_of(second).astype(np.int16) - rgb_of(first)
    if kind is DifferenceKind.ABSOLUTE:
        return np.abs(change)
    mean: npt.NDArray[np.int16] = np.rint(change.sum(axis=2, dtype=np.int16) / np.float32(3)).astype(np.int16)
    return mean
