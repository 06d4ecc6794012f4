"""The classifier of scenes: trained on renders, measured on held-out renders, then let loose on generated pictures."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trainer.data.order import batch_indices
from trainer.finishing.kept import kept_network
from ul_engine.data.pixels import pictures_from_array
from ul_engine.data.scenes.cache import SceneCache
from ul_engine.data.scenes.judged import NOT_ASKED, QUESTIONS, answers, verdict
from ul_engine.data.scenes.spec import SceneSpec
from ul_engine.devices import has_fast_bf16
from ul_engine.metrics.attributes import AttributeClassifier, attribute_loss

VERSION = 1
"""Counts changes of the network and of its training: another judge gives other figures."""
BATCH = 128
LEARNING_RATE = 2e-3
CHUNK = 250

Accuracy = dict[str, float]
"""Share of pictures that show the word, in [0, 1], by the names of `judged.verdict`, and `all` at once."""


@dataclass(frozen=True)
class Judge:
    """A trained classifier. digest: of the scenes and steps that it was trained with."""

    classifier: AttributeClassifier
    digest: str

    @torch.inference_mode()
    def accuracy(self, pictures: Tensor, specs: Sequence[SceneSpec]) -> Accuracy:
        """How many of `pictures` `[B, 3, 1, H, W]` show each word of the full captions of `specs`."""
        shown: defaultdict[str, list[bool]] = defaultdict(list)
        for start in range(0, len(pictures), CHUNK):
            logits = self.classifier(pictures[start : start + CHUNK, :, 0])
            seen = {name: values.argmax(-1).tolist() for name, values in logits.items()}
            for row, spec in enumerate(specs[start : start + CHUNK]):
                words = verdict(spec, {name: values[row] for name, values in seen.items()})
                for name, is_shown in (*words.items(), ("all", all(words.values()))):
                    shown[name].append(is_shown)
        return {name: sum(values) / len(values) for name, values in shown.items()}

    def accuracy_on(self, cache: SceneCache, *, num_objects: int) -> Accuracy:
        """Its own accuracy on the renders of a cache with so many objects: above it nothing can be measured."""
        specs = [cache.plan.spec(index) for index in range(len(cache.pictures))]
        places = [index for index, spec in enumerate(specs) if len(spec.objects) == num_objects]
        if not places:
            return {}
        pictures = pictures_from_array(np.asarray(cache.pictures[places]))
        return self.accuracy(pictures, [specs[index] for index in places])


def trained_judge(train: SceneCache, folder: Path, *, num_steps: int) -> Judge:
    """The classifier that `folder` keeps for these scenes and so many steps, or a new one trained on `train` and kept
    there."""
    torch.manual_seed(0)
    classifier = AttributeClassifier(QUESTIONS)
    identity = f"{VERSION} {train.plan.fingerprint()} {num_steps} {sorted(QUESTIONS.items())}"
    digest = blake2b(identity.encode(), digest_size=4).hexdigest()
    kept_network(classifier, folder / f"judge-{digest}.pt", lambda: _train(classifier, train, num_steps))
    return Judge(classifier.eval(), digest)


def _answers(cache: SceneCache) -> dict[str, Tensor]:
    """The right answers for all pictures `{name: [N]}` int64."""
    rows = [answers(cache.plan.spec(index)) for index in range(len(cache.pictures))]
    return {name: torch.tensor([row[name] for row in rows]) for name in QUESTIONS}


def _train(classifier: AttributeClassifier, train: SceneCache, num_steps: int) -> None:
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=LEARNING_RATE, weight_decay=1e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=num_steps)
    right = _answers(train)
    classifier.train()
    for step in range(num_steps):
        indices = batch_indices(0, step, batch_size=BATCH, num_samples=len(train.pictures))
        x = pictures_from_array(np.asarray(train.pictures[indices]))[:, :, 0]
        x = x + 0.05 * torch.randn_like(x)  # generated pictures are a little softer and noisier than renders
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_fast_bf16(x.device)):
            logits = {name: values.float() for name, values in classifier(x).items()}
        wanted = {name: values[torch.from_numpy(indices)] for name, values in right.items()}
        loss = attribute_loss(logits, wanted, not_asked=NOT_ASKED)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        if (step + 1) % 250 == 0:
            print(f"classifier step {step + 1}/{num_steps}  loss {float(loss.detach()):.4f}", flush=True)
