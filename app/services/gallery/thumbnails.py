"""Small pictures for the grid, made by a few threads, newest wish first, and kept on the disk within bounds."""

import hashlib
import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader

from app.pixels import Pixels
from app.services.gallery.place import find_place
from app.services.gallery.records import pattern_of
from app.services.media import MAX_IMAGE_MB, image_of
from app.services.worker_thread import WorkerThread
from ul_engine.errors import EngineError

NUM_THREADS = 2
KEPT_PX = 512
"""Longer side of what is kept on the disk; smaller pictures are read themselves, which is as quick."""
KEPT_BYTES = 256 * 2**20
MAX_WAITING = 256
"""Older wishes are forgotten: their cells have long been scrolled away."""
PRUNE_EVERY = 200


@dataclass(frozen=True)
class ThumbnailWish:
    """A picture, and how large it is wanted."""

    path: str
    modified_s: float
    side_px: int
    """Longer side, in pixels of the screen."""
    is_clip: bool = False


@dataclass(frozen=True)
class Thumbnail:
    """What became of a wish; the image is None where the file holds none."""

    wish: ThumbnailWish
    image: QImage | None


class Thumbnails(QObject):
    """Hands out small pictures by signal."""

    ready = Signal(object)  # Thumbnail

    def __init__(self, root: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root = root
        self._folder: Path | None = None
        self._num_written = PRUNE_EVERY - 1
        self._waiting: deque[ThumbnailWish] = deque(maxlen=MAX_WAITING)
        self._lock = threading.Lock()
        self._threads = WorkerThread("thumbnails", NUM_THREADS)

    def set_root(self, root: Path) -> None:
        """Another folder of results."""
        with self._lock:
            self._root, self._folder = root, None

    def wish(self, wish: ThumbnailWish) -> None:
        """Ends in `ready`, unless so many others are wished for that this one is forgotten."""
        with self._lock:
            if wish not in self._waiting:
                self._waiting.append(wish)
        self._threads.do(self._next)

    def forget_wishes(self) -> None:
        """Nobody looks there any more."""
        with self._lock:
            self._waiting.clear()

    def close(self) -> None:
        """End the threads."""
        self.forget_wishes()
        self._threads.close()

    # ---- in the threads -------------------------------------------------------------------------------------------

    def _next(self) -> None:
        with self._lock:
            if not self._waiting:
                return
            wish = self._waiting.pop()
        self.ready.emit(Thumbnail(wish, self._made(wish)))

    def _made(self, wish: ThumbnailWish) -> QImage | None:
        kept = self._kept_file(wish)
        image = load_small(str(kept), KEPT_PX) if kept is not None and kept.exists() else None
        if image is None:
            image = first_frame(wish.path) if wish.is_clip else load_small(wish.path, KEPT_PX)
            is_worth_keeping = wish.is_clip or _longer_side(wish.path) > KEPT_PX
            if image is not None and kept is not None and is_worth_keeping:
                self._keep(image, kept)
        return None if image is None else fitted(image, wish.side_px)

    def _kept_file(self, wish: ThumbnailWish) -> Path | None:
        with self._lock:
            if self._folder is None:
                self._folder = find_place(self._root).thumbnails
            folder = self._folder
        name = hashlib.sha256(f"{wish.path}\n{wish.modified_s}".encode("utf-8", "replace")).hexdigest()[:32]
        return folder / name[:2] / f"{name}.jpg"

    def _keep(self, image: QImage, file: Path) -> None:
        """A thumbnail that cannot be kept is made again next time."""
        small = fitted(image, KEPT_PX) if max(image.width(), image.height()) > KEPT_PX else image
        temporary = file.with_name(f".{file.stem}-{os.getpid()}-{threading.get_ident()}.jpg")
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            if small.save(str(temporary), quality=88):
                temporary.replace(file)
            self._num_written += 1
            if self._num_written >= PRUNE_EVERY:
                self._num_written = 0
                prune(file.parent.parent, KEPT_BYTES)


def load_small(path: str, side_px: int) -> QImage | None:
    """The picture in a file, no larger than needed for `side_px`; None if it cannot be read."""
    reader = QImageReader(path)
    reader.setDecideFormatFromContent(True)
    reader.setAllocationLimit(MAX_IMAGE_MB)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > 2 * side_px:
        reader.setScaledSize(size.scaled(QSize(2 * side_px, 2 * side_px), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else image


def first_frame(path: str) -> QImage | None:
    """The first frame of a clip; None if there is none to be had."""
    from ul_engine.media.reading import open_clip

    try:
        with open_clip(pattern_of(Path(path))) as clip:
            frame = clip.frame(0)
    except (EngineError, OSError):
        return None
    height, width = frame.shape[:2]
    return image_of(Pixels(width, height, frame.tobytes()))


def fitted(image: QImage, side_px: int) -> QImage:
    """`image` with a longer side of at most `side_px`; enlarged by whole factors, so that pixels stay square."""
    factor = side_px / max(image.width(), image.height())
    if factor >= 1.0:
        whole = int(factor)
        return image.scaled(image.width() * whole, image.height() * whole)
    size = QSize(side_px, side_px)
    return image.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)


def _longer_side(path: str) -> int:
    size = QImageReader(path).size()
    return max(size.width(), size.height())


def prune(folder: Path, max_bytes: int) -> None:
    """Delete the oldest thumbnails until the rest fits."""
    files = []
    for file in folder.glob("*/*.jpg"):
        with suppress(OSError):
            state = file.stat()
            files.append((state.st_mtime, state.st_size, file))
    total = sum(size for _, size, _ in files)
    for _, size, file in sorted(files, key=lambda entry: entry[0]):
        if total <= max_bytes:
            return
        with suppress(OSError):
            file.unlink()
            total -= size
