"""Writes pictures and clips as files of any kind, in a thread, with progress and a way to stop."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.pixels import Clip, Pixels
from app.services.worker_thread import WorkerThread
from ul_engine.errors import Cancelled, DataError, EngineError, OutputError
from ul_engine.metadata import EmbeddedRequest, read_request, text_chunks
from ul_engine.outputs import write_clip, write_file

if TYPE_CHECKING:
    from ul_engine.media.clips import Frame


@dataclass(frozen=True)
class ExportOrder:
    """What to write, and how."""

    path: str
    """A file, or with `as_pictures` a new folder."""
    clip: Clip | None = None
    source_path: str = ""
    """The file that holds the frames, where `clip` is None."""
    is_moving: bool = True
    as_pictures: bool = False
    """Write each frame of a clip as a PNG picture."""
    quality: int = 80
    fps: float = 24.0
    scale: int = 1
    """Each pixel becomes a square of so many."""
    is_ping_pong: bool = False
    """There and back again, so that a loop has no jump."""
    keeps_request: bool = True
    embedded: EmbeddedRequest | None = None
    """None: as the source file says, if it says anything."""


@dataclass(frozen=True)
class ExportedSoFar:
    """Frames handed to the encoder."""

    done: int
    total: int


@dataclass(frozen=True)
class Exported:
    """The file is there."""

    path: str
    num_bytes: int
    width_px: int
    height_px: int
    num_frames: int
    fps: float | None


@dataclass(frozen=True)
class ExportFailed:
    """Nothing was written."""

    path: str
    message: str


class ClipExporter(QObject):
    """One export after the other."""

    progressed = Signal(object)  # ExportedSoFar
    exported = Signal(object)  # Exported
    failed = Signal(object)  # ExportFailed
    cancelled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = WorkerThread("clip-export")
        self._stop = threading.Event()

    def start(self, order: ExportOrder) -> None:
        """Begin; ends in `exported`, `failed` or `cancelled`."""
        self._stop = threading.Event()
        self._thread.do(self._carry_out, order, self._stop)

    def cancel(self) -> None:
        """Stop at the next frame; nothing is left behind."""
        self._stop.set()

    def close(self) -> None:
        """Stop what runs, and end the thread."""
        self._stop.set()
        self._thread.close()

    # ---- in the thread --------------------------------------------------------------------------------------------

    def _carry_out(self, order: ExportOrder, stop: threading.Event) -> None:
        try:
            result = _Writing(order, stop, self.progressed.emit).run()
        except Cancelled:
            self.cancelled.emit()
        except MemoryError:
            self.failed.emit(ExportFailed(order.path, "there is not enough memory for all frames at once"))
        except EngineError as error:
            path = getattr(error, "path", None)
            message = str(error).removeprefix(f"{path}: ") if path else str(error)
            self.failed.emit(ExportFailed(order.path, message))
        except OSError as error:
            self.failed.emit(ExportFailed(order.path, f"the disk refuses ({error.strerror or error})"))
        else:
            self.exported.emit(result)


class _Writing:
    """One export at work."""

    def __init__(self, order: ExportOrder, stop: threading.Event, tell: Callable[[ExportedSoFar], None]) -> None:
        self._order = order
        self._stop = stop
        self._tell = tell
        self._done = 0

    def run(self) -> Exported:
        """Write it. Raises Cancelled, EngineError."""
        order = self._order
        if not order.is_moving:
            return self._write_picture()
        count, (height, width) = self._facts()
        target = str(Path(order.path) / "%05d.png") if order.as_pictures else order.path
        texts = self._texts(width * order.scale, height * order.scale, self._total(count))
        written = write_clip(target, self._frames(count), order.fps, quality=order.quality, texts=texts)
        return Exported(
            order.path,
            _bytes_of(Path(order.path)),
            written.width_px,
            written.height_px,
            written.num_frames,
            float(written.fps),
        )

    def _total(self, count: int) -> int:
        return 2 * count - 2 if self._order.is_ping_pong and count > 2 else count

    def _facts(self) -> tuple[int, tuple[int, int]]:
        """Number of frames, and (height, width)."""
        clip = self._order.clip
        if clip is not None:
            return len(clip.frames), (clip.frames[0].height_px, clip.frames[0].width_px)
        from ul_engine.media.reading import probe

        info = probe(self._order.source_path)
        return info.num_frames, (info.height_px, info.width_px)

    def _texts(self, width_px: int, height_px: int, count: int | None) -> dict[str, str] | None:
        embedded = self._order.embedded
        if not self._order.keeps_request:
            return None
        if embedded is None and self._order.source_path:
            try:
                embedded = read_request(self._order.source_path)
            except DataError:
                return None  # made by another program: there is nothing to keep
        if embedded is None:
            return None
        from ul_engine.media.rates import as_rate

        rate = as_rate(self._order.fps) if count is not None else None
        return text_chunks(embedded, width_px=width_px, height_px=height_px, num_frames=count, fps=rate)

    # ---- clips ----------------------------------------------------------------------------------------------------

    def _frames(self, count: int) -> Iterator["Frame"]:
        total = self._total(count)
        numbers = [*range(count), *range(count - 2, 0, -1)][:total]
        for picture in self._pictures(numbers):
            if self._stop.is_set():
                raise Cancelled
            yield _enlarged(picture, self._order.scale)
            self._done += 1
            self._report(self._done, total)

    def _pictures(self, numbers: list[int]) -> Iterator["Frame"]:
        clip = self._order.clip
        if clip is not None:
            for number in numbers:
                yield _array(clip.frames[number])
            return
        from ul_engine.media.reading import open_clip

        with open_clip(self._order.source_path) as source:
            for number in numbers:
                yield source.frame(number)

    def _report(self, done: int, total: int) -> None:
        self._tell(ExportedSoFar(done, total))

    # ---- pictures -------------------------------------------------------------------------------------------------

    def _write_picture(self) -> Exported:
        from PIL import Image

        from ul_engine.media.picture_texts import save_options
        from ul_engine.media.pictures import read_picture

        order = self._order
        source = _array(order.clip.poster) if order.clip is not None else read_picture(order.source_path)
        picture = _enlarged(source, order.scale)
        height, width, _ = picture.shape
        suffix = Path(order.path).suffix
        buffer = BytesIO()
        try:
            options = save_options(suffix, self._texts(width, height, None), order.quality)
            kind = {".jpg": "JPEG", ".jpeg": "JPEG"}.get(suffix.lower(), suffix.removeprefix(".").upper())
            Image.fromarray(picture).save(buffer, kind, **options)
        except (OSError, ValueError, KeyError) as error:
            raise OutputError(f"cannot be written as {suffix or 'a file without a suffix'} ({error})") from error
        if self._stop.is_set():
            raise Cancelled
        write_file(order.path, buffer.getvalue())
        self._report(1, 1)
        return Exported(order.path, buffer.tell(), width, height, 1, None)


def _array(pixels: Pixels) -> "Frame":
    import numpy as np

    return np.frombuffer(pixels.data, np.uint8).reshape(pixels.shape)


def _enlarged(picture: "Frame", scale: int) -> "Frame":
    import numpy as np

    return picture if scale == 1 else np.repeat(np.repeat(picture, scale, axis=0), scale, axis=1)


def _bytes_of(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else (path,)
    return sum(os.stat(file).st_size for file in files)
