"""What of the metrics asked for can be computed here, for this model and these data; and in which batches. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ul_engine.config import ModelConfig
from ul_engine.errors import ConfigError
from ul_engine.evaluation.catalogue import METRICS, Choice, Distance, Metric
from ul_engine.evaluation.inventory import Sample
from ul_engine.evaluation.settings import EvaluationSettings
from ul_engine.metrics.feature_networks import FeatureNetworkEntry
from ul_engine.model_folder import Manifest

RestorerName = Literal["prior", "base"]
FOR_CLIPS = "it is for clips, and this is a model of pictures"
MIN_CLIP_FRAMES = {"i3d": 9, "small-clip": 2}


@dataclass(frozen=True)
class Circumstances:
    """All that decides whether a metric can be computed. `lpips_problem` None: LPIPS has its weights. `samples` None:
    not looked at yet, and no reason."""

    manifest: Manifest
    settings: EvaluationSettings
    networks: Mapping[str, FeatureNetworkEntry]
    lpips_problem: str | None
    samples: Sequence[Sample] | None = None


@dataclass(frozen=True)
class Plan:
    """What is computed, and why the rest is not. `rest` maps metrics to reasons; `missing_restorers` likewise where
    both bounds were wanted and one is not there."""

    names: tuple[str, ...]
    rest: Mapping[str, str]
    restorers: tuple[RestorerName, ...] = ()
    missing_restorers: Mapping[str, str] = field(default_factory=dict)

    @property
    def distances(self) -> dict[str, Distance]:
        """The distances among them."""
        found = {name: METRICS[name].distance for name in self.names}
        return {name: distance for name, distance in found.items() if distance is not None}

    @property
    def per_sample(self) -> tuple[Metric, ...]:
        """Metrics that are one number per sample."""
        return tuple(METRICS[name] for name in self.names if METRICS[name].key)

    def has(self, *names: str) -> bool:
        """Whether one of these is computed."""
        return any(name in self.names for name in names)


def make_plan(choice: Choice, case: Circumstances) -> Plan:
    """Raises ConfigError for a metric that was named itself and cannot be computed; a group's only get their reason."""
    reasons = {name: _problem(METRICS[name], case) for name in choice.names}
    for name, reason in reasons.items():
        if reason is not None and name in choice.explicit:
            raise ConfigError(f"{name} ({METRICS[name].title}) cannot be computed: {reason}", field="metrics")
    names = tuple(name for name, reason in reasons.items() if reason is None)
    rest = {name: reason for name, reason in reasons.items() if reason is not None}
    problems = {name: _restorer_problem(case.manifest, name) for name in _wanted_restorers(case)}
    needs_bits = bool({"bits", "codecs"} & set(names))
    return Plan(
        names,
        rest,
        tuple(name for name, problem in problems.items() if problem is None) if needs_bits else (),
        {name: problem for name, problem in problems.items() if problem is not None} if needs_bits else {},
    )


def _wanted_restorers(case: Circumstances) -> tuple[RestorerName, ...]:
    asked = case.settings.restorer
    return ("prior", "base") if asked == "both" else (asked,)


def _restorer_problem(manifest: Manifest, name: RestorerName) -> str | None:
    model = manifest.model
    if name == "base":
        return None if "base" in manifest.networks else "the model has no base model"
    if model.training != "two-stage":
        return "the model was trained in one stage and has no prior beside its base model"
    is_there = "prior" in manifest.networks or model.prior.kind == "normal"
    return None if is_there else "the model has no prior"


def _problem(metric: Metric, case: Circumstances) -> str | None:
    """Why it cannot be computed; None if it can."""
    if metric.distance is not None:
        return _distance_problem(metric.distance, case)
    if not _can_measure(metric, case.manifest):
        return "the model has no encoder" if metric.name == "bits" else "the model cannot reconstruct"
    largest = max((min(sample.height, sample.width) for sample in case.samples or ()), default=metric.min_px)
    if largest < metric.min_px:
        return f"it needs at least {metric.min_px} pixels a side; the data have {largest} at most"
    if metric.name in ("bits", "codecs") and all(_restorer_problem(case.manifest, n) for n in _wanted_restorers(case)):
        return "; ".join(str(_restorer_problem(case.manifest, name)) for name in _wanted_restorers(case))
    if metric.name == "lpips":
        return case.lpips_problem
    if metric.name == "mean-psnr" and case.settings.num_decodes < 2:
        return "it needs two decodes or more (--decodes)"
    is_video = case.manifest.model.video is not None
    if metric.group == "clips" and not is_video:
        return FOR_CLIPS
    if metric.name == "codecs" and is_video:
        return "codecs here are for pictures, and this is a model of clips"
    return None


def _can_measure(metric: Metric, manifest: Manifest) -> bool:
    return "encoder" in manifest.networks if metric.name == "bits" else manifest.can_reconstruct


def _distance_problem(distance: Distance, case: Circumstances) -> str | None:
    model = case.manifest.model
    if distance.is_for_clips != (model.video is not None):
        return FOR_CLIPS if distance.is_for_clips else "it is for pictures, and this is a model of clips"
    if distance.side == "reconstructed" and not case.manifest.can_reconstruct:
        return "the model cannot reconstruct"
    if distance.side == "generated" and not case.manifest.can_generate:
        return "the model has no base model and cannot generate"
    entry = case.networks[distance.network]
    if entry.found is None:
        return entry.advice
    if model.num_frames < MIN_CLIP_FRAMES.get(distance.network, 1):
        return f"it needs clips of {MIN_CLIP_FRAMES[distance.network]} frames; the model's have {model.num_frames}"
    return None if case.samples is None else too_few(distance, len(case.samples))


def too_few(distance: Distance, num_samples: int) -> str | None:
    """What is wrong with so few samples on one side; None if nothing is."""
    least = 4 if distance.is_kernel else 2
    return None if num_samples >= least else f"it needs at least {least} samples on both sides, here are {num_samples}"


def in_batches(samples: Sequence[Sample], settings: EvaluationSettings, config: ModelConfig) -> list[list[Sample]]:
    """Samples of one size together, `batch_size` of the training size at most, of larger ones fewer, at least one.

    A function of all samples, so that an interrupted run meets the same batches again; in the order of their first
    samples.
    """
    by_shape: dict[tuple[int, int, int], list[Sample]] = {}
    for sample in samples:
        by_shape.setdefault(sample.shape, []).append(sample)
    batches = []
    for alike in by_shape.values():
        count = batch_size_of(alike[0].num_pixels, settings, config)
        batches += [alike[first : first + count] for first in range(0, len(alike), count)]
    return sorted(batches, key=lambda batch: batch[0].index)


def batch_size_of(num_pixels: int, settings: EvaluationSettings, config: ModelConfig) -> int:
    """How many samples of so many pixels (frames x height x width) go together."""
    budget = settings.batch_size * config.image_px**2 * config.num_frames
    return max(1, min(settings.batch_size, budget // num_pixels))
