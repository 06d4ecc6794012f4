"""Initial weights from an earlier model: every tensor that fits, and a report of what was taken over."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor, nn

from trainer.run_dir import RunDir
from ul_engine.checkpoint import CLIP_PARTS, read_weights
from ul_engine.config import ModelConfig, VideoConfig
from ul_engine.errors import CheckpointError, ConfigError
from ul_engine.model_folder import MANIFEST_NAME, Manifest, NetworkName, read_manifest
from ul_engine.models.conditioning import SPECIAL_WORDS
from ul_engine.models.unified import UnifiedLatents
from ul_engine.requests import FrozenModel

WORD_TABLE = "conditioner.text.words.weight"
NUM_EXAMPLES = 3


SHARED_WITH_STAGE1 = (
    "image_px",
    "image_channels",
    "patch_px",
    "pixel_std",
    "video",
    "training",
    "latent",
    "encoder",
    "prior",
    "decoder",
    "decoder_loss",
)
"""Sections of the model's configuration that Stage 1 trained with and that later runs on its latents must keep."""


class OtherShape(FrozenModel):
    """A tensor of the same name and another shape."""

    name: str
    theirs: tuple[int, ...]
    ours: tuple[int, ...]


class TakenOver(FrozenModel):
    """What became of one network's tensors. `taken` and the three reasons for fresh values name each of ours once."""

    network: NetworkName
    folder: str
    taken: tuple[str, ...]
    missing: tuple[str, ...] = Field((), description="Fresh: the folder has none of that name.")
    other_shape: tuple[OtherShape, ...] = Field((), description="Fresh: the folder's has another shape.")
    unused: tuple[str, ...] = Field((), description="Of the folder, with no place here.")
    words_taken: int | None = Field(None, description="Words known to both vocabularies, where these differ.")
    words_fresh: int = Field(0, description="Words of ours that the folder's vocabulary lacks.")

    @property
    def num_tensors(self) -> int:
        """Tensors of our network."""
        return len(self.taken) + len(self.missing) + len(self.other_shape)

    @property
    def is_complete(self) -> bool:
        """Whether nothing stayed fresh."""
        return len(self.taken) == self.num_tensors and not self.words_fresh

    def summary(self) -> str:
        """The report as one paragraph."""
        parts = [f"{self.network}: {len(self.taken)} of {self.num_tensors} tensors taken over"]
        new_parts = [name for name in self.missing if not _is_for_clips(name)]
        if len(new_parts) < len(self.missing):
            count = len(self.missing) - len(new_parts)
            parts.append(f"fresh, of the parts that only models of clips have: {count}")
        if new_parts:
            parts.append(f"fresh: {_listed(new_parts)}")
        if self.other_shape:
            parts.append(f"fresh, of another shape there: {_listed([_described(each) for each in self.other_shape])}")
        if self.words_taken is not None:
            parts.append(f"words known to both: {self.words_taken}, fresh words: {self.words_fresh}")
        if self.unused:
            parts.append(f"left unused: {_listed(list(self.unused))}")
        return "; ".join(parts)


def model_folder_of(folder: str | Path) -> Path:
    """The model folder itself, or the one that a run folder holds; raises CheckpointError for a run without one."""
    run = RunDir(Path(folder))
    if (run.model / MANIFEST_NAME).is_file():
        return run.model
    if run.status.is_file() or run.checkpoints.is_dir():
        raise CheckpointError("is a run that has exported no model yet; let it go on, or name another", path=folder)
    return Path(folder)


def take_over_model(model: UnifiedLatents, folder: str | Path, names: Sequence[NetworkName]) -> tuple[TakenOver, ...]:
    """Copy whatever fits into the networks `names` of `model`, and the latent's standard deviation; one report each.

    A network that the folder lacks stays fresh. Raises CheckpointError if the folder or a file is broken, or if nothing
    fits at all.
    """
    place = model_folder_of(folder)
    manifest = read_manifest(place)
    reports = tuple(_taken_over(getattr(model, name), place, manifest, name, model.config) for name in names)
    if not any(report.taken for report in reports):
        raise CheckpointError(f"nothing of it fits: {'; '.join(report.summary() for report in reports)}", path=folder)
    model.latent_std.fill_(manifest.latent_std)
    return reports


def take_over(
    module: nn.Module, folder: str | Path, name: NetworkName, *, config: ModelConfig | None = None
) -> TakenOver:
    """Copy every tensor of one network of a model or run folder that fits `module` by name and shape.

    With `config`, the configuration that `module` was made for, the rows of a word table go by their words, whatever
    their number and order; without it a table of another length stays fresh, as a table of classes always does. Values
    come in float32, on the module's device. Raises CheckpointError if the folder or the file is broken, lacks the
    network, or if nothing fits.
    """
    place = model_folder_of(folder)
    manifest = read_manifest(place)
    if name not in manifest.networks:
        raise CheckpointError(f"has no {name}", path=folder)
    report = _taken_over(module, place, manifest, name, config)
    if not report.taken:
        raise CheckpointError(f"nothing of it fits: {report.summary()}", path=folder)
    return report


def _taken_over(
    module: nn.Module, place: Path, manifest: Manifest, name: NetworkName, config: ModelConfig | None
) -> TakenOver:
    ours: Mapping[str, Tensor] = module.state_dict()
    theirs = _finite_weights(place, manifest, name)
    table = _sort_words(ours, theirs, _word_rows(manifest.model, config))
    taken = tuple(key for key in ours if key in theirs and theirs[key].shape == ours[key].shape)
    with torch.no_grad():
        for key in taken:
            ours[key].copy_(theirs[key])
    return TakenOver(
        network=name,
        folder=str(place),
        taken=taken,
        missing=tuple(key for key in ours if key not in theirs),
        other_shape=tuple(
            OtherShape(name=key, theirs=tuple(theirs[key].shape), ours=tuple(ours[key].shape))
            for key in ours
            if key in theirs and theirs[key].shape != ours[key].shape
        ),
        unused=tuple(sorted(theirs.keys() - ours.keys())),
        words_taken=len(table) - len(SPECIAL_WORDS) if table is not None else None,
        words_fresh=len(ours[WORD_TABLE]) - len(table) if table is not None else 0,
    )


def _sort_words(
    ours: Mapping[str, Tensor], theirs: dict[str, Tensor], rows: dict[int, int] | None
) -> dict[int, int] | None:
    """Bring their word table into our order, with our fresh rows for words they lack; returns `rows` if that was done,
    None where there is nothing to sort."""
    tables = ours.get(WORD_TABLE), theirs.get(WORD_TABLE)
    if rows is None or tables[0] is None or tables[1] is None or tables[0].shape[1] != tables[1].shape[1]:
        return None
    merged = tables[0].float().cpu().clone()
    merged[list(rows.values())] = tables[1].float()[list(rows.keys())]
    theirs[WORD_TABLE] = merged
    return rows


def _finite_weights(place: Path, manifest: Manifest, name: NetworkName) -> dict[str, Tensor]:
    """Of a network that the folder lacks: none."""
    if name not in manifest.networks:
        return {}
    path = place / manifest.networks[name].file
    weights = read_weights(path)
    for key, value in weights.items():
        if not torch.isfinite(value).all():
            raise CheckpointError(f"holds values that are not finite in {key}", path=path)
    return weights


def _word_rows(theirs: ModelConfig, ours: ModelConfig | None) -> dict[int, int] | None:
    """Row here by row there of the words that both vocabularies know; None where the vocabularies are the same, or
    nothing is known of ours."""
    if ours is None or ours.conditioning.text is None or theirs.conditioning.text is None:
        return None
    if ours.conditioning.text.vocabulary == theirs.conditioning.text.vocabulary:
        return None
    here = {word: row for row, word in enumerate((*SPECIAL_WORDS, *ours.conditioning.text.vocabulary))}
    there = (*SPECIAL_WORDS, *theirs.conditioning.text.vocabulary)
    return {row: here[word] for row, word in enumerate(there) if word in here}


def _is_for_clips(key: str) -> bool:
    return any(part.startswith(CLIP_PARTS) for part in key.split("."))


def _described(each: OtherShape) -> str:
    theirs, ours = ("x".join(map(str, shape)) or "a number" for shape in (each.theirs, each.ours))
    is_table = each.name in (WORD_TABLE, "conditioner.classes.weight") and each.theirs[1:] == each.ours[1:]
    reason = ", other words or classes" if is_table else ""
    return f"{each.name} ({theirs} there, {ours} here{reason})"


def _listed(names: list[str]) -> str:
    """The first few, and how many more."""
    shown, rest = names[:NUM_EXAMPLES], len(names) - NUM_EXAMPLES
    return f"{', '.join(shown)}{f' and {rest} more' if rest > 0 else ''}"


def require_same_latent(ours: ModelConfig, theirs: ModelConfig) -> None:
    """Encoder, prior, decoder and latent must be those that Stage 1 trained; raises ConfigError that names the
    section."""
    for section in SHARED_WITH_STAGE1:
        here, there = (_without_context(getattr(model, section)) for model in (ours, theirs))
        if here != there:
            raise ConfigError(
                f"is {json.dumps(_plain(here))} here, but the Stage 1 model has {json.dumps(_plain(there))}; what "
                "Stage 1 trained must be kept",
                field=f"model.{section}",
            )


def _without_context(section: object) -> object:
    """A clip model's section without the frames to continue from, which are the base model's own matter."""
    return section.model_copy(update={"context_frames": 0}) if isinstance(section, VideoConfig) else section


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
