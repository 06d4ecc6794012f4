"""Pictures brought to a size: scaled until they cover it, then cut at the middle."""

import numpy as np
from PIL import Image

from ul_engine.data.pixels import Uint8Array


def cover(frames: Uint8Array, size: tuple[int, int]) -> Uint8Array:
    """uint8 `[T, H, W, 3]` -> `[T, *size, 3]` with (height, width); nothing is stretched, what juts out is cut evenly.

    Scaled with an antialiased cubic filter.
    """
    height, width = frames.shape[1:3]
    if (height, width) == size:
        return frames
    scale = max(size[0] / height, size[1] / width)
    box_width, box_height = min(width, size[1] / scale), min(height, size[0] / scale)  # rounding must not pass the edge
    left, top = (width - box_width) / 2, (height - box_height) / 2
    box = (left, top, left + box_width, top + box_height)
    return np.stack([_resized(frame, size, box) for frame in frames])


def _resized(frame: Uint8Array, size: tuple[int, int], box: tuple[float, float, float, float]) -> Uint8Array:
    picture = Image.fromarray(frame).resize((size[1], size[0]), Image.Resampling.BICUBIC, box=box)
    return np.asarray(picture)
