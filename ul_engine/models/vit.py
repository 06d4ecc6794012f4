"""The two diffusion transformers on the latent: Stage 1's single-level prior and Stage 2's two-level base model."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.config import ModelConfig
from ul_engine.models.conditioning import Condition, Conditioner
from ul_engine.models.frames import fold_frames, from_tokens, to_tokens, token_grid, unfold_frames
from ul_engine.nn.blocks import SharedModulation, TokenHead, TransformerBlock
from ul_engine.nn.embeddings import LogSNREmbedding
from ul_engine.nn.resample import downsample, upsample
from ul_engine.nn.rotary import grid_rotary


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

    The paper gives widths and block counts; the split of the outer blocks around the inner ones is ours.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        base = config.base
        outer, inner = base.widths
        self.head_channels = base.head_channels
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

    def forward(self, z_t: Tensor, logsnr: Tensor, condition: Condition | None = None) -> Tensor:
        """Scaled `z_t` [B, C, T, H, W], log-SNR [B] -> `v_hat`, float32. Odd sides are padded and cropped back."""
        height, width = z_t.shape[-2:]
        z_t = F.pad(z_t, (0, width % 2, 0, height % 2, 0, 0), mode="replicate") if height % 2 or width % 2 else z_t
        grid = token_grid(z_t)
        context, pooled = self.conditioner(condition)
        embedding = self.noise_level(logsnr)
        if pooled is not None:
            embedding = embedding + pooled.float()
        rotary = grid_rotary(grid, self.head_channels, device=z_t.device)
        modulation = self.outer_modulation(embedding)
        tokens = self.embed(to_tokens(z_t))
        for block in self.before:
            tokens = block(tokens, modulation, rotary, context)
        tokens = tokens + self._inner_level(tokens, grid, embedding, context)
        for block in self.after:
            tokens = block(tokens, modulation, rotary, context)
        v_hat = from_tokens(self.head(tokens, embedding), grid).to(torch.float32)
        return v_hat[..., :height, :width]

    def _inner_level(self, tokens: Tensor, grid: tuple[int, int, int], embedding: Tensor, context: object) -> Tensor:
        """Half the resolution and back: [B, N, outer] -> [B, N, outer]."""
        frames = grid[0]
        coarse = unfold_frames(self.down(fold_frames(from_tokens(tokens, grid))), frames)
        coarse_grid = token_grid(coarse)
        rotary = grid_rotary(coarse_grid, self.head_channels, stride=2.0, device=tokens.device)
        modulation = self.inner_modulation(embedding)
        h = to_tokens(coarse)
        for block in self.inner:
            h = block(h, modulation, rotary, context)
        return to_tokens(unfold_frames(self.up(fold_frames(from_tokens(h, coarse_grid))), frames))


def _blocks(count: int, width: int, head_channels: int, dropout: float, context: int | None) -> nn.ModuleList:
    return nn.ModuleList(
        TransformerBlock(width, head_channels, dropout=dropout, context_width=context) for _ in range(count)
    )
