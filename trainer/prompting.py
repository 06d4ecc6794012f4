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
NUM_THREADS = 2
_OPTIONS = {1: SceneOptions(), 2: SceneOptions(num_objects_max=2, two_object_fraction=1.0)}


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


def best_guidance(
    pipeline: Pipeline, judge: Judge, settings: SamplingSettings, tests: Sequence[PromptTest]
) -> tuple[GuidanceSettings, dict[str, float]]:
    """The guidance with the best mean accuracy over all words of all tests, and that mean for each weight tried.

    The interval stays as `settings` has it. Tests should be others than those that the card reports.
    """
    scores = {}
    for weight in GUIDANCE_WEIGHTS:
        tried = settings.model_copy(update={"guidance": settings.guidance.model_copy(update={"weight": weight})})
        found = [prompt_accuracy(pipeline, judge, tried, test) for test in tests]
        scores[weight] = statistics.fmean(statistics.fmean(row.values()) for row in found)
        print(f"guidance {weight:g}: mean accuracy {scores[weight]:.3f}", flush=True)
    best = max(scores, key=lambda weight: scores[weight])
    chosen = settings.guidance.model_copy(update={"weight": best})
    return chosen, {f"{weight:g}": score for weight, score in scores.items()}


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
