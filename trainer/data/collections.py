"""Collections of files: a folder tree, a zip file, a tar file, or a folder of tar shards, all read in the same way."""

import os
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from zipfile import is_zipfile

from trainer.data.collection_folder import folder_entries
from trainer.data.collection_tar import tar_entries
from trainer.data.collection_zip import zip_entries, zip_member
from trainer.data.entries import LOOSE, PIECE, Entry
from trainer.data.open_files import OpenFiles
from trainer.data.places import cache_root, key_of, write_whole
from ul_engine.errors import DataError

Progress = Callable[[int, int], None]

__all__ = ["Collection", "Entry", "Progress", "open_collection"]


def open_collection(path: str | os.PathLike[str], *, progress: Progress | None = None) -> "Collection":
    """Open a folder tree, a zip file, a tar file, or a folder with tar files in it (loose files beside them count too).

    `progress` gets (tar files indexed, tar files). Raises DataError: nothing there, no such archive, cut short,
    encrypted, unsafe names, links in a circle, empty.
    """
    root = Path(path).expanduser()
    try:
        entries = tuple(sorted(_entries(root, progress)))
    except FileNotFoundError:
        raise DataError("there is no such file or folder", path=root) from None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=root) from error
    if not entries:
        raise DataError("holds no files", path=root)
    _refuse_doubles(entries, root)
    return Collection(root, entries)


def _entries(root: Path, progress: Progress | None) -> Iterator[Entry]:
    if stat.S_ISDIR(root.stat().st_mode):
        yield from _with_shards(list(folder_entries(root)), progress)
    elif root.suffix.lower() == ".zip" or is_zipfile(root):
        yield from zip_entries(root)
    elif ".tar" in root.name.lower() or root.suffix.lower() == ".tgz" or tarfile.is_tarfile(root):
        yield from tar_entries(root)
    else:
        raise DataError("is neither a folder, nor a zip file, nor a tar file", path=root)


def _with_shards(files: list[Entry], progress: Progress | None) -> Iterator[Entry]:
    shards = [file for file in files if file.name.lower().endswith((".tar", ".tar.gz", ".tgz"))]
    yield from (file for file in files if file not in set(shards)) if shards else files
    for number, shard in enumerate(shards):
        yield from tar_entries(Path(shard.file), shard.name + "/")
        if progress is not None:
            progress(number + 1, len(shards))


def _refuse_doubles(entries: tuple[Entry, ...], root: Path) -> None:
    for one, next_one in pairwise(entries):
        if one.name == next_one.name:
            raise DataError(f"holds {one.name} twice; pack the archive again", path=root)


class Collection:
    """Files by name, wherever they lie. May be pickled, and used from several threads and processes at once."""

    def __init__(self, path: Path, entries: Iterable[Entry]) -> None:
        self.path = path
        self.entries = tuple(entries)
        """All files, sorted by name."""
        self._files = OpenFiles()

    @cached_property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that change when a file is added, removed, renamed or changed."""
        digest = blake2b(digest_size=16)
        for entry in self.entries:
            digest.update(f"{entry.name}\0{entry.num_bytes}\0{entry.mark}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def read(self, entry: Entry) -> bytes:
        """The content of a file; raises DataError, also where it is no longer what it was when it was listed."""
        where = self.where(entry)
        try:
            if entry.method == LOOSE:
                return Path(entry.file).read_bytes()
            if entry.method != PIECE:
                return zip_member(entry, partial(self._files.read, entry.file), where)
            content = self._files.read(entry.file, entry.offset, entry.num_bytes)
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror or error})", path=where) from error
        if len(content) != entry.num_bytes:
            raise DataError("is not all there: the archive was cut short since it was opened", path=where)
        return content

    def path_of(self, entry: Entry) -> Path | None:
        """The file itself where it is a real one, None where it lies in an archive."""
        return Path(entry.file) if entry.method == LOOSE else None

    def as_file(self, entry: Entry) -> Path:
        """A real file with the entry's content: itself, or a copy that is taken out of the archive once and kept in
        the user's cache folder. Raises DataError, OutputError."""
        if entry.method == LOOSE:
            return Path(entry.file)
        archive = os.stat(entry.file)
        key = key_of(os.path.realpath(entry.file), archive.st_size, archive.st_mtime_ns, entry.offset, entry.num_bytes)
        copy = cache_root() / "from-archives" / f"{key}{Path(entry.name).suffix}"
        if not copy.is_file() or copy.stat().st_size != entry.num_bytes:
            write_whole(copy, self.read(entry))
        return copy

    def where(self, entry: Entry) -> str:
        """The entry for people: its path, through the archive where it lies in one."""
        return os.path.join(self.path, *entry.name.split("/"))
