"""What stands in a model folder, read without torch: the manifest ``config.json`` and the list of models.

A model folder holds ``config.json``, one ``.safetensors`` per network and a ``README.md`` (the model card). Nothing in
it is ever executed.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ul_engine.config import ModelConfig
from ul_engine.errors import CheckpointError
from ul_engine.requests import PRESETS, FrozenModel, SamplingSettings

MANIFEST_NAME = "config.json"
CARD_NAME = "README.md"
FORMAT: Literal["unified-latents"] = "unified-latents"
FORMAT_VERSION = 1
MAX_MANIFEST_BYTES = 16 * 2**20

NetworkName = Literal["encoder", "prior", "decoder", "base"]
NETWORKS: tuple[NetworkName, ...] = ("encoder", "prior", "decoder", "base")


class PromptSlot(FrozenModel):
    """One choice of the prompt grammar, such as the colour."""

    name: str
    words: tuple[str, ...]


class PromptGrammar(FrozenModel):
    """What a text model understands: shown as suggestions in the prompt field."""

    templates: tuple[str, ...] = Field((), description="Sentences with {slot} place holders.")
    slots: tuple[PromptSlot, ...] = ()
    examples: tuple[str, ...] = ()


class NetworkFile(FrozenModel):
    """One weight file."""

    file: str = Field(pattern=r"^[A-Za-z0-9._-]+\.safetensors$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    num_parameters: int = Field(ge=0)


class Manifest(FrozenModel):
    """The content of ``config.json``."""

    format: Literal["unified-latents"] = FORMAT
    format_version: int = Field(FORMAT_VERSION, ge=1)
    model: ModelConfig
    latent_std: float = Field(1.0, gt=0.0, description="Standard deviation of z_clean, fixed at the end of Stage 1.")
    networks: dict[NetworkName, NetworkFile] = Field(default_factory=dict)
    class_names: tuple[str, ...] = ()
    prompt_grammar: PromptGrammar | None = None
    presets: dict[str, SamplingSettings] = Field(
        default_factory=dict, description="Calibrated presets; empty: the program's."
    )
    calibration: dict[str, float] = Field(
        default_factory=dict, description="Measured figures, for the card and charts."
    )
    description: str = Field("", description="One or two sentences for people who choose a model.")

    def sampling_presets(self) -> dict[str, SamplingSettings]:
        """The presets to offer: the model's calibrated ones, or the program's defaults."""
        return dict(self.presets) if self.presets else dict(PRESETS)

    @property
    def can_generate(self) -> bool:
        """Whether the folder has what generation needs."""
        return {"decoder", "base"} <= self.networks.keys()

    @property
    def can_reconstruct(self) -> bool:
        """Whether the folder has what reconstruction needs."""
        return {"encoder", "decoder"} <= self.networks.keys()


def user_models_dir() -> Path:
    """Folder of the person's own models; it need not exist."""
    from platformdirs import user_data_path

    return user_data_path("UL Studio", appauthor=False) / "models"


class ModelEntry(FrozenModel):
    """A model folder in a list; `problem` says why it cannot be used, None if it can."""

    path: str
    name: str
    manifest: Manifest | None = None
    problem: str | None = None


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """Read and check ``config.json``; raises CheckpointError that names the file and the reason."""
    path = Path(folder) / MANIFEST_NAME
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise CheckpointError("is far larger than any model's configuration; is this a model folder?", path=path)
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        reason = (
            f"no {MANIFEST_NAME} in it; this is not a model folder"
            if Path(folder).is_dir()
            else "there is no such folder"
        )
        raise CheckpointError(reason, path=folder) from None
    except OSError as error:
        raise CheckpointError(f"cannot be read ({error.strerror})", path=path) from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"is not valid JSON ({error})", path=path) from error
    return _validated(data, path)


def _validated(data: object, path: Path) -> Manifest:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise CheckpointError("belongs to another kind of model; a Unified Latents model was expected", path=path)
    version = data.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise CheckpointError(
            f"was written by a newer program (format {version}, known up to {FORMAT_VERSION}); update this one",
            path=path,
        )
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CheckpointError(f"has a bad value at {field or 'the top'}: {first['msg']}", path=path) from error


def list_models(roots: Iterable[str | os.PathLike[str]]) -> list[ModelEntry]:
    """Every model folder directly below `roots`, usable or not, sorted by name; missing roots are passed over."""
    entries = []
    for root in roots:
        if not Path(root).is_dir():
            continue
        for folder in sorted(Path(root).iterdir()):
            if not folder.name.startswith(".") and (folder / MANIFEST_NAME).is_file():
                entries.append(_entry(folder))
    return sorted(entries, key=lambda entry: entry.name.lower())


def _entry(folder: Path) -> ModelEntry:
    try:
        manifest = read_manifest(folder)
    except CheckpointError as error:
        return ModelEntry(path=str(folder), name=folder.name, problem=str(error))
    missing = [entry.file for entry in manifest.networks.values() if not (folder / entry.file).is_file()]
    if missing:
        return ModelEntry(path=str(folder), name=manifest.model.name, problem=f"{folder}: missing {', '.join(missing)}")
    return ModelEntry(path=str(folder), name=manifest.model.name, manifest=manifest)
