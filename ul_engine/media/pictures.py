"""Single pictures in files: any common format to uint8 RGB and back, with errors that name the file and the reason."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ul_engine.errors import DataError
from ul_engine.media.clips import Frame
from ul_engine.media.picture_texts import save_options

MAX_PIXELS = 120_000_000


def read_picture(path: str | os.PathLike[str]) -> Frame:
    """uint8 `[H, W, 3]` sRGB, turned upright by its EXIF mark; transparency is laid over white, 16 bits become 8.

    Raises DataError for a file that is missing, truncated, no picture, or beyond `MAX_PIXELS`.
    """
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise DataError(
                    f"has {picture.width} x {picture.height} pixels, more than the {MAX_PIXELS // 10**6} million "
                    "this program takes; scale it down first",
                    path=path,
                )
            return rgb_array(ImageOps.exif_transpose(picture))
    except FileNotFoundError:
        raise DataError("there is no such file", path=path) from None
    except UnidentifiedImageError:
        raise DataError("is no picture this program can read", path=path) from None
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise DataError(f"is truncated or broken ({error})", path=path) from error


def rgb_array(picture: Image.Image) -> Frame:
    """uint8 `[H, W, 3]` of what is loaded; transparency is laid over white, 16 bits become 8."""
    return np.array(as_rgb(picture))


def write_picture(
    path: str | os.PathLike[str], picture: Frame, *, texts: Mapping[str, str] | None = None, quality: int | None = None
) -> None:
    """Write uint8 `[H, W, 3]` in the format of the file's suffix; raises DataError.

    `texts` go into PNG, JPEG and WebP files (`ul_engine.media.picture_texts`); None writes none. `quality` 1 to 100 of
    JPEG and WebP (100: lossless WebP); None leaves it to the library.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path, **save_options(Path(path).suffix, texts, quality))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be written ({error})", path=path) from error


def as_rgb(picture: Image.Image) -> Image.Image:
    """A picture in mode RGB; transparency is laid over white, 16 bits become 8."""
    if picture.mode in ("I;16", "I;16B", "I"):
        values = np.asarray(picture, dtype=np.float64) / 257.0
        return Image.fromarray(values.round().clip(0, 255).astype(np.uint8)).convert("RGB")
    if "A" in picture.getbands() or "transparency" in picture.info:
        white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")
