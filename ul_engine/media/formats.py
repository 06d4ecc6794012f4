"""The kinds of files that clips can be written to."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ul_engine.errors import OutputError


class ClipFormat(StrEnum):
    """Kinds of files for clips; the value is the suffix without its point."""

    MP4 = "mp4"
    WEBM = "webm"
    MKV = "mkv"
    GIF = "gif"
    WEBP = "webp"
    PNG = "png"

    @property
    def description(self) -> str:
        """Name and nature in a few words."""
        return _TITLES[self]


DEFAULT_QUALITY = 80

_TITLES = {
    ClipFormat.MP4: "MP4 (H.264), plays everywhere",
    ClipFormat.WEBM: "WebM (VP9), for the web",
    ClipFormat.MKV: "Matroska (FFV1), without loss",
    ClipFormat.GIF: "GIF, 256 colours",
    ClipFormat.WEBP: "animated WebP, without loss at quality 100",
    ClipFormat.PNG: "PNG pictures, without loss, as folder/%05d.png",
}


def format_of(path: str | os.PathLike[str]) -> ClipFormat:
    """The format that the suffix of `path` names; raises OutputError that lists all of them."""
    suffix = Path(path).suffix.lower().removeprefix(".")
    try:
        return ClipFormat(suffix)
    except ValueError:
        known = "; ".join(f".{format_}: {format_.description}" for format_ in ClipFormat)
        raise OutputError(
            f"clips cannot be written as {f'.{suffix}' if suffix else 'a file without a suffix'}. "
            f"Choose one of {known}",
            path=path,
        ) from None


@dataclass(frozen=True)
class ClipSettings:
    """How a clip is to be written."""

    format: ClipFormat = ClipFormat.MP4
    quality: int = DEFAULT_QUALITY
    """1 to 100; 100 is without loss for WebP, and the best that is reasonable for MP4 and WebM."""
