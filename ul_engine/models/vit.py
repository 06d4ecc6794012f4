"""The two diffusion transformers on the latent: Stage 1's single-level prior and Stage 2's two-level base model."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.config import ModelConfig
from ul_engine.errors import ConfigError
from ul_engine.models.conditioning import Condition, Conditioner
from ul_engine.models.frames import fold_frames, from_tokens, to_tokens, token_grid, unfold_frames
from ul_engine.models.sequence import TokenSequence
from ul_engine.nn.attention import Context
from ul_engine.nn.blocks import SharedModulation, TokenHead, TransformerBlock
from ul_engine.nn.embeddings import LogSNREmbedding
from ul_engine.nn.resample import downsample, upsample
from ul_engine.nn.rotary import Rotary, grid_rotary


class Prior(nn.Module):
    """Single-level ViT: scaled `z_t` [B, C, T, H, W] and log-SNR [B] to `v_hat` of the same shape. Unconditional."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.prior.width
        self.head_channels = config.prior.head_channels
        self.embed = nn.Linear(config.latent.channels, width)
        self.noise_level = LogSNREmbedding(width)
        self.modulation = SharedModulation(width, width)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, self.head_channels, dropout=config.prior.dropout)
            for _ in range(config.prior.num_blocks)
        )
        self.head = TokenHead(width, config.latent.channels, width)

    def forward(self, z_t: Tensor, logsnr: Tensor) -> Tensor:
        """Predict v, float32."""
        grid = token_grid(z_t)
        rotary = grid_rotary(grid, self.head_channels, device=z_t.device)
        embedding = self.noise_level(logsnr)
        modulation = self.modulation(embedding)
        tokens = self.embed(to_tokens(z_t))
        for block in self.blocks:
            tokens = block(tokens, modulation, rotary)
        return from_tokens(self.head(tokens, embedding), grid).to(torch.float32)


class BaseModel(nn.Module):
    """Two-level ViT: outer blocks on the latent's cells, inner blocks on 2x2 of them, then outer blocks again.

    The paper gives widths and block counts; the split of the outer blocks around the inner ones is ours, and so is the
    way to continue a clip: latents of the frames before stand in the sequence as tokens of their own, with a mark.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        base = config.base
        outer, inner = base.widths
        self.head_channels = base.head_channels
        self.native_logsnr = config.latent.logsnr_max
        self.noise_level = LogSNREmbedding(inner)
        self.conditioner = Conditioner(config.conditioning, inner)
        context = self.conditioner.context_width
        half = base.num_blocks[0] // 2
        self.embed = nn.Linear(config.latent.channels, outer)
        self.outer_modulation = SharedModulation(inner, outer)
        self.inner_modulation = SharedModulation(inner, inner)
        self.before = _blocks(half, outer, base.head_channels, base.dropout, context)
        self.down = downsample(outer, inner)
        self.inner = _blocks(base.num_blocks[1], inner, base.head_channels, base.dropout, context)
        self.up = upsample(inner, outer)
        self.after = _blocks(half, outer, base.head_channels, base.dropout, context)
        self.head = TokenHead(outer, config.latent.channels, inner)
        self.frame_mark = nn.Parameter(torch.randn(outer) * 0.02) if config.context_frames else None

    def forward(self, z_t: Tensor, logsnr: Tensor, condition: Condition | None = None) -> Tensor:
        """Scaled `z_t` [B, C, T, H, W], log-SNR [B] -> `v_hat`, float32. Odd sides are padded and cropped back."""
        height, width = z_t.shape[-2:]
        z_t = _with_even_sides(z_t)
        context, pooled = self.conditioner(condition)
        embedding = self.noise_level(logsnr)
        if pooled is not None:
            embedding = embedding + pooled.float()
        sequence = self._sequence(z_t, condition)
        level = _Level(
            self.outer_modulation(embedding), sequence.rotary(self.head_channels, 1.0), context, sequence.key_mask()
        )
        tokens = level.through(self.before, sequence.tokens)
        tokens = tokens + self._inner_level(tokens, sequence, embedding, context)
        tokens = level.through(self.after, tokens)
        v_hat = from_tokens(self.head(sequence.target(tokens), embedding), sequence.grid).to(torch.float32)
        return v_hat[..., :height, :width]

    def _sequence(self, z_t: Tensor, condition: Condition | None) -> "TokenSequence":
        """Tokens of `z_t`, after those of the frames it continues."""
        tokens, grid = self.embed(to_tokens(z_t)), token_grid(z_t)
        if condition is None or condition.frames is None:
            return TokenSequence(tokens, grid, 0, None)
        if self.frame_mark is None:
            raise ConfigError("this model continues no frames", field="video.context_frames")
        frames = _with_even_sides(condition.frames)
        before = self.embed(to_tokens(frames)) + self.frame_mark.to(tokens.dtype)
        return TokenSequence(torch.cat((before, tokens), dim=1), grid, frames.shape[2], condition.has_frames)

    def _inner_level(
        self, tokens: Tensor, sequence: "TokenSequence", embedding: Tensor, context: Context | None
    ) -> Tensor:
        """Half the resolution and back: [B, N, outer] -> [B, N, outer]."""
        frames, height, width = sequence.num_context + sequence.grid[0], *sequence.grid[1:]
        folded = fold_frames(from_tokens(tokens, (frames, height, width)))
        coarse = unfold_frames(self.down(folded), frames)
        inner = TokenSequence(
            to_tokens(coarse),
            (sequence.grid[0], height // 2, width // 2),
            sequence.num_context,
            sequence.has_context,
        )
        level = _Level(
            self.inner_modulation(embedding), inner.rotary(self.head_channels, 2.0), context, inner.key_mask()
        )
        h = from_tokens(level.through(self.inner, inner.tokens), token_grid(coarse))
        return to_tokens(unfold_frames(self.up(fold_frames(h)), frames))


@dataclass(frozen=True)
class _Level:
    """What all blocks of one level share."""

    modulation: Tensor
    rotary: Rotary
    context: Context | None
    key_mask: Tensor | None

    def through(self, blocks: nn.ModuleList, tokens: Tensor) -> Tensor:
        for block in blocks:
            tokens = block(tokens, self.modulation, self.rotary, self.context, self.key_mask)
        return tokens


def _with_even_sides(z: Tensor) -> Tensor:
    """Replicate the last row and column where there is an odd number of them."""
    height, width = z.shape[-2:]
    return F.pad(z, (0, width % 2, 0, height % 2, 0, 0), mode="replicate") if height % 2 or width % 2 else z


def _blocks(count: int, width: int, head_channels: int, dropout: float, context: int | None) -> nn.ModuleList:
    return nn.ModuleList(
        TransformerBlock(width, head_channels, dropout=dropout, context_width=context) for _ in range(count)
    )
