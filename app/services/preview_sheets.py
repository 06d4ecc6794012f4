"""Reads preview pictures of runs in a thread, scaled to what is shown, and cuts cells out of them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtGui import QImage

from app.services.kept_files import keep_picture
from app.services.media import load_image
from app.services.worker_thread import raise_bugs
from ul_engine.errors import OutputError


@dataclass(frozen=True)
class SheetWish:
    """A sheet at most so wide; 0: as it is."""

    path: str
    width_px: int = 0


@dataclass(frozen=True)
class SheetImage:
    """A sheet that was read; None if it could not be."""

    wish: SheetWish
    image: QImage | None


@dataclass(frozen=True)
class Crop:
    """A part of a sheet, and what it is called."""

    path: str
    rect: tuple[int, int, int, int]
    title: str


@dataclass(frozen=True)
class CropsSaved:
    """Files of the parts that could be cut out, and what went wrong with the others."""

    paths: tuple[str, ...]
    problem: str = ""


class PreviewSheets(QObject):
    """Newest wish first: what a person has scrolled past can wait."""

    sheet_loaded = Signal(object)  # SheetImage
    crops_saved = Signal(object)  # CropsSaved

    def __init__(self, crops_folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._crops_folder = crops_folder
        self._waiting: list[SheetWish] = []
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="preview-sheets")

    def load(self, wish: SheetWish) -> None:
        """Read a sheet."""
        if wish not in self._waiting:
            self._waiting.append(wish)
            self._executor.submit(self._load_newest).add_done_callback(raise_bugs)

    def save_crops(self, crops: Sequence[Crop]) -> None:
        """Write parts of sheets as files of their own, at their full size."""
        self._executor.submit(self._save_crops, tuple(crops)).add_done_callback(raise_bugs)

    def close(self) -> None:
        """End the thread."""
        self._waiting.clear()
        self._executor.shutdown(wait=True, cancel_futures=True)

    # ---- in the thread; signals are queued to their receivers -----------------------------------------------------

    def _load_newest(self) -> None:
        try:
            wish = self._waiting.pop()
        except IndexError:
            return
        image = load_image(wish.path)
        if image is not None and 0 < wish.width_px < image.width():
            image = image.scaledToWidth(wish.width_px, Qt.TransformationMode.SmoothTransformation)
        self.sheet_loaded.emit(SheetImage(wish, image))

    def _save_crops(self, crops: tuple[Crop, ...]) -> None:
        paths, problem = [], ""
        for crop in crops:
            image = load_image(crop.path)
            if image is None:
                problem = f"{crop.title} could not be read"
                continue
            try:
                part = image.copy(QRect(*crop.rect))
                paths.append(str(keep_picture(part, self._crops_folder, _file_name(crop.title))))
            except OutputError as error:
                problem = str(error)
        self.crops_saved.emit(CropsSaved(tuple(paths), problem))


def _file_name(title: str) -> str:
    """A title without what no file name may hold."""
    return "".join("-" if letter in '/\\:*?"<>|' or ord(letter) < 32 else letter for letter in title)[:120]
