"""Which files are taken for pictures and for clips, by the ends of their names."""

from collections.abc import Iterable
from typing import Literal

from trainer.data.entries import Entry

PICTURE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff",
)  # fmt: skip
CLIP_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv", ".gif", ".apng",
)  # fmt: skip

SampleKind = Literal["pictures", "clips"]


def samples_among(entries: Iterable[Entry], kind: SampleKind) -> tuple[Entry, ...]:
    """The entries that are pictures, or clips, in their order; what is in them is not looked at."""
    suffixes = PICTURE_SUFFIXES if kind == "pictures" else CLIP_SUFFIXES
    return tuple(entry for entry in entries if entry.name.lower().endswith(suffixes))
