"""Any picture, from its bytes to upright RGB; large JPEG files may be decoded at a fraction of their size."""

import io
import math
import struct
import zlib
from typing import Self

from PIL import Image, ImageOps, UnidentifiedImageError

from ul_engine.errors import DataError
from ul_engine.media.pictures import MAX_PIXELS, as_rgb

_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    OverflowError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow's readers raise on damaged files."""
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
_PNG_MARKS = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")
SPARE = 2.0
"""A JPEG is decoded at 1/2, 1/4 or 1/8 of its size only if that leaves this many times the pixels needed on a side: on
300 photographs brought to 64 px the results then are 46 dB from those of a full decode, in 40 % of the time."""


class EncodedPicture:
    """A picture whose header was read; raises DataError with the name `where` for whatever is wrong with it."""

    def __init__(self, data: bytes, where: str) -> None:
        self._where = where
        try:
            self._picture = Image.open(io.BytesIO(data))
            width, height = self._picture.size
            if width * height > MAX_PIXELS:
                raise _too_large(width, height, where)
            turned = _may_be_turned(self._picture, data) and self._picture.getexif().get(_ORIENTATION) in _SIDEWAYS
        except UnidentifiedImageError:
            reason = "is no picture this program can read" if data else "is empty"
            raise DataError(reason, path=where) from None
        except _BROKEN as error:
            raise self._broken(error) from error
        self.size = (height, width) if turned else (width, height)
        """Width and height in pixels as it is to be seen."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._picture.close()

    def decoded(self, shrink: float = 1.0) -> Image.Image:
        """The picture in mode RGB, upright, over white, 16 bits as 8.

        `shrink` says how many times smaller it will be made (after cutting): a JPEG may then come at a fraction of its
        size, always at the same for the same file and `shrink`.
        """
        try:
            if self._picture.mode == "F":
                raise DataError(
                    "has floating-point values, whose range is not known; save it with 8 or 16 bits", path=self._where
                )
            divisor = max(d for d in (1, 2, 4, 8) if d == 1 or shrink / d >= SPARE)
            if self._picture.format == "JPEG" and divisor > 1:
                width, height = self._picture.size
                self._picture.draft(None, (math.ceil(width / divisor), math.ceil(height / divisor)))
            ImageOps.exif_transpose(self._picture, in_place=True)
            return as_rgb(self._picture)
        except _BROKEN as error:
            raise self._broken(error) from error

    def _broken(self, error: BaseException) -> DataError:
        return DataError(f"is truncated or broken ({error})", path=self._where)


def _may_be_turned(picture: Image.Image, data: bytes) -> bool:
    """Whether it is worth looking for an EXIF mark: in a PNG file Pillow decodes all pixels before it gives up."""
    return picture.format != "PNG" or any(mark in data for mark in _PNG_MARKS)


def _too_large(width: int, height: int, where: str) -> DataError:
    return DataError(
        f"has {width} x {height} pixels, more than the {MAX_PIXELS // 10**6} million this program takes; "
        "scale it down first",
        path=where,
    )
