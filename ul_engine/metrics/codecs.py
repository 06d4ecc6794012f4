"""Ordinary picture codecs at a given quality: JPEG, WebP, AVIF, and JPEG XL where it is installed.

Pillow does the coding. Bits per pixel are those of the whole file, headers included: `8 bytes / (H W)`. How few bits a
codec can do depends on picture and size; on the 24 Kodak photographs (Pillow 13.0, least, mean, most):

    768 x 512   JPEG 0.065 0.088 0.162   WebP 0.058 0.103 0.210   AVIF 0.047 0.069 0.120   JPEG XL 0.098 0.147 0.287
      64 x 64   JPEG 0.625 0.669 0.740   WebP 0.207 0.301 0.418   AVIF 0.666 0.705 0.750   JPEG XL 0.291 0.403 0.520

At 64 x 64 (there: scaled-down squares of them) much of it is headers.
"""

import importlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, features

from ul_engine.errors import ConfigError, DataError, ShapeError
from ul_engine.requests import ALL_CODECS, CodecName

Picture = npt.NDArray[np.uint8]  # [H, W, 3], sRGB
Subsampling = Literal["4:2:0", "4:4:4"]
CODEC_NAMES = ALL_CODECS


@dataclass(frozen=True)
class Codec:
    """How Pillow is asked for one codec. `trials` are options that change the file and not the pixels."""

    label: str
    pillow_format: str
    qualities: Sequence[float]  # all of its own scale, from the worst
    ladder: Sequence[float]  # those of a rate-distortion curve, from the worst
    subsamplings: tuple[Subsampling, ...]
    options: Mapping[str, Any]
    trials: tuple[Mapping[str, Any], ...] = ({},)
    remark: str = ""


CODECS: Mapping[CodecName, Codec] = {
    "jpeg": Codec(
        label="JPEG",
        pillow_format="JPEG",
        qualities=range(1, 101),
        ladder=(1, 5, 10, 20, 35, 50, 70, 85, 95),
        subsamplings=("4:2:0", "4:4:4"),
        options={"optimize": True},
        trials=({"progressive": True}, {"progressive": False}),  # at 64 px progressive files are 1.7 times as large
        remark="optimised tables, progressive or baseline, whichever is smaller",
    ),
    "webp": Codec(
        label="WebP",
        pillow_format="WEBP",
        qualities=tuple(tenth / 10 for tenth in range(1001)),  # from 0 to 1 alone a file may grow by 60 %
        ladder=(0, 2, 5, 15, 30, 50, 70, 85, 95),
        subsamplings=("4:2:0",),
        options={"method": 6},
        remark="method 6",
    ),
    "avif": Codec(
        label="AVIF",
        pillow_format="AVIF",
        qualities=range(101),
        ladder=(0, 10, 20, 30, 40, 50, 60, 75, 90),
        subsamplings=("4:2:0", "4:4:4"),
        # Its default tuning lies within 0.1 dB of the one for PSNR. Files depend on the number of threads: one.
        options={"speed": 6, "max_threads": 1},
        remark="speed 6",
    ),
    "jpegxl": Codec(
        label="JPEG XL",
        pillow_format="JXL",
        qualities=range(100),  # 100 would be lossless, another coder
        ladder=(0, 10, 20, 35, 50, 65, 80, 90, 96),
        subsamplings=("4:4:4",),
        options={"effort": 7, "num_threads": 1},
        remark="effort 7",
    ),
}


@dataclass(frozen=True)
class AvailableCodec:
    """A codec by name; `problem` says why it cannot be used here and what to do, None if it can."""

    name: CodecName
    label: str
    problem: str | None


@dataclass(frozen=True)
class EncodedPicture:
    """A picture that went through a codec. `setting` names quality and options in words.

    `is_floor`: fewer bits were asked for than the codec can do; this is its smallest file and must be marked so.
    """

    codec: CodecName
    num_bytes: int
    bits_per_pixel: float
    quality: float
    setting: str
    decoded: Picture
    is_floor: bool = False


def available_codecs() -> tuple[AvailableCodec, ...]:
    """All codecs this module knows, usable or not."""
    return tuple(AvailableCodec(name, CODECS[name].label, _problem(name)) for name in CODEC_NAMES)


def encode(
    name: CodecName, picture: Picture, quality: float, *, subsampling: Subsampling | None = None
) -> EncodedPicture:
    """A picture uint8 `[H, W, 3]` at a quality of the codec's own scale; `subsampling` None is 4:2:0 if it has that.

    Raises ConfigError for a codec that is missing or a setting it does not have, ShapeError for another kind of array,
    DataError for a picture beyond the codec's size.
    """
    codec = usable_codec(name)
    check_picture(picture)
    chosen = subsampling or codec.subsamplings[0]
    if quality not in codec.qualities:
        raise ConfigError(f"{codec.label} has qualities {_listed(codec.qualities)}, not {quality}", field="quality")
    if chosen not in codec.subsamplings:
        raise ConfigError(f"{codec.label} is used with {' or '.join(codec.subsamplings)} only", field="subsampling")
    file = _file(codec, picture, quality, chosen)
    return EncodedPicture(
        codec=name,
        num_bytes=len(file),
        bits_per_pixel=8 * len(file) / picture[..., 0].size,
        quality=quality,
        setting=f"quality {quality:g}, {chosen}, {codec.remark}",
        decoded=_decoded(file),
    )


def usable_codec(name: CodecName) -> Codec:
    """The codec of that name; raises ConfigError with what is missing where it cannot be used."""
    if name not in CODECS:
        raise ConfigError(f"no codec {name!r}; there are {', '.join(CODEC_NAMES)}", field="codec")
    problem = _problem(name)
    if problem is not None:
        raise ConfigError(f"{CODECS[name].label} cannot be used here: {problem}", field="codec")
    return CODECS[name]


def check_picture(picture: Picture) -> None:
    """Raise ShapeError unless it is uint8 `[H, W, 3]` and not empty."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[-1] != 3 or picture.size == 0:
        raise ShapeError(f"expected a uint8 picture [H, W, 3], got {picture.dtype} {picture.shape}")


def _problem(name: CodecName) -> str | None:
    if name != "jpegxl":
        module = "jpg" if name == "jpeg" else name
        return None if features.check(module) else f"this build of Pillow has no {CODECS[name].label}; reinstall it"
    try:
        importlib.import_module("pillow_jxl")  # makes itself known to Pillow
    except ImportError as error:
        return f"needs the package pillow-jxl-plugin ({error})"
    return None


def _file(codec: Codec, picture: Picture, quality: float, subsampling: Subsampling) -> bytes:
    """Bytes of the smallest file among those that decode to the same pixels."""
    colour = {"subsampling": subsampling} if len(codec.subsamplings) > 1 else {}
    level = int(quality) if float(quality).is_integer() else quality
    files = []
    for trial in codec.trials:
        stream = io.BytesIO()
        try:
            Image.fromarray(picture).save(
                stream, codec.pillow_format, quality=level, **colour, **codec.options, **trial
            )
        except (OSError, ValueError, RuntimeError) as error:  # the JPEG XL plug-in raises RuntimeError
            height, width = picture.shape[:2]
            raise DataError(f"{codec.label} cannot encode a picture of {width} x {height} pixels ({error})") from error
        files.append(stream.getvalue())
    return min(files, key=len)


def _listed(qualities: Sequence[float]) -> str:
    return f"{qualities[0]}, {qualities[1]}, … {qualities[-1]}"


def _decoded(file: bytes) -> Picture:
    with Image.open(io.BytesIO(file)) as opened:
        return np.array(opened.convert("RGB"))
