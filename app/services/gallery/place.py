"""Where the library keeps what belongs to it: beside the results, or in the cache where that cannot be written."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

OWN_NAME = ".ul-studio"
BIN_NAME = ".trash"
STARS_NAME = "stars.txt"


@dataclass(frozen=True)
class GalleryPlace:
    """The folders of one library."""

    root: Path
    own: Path
    """Holds index and thumbnails."""
    is_read_only: bool = False
    """The results lie where nothing can be written: no stars, no bin."""

    @property
    def index(self) -> Path:
        """The SQLite file."""
        return self.own / "index.sqlite"

    @property
    def thumbnails(self) -> Path:
        """Small pictures, made again when they are gone."""
        return self.own / "thumbnails"

    @property
    def stars(self) -> Path:
        """Which results are starred; no part of the index, for it cannot be made again."""
        return self.root / OWN_NAME / STARS_NAME

    @property
    def bin(self) -> Path:
        """What was deleted and can come back."""
        return self.root / BIN_NAME


def find_place(root: Path) -> GalleryPlace:
    """The place of the library of `root`, made if need be; results that cannot be written beside get theirs in the
    cache."""
    own = root / OWN_NAME
    if root.exists():
        try:
            own.mkdir(exist_ok=True)
        except OSError:
            return GalleryPlace(root, fallback_folder(root), is_read_only=True)
        if os.access(own, os.W_OK | os.X_OK) and os.access(root, os.W_OK | os.X_OK):
            return GalleryPlace(root, own)
        return GalleryPlace(root, fallback_folder(root), is_read_only=True)
    try:
        own.mkdir(parents=True, exist_ok=True)
    except OSError:
        return GalleryPlace(root, fallback_folder(root), is_read_only=True)
    return GalleryPlace(root, own)


def fallback_folder(root: Path) -> Path:
    """A folder for this library in the user's cache."""
    from platformdirs import user_cache_path

    name = hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:16]
    folder = user_cache_path("UL Studio", appauthor=False) / "library" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
