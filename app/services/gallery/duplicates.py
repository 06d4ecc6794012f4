"""Finds results with exactly the same bytes; only files of equal size are read."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from app.gallery import GalleryItem

CHUNK_BYTES = 2**20


def duplicates(items: Iterable[GalleryItem], is_cancelled: Callable[[], bool] = lambda: False) -> list[GalleryItem]:
    """All but one of each set of equal files: a starred one stays, else the oldest."""
    by_size: dict[int, list[GalleryItem]] = defaultdict(list)
    for item in items:
        if Path(item.path).suffix:
            by_size[item.size_bytes].append(item)
    spare: list[GalleryItem] = []
    for group in by_size.values():
        if len(group) > 1:
            spare += _spare(group, is_cancelled)
    return spare


def _spare(group: list[GalleryItem], is_cancelled: Callable[[], bool]) -> list[GalleryItem]:
    by_hash: dict[str, list[GalleryItem]] = defaultdict(list)
    for item in group:
        if is_cancelled():
            return []
        try:
            by_hash[_sha256(item.path)].append(item)
        except OSError:
            continue
    result: list[GalleryItem] = []
    for equal in by_hash.values():
        equal.sort(key=lambda item: (not item.is_starred, item.modified_s, item.path))
        result += equal[1:]
    return result


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
