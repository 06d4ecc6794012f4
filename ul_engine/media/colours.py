"""Decoded frames of any pixel format as upright uint8 RGB.

YCbCr becomes RGB by the matrix the file names (BT.601, BT.709, BT.2020, SMPTE 240M) and its range (limited: Y 16 to
235; full: 0 to 255), to the nearest of 256 levels; chroma of half size is interpolated. A file that names no matrix
gets BT.709 if it is at least 1280 pixels wide or 577 high, else BT.601, the rule of video players; one that names no
range is limited, grey is full.
Values are taken as they are coded: wide gamuts and the curves of HDR are not mapped to sRGB.
"""

import struct
from typing import Any

import numpy as np
from av import VideoFrame
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Interpolation, VideoReformatter

from ul_engine.media.clips import Frame

_UNNAMED = (2, 3)  # AVCOL_SPC_UNSPECIFIED, _RESERVED
_BT709, _BT601 = 1, 6
_LIMITED, _FULL = 1, 2
ACCURATE = int(Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)
"""Exact to half a level (1.4 from full range of more than 8 bits) in 4 ms for 1280 x 720. The library's default takes
1 ms, but is up to 2.5 levels off and 1 too dark on average."""


class RgbConverter:
    """Turns frames into RGB arrays; keeps its tables from frame to frame."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> Frame:
        """Upright uint8 `[H, W, 3]`; transparency is laid over white."""
        _name_colours(frame)
        has_alpha = has_alpha_channel(frame)
        pixel_format = "rgba" if has_alpha else "rgb24"
        array = self._reformatter.reformat(
            frame, format=pixel_format, interpolation=ACCURATE, dst_color_range=_FULL, threads=1
        ).to_ndarray()
        upright = turned(array.astype(np.uint8, copy=False), display_matrix(frame))
        return over_white(upright) if has_alpha else np.ascontiguousarray(upright)


def has_alpha_channel(frame: VideoFrame) -> bool:
    """Whether the frame has transparency of its own."""
    return any(component.is_alpha for component in frame.format.components)


def over_white(rgba: Frame) -> Frame:
    """uint8 `[H, W, 4]`, straight alpha -> uint8 `[H, W, 3]` over white."""
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = rgba[..., :3] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    """The first four numbers (a, b, c, d) of the file's display matrix; None where it has none."""
    data: Any = frame.side_data.get(SideDataType.DISPLAYMATRIX)  # type: ignore[call-overload]
    if data is None:
        return None
    a, b, _, c, d = struct.unpack("=5i", bytes(data)[:20])
    return a, b, c, d


def turned(array: Frame, matrix: tuple[int, ...] | None) -> Frame:
    """The picture `[H, W, C]` as it is to be seen: quarter turns and mirrors; any other matrix leaves it as it is.

    Point (x, y), y downwards, goes to (a x + c y, b x + d y): ISO/IEC 14496-12, section 6.2.2.
    """
    if matrix is None:
        return array
    a, b, c, d = matrix
    if b == c == 0 and a and d:
        to_right, down = a, d
    elif a == d == 0 and b and c:
        array = array.swapaxes(0, 1)
        to_right, down = c, b
    else:
        return array
    return array[:: 1 if down > 0 else -1, :: 1 if to_right > 0 else -1]


def is_sideways(matrix: tuple[int, ...] | None) -> bool:
    """Whether `turned` swaps width and height."""
    return matrix is not None and matrix[0] == matrix[3] == 0


def _name_colours(frame: VideoFrame) -> None:
    """Write down matrix and range where the file is silent, so that nothing else guesses them."""
    if frame.colorspace in _UNNAMED and len(frame.format.components) >= 3 and not frame.format.is_rgb:
        frame.colorspace = _BT709 if frame.width >= 1280 or frame.height > 576 else _BT601
    if frame.color_range not in (_LIMITED, _FULL) and len(frame.format.components) >= 3 and not frame.format.is_rgb:
        frame.color_range = _FULL if frame.format.name.startswith("yuvj") else _LIMITED
