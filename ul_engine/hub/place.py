"""Putting a model folder in its place: names, room on the disk, whole or not at all, and where it came from."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import Field, ValidationError

from ul_engine.errors import ConfigError, OutputError
from ul_engine.hub.files import ORIGIN_NAME, is_device_name
from ul_engine.hub.wording import size_text
from ul_engine.model_folder import MANIFEST_NAME
from ul_engine.requests import FrozenModel

SPARE_BYTES = 64 * 2**20
"""Left free on the disk: a full disk hurts other programs too."""

_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_. -]{0,78}[A-Za-z0-9_]$|^[A-Za-z0-9_]$")


class Origin(FrozenModel):
    """Where a model folder came from; stands in its ``origin.json``."""

    repo: str = Field("", description="Repository on the Hub; empty for an imported folder.")
    revision: str = Field("", description="Branch, tag or commit that was asked for.")
    commit: str = Field("", description="Commit that was fetched; pins the content.")
    endpoint: str = Field("", description="Server it was fetched from.")
    source: str = Field("", description="Name of the imported folder or archive, without its path.")
    when: str = Field("", description="UTC, ISO 8601.")


def read_origin(folder: str | os.PathLike[str]) -> Origin | None:
    """Where a folder came from; None if it says nothing, or nothing that can be read."""
    try:
        return Origin.model_validate_json((Path(folder) / ORIGIN_NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def write_origin(folder: Path, origin: Origin) -> None:
    """Write ``origin.json``; raises OSError."""
    (folder / ORIGIN_NAME).write_text(json.dumps(origin.model_dump(), indent=1), encoding="utf-8")


def folder_name_for(text: str) -> str:
    """The nearest name that every system takes as a folder's: letters, digits, ``_ . -``."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-. ")[:80].rstrip("-. ") or "model"
    return f"{name}-model" if is_device_name(name) else name


def require_name(name: str) -> str:
    """`name`, if every system takes it as a folder's name; raises ConfigError."""
    if not _NAME.match(name) or is_device_name(name):
        raise ConfigError(
            f"{name!r} cannot be a folder's name everywhere; use up to 80 letters, digits, '-', '_' and '.' (not at "
            "the ends)",
            field="name",
        )
    return name


def require_free(target: Path, *, replace: bool) -> None:
    """Raise OutputError if something stands at `target` that must not be replaced: nothing but a model ever is."""
    if not os.path.lexists(target):
        return
    if not replace:
        raise OutputError("is there already; choose another name (--name), or replace it (--replace)", path=target)
    if not target.is_dir() or target.is_symlink():
        raise OutputError("is no folder and will not be replaced; choose another name (--name)", path=target)
    if not (target / MANIFEST_NAME).is_file() and any(target.iterdir()):
        raise OutputError("is no model folder and will not be replaced; choose another name (--name)", path=target)


def require_space(folder: Path, needed_bytes: int) -> None:
    """Raise OutputError if the disk of `folder` lacks room for `needed_bytes` more."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + SPARE_BYTES:
        raise OutputError(
            f"needs {size_text(needed_bytes)} and {size_text(SPARE_BYTES)} to spare, but the disk has only "
            f"{size_text(free)} free; free some space or choose another folder",
            path=folder,
        )


@contextmanager
def written(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Turns what the system says against writing below `folder` into an OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", path=folder) from error


@contextmanager
def staging_folder(target: Path) -> Iterator[Path]:
    """A new hidden folder beside `target`, removed at the end unless it was put in place; raises OutputError."""
    with written(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def put_in_place(staging: Path, target: Path) -> None:
    """Rename a complete folder to `target` on the same disk; an older one there is removed last. Raises OutputError."""
    retired = target.with_name(f".{target.name}-{os.getpid()}-old")
    with written(target):
        staging.chmod(0o755)
        if target.exists():
            target.rename(retired)
        try:
            staging.rename(target)
        except OSError:
            with suppress(OSError):
                retired.rename(target)
            raise
    shutil.rmtree(retired, ignore_errors=True)


def flush(path: Path) -> None:
    """Bring a written file to the disk, so that a rename after it never shows an empty one; raises OSError."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
