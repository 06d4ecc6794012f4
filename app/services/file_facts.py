"""What a file holds that a person opens, drops or pastes: its facts and a small picture, or a problem in plain words.

Everything here runs in threads, for disks can be slow and pictures large.
"""

import os
import stat
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from app.services.difference import image_of_rgb
from app.services.kept_files import keep_picture
from app.services.media import MAX_IMAGE_MB
from ul_engine.errors import DataError, OutputError

MAX_PIXELS = 120_000_000
"""As many as the engine takes."""
LARGE_PIXELS = 32_000_000
"""From here on a smaller copy is worth offering."""
THUMBNAIL_PX = 256
MAX_PASTED = 50
"""So many pasted pictures are kept; the oldest go."""
_PILLOW_PIXELS = 80_000_000
"""Beyond these Pillow warns of every picture."""
_SUFFIXES = {
    "png": (".png", ".apng"),
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "webp": (".webp",),
    "gif": (".gif",),
    "bmp": (".bmp", ".dib"),
    "tiff": (".tif", ".tiff"),
}
_MAX_LISTED = 10_000


class FileKind(StrEnum):
    """What it is."""

    PICTURE = "picture"
    CLIP = "clip"
    FOLDER = "folder"


@dataclass(frozen=True)
class FileFacts:
    """Something that can be worked with."""

    path: str
    kind: FileKind
    size_px: tuple[int, int] = (0, 0)
    """As it is to be seen; of a folder (0, 0)."""
    num_frames: int = 1
    fps: float | None = None
    num_bytes: int = 0
    num_files: int = 0
    """Pictures in a folder."""
    notes: tuple[str, ...] = ()
    """What one should know: a wrong suffix, an end that is missing, transparency that is laid over white."""
    thumbnail: QImage | None = None

    @property
    def is_large(self) -> bool:
        """Whether a smaller copy is worth offering."""
        return self.size_px[0] * self.size_px[1] > LARGE_PIXELS


@dataclass(frozen=True)
class FileProblem:
    """Why a file cannot be worked with."""

    path: str
    sentence: str
    """Reads on after the file's name."""
    is_too_large: bool = False
    """A smaller copy would do."""


def look_at(path: str, *, shows_end: bool = False) -> FileFacts | FileProblem:
    """What the file or folder at `path` holds. Files are known by their content, whatever their names say.

    With `shows_end` the small picture of a clip is its last frame, else the one in the middle.
    """
    refused = refusal(path)
    if refused is not None:
        return refused
    try:
        if Path(path).is_dir():
            return _folder(path)
        return _file(path, Path(path).stat().st_size, shows_end=shows_end)
    except DataError as error:
        return FileProblem(path, str(error).removeprefix(f"{path}: "))
    except OSError as error:
        return FileProblem(path, f"cannot be read ({error.strerror or error})")
    except MemoryError:
        return FileProblem(path, "is too large for the memory of this computer", is_too_large=True)


def refusal(path: str) -> FileProblem | None:
    """Why the file need not even be read; None: it is worth trying. Nothing is decoded."""
    try:
        found = Path(path).stat()
        if stat.S_ISDIR(found.st_mode):
            return None
        if not stat.S_ISREG(found.st_mode):
            return FileProblem(path, "is no ordinary file")
        if not found.st_size:
            return FileProblem(path, "is empty")
        with Path(path).open("rb") as stream:
            head = stream.read(16)
    except FileNotFoundError:
        return FileProblem(path, "is no longer there")
    except PermissionError:
        return FileProblem(path, "may not be read by you; its owner can allow it")
    except (OSError, ValueError) as error:
        return FileProblem(path, f"cannot be read ({getattr(error, 'strerror', None) or error})")
    if head.startswith(b"%PDF") or head.lstrip().startswith((b"<svg", b"<?xml")):
        return FileProblem(path, "is a drawing or a document, no picture made of pixels; export it as PNG first")
    size = _reader(path).size()
    if size.width() * size.height() > MAX_PIXELS:
        return FileProblem(path, too_large_words(size.width(), size.height()), is_too_large=True)
    return None


def _file(path: str, num_bytes: int, *, shows_end: bool) -> FileFacts:
    reader = _reader(path)
    is_picture = reader.canRead()
    kind = bytes(reader.format().data()).decode() if is_picture else ""
    if is_picture and not (kind in ("png", "gif", "webp") and _is_animated(path)):
        return _picture(path, reader, kind, num_bytes)
    return _clip(path, num_bytes, _suffix_notes(path, kind), shows_end=shows_end)


# ---- pictures -----------------------------------------------------------------------------------------------------


def _reader(path: str) -> QImageReader:
    reader = QImageReader(path)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    reader.setAllocationLimit(MAX_IMAGE_MB)
    return reader


def _picture(path: str, reader: QImageReader, kind: str, num_bytes: int) -> FileFacts:
    pixels = reader.size().width() * reader.size().height()
    has_alpha = QImage(1, 1, reader.imageFormat()).hasAlphaChannel()
    image = _decoded(path, reader, pixels)
    notes = _suffix_notes(path, kind)
    if has_alpha:
        notes += ("has transparency, which is laid over white",)
    return FileFacts(
        path,
        FileKind.PICTURE,
        (image.width(), image.height()),
        num_bytes=num_bytes,
        notes=notes,
        thumbnail=thumbnail_of(image),
    )


def _decoded(path: str, reader: QImageReader, pixels: int) -> QImage:
    """The whole picture, as the engine will read it; Qt, which takes a JPEG that is cut short for whole, reads only
    the very large ones."""
    if pixels <= _PILLOW_PIXELS:
        from ul_engine.media.pictures import read_picture

        return image_of_rgb(read_picture(path))
    image = reader.read()
    if image.isNull():
        raise DataError("is damaged or cut short", path=path)
    return image


def too_large_words(width: int, height: int) -> str:
    """Why a picture is refused."""
    return f"has {width} × {height} pixels, more than the {MAX_PIXELS // 10**6} million this program takes"


def thumbnail_of(image: QImage) -> QImage:
    """A small copy; small pictures stay as they are."""
    if max(image.width(), image.height()) <= THUMBNAIL_PX:
        return image.copy()
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(THUMBNAIL_PX, THUMBNAIL_PX, keep, smooth)


def _suffix_notes(path: str, kind: str) -> tuple[str, ...]:
    suffix, known = Path(path).suffix.lower(), _SUFFIXES.get(kind)
    if known is None or suffix in known or not suffix:
        return ()
    return (f"is named {suffix}, but holds {kind.upper()}; it is read as what it holds",)


# ---- clips and folders --------------------------------------------------------------------------------------------


def _is_animated(path: str) -> bool:
    """Whether a GIF, PNG or WebP is a clip; one that is too damaged to say is tried as a picture."""
    from ul_engine.media.reading import open_clip

    try:
        with open_clip(path) as source:
            return source.info.num_frames > 1 or source.info.is_cut
    except DataError:
        return False


def _clip(path: str, num_bytes: int, notes: tuple[str, ...], *, shows_end: bool) -> FileFacts:
    from ul_engine.media.reading import open_clip

    with open_clip(path) as source:
        info = source.info
        frame = source.frame(info.num_frames - 1 if shows_end else info.num_frames // 2)
    if info.is_cut:
        notes += (f"is cut short: its first {info.num_frames} frames are whole",)
    if Path(path).suffix.lower() in (*_SUFFIXES["jpeg"], *_SUFFIXES["bmp"], *_SUFFIXES["tiff"]) and not notes:
        notes += (f"is named {Path(path).suffix}, but holds a clip",)
    size = info.width_px, info.height_px
    return FileFacts(
        path,
        FileKind.CLIP,
        size,
        info.num_frames,
        float(info.fps),
        num_bytes,
        notes=notes,
        thumbnail=thumbnail_of(image_of_rgb(frame)),
    )


def sequence_facts(path: str) -> FileFacts | FileProblem:
    """What a pattern of pictures (``shot_%05d.png``) holds as a clip."""
    try:
        return _clip(path, 0, (), shows_end=False)
    except DataError as error:
        return FileProblem(path, str(error).removeprefix(f"{path}: "))


def _folder(path: str) -> FileFacts | FileProblem:
    known = {suffix for suffixes in _SUFFIXES.values() for suffix in suffixes}
    count = 0
    with os.scandir(path) as entries:
        for number, entry in enumerate(entries):
            if number >= _MAX_LISTED:
                break
            count += os.path.splitext(entry.name)[1].lower() in known and entry.is_file()
    if not count:
        return FileProblem(path, "is a folder without pictures")
    return FileFacts(path, FileKind.FOLDER, num_files=count)


# ---- new files ----------------------------------------------------------------------------------------------------


def keep_pasted(image: QImage, folder: Path) -> str | FileProblem:
    """Give a picture of the clipboard a file; of those kept before, the oldest go."""
    from ul_engine.outputs import explained

    path = folder / f"pasted-{time.time_ns()}.png"
    try:
        with explained(folder):
            for old in sorted(folder.glob("pasted-*.png"))[: -MAX_PASTED + 1]:
                old.unlink(missing_ok=True)
        return str(keep_picture(image, folder, path.stem))
    except OutputError as error:
        return _not_kept(path, error)


def keep_smaller(path: str, folder: Path, max_pixels: int = LARGE_PIXELS) -> str | FileProblem:
    """Write a copy of a picture with at most `max_pixels`; its shape stays."""
    reader = _reader(path)
    size = reader.size()
    if not reader.canRead() or size.isEmpty():
        return FileProblem(path, "cannot be made smaller, for its size is not known")
    shrink = min(1.0, (max_pixels / (size.width() * size.height())) ** 0.5)
    reader.setScaledSize(QSize(max(1, int(size.width() * shrink)), max(1, int(size.height() * shrink))))
    image = reader.read()
    if image.isNull():
        return FileProblem(path, "is too large to be made smaller here; scale it down in another program first")
    try:
        return str(keep_picture(image, folder, f"{Path(path).stem}-{image.width()}x{image.height()}"))
    except OutputError as error:
        return _not_kept(Path(path), error)


def _not_kept(path: Path, error: OutputError) -> FileProblem:
    return FileProblem(str(path), f"cannot be kept: {str(error).removeprefix(f'{error.path}: ')}")
