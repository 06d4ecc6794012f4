"""What the base model is told of each training sample."""

from dataclasses import replace

import torch
from torch import Tensor

from trainer.noise import StepNoise
from ul_engine.config import ModelConfig
from ul_engine.models.conditioning import Condition, Conditioner, WordTokenizer, drop_condition


class Conditions:
    """Turns captions and labels into conditions of one model."""

    def __init__(self, config: ModelConfig, device: torch.device) -> None:
        self._config = config.conditioning
        self._device = device
        self.tokenizer = WordTokenizer(config.conditioning.text) if config.conditioning.text is not None else None

    def of(self, captions: list[str], labels: Tensor) -> Condition | None:
        """The condition of a batch; None for an unconditional model. `labels` [B] int64."""
        if self._config.kind == "none":
            return None
        if self._config.kind == "class":
            return Condition(labels[:, None].to(self._device))
        assert self.tokenizer is not None
        return Condition(self.tokenizer.encode_batch(captions).to(self._device))

    def dropped(self, condition: Condition | None, conditioner: Conditioner, draw: StepNoise) -> Condition | None:
        """`condition` with the null condition in place of a share of its rows, so that guidance has its contrast."""
        if condition is None:
            return None
        null = conditioner.null(*condition.indices.shape)
        assert null is not None
        is_dropped = draw.uniform() < self._config.drop_rate
        return drop_condition(condition, null.to(self._device), is_dropped.to(self._device))

    def with_frames(
        self, condition: Condition | None, frames: Tensor, draw: StepNoise, *, drop_rate: float
    ) -> Condition:
        """`condition` with `frames` [B, C, Tc, h, w] to continue from, which a share of the samples does not see."""
        has_frames = (draw.uniform() >= drop_rate).to(self._device)
        nothing = torch.zeros(len(frames), 0, dtype=torch.int64, device=self._device)
        return replace(condition or Condition(nothing), frames=frames, has_frames=has_frames)
