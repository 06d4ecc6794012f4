"""How well a model of Scenes, of pictures or of clips, does what its prompts say, and how long one takes."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import torch
from torch import Tensor

from trainer.finishing.judge import Accuracy
from trainer.finishing.kept import Kept
from trainer.finishing.samplers import NAMES
from ul_engine.data.scenes.captions import caption
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.spec import SceneOptions, SceneSpec
from ul_engine.pipelines import ClipJob, Pipeline, generate_clips
from ul_engine.requests import GuidanceSettings, SamplerSettings, SamplingSettings

BATCH = 50
GUIDANCE_WEIGHTS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
WIDER_INTERVALS = ((0.0, 1.5), (3.0, 0.0), (3.0, 1.5), (3.0, 3.0))
"""By how much log-SNR the interval of guidance is widened at its noisy and its clean end."""
NUM_THREADS = 2
_OPTIONS = {1: SceneOptions(), 2: SceneOptions(num_objects_max=2, two_object_fraction=1.0)}


@dataclass(frozen=True)
class GuidanceChoice:
    """The guidance that did best, and the mean accuracy of each that was tried."""

    best: GuidanceSettings
    scores: dict[str, float]


class AnyJudge(Protocol):
    """A trained classifier of pictures or of clips. digest: of what it was trained with."""

    @property
    def digest(self) -> str: ...

    def accuracy(self, x: Tensor, specs: Sequence[SceneSpec], /) -> Accuracy:
        """How many of the samples `[N, 3, T, H, W]` in [-1, 1] show each word of `specs`."""


class Captions(Protocol):
    """A dataclass that says which scenes' full captions are the prompts; `title` in a few words."""

    @property
    def title(self) -> str: ...

    def specs(self) -> list[SceneSpec]: ...


@dataclass(frozen=True)
class PromptTest:
    """Captions of scenes that nobody has seen: `num_prompts` scenes of `num_objects` objects of the series `seed`."""

    num_objects: int
    num_prompts: int
    seed: int

    @property
    def title(self) -> str:
        """How many objects."""
        return f"{self.num_objects} objects"

    def specs(self) -> list[SceneSpec]:
        """The scenes whose full captions are the prompts."""
        options = _OPTIONS[self.num_objects]
        return [scene_spec(self.seed, index, options) for index in range(self.num_prompts)]


def prompt_accuracy(pipeline: Pipeline, judge: AnyJudge, settings: SamplingSettings, test: Captions) -> Accuracy:
    """Share of generated samples, one per prompt, that show the words they were asked for."""
    specs = test.specs()
    return judge.accuracy(generate_for([caption(spec) for spec in specs], pipeline, settings), specs)


def generate_for(
    prompts: Sequence[str], pipeline: Pipeline, settings: SamplingSettings, *, num_frames: int | None = None
) -> Tensor:
    """One picture or clip per prompt, `[N, 3, num_frames, H, W]` in [-1, 1]; sample i has seed i. None: the frames of
    the model; of more than that, each clip is continued with the prompt still given."""
    config = pipeline.config
    parts = []
    for start in range(0, len(prompts), BATCH):
        chunk = list(prompts[start : start + BATCH])
        job = ClipJob(
            seeds=range(start, start + len(chunk)),
            size=(config.image_px, config.image_px),
            sampling=settings,
            condition=pipeline.model.condition_from_prompts(chunk),
        )
        parts.append(generate_clips(pipeline, job, num_frames or config.num_frames).cpu())
    return torch.cat(parts)


@dataclass(frozen=True)
class PromptTrials:
    """Accuracies of one model under one judge, measured once."""

    pipeline: Pipeline
    judge: AnyJudge
    kept: Kept

    def accuracy(self, label: str, settings: SamplingSettings, test: Captions) -> Accuracy:
        """As `prompt_accuracy`; `label` says what is tried."""
        of = [settings.model_dump(mode="json"), self.judge.digest, asdict(test)]  # type: ignore[call-overload]
        found: Accuracy = self.kept.get(
            f"{label}, {test.title}",
            ("decoder", "base"),
            of,
            lambda: prompt_accuracy(self.pipeline, self.judge, settings, test),
        )
        return found

    def score(self, label: str, settings: SamplingSettings, tests: Sequence[Captions]) -> float:
        """Mean accuracy over all words of all tests, "all at once" included."""
        found = [self.accuracy(label, settings, test) for test in tests]
        return statistics.fmean(statistics.fmean(row.values()) for row in found)


def chosen_guidance(trials: PromptTrials, settings: SamplingSettings, tests: Sequence[Captions]) -> GuidanceChoice:
    """The guidance that does best: first the weight, in the interval of `settings`, then at that weight the interval.
    `tests` should be others than those that the card reports."""
    usual = settings.guidance
    tried: list[tuple[GuidanceSettings, float]] = []

    def best_of(candidates: Sequence[GuidanceSettings]) -> GuidanceSettings:
        for guidance in candidates:
            changed = settings.model_copy(update={"guidance": guidance})
            score = trials.score(guidance_words(guidance), changed, tests)
            tried.append((guidance, score))
        return max(tried, key=lambda pair: pair[1])[0]

    by_weight = best_of([usual.model_copy(update={"weight": weight}) for weight in GUIDANCE_WEIGHTS])
    best = best_of(
        [
            by_weight.model_copy(
                update={"logsnr_low": usual.logsnr_low - wider_low, "logsnr_high": usual.logsnr_high + wider_high}
            )
            for wider_low, wider_high in WIDER_INTERVALS
        ]
    )
    return GuidanceChoice(best, {guidance_words(guidance): score for guidance, score in tried})


@dataclass(frozen=True)
class BaseChoice:
    """The base model's sampler that did best at a number of steps, and the mean accuracy of each that was tried."""

    best: SamplerSettings
    scores: dict[str, float]


def chosen_base_sampler(trials: PromptTrials, settings: SamplingSettings, tests: Sequence[Captions]) -> BaseChoice:
    """The sampler that does best at the steps of `settings`."""
    tried = []
    for name in NAMES:
        sampler = settings.base.model_copy(update={"name": name})
        label = f"base {name.value} {sampler.num_steps}"
        tried.append((sampler, trials.score(label, settings.model_copy(update={"base": sampler}), tests)))
    best = max(tried, key=lambda pair: pair[1])[0]
    return BaseChoice(best, {sampler.name.value: score for sampler, score in tried})


def guidance_words(guidance: GuidanceSettings) -> str:
    """Weight and interval in a few words."""
    return f"guidance {guidance.weight:g} from log-SNR {guidance.logsnr_low:g} to {guidance.logsnr_high:g}"


def seconds_each(
    pipeline: Pipeline, presets: Mapping[str, SamplingSettings], prompt: str, *, num_timed: int
) -> dict[str, float]:
    """Median time of one picture or clip for each preset, on `NUM_THREADS` threads, after one that warms up."""
    before = torch.get_num_threads()
    torch.set_num_threads(NUM_THREADS)
    try:
        return {name: _seconds(pipeline, settings, prompt, num_timed) for name, settings in presets.items()}
    finally:
        torch.set_num_threads(before)


def _seconds(pipeline: Pipeline, settings: SamplingSettings, prompt: str, num_timed: int) -> float:
    times = []
    for _ in range(num_timed + 1):
        start = time.perf_counter()
        generate_for([prompt], pipeline, settings)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])
