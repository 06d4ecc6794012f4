"""What is found out about a finished model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from trainer.finishing.judge import Accuracy
from trainer.finishing.prompting import BaseChoice, GuidanceChoice
from trainer.finishing.samplers import DecoderTrial
from ul_engine.requests import SamplingSettings


@dataclass(frozen=True)
class Choice:
    """The presets, and what they were chosen by. bases: by the preset's name."""

    presets: dict[str, SamplingSettings]
    guidance: GuidanceChoice
    bases: Mapping[str, BaseChoice]
    decoders: tuple[DecoderTrial, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "presets": {name: preset.model_dump(mode="json") for name, preset in self.presets.items()},
            "guidance": {"best": self.guidance.best.model_dump(mode="json"), "scores": self.guidance.scores},
            "bases": {
                name: {"best": base.best.model_dump(mode="json"), "scores": base.scores}
                for name, base in self.bases.items()
            },
            "decoders": [asdict(trial) | {"name": trial.name.value} for trial in self.decoders],
        }


@dataclass(frozen=True)
class Report:
    """Everything measured on a finished model. Accuracies by the number of objects in the prompt."""

    gap: dict[str, float]
    """Reconstructions from the right and from another picture's latent."""
    metrics: dict[str, Any]
    """As `ul-engine evaluate` reports them."""
    accuracy: dict[int, Accuracy]
    judge: dict[int, Accuracy]
    """Of the classifier itself, on held-out renders."""
    choice: Choice
    seconds: dict[str, float]
    """Of one picture, by preset."""
    machine: str
    """Where that was timed."""

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**vars(self), "choice": self.choice.plain()}


@dataclass(frozen=True)
class Drift:
    """Accuracies of clips as generated, then after each continuation from `num_before` frames: of those that were
    `made`, and in the same stretches `of_renders` of the same scenes, which is what the classifier can see at most."""

    num_before: int
    made: list[Accuracy]
    of_renders: list[Accuracy]


@dataclass(frozen=True)
class MotionReport:
    """Everything measured on a finished model of clips. Accuracies by the motion in the prompt."""

    gap: dict[str, float]
    """Reconstructions from the right and from another clip's latent."""
    metrics: dict[str, Any]
    """As `ul-engine evaluate` reports them."""
    accuracy: dict[str, Accuracy]
    drift: Drift
    """Continued from frames as context, which is how the program continues clips."""
    drift_by_keeping: Drift
    """Continued from kept latent frames, the other way."""
    num_drifting: int
    """How many clips that were."""
    judge: Accuracy
    """Of the classifier itself, on held-out renders."""
    choice: Choice
    seconds: dict[str, float]
    """Of one clip, by preset."""
    machine: str
    """Where that was timed."""

    def mean_accuracy(self) -> Accuracy:
        """Over all motions, each as often."""
        names = next(iter(self.accuracy.values()))
        return {name: fmean(row[name] for row in self.accuracy.values()) for name in names}

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        drifts = {name: asdict(getattr(self, name)) for name in ("drift", "drift_by_keeping")}
        return {**vars(self), **drifts, "choice": self.choice.plain()}
