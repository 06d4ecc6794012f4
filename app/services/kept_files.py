"""Files that the program makes for itself under names that people can read, and that others may still look at."""

import itertools
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageWriter

from app.services.json_file import write_whole
from ul_engine.errors import OutputError


def keep_picture(image: QImage, folder: Path, stem: str) -> Path:
    """Write a picture as PNG and give its place. One of the same name and content is there already; one of the same
    name with another content stays as it is, for somebody may be looking at it: this one gets a number. For threads.

    Raises OutputError.
    """
    content = png_bytes(image, folder / f"{stem}.png")
    path = next(path for path in _names(folder, stem) if not path.exists() or _holds(path, content))
    if not path.exists():
        write_whole(path, content)
    return path


def png_bytes(image: QImage, path: Path) -> bytes:
    """A picture as the content of a PNG file. Raises OutputError, which names `path`."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not QImageWriter(buffer, QByteArray(b"png")).write(image):
        raise OutputError("cannot be written as a picture", path=path)
    return bytes(buffer.data().data())


def _names(folder: Path, stem: str) -> "itertools.chain[Path]":
    numbered = (folder / f"{stem} ({number}).png" for number in itertools.count(2))
    return itertools.chain((folder / f"{stem}.png",), numbered)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False
