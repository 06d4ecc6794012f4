"""Where results go and how they get there: dated folders, a counter, nothing ever overwritten. No torch."""

import errno
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

from ul_engine.errors import OutputError
from ul_engine.metadata import embed, encode_png, text_chunks
from ul_engine.requests import GenerateRequest

OUTPUTS_VARIABLE = "UL_STUDIO_OUTPUTS"
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


def outputs_root() -> Path:
    """Folder of all results: $UL_STUDIO_OUTPUTS, else ``outputs`` of a checkout, else the user's data folder."""
    named = os.environ.get(OUTPUTS_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / "outputs"
    from platformdirs import user_data_path

    return user_data_path("UL Studio", appauthor=False) / "outputs"


def save_picture(
    pixels: Any,
    request: GenerateRequest,
    index: int,
    root: str | os.PathLike[str],
    *,
    shape: tuple[int, ...] | None = None,
    model_name: str = "",
) -> Path:
    """Write picture `index` of `request` with its settings inside; return its path, ``root/YYYY-MM-DD/NNNNN-seed.png``.

    `pixels` are uint8 RGB: an array ``[H, W, 3]`` or ``[1, H, W, 3]``, or packed bytes with their `shape`. Raises
    OutputError when the file cannot be written; a file is there whole or not at all.
    """
    height_px, width_px = _size(pixels.shape if shape is None else shape)
    packed = pixels if isinstance(pixels, (bytes, bytearray, memoryview)) else pixels.tobytes()
    texts = text_chunks(embed(request, index, model_name=model_name), width_px=width_px, height_px=height_px)
    data = encode_png(memoryview(packed), width_px=width_px, height_px=height_px, texts=texts)
    folder = Path(root) / date.today().isoformat()
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _check_space(folder, len(data))
        return _write_counted(folder, f"{request.seed_of(index)}.png", data)


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to a place that the user chose, replacing what is there only once all of it is on the disk.

    Raises OutputError.
    """
    target = Path(path)
    with explained(target):
        _check_space(target.parent, len(data))
        temporary = _write_temporary(target.parent, data)
        try:
            temporary.replace(target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns an OSError inside into an OutputError about `path` in plain words."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or f"cannot be written ({error.strerror or error})"
        raise OutputError(reason, path=path) from error


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) == 4 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError(f"one RGB picture [H, W, 3] was expected, not {list(shape)}")
    return shape[0], shape[1]


def _check_space(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + SPARE_BYTES:
        raise OutputError(
            f"only {free_bytes / 1e6:.0f} MB are free on this disk; "
            "free some space or choose another folder for results",
            path=folder,
        )


def _write_counted(folder: Path, suffix: str, data: bytes) -> Path:
    temporary = _write_temporary(folder, data)
    try:
        number = _last_number(folder)
        for _ in range(_MAX_TRIES):
            number += 1
            target = folder / f"{number:05d}-{suffix}"
            if _publish(temporary, target):
                return target
    finally:
        temporary.unlink(missing_ok=True)
    raise OutputError("every name tried is taken; choose another folder for results", path=folder)


def _last_number(folder: Path) -> int:
    with os.scandir(folder) as entries:
        matches = [match for entry in entries if (match := _COUNTED.match(entry.name))]
    return max((int(match.group(1)) for match in matches), default=0)


def _write_temporary(folder: Path, data: bytes) -> Path:
    path = folder / f".{os.getpid()}-{os.urandom(6).hex()}.tmp"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    return path


def _publish(temporary: Path, target: Path) -> bool:
    """Give a complete file its name; False if the name is taken."""
    try:
        if sys.platform == "win32":
            temporary.rename(target)  # fails there if the target exists
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
