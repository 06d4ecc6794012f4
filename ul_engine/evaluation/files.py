"""Where samples come from: pictures in folders, lists and zips, videos and folders of frames. No torch."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from PIL import Image, ImageOps, UnidentifiedImageError

from ul_engine.errors import DataError
from ul_engine.media.clips import Frame
from ul_engine.media.pictures import MAX_PIXELS, rgb_array
from ul_engine.media.sequences import sequence_files

PICTURE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".ppm", ".pgm", ".jp2", ".jxl")
)
VIDEO_SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".apng"))
LIST_SUFFIXES = frozenset((".txt", ".lst"))
MAX_FILE_BYTES = 2**30


@dataclass(frozen=True)
class SourceFile:
    """A picture, a video or a folder of frames. `name` is what people see: its place below what they named. `member` is
    the name inside the zip at `path`; None: `path` is the file itself."""

    name: str
    path: Path
    member: str | None = None

    @property
    def place(self) -> str:
        """The full place, for messages."""
        return str(self.path) if self.member is None else f"{self.path}/{self.member}"


def find_files(data: Iterable[Path], *, clips: bool) -> list[SourceFile]:
    """All samples' files in `data`, in the order given, each folder and zip sorted by name.

    A folder is searched through: for pictures by suffix; with `clips` for videos, and folders that hold pictures count
    as one clip each. A ``.txt`` or ``.lst`` file names one file per line, relative to its own folder. Hidden files are
    passed over. Where several places are given, names begin with their place's. Raises DataError where a place is
    missing or holds nothing.
    """
    found = {place: _of_place(place, clips=clips) for place in data}
    if len(found) == 1:
        return [file for files in found.values() for file in files]
    return [_prefixed(file, place) for place, files in found.items() for file in files]


def _prefixed(file: SourceFile, place: Path) -> SourceFile:
    is_itself = file.path == place and file.member is None
    return file if is_itself else replace(file, name=f"{place.name}/{file.name}")


def _of_place(place: Path, *, clips: bool) -> list[SourceFile]:
    if place.is_dir():
        files = list(_videos_below(place) if clips else _pictures_below(place))
        wanted = "videos or folders of frames" if clips else "pictures"
    elif not place.is_file():
        raise DataError("there is no such file or folder", path=place)
    elif place.suffix.lower() in LIST_SUFFIXES:
        files, wanted = _listed(place), "names of files"
    elif place.suffix.lower() == ".zip" and not clips:
        files, wanted = list(_zipped(place)), "pictures"
    else:
        return [SourceFile(place.name, place)]
    if not files:
        raise DataError(f"no {wanted} are in it", path=place)
    return files


def _pictures_below(folder: Path) -> Iterator[SourceFile]:
    for path in sorted(_files_below(folder)):
        if path.suffix.lower() in PICTURE_SUFFIXES:
            yield SourceFile(path.relative_to(folder).as_posix(), path)


def _videos_below(folder: Path) -> Iterator[SourceFile]:
    """Video files, and every folder that holds pictures itself, together in the order of names."""
    files = _files_below(folder)
    videos = {path for path in files if path.suffix.lower() in VIDEO_SUFFIXES}
    sequences = {path.parent for path in files if path.suffix.lower() in PICTURE_SUFFIXES - VIDEO_SUFFIXES}
    for path in sorted(videos | sequences):
        name = path.relative_to(folder).as_posix()
        yield SourceFile(folder.name if name == "." else name, path)


def _files_below(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise DataError(f"cannot be read ({error.strerror})", path=error.filename) from error

    found = []
    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(root) / name for name in names if not name.startswith(".")]
    return found


def _listed(path: Path) -> list[SourceFile]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"is no list of files ({error})", path=path) from error
    names = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [SourceFile(name, path.parent / name) for name in names]


def _zipped(path: Path) -> Iterator[SourceFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"is no zip, or damaged ({error})", path=path) from error
    for member in members:
        parts = PurePosixPath(member).parts
        is_hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
        if not is_hidden and PurePosixPath(member).suffix.lower() in PICTURE_SUFFIXES:
            yield SourceFile(member, path, member)


class FileReader:
    """``with FileReader() as reader``: bytes of files; zips stay open between two reads."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._archives: dict[Path, zipfile.ZipFile] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archives.clear()
        self._stack.close()

    def content(self, file: SourceFile) -> bytes:
        """The whole file. Raises DataError: missing, not to be read, larger than `MAX_FILE_BYTES`, damaged in a zip."""
        try:
            return self._zipped(file.path, file.member) if file.member is not None else _whole(file.path)
        except FileNotFoundError:
            raise DataError("there is no such file", path=file.place) from None
        except (OSError, RuntimeError, NotImplementedError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise DataError(f"cannot be read ({error})", path=file.place) from error

    def _zipped(self, path: Path, member: str) -> bytes:
        if path not in self._archives:
            self._archives[path] = self._stack.enter_context(zipfile.ZipFile(path))
        archive = self._archives[path]
        _check_size(archive.getinfo(member).file_size)
        return archive.read(member)


def _whole(path: Path) -> bytes:
    _check_size(path.stat().st_size)
    return path.read_bytes()


def _check_size(num_bytes: int) -> None:
    if num_bytes > MAX_FILE_BYTES:
        raise OSError(f"it has {num_bytes / 1e9:.1f} GB, far more than a picture")


def decoded_picture(content: bytes, place: str) -> Frame:
    """uint8 `[H, W, 3]` of a picture file's bytes, upright, transparency over white; `place` is for DataError."""
    try:
        with Image.open(BytesIO(content)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                size = f"{picture.width} x {picture.height} pixels"
                raise DataError(f"has {size}, more than this program takes; scale it down first", path=place)
            return rgb_array(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError:
        raise DataError("is no picture this program can read", path=place) from None
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise DataError(f"is truncated or broken ({error})", path=place) from error


def digest_of(path: Path) -> str:
    """SHA-256 in hex of a video file, or of all pictures of a folder in their order. Raises DataError."""
    files = sequence_files(os.fspath(path)) if path.is_dir() else [path]
    digest = hashlib.sha256()
    try:
        for file in files:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path=path) from error
    return digest.hexdigest()
