"""The models on this machine, bundled and the person's own: what they are, finding one by name, removing one."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ul_engine.assets import assets_dir
from ul_engine.errors import CheckpointError, OutputError
from ul_engine.hub.place import Origin, read_origin, written
from ul_engine.model_folder import MANIFEST_NAME, Manifest, ModelEntry, list_models, user_models_dir
from ul_engine.requests import FrozenModel


class NetworkFacts(FrozenModel):
    """One network of a model; `size_bytes` is None where its file is missing."""

    network: str
    file: str
    num_parameters: int
    size_bytes: int | None
    sha256: str


class ModelFacts(FrozenModel):
    """What a list shows of a model; all but name, path and problem say nothing where there is a problem."""

    name: str
    folder: str
    path: str
    is_bundled: bool
    problem: str | None = None
    image_px: int = 0
    conditioning: str = ""
    can_generate: bool = False
    can_reconstruct: bool = False
    num_parameters: int = 0
    size_bytes: int = 0
    networks: tuple[NetworkFacts, ...] = ()
    origin: Origin | None = None


def bundled_models_dir() -> Path:
    """Folder of the models that come with the program."""
    return assets_dir() / "models"


def list_facts() -> tuple[ModelFacts, ...]:
    """Every bundled model and every one of the person's own, usable or not, by name."""
    entries = list_models([bundled_models_dir(), user_models_dir()])
    return tuple(facts_of(entry) for entry in entries)


def facts_of(entry: ModelEntry) -> ModelFacts:
    """What a list shows of one entry."""
    path = Path(entry.path)
    known = {
        "name": entry.name,
        "folder": path.name,
        "path": entry.path,
        "is_bundled": is_bundled(path),
        "problem": entry.problem,
        "origin": read_origin(path),
    }
    return ModelFacts(**known, **(_of_manifest(path, entry.manifest) if entry.manifest is not None else {}))


def _of_manifest(path: Path, manifest: Manifest) -> dict[str, object]:
    networks = tuple(
        NetworkFacts(
            network=name,
            file=network.file,
            num_parameters=network.num_parameters,
            size_bytes=_size(path / network.file),
            sha256=network.sha256,
        )
        for name, network in manifest.networks.items()
    )
    return {
        "image_px": manifest.model.image_px,
        "conditioning": manifest.model.conditioning.kind,
        "can_generate": manifest.can_generate,
        "can_reconstruct": manifest.can_reconstruct,
        "num_parameters": sum(network.num_parameters for network in networks),
        "size_bytes": sum(network.size_bytes or 0 for network in networks),
        "networks": networks,
    }


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def is_bundled(folder: Path) -> bool:
    """Whether a folder lies among the models that come with the program."""
    return folder.resolve().parent == bundled_models_dir().resolve()


def find_model(text: str | os.PathLike[str], *, roots: Sequence[Path] | None = None) -> Path:
    """The folder of a model: a path, the name of a folder among the person's models or the bundled ones, or a name
    that people see. `roots` None are these two places, the person's first. Raises CheckpointError that lists what there
    is.
    """
    path = Path(text)
    if path.is_dir():
        return path
    places = list(roots) if roots is not None else [user_models_dir(), bundled_models_dir()]
    name = os.fspath(text)
    if _is_plain(name):
        for place in places:
            if (place / name).is_dir():
                return place / name
    entries = list_models(places)
    found = [Path(entry.path) for entry in entries if entry.name.lower() == name.lower()]
    if len(found) > 1:
        raise CheckpointError(f"more than one model is named so: {', '.join(map(str, found))}", path=text)
    if not found:
        known = ", ".join(Path(entry.path).name for entry in entries) or "none"
        raise CheckpointError(f"is no folder, and no model is named so; there are: {known}", path=text)
    return found[0]


def removable(name: str) -> Path:
    """The folder of one of the person's own models; raises CheckpointError for any other."""
    own = user_models_dir()
    folder = own / name if _is_plain(name) and (own / name).is_dir() else find_model(name)
    if folder.absolute().parent.resolve() != own.resolve():
        kind = "comes with the program" if is_bundled(folder) else f"does not lie among your models ({own})"
        raise CheckpointError(f"{kind}; it is not removed from here", path=folder)
    if not (folder / MANIFEST_NAME).is_file():
        raise CheckpointError(f"has no {MANIFEST_NAME}; it is no model and is not removed from here", path=folder)
    return folder


def remove_model(name: str) -> Path:
    """Remove one of the person's own models, for good; returns where it was. A link is removed, never what it shows.

    Raises CheckpointError for a model that is not theirs, OutputError where the system refuses.
    """
    folder = removable(name)
    with written(folder):
        if folder.is_symlink():
            folder.unlink()
            return folder
        gone = folder.rename(folder.with_name(f".{folder.name}-{os.getpid()}-removed"))
    try:
        shutil.rmtree(gone)
    except OSError as error:
        raise OutputError(f"could not be removed completely ({error.strerror})", path=gone) from error
    return folder


def _is_plain(name: str) -> bool:
    """Whether a text is the name of one folder, with no way out of its place and nothing hidden."""
    return name == Path(name).name and not name.startswith(".") and name != ""
