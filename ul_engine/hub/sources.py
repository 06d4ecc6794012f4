"""Where a model can be imported from: a folder, or a zip of one. Nothing of an archive is written by its own name."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from ul_engine.errors import CheckpointError
from ul_engine.hub.verify import CHUNK_BYTES
from ul_engine.model_folder import MANIFEST_NAME

MAX_ENTRIES = 10_000
_LITTER = "__MACOSX"


class Source(Protocol):
    """Files of one folder, wherever it lies. Everything raises CheckpointError for a place that cannot be read."""

    place: Path

    def sizes(self) -> dict[str, int]:
        """Bytes of every file directly in the folder, by name, as its place states them."""
        ...

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of one of these files, never more than its stated size."""
        ...


class FolderSource:
    """A model folder; links in it are followed, so that a snapshot of the Hub's cache works too."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def sizes(self) -> dict[str, int]:
        """Bytes of every file directly in the folder."""
        try:
            return {path.name: path.stat().st_size for path in self.place.iterdir() if path.is_file()}
        except OSError as error:
            raise CheckpointError(f"cannot be read ({error.strerror})", path=self.place) from error

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a file."""
        try:
            with (self.place / name).open("rb") as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise CheckpointError(f"cannot be read ({error.strerror})", path=self.place / name) from error


class ZipSource:
    """A zip with one model folder, at its top or in one folder below."""

    def __init__(self, place: Path, archive: zipfile.ZipFile) -> None:
        self.place = place
        self._archive = archive
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise CheckpointError(f"holds more than {MAX_ENTRIES:,} entries; this is no model", path=place)
        for entry in entries:
            _require_inside(entry.filename, place)
        files = {PurePosixPath(entry.filename): entry for entry in entries if not entry.is_dir()}
        folder = _model_folder(list(files), place)
        self._entries = {path.name: entry for path, entry in files.items() if path.parent == folder}

    def sizes(self) -> dict[str, int]:
        """Bytes of every file directly in the model folder, as the archive states them."""
        return {name: entry.file_size for name, entry in self._entries.items()}

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a file; its checksum is compared at the end."""
        try:
            with self._archive.open(self._entries[name]) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise CheckpointError(f"is a broken archive ({error}); fetch it again", path=self.place) from error
        except (NotImplementedError, RuntimeError) as error:  # another compression; a password
            raise CheckpointError(f"cannot be unpacked here ({error}); unpack it first", path=self.place) from error


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The folder or zip at `path`; raises CheckpointError where it is neither."""
    if path.is_dir():
        yield FolderSource(path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise CheckpointError("there is no such folder or file", path=path) from None
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise CheckpointError(f"is neither a model folder nor a zip of one ({error})", path=path) from error
    with archive:
        yield ZipSource(path, archive)


def _require_inside(name: str, place: Path) -> None:
    """Refuse a whole archive for one path that leads out of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise CheckpointError(f"holds the path {name!r}, which leads out of it; do not trust this archive", path=place)


def _model_folder(files: list[PurePosixPath], place: Path) -> PurePosixPath:
    """The one folder with a manifest, no deeper than one below the top."""
    found = [
        path.parent
        for path in files
        if path.name == MANIFEST_NAME and len(path.parts) <= 2 and path.parts[0] != _LITTER
    ]
    if not found:
        raise CheckpointError(f"no {MANIFEST_NAME} at its top or in a folder there; this is no model", path=place)
    if len(found) > 1:
        names = ", ".join(sorted(str(folder) for folder in found)[:5])
        raise CheckpointError(f"holds several models ({names}); unpack it and import one folder", path=place)
    return found[0]
