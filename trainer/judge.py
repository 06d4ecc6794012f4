"""The attribute classifier: trained on renders, measured on held-out renders, then let loose on generated pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trainer.data.order import batch_indices
from ul_engine.data.pixels import pictures_from_array
from ul_engine.data.scenes.cache import SceneCache
from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS
from ul_engine.metrics.attributes import AttributeClassifier, attribute_loss, correct

BATCH = 128
NUM_STEPS = 2500
LEARNING_RATE = 2e-3
CHUNK = 250


@dataclass(frozen=True)
class Judge:
    """A trained classifier and its own accuracy per attribute on held-out renders, in [0, 1]."""

    classifier: AttributeClassifier
    accuracy: dict[str, float]

    @torch.inference_mode()
    def correct(self, pictures: Tensor, labels: dict[str, Tensor]) -> dict[str, Tensor]:
        """Which of `pictures` `[B, 3, 1, H, W]` show what `labels` say, `{name: [B]}` bool."""
        parts = [
            correct(
                self.classifier(pictures[start : start + CHUNK, :, 0]),
                {name: values[start : start + CHUNK] for name, values in labels.items()},
            )
            for start in range(0, len(pictures), CHUNK)
        ]
        return {name: torch.cat([part[name] for part in parts]) for name in labels}


def trained_judge(train: SceneCache, valid: SceneCache, file: Path) -> Judge:
    """The classifier of `file`, or a new one trained on `train` and saved there; measured on `valid` either way."""
    torch.manual_seed(0)
    classifier = AttributeClassifier({name: len(words) for name, words in ATTRIBUTE_WORDS.items()})
    if file.exists():
        classifier.load_state_dict(torch.load(file, weights_only=True))
    else:
        _train(classifier, train)
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save(classifier.state_dict(), file)
    judge = Judge(classifier.eval(), {})
    everything = np.arange(len(valid.pictures))
    found = judge.correct(pictures_from_array(np.asarray(valid.pictures)), _labels(valid, everything))
    return Judge(judge.classifier, {name: values.double().mean().item() for name, values in found.items()})


def _labels(cache: SceneCache, indices: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(cache.label(name)[indices].astype(np.int64)) for name in ATTRIBUTE_WORDS}


def _train(classifier: AttributeClassifier, train: SceneCache) -> None:
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=LEARNING_RATE, weight_decay=1e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=NUM_STEPS)
    classifier.train()
    for step in range(NUM_STEPS):
        indices = batch_indices(0, step, batch_size=BATCH, num_samples=len(train.pictures))
        x = pictures_from_array(np.asarray(train.pictures[indices]))[:, :, 0]
        x = x + 0.05 * torch.randn_like(x)  # generated pictures are a little softer and noisier than renders
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = classifier(x)
        loss = attribute_loss({name: value.float() for name, value in logits.items()}, _labels(train, indices))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        if (step + 1) % 250 == 0:
            print(f"classifier step {step + 1}/{NUM_STEPS}  loss {float(loss.detach()):.4f}", flush=True)
