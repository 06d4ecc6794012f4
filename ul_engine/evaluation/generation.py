"""Samples made by the model itself, for distances to the data: sample i from seed + i, prompts in turn."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ul_engine.errors import ConfigError
from ul_engine.evaluation.settings import EvaluationSettings
from ul_engine.model_folder import Manifest
from ul_engine.models.conditioning import Condition
from ul_engine.pipelines import ClipJob, Pipeline, continue_clips, generate_clips


@dataclass(frozen=True)
class Generator:
    """Makes samples of the model, in any batches."""

    pipeline: Pipeline
    manifest: Manifest
    settings: EvaluationSettings

    @property
    def size(self) -> tuple[int, int]:
        """(height, width): the size asked for, or the one the model was trained at."""
        side = self.settings.size_px or self.pipeline.config.image_px
        return side, side

    def run(self, indices: Sequence[int], before: Tensor | None = None) -> Tensor:
        """Samples `indices` as `[B, 3, T, H, W]` in [-1, 1]. `before` [B, 3, context frames, H, W]: clips that go on
        from these frames, which stand at their beginning."""
        seeds = [self.settings.seed + index for index in indices]
        condition = self._condition(indices)
        config = self.pipeline.config
        if config.video is None:
            return self._pictures(seeds, condition)
        job = ClipJob(seeds, self.size, self.settings.sampling, condition)
        if before is None:
            return generate_clips(self.pipeline, job, config.num_frames)
        new = continue_clips(self.pipeline, job, before, config.num_frames - before.shape[2])
        return torch.cat((before.to(new.device), new), dim=2)

    def _pictures(self, seeds: Sequence[int], condition: Condition | None) -> Tensor:
        sampling, cells = self.settings.sampling, self.pipeline.config.latent_shape(*self.size)[1:]
        z_0 = self.pipeline.sample_latents(seeds, cells, condition, sampling.base, sampling.guidance)
        return self.pipeline.decode(z_0, seeds, sampling.decoder, crop_to=self.size)

    def _condition(self, indices: Sequence[int]) -> Condition | None:
        """Prompts in turn; without any, all classes in turn, and no condition for a model of texts."""
        kind, prompts = self.manifest.model.conditioning.kind, self.settings.prompts
        if kind == "class":
            labels = class_labels(self.manifest, prompts)
            chosen = torch.tensor([labels[index % len(labels)] for index in indices])
            return Condition(chosen.view(-1, 1)).to(self.pipeline.device)
        if kind == "text" and prompts:
            return self.pipeline.model.condition_from_prompts([prompts[index % len(prompts)] for index in indices])
        return None


def class_labels(manifest: Manifest, names: Sequence[str]) -> list[int]:
    """Classes by name or number; all of them where none is named. Raises ConfigError for one that is not there."""
    count = manifest.model.conditioning.num_classes
    if not names:
        return list(range(count))
    known = {name.lower(): label for label, name in enumerate(manifest.class_names)}
    known |= {str(label): label for label in range(count)}
    for name in names:
        if name.lower() not in known:
            raise ConfigError(f"{name!r} is no class of this model; it has 0 to {count - 1}", field="prompts")
    return [known[name.lower()] for name in names]


def check_generation(manifest: Manifest, settings: EvaluationSettings) -> None:
    """Raise ConfigError for prompts or a continuation that this model does not take."""
    kind = manifest.model.conditioning.kind
    if settings.prompts and kind == "none":
        raise ConfigError("this model takes neither text nor class", field="prompts")
    if kind == "class":
        class_labels(manifest, settings.prompts)
    if settings.continues and manifest.model.context_frames == 0:
        raise ConfigError("this model was trained without frames to continue from", field="continue")


def condition_in_words(manifest: Manifest, settings: EvaluationSettings) -> str:
    """What generated samples are told, for the report."""
    kind, count = manifest.model.conditioning.kind, len(settings.prompts)
    if kind == "class":
        return f"{count} classes in turn" if count else "all classes in turn"
    if kind == "text":
        return f"{count} prompts in turn" if count else "no prompt: the null condition"
    return "none: the model takes no condition"
