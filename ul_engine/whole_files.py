"""Files and folders that are there whole or not at all, and never in another's place. No torch."""

import errno
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ul_engine.errors import OutputError

SPARE_BYTES = 32 * 2**20
"""Left free on the disk: a full disk hurts other programs too."""

_COUNTED = re.compile(r"^(\d{5,})-")
_MAX_TRIES = 1000
_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder for results",
    errno.EDQUOT: "your share of the disk is used up; free some space or choose another folder for results",
    errno.EROFS: "the disk can only be read; choose another folder for results",
    errno.EACCES: "you are not allowed to write there; choose another folder for results",
    errno.EPERM: "you are not allowed to write there; choose another folder for results",
    errno.ENOENT: "the folder is gone; was a disk taken out? Choose another folder for results",
    errno.ENODEV: "the disk is gone; was it taken out? Choose another folder for results",
    errno.EIO: "the disk reports an error; it may be failing. Choose another folder for results",
}


@contextmanager
def explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns an OSError inside into an OutputError about `path` in plain words."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or f"cannot be written ({error.strerror or error})"
        raise OutputError(reason, path=path) from error


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to a place that the user chose, replacing what is there only once all of it is on the disk.

    Raises OutputError.
    """
    target = Path(path)
    with explained(target):
        check_space(target.parent, len(data))
        with written_temporary(target.parent, data) as temporary:
            temporary.replace(target)


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raises OutputError if `needed_bytes` would leave less than `SPARE_BYTES` free; OSError if there is no folder."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + SPARE_BYTES:
        raise OutputError(
            f"only {free_bytes / 1e6:.0f} MB are free on this disk; "
            "free some space or choose another folder for results",
            path=folder,
        )


@contextmanager
def temporary_file(folder: Path) -> Iterator[Path]:
    """A new empty file with a hidden name; removed in the end unless it got another name."""
    path = _hidden_name(folder)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """A new empty folder with a hidden name; removed in the end with all it holds unless it got another name."""
    path = _hidden_name(folder)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def written_temporary(folder: Path, data: bytes) -> Iterator[Path]:
    """As `temporary_file`, with `data` in it, on the disk."""
    with temporary_file(folder) as path:
        with path.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        yield path


def sync(path: Path) -> None:
    """Wait until a file (or all files of a folder) is on the disk."""
    for file in path.iterdir() if path.is_dir() else (path,):
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())


def publish_counted(temporary: Path, folder: Path, name: str) -> Path:
    """Give a complete file or folder the next free name ``folder/NNNNN-name``; raises OutputError, OSError."""
    number = _last_number(folder)
    for _ in range(_MAX_TRIES):
        number += 1
        target = folder / f"{number:05d}-{name}"
        if _publish(temporary, target):
            return target
    raise OutputError("every name tried is taken; choose another folder for results", path=folder)


def _hidden_name(folder: Path) -> Path:
    return folder / f".{os.getpid()}-{os.urandom(6).hex()}.tmp"


def _last_number(folder: Path) -> int:
    with os.scandir(folder) as entries:
        matches = [match for entry in entries if (match := _COUNTED.match(entry.name))]
    return max((int(match.group(1)) for match in matches), default=0)


def _publish(temporary: Path, target: Path) -> bool:
    """Give a complete file or folder its name; False if the name is taken."""
    try:
        if sys.platform == "win32":
            temporary.rename(target)  # fails there if the target exists
        elif temporary.is_dir():
            target.mkdir()  # reserves the name; an empty folder gives way to another
            temporary.rename(target)
        else:
            os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
            raise
        return _publish_without_links(temporary, target)
    return True


def _publish_without_links(temporary: Path, target: Path) -> bool:
    """For disks without hard links (FAT): reserve the name, then put the file there."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        return False
    temporary.replace(target)
    return True
