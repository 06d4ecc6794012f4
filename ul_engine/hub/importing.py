"""Copying a model folder, or a zip of one, among the person's own models: verified first, there whole or not at all."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ul_engine.errors import Cancelled, CheckpointError, OutputError
from ul_engine.hub.files import ModelFile, is_picture, model_files
from ul_engine.hub.place import (
    Origin,
    flush,
    folder_name_for,
    put_in_place,
    require_free,
    require_name,
    require_space,
    staging_folder,
    write_origin,
    written,
)
from ul_engine.hub.sources import Source, open_source
from ul_engine.hub.verify import header_problem
from ul_engine.hub.wording import reason_of, size_text
from ul_engine.model_folder import MANIFEST_NAME, MAX_MANIFEST_BYTES, Manifest, read_manifest, user_models_dir


@dataclass(frozen=True)
class Installed:
    """A model folder in its place; `is_new` is False where it was there already, `fetched_bytes` came over the net."""

    folder: Path
    manifest: Manifest
    origin: Origin
    is_new: bool = True
    fetched_bytes: int = 0


def import_model(
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    into: str | os.PathLike[str] | None = None,
    replace: bool = False,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Installed:
    """Copy the model at `path` (a folder or a zip) to ``into/name``; only files that belong to a model are copied.

    `name` None takes the folder's own, `into` None the person's models. Raises CheckpointError for a source that is
    no whole model, OutputError for a place that is taken or full, ConfigError for a bad name, and Cancelled.
    """
    place = Path(path).expanduser().absolute()
    own_name = place.name if place.is_dir() else place.stem
    target = Path(into or user_models_dir()) / (require_name(name) if name else folder_name_for(own_name))
    if target.exists() and place.exists() and target.samefile(place):
        raise OutputError("is there already: it is the folder to import", path=target)
    require_free(target, replace=replace)
    origin = Origin(source=place.name, when=now_text())
    with open_source(place) as source:
        return copy_in(source, target, origin, is_cancelled=is_cancelled)


def copy_in(
    source: Source, target: Path, origin: Origin, *, is_cancelled: Callable[[], bool] = lambda: False
) -> Installed:
    """Copy a source's model to `target`, verify what was copied, and put it in place; see `import_model`."""
    with staging_folder(target) as staging:
        manifest = _manifest(source, staging)
        files = _files(source, manifest)
        sizes = source.sizes()
        require_space(staging, sum(sizes[file.name] for file in files))
        for file in files:
            if file.name != MANIFEST_NAME:
                _copy(source, file, staging, is_cancelled)
        with written(target):
            write_origin(staging, origin)
        put_in_place(staging, target)
    return Installed(target, manifest, origin)


def now_text() -> str:
    """This second in UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _manifest(source: Source, staging: Path) -> Manifest:
    """Copy the manifest and read it; errors name the source."""
    size = source.sizes().get(MANIFEST_NAME)
    if size is None:
        raise CheckpointError(f"no {MANIFEST_NAME} in it; this is not a model folder", path=source.place)
    if size > MAX_MANIFEST_BYTES:
        raise CheckpointError(f"its {MANIFEST_NAME} is far larger than any model's", path=source.place)
    content = b"".join(source.chunks(MANIFEST_NAME))
    with written(staging):
        (staging / MANIFEST_NAME).write_bytes(content)
    try:
        return read_manifest(staging)
    except CheckpointError as error:
        raise CheckpointError(reason_of(error), path=source.place / MANIFEST_NAME) from error


def _files(source: Source, manifest: Manifest) -> tuple[ModelFile, ...]:
    sizes = source.sizes()
    try:
        files = model_files(manifest, sizes)
    except CheckpointError as error:
        raise CheckpointError(str(error), path=source.place) from None
    for file in files:
        if file.name not in sizes:
            raise CheckpointError(f"{file.name} is missing; fetch the model again", path=source.place)
        if sizes[file.name] > file.max_bytes:
            raise CheckpointError(
                f"{file.name} has {size_text(sizes[file.name])}, far more than it should", path=source.place
            )
    return files


def _copy(source: Source, file: ModelFile, staging: Path, is_cancelled: Callable[[], bool]) -> None:
    """Copy one file and judge the copy: weights by hash, header and count; a picture by how it begins."""
    copy = staging / file.name
    digest = hashlib.sha256()
    with written(copy), copy.open("wb") as stream:
        for chunk in source.chunks(file.name):
            if is_cancelled():
                raise Cancelled
            digest.update(chunk)
            stream.write(chunk)
    with written(copy):
        flush(copy)
    problem = None
    if file.network is not None and digest.hexdigest() != file.network.sha256:
        problem = "differs from the file this model was published with (SHA-256); fetch the model again"
    elif file.network is not None:
        problem = header_problem(copy, file.network)
    if problem:
        raise CheckpointError(f"{file.name} {problem}", path=source.place)
    if file.name.endswith((".png", ".webp")) and not is_picture(file.name, copy.read_bytes()[:16]):
        copy.unlink()
