"""The classifier of clips: which motion they show, and of what; trained on rendered clips of one object."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.data.order import batch_indices
from trainer.data.samples import IntArray
from trainer.finishing.judge import Accuracy
from trainer.finishing.kept import kept_network
from ul_engine.data.pixels import clips_from_frames
from ul_engine.data.scenes.cache import SceneCache
from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS, MOTIONS
from ul_engine.data.scenes.judged import NOT_ASKED
from ul_engine.data.scenes.labels import attribute_labels
from ul_engine.data.scenes.spec import SceneSpec
from ul_engine.devices import has_fast_bf16
from ul_engine.errors import ConfigError, ShapeError
from ul_engine.metrics.attributes import attribute_loss

QUESTIONS = {"motion": len(MOTIONS), **{name: len(words) for name, words in ATTRIBUTE_WORDS.items()}}
"""Everything that is asked of a clip, with the number of answers."""
VERSION = 2
"""Counts changes of the network and of its training: another judge gives other figures."""
WIDTHS = (32, 64, 128)
BATCH = 64
LEARNING_RATE = 2e-3
CHUNK = 250


class ClipClassifier(nn.Module):
    """Clips `[B, 3, T, H, W]` float32 in [-1, 1], of 3 frames or more, to logits per question, `{name: [B, answers]}`.

    Every other frame is seen with the one before and the one after it as nine channels: what moves shows as a
    difference at its place. Moments then look at their neighbours, and their mean and maximum answer.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 9
        for width in WIDTHS:
            layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.GELU()]
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.GELU()]
            channels = width
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten())
        self.neck = nn.Linear(channels * 16, 256)
        self.time = nn.Conv1d(256, 256, 3, padding=1)
        self.heads = nn.ModuleDict({name: nn.Linear(512, count) for name, count in QUESTIONS.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Logits per question; raises ShapeError for clips of fewer than 3 frames."""
        if x.shape[2] < 3:
            raise ShapeError(f"a motion shows in 3 frames or more, not in {x.shape[2]}")
        frames = x.transpose(1, 2)  # [B, T, 3, H, W]
        moments = torch.cat((frames[:, :-2:2], frames[:, 1:-1:2], frames[:, 2::2]), dim=2)  # [B, M, 9, H, W]
        features = F.gelu(self.neck(self.body(moments.flatten(0, 1))))  # [B M, 256]
        features = features.unflatten(0, moments.shape[:2]).transpose(1, 2)  # [B, 256, M]
        features = features + F.gelu(self.time(features))
        pooled = torch.cat((features.mean(2), features.amax(2)), dim=1)
        return {name: head(pooled) for name, head in self.heads.items()}


@dataclass(frozen=True)
class MotionJudge:
    """A trained classifier. digest: of the clips and steps that it was trained with."""

    classifier: ClipClassifier
    digest: str

    @torch.inference_mode()
    def seen(self, clips: Tensor) -> dict[str, Tensor]:
        """The answers to each question that clips `[B, 3, T, H, W]` in [-1, 1] show, as numbers: `{name: [B]}`."""
        parts = [_logits(self.classifier, chunk) for chunk in clips.split(CHUNK)]
        return {name: torch.cat([part[name].argmax(-1) for part in parts]) for name in QUESTIONS}

    def accuracy(self, clips: Tensor, specs: Sequence[SceneSpec]) -> Accuracy:
        """Share of `clips` `[B, 3, T, H, W]` that show each word of `specs`, and `all` of them at once."""
        right = [{"motion": MOTIONS.index(spec.motion.name), **attribute_labels(spec)} for spec in specs]
        return _shares(self.seen(clips), {name: torch.tensor([row[name] for row in right]) for name in QUESTIONS})

    def accuracy_on(self, cache: SceneCache) -> Accuracy:
        """Its own accuracy on the renders of a cache of clips: above it nothing can be measured."""
        clips = clips_from_frames(torch.from_numpy(np.array(cache.pictures)))
        return _shares(self.seen(clips), _answers(cache))


def trained_motion_judge(
    train: SceneCache, folder: Path, *, num_steps: int, longer: SceneCache | None = None
) -> MotionJudge:
    """The classifier that `folder` keeps for these clips and so many steps, or a new one trained on `train` and kept
    there. It also sees as many stretches of the clips of `longer`, from anywhere in them: what it is to judge may have
    begun long ago. Raises ConfigError for pictures, and where there may be two objects: nothing would say which is
    meant."""
    caches = (train, longer) if longer is not None else (train,)
    if any(cache.plan.clip is None or cache.plan.options.num_objects_max > 1 for cache in caches):
        raise ConfigError("motions are judged on clips of one object", field="scenes.num_objects_max")
    torch.manual_seed(0)
    classifier = ClipClassifier()
    plans = " ".join(cache.plan.fingerprint() for cache in caches)
    identity = f"{VERSION} {plans} {num_steps} {sorted(QUESTIONS.items())}"
    digest = blake2b(identity.encode(), digest_size=4).hexdigest()
    kept_network(classifier, folder / f"motion-judge-{digest}.pt", lambda: _train(classifier, caches, num_steps))
    return MotionJudge(classifier.eval(), digest)


def _train(classifier: ClipClassifier, caches: Sequence[SceneCache], num_steps: int) -> None:
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=LEARNING_RATE, weight_decay=1e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=num_steps)
    rights = [_answers(cache) for cache in caches]
    num_frames = min(cache.pictures.shape[1] for cache in caches)
    classifier.train()
    for step in range(num_steps):
        parts, wanted = [], []
        for number, cache in enumerate(caches):
            size = min(BATCH // len(caches), len(cache.pictures))
            indices = batch_indices(number, step, batch_size=size, num_samples=len(cache.pictures))
            parts.append(_clips(cache, indices, _beginnings(cache, num_frames, step, size), num_frames))
            wanted.append({name: values[torch.from_numpy(indices)] for name, values in rights[number].items()})
        x = torch.cat(parts)
        x = x + 0.05 * torch.randn_like(x)  # generated clips are a little softer and noisier than renders
        right = {name: torch.cat([part[name] for part in wanted]) for name in QUESTIONS}
        loss = attribute_loss(_logits(classifier, x), right, not_asked=NOT_ASKED)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        if (step + 1) % 250 == 0:
            print(f"classifier of clips step {step + 1}/{num_steps}  loss {float(loss.detach()):.4f}", flush=True)


def _beginnings(cache: SceneCache, num_frames: int, step: int, count: int) -> IntArray:
    """First frames of `count` stretches, drawn for this step."""
    return np.random.default_rng(step).integers(0, cache.pictures.shape[1] - num_frames + 1, count)


def _logits(classifier: ClipClassifier, x: Tensor) -> dict[str, Tensor]:
    """float32, computed in bf16 where that is quick."""
    with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=has_fast_bf16(x.device)):
        return {name: values.float() for name, values in classifier(x).items()}


def _clips(cache: SceneCache, indices: IntArray, beginnings: IntArray, num_frames: int) -> Tensor:
    """The stretches of `num_frames` frames that begin there, `[B, 3, num_frames, H, W]` in [-1, 1]."""
    frames = [
        cache.pictures[index, start : start + num_frames] for index, start in zip(indices, beginnings, strict=True)
    ]
    return clips_from_frames(torch.from_numpy(np.stack(frames)))


def _answers(cache: SceneCache) -> dict[str, Tensor]:
    """The right answers for all clips `{name: [N]}` int64."""
    return {name: torch.from_numpy(cache.label(name).astype(np.int64)) for name in QUESTIONS}


def _shares(seen: dict[str, Tensor], right: dict[str, Tensor]) -> Accuracy:
    hits = {name: seen[name] == right[name] for name in QUESTIONS}
    hits["all"] = torch.stack(list(hits.values())).all(0)
    return {name: float(values.float().mean()) for name, values in hits.items()}
