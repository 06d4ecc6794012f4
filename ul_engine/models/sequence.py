"""The base model's tokens: those of the noisy latent, after those of the frames it continues."""

import math
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from ul_engine.nn.rotary import Rotary, grid_rotary, joined


@dataclass(frozen=True)
class TokenSequence:
    """Tokens [B, N, D] of a `(T, H, W)` grid, preceded by those of `num_context` frames of the same size.

    Context and target count time from the same first frame: the target repeats what it continues.
    """

    tokens: Tensor
    grid: tuple[int, int, int]
    num_context: int
    has_context: Tensor | None

    def rotary(self, head_channels: int, stride: float) -> Rotary:
        """Positions of all tokens."""
        device = self.tokens.device
        target = grid_rotary(self.grid, head_channels, stride=stride, device=device)
        if not self.num_context:
            return target
        context = grid_rotary((self.num_context, *self.grid[1:]), head_channels, stride=stride, device=device)
        return joined(context, target)

    def key_mask(self) -> Tensor | None:
        """[B, N], False at the context of samples that must not see it; None where every token may be seen."""
        if not self.num_context or self.has_context is None:
            return None
        num_target = math.prod(self.grid)
        num_before = self.tokens.shape[1] - num_target
        return F.pad(self.has_context[:, None].expand(-1, num_before), (0, num_target), value=True)

    def target(self, tokens: Tensor) -> Tensor:
        """`tokens` without those of the context."""
        return tokens[:, -math.prod(self.grid) :] if self.num_context else tokens
