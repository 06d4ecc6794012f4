"""How well a model of Scenes does what its prompts say, and how long a picture takes."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.judge import Accuracy, Judge
from ul_engine.data.scenes.captions import caption
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.spec import SceneOptions, SceneSpec
from ul_engine.pipelines import Pipeline
from ul_engine.requests import GuidanceSettings, SamplingSettings

BATCH = 50
GUIDANCE_WEIGHTS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
WIDER_INTERVALS = ((0.0, 1.5), (3.0, 0.0), (3.0, 1.5))
"""By how much log-SNR the interval of guidance is widened at its noisy and its clean end."""
NUM_THREADS = 2
_OPTIONS = {1: SceneOptions(), 2: SceneOptions(num_objects_max=2, two_object_fraction=1.0)}


@dataclass(frozen=True)
class GuidanceChoice:
    """The guidance that did best, and the mean accuracy of each that was tried."""

    best: GuidanceSettings
    scores: dict[str, float]


@dataclass(frozen=True)
class PromptTest:
    """Captions of scenes that nobody has seen: `num_prompts` scenes of `num_objects` objects of the series `seed`."""

    num_objects: int
    num_prompts: int
    seed: int

    def specs(self) -> list[SceneSpec]:
        """The scenes whose full captions are the prompts."""
        options = _OPTIONS[self.num_objects]
        return [scene_spec(self.seed, index, options) for index in range(self.num_prompts)]


def prompt_accuracy(pipeline: Pipeline, judge: Judge, settings: SamplingSettings, test: PromptTest) -> Accuracy:
    """Share of generated pictures, one per prompt, that show the words they were asked for."""
    specs = test.specs()
    return judge.accuracy(generate_for([caption(spec) for spec in specs], pipeline, settings), specs)


def generate_for(prompts: Sequence[str], pipeline: Pipeline, settings: SamplingSettings) -> Tensor:
    """One picture per prompt, `[N, 3, 1, H, W]`; picture i has seed i."""
    config = pipeline.model.config
    cells = config.latent_shape(config.image_px, config.image_px)[1:]
    parts = []
    for start in range(0, len(prompts), BATCH):
        chunk = prompts[start : start + BATCH]
        seeds = range(start, start + len(chunk))
        condition = pipeline.model.condition_from_prompts(list(chunk))
        z_0 = pipeline.sample_latents(seeds, cells, condition, settings.base, settings.guidance)
        parts.append(pipeline.decode(z_0, seeds, settings.decoder))
    return torch.cat(parts)


def chosen_guidance(
    pipeline: Pipeline, judge: Judge, settings: SamplingSettings, tests: Sequence[PromptTest]
) -> GuidanceChoice:
    """The guidance with the best mean accuracy over all words of all tests: first the weight, in the interval of
    `settings`, then at that weight the interval. Tests should be others than those that the card reports.
    """
    usual = settings.guidance
    tried: list[tuple[GuidanceSettings, float]] = []

    def best_of(candidates: Sequence[GuidanceSettings]) -> GuidanceSettings:
        for guidance in candidates:
            changed = settings.model_copy(update={"guidance": guidance})
            found = [prompt_accuracy(pipeline, judge, changed, test) for test in tests]
            tried.append((guidance, statistics.fmean(statistics.fmean(row.values()) for row in found)))
            print(f"{guidance_words(guidance)}: mean accuracy {tried[-1][1]:.3f}", flush=True)
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


def guidance_words(guidance: GuidanceSettings) -> str:
    """Weight and interval in a few words."""
    return f"guidance {guidance.weight:g} from log-SNR {guidance.logsnr_low:g} to {guidance.logsnr_high:g}"


def seconds_per_picture(
    pipeline: Pipeline, presets: Mapping[str, SamplingSettings], prompt: str, *, num_pictures: int = 3
) -> dict[str, float]:
    """Median time of one picture by itself for each preset, on `NUM_THREADS` threads, after one that warms up."""
    before = torch.get_num_threads()
    torch.set_num_threads(NUM_THREADS)
    try:
        return {name: _seconds(pipeline, settings, prompt, num_pictures) for name, settings in presets.items()}
    finally:
        torch.set_num_threads(before)


def _seconds(pipeline: Pipeline, settings: SamplingSettings, prompt: str, num_pictures: int) -> float:
    times = []
    for _ in range(num_pictures + 1):
        start = time.perf_counter()
        generate_for([prompt], pipeline, settings)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])
