"""What is known of a clip, and a clip in memory."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ul_engine.errors import ShapeError

Frame = npt.NDArray[np.uint8]
"""One picture, uint8 `[H, W, 3]`, RGB with the sRGB transfer curve."""

Frames = npt.NDArray[np.uint8]
"""Pictures in order, uint8 `[T, H, W, 3]`."""


@dataclass(frozen=True)
class VideoInfo:
    """What a file of moving pictures holds; sizes are those of an upright frame."""

    path: str
    codec: str
    """``h264``, ``vp9``, ``gif``, ``png sequence``, ..."""
    num_frames: int
    """Whole frames that can be read; of a file that is cut short, those before the cut."""
    fps: Fraction
    """Frames per second: exact where the rate is constant, otherwise the mean."""
    is_variable: bool
    """Frames do not stand on an even grid (to within one tick of the file's clock)."""
    duration_s: Fraction
    width_px: int
    height_px: int
    pixel_aspect: Fraction = Fraction(1)
    """Width / height of one stored pixel. Frames are delivered as they are stored, never stretched."""
    bit_depth: int = 8
    """Bits per stored value; frames are delivered with 8."""
    has_alpha: bool = False
    """Transparency, which is laid over white."""
    is_interlaced: bool = False
    """Both fields of a frame are delivered woven, as they are stored; nothing is de-interlaced."""
    is_cut: bool = False
    """The file ends too early: there was more than `num_frames`."""


@dataclass(frozen=True)
class Clip:
    """Frames read from a file."""

    frames: Frames
    """uint8 `[T, H, W, 3]`."""
    fps: Fraction
    """The rate at which these frames play; a stride of 2 halves it."""
    numbers: tuple[int, ...]
    """Which frame of the file each one is; one number may come twice after a change of rate."""
    info: VideoInfo


@dataclass(frozen=True)
class WrittenClip:
    """What was written, which is not always what was asked."""

    path: Path
    num_frames: int
    fps: Fraction
    """Rate as the file states it; for GIF and WebP the mean over the whole clip."""
    width_px: int
    """One more than was given where the format takes even sizes only."""
    height_px: int


def checked_frame(frame: Frame, like: Frame | None = None) -> Frame:
    """The same frame, contiguous. Raises ShapeError if it is no uint8 `[H, W, 3]`, or of another size than `like`."""
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[-1] != 3 or 0 in frame.shape:
        raise ShapeError(f"expected a uint8 frame [H, W, 3], got {frame.dtype} {list(frame.shape)}")
    if like is not None and frame.shape != like.shape:
        raise ShapeError(f"all frames of a clip have one size; {list(frame.shape)} follows {list(like.shape)}")
    return np.ascontiguousarray(frame)
