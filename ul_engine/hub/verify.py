"""Whether a model folder is whole: hashes, safetensors headers and parameter counts, without torch."""

import hashlib
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from ul_engine.errors import Cancelled, CheckpointError
from ul_engine.hub.files import ORIGIN_NAME, model_files, weight_files
from ul_engine.model_folder import Manifest, NetworkFile, read_manifest

CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class Verification:
    """What was found: `problems` make a model unusable, `foreign` files are only never read."""

    folder: Path
    manifest: Manifest
    problems: tuple[str, ...]
    foreign: tuple[str, ...]

    @property
    def is_intact(self) -> bool:
        """Whether every weight file is as published."""
        return not self.problems


def verify_model(folder: str | os.PathLike[str], *, is_cancelled: Callable[[], bool] = lambda: False) -> Verification:
    """Read every weight file of a model folder and compare it with the manifest.

    Raises CheckpointError for a manifest that cannot be read, and Cancelled.
    """
    manifest = read_manifest(folder)
    try:
        files = weight_files(manifest)
    except CheckpointError as error:
        raise CheckpointError(str(error), path=folder) from None
    problems = []
    for file in files:
        if file.network is not None:
            problem = _problem(Path(folder) / file.name, file.network, is_cancelled)
            problems += [f"{file.name}: {problem}"] if problem else []
    return Verification(Path(folder), manifest, tuple(problems), foreign_files(folder, manifest))


def require_intact(folder: str | os.PathLike[str], *, is_cancelled: Callable[[], bool] = lambda: False) -> Manifest:
    """The manifest of a folder whose weights are all as published; raises CheckpointError for the first that is not."""
    found = verify_model(folder, is_cancelled=is_cancelled)
    if found.problems:
        raise CheckpointError(found.problems[0], path=folder)
    return found.manifest


def foreign_files(folder: str | os.PathLike[str], manifest: Manifest) -> tuple[str, ...]:
    """Names in a model folder that belong to no model: never read, never published. Folders end in a slash."""
    names = {path.name: path.is_dir() for path in Path(folder).iterdir()}
    known = {file.name for file in model_files(manifest, names)} | {ORIGIN_NAME}
    return tuple(sorted(f"{name}/" if is_folder else name for name, is_folder in names.items() if name not in known))


def _problem(path: Path, network: NetworkFile, is_cancelled: Callable[[], bool]) -> str | None:
    try:
        if sha256_of(path, is_cancelled=is_cancelled) != network.sha256:
            return "differs from the file this model was published with (SHA-256); fetch the model again"
    except FileNotFoundError:
        return "is missing; fetch the model again"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return header_problem(path, network)


def header_problem(path: Path, network: NetworkFile) -> str | None:
    """Why a file of the right hash is no weight file of this network, None if it is one. Tensors are not read."""
    try:
        with safe_open(path, framework="numpy") as weights:
            count = sum(math.prod(weights.get_slice(key).get_shape()) for key in weights.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        return f"is no safetensors file ({error}); whoever published it has to do so again"
    if count != network.num_parameters:
        return (
            f"holds {count:,} parameters where {network.num_parameters:,} were promised; "
            "whoever published it has to do so again"
        )
    return None


def sha256_of(path: Path, *, is_cancelled: Callable[[], bool] = lambda: False) -> str:
    """SHA-256 of a file, in hex; raises OSError, and Cancelled between two chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            if is_cancelled():
                raise Cancelled
            digest.update(chunk)
    return digest.hexdigest()
