"""The diffusion decoder: a U-ViT in pixel space that sees the noisy picture and z_0."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.config import ModelConfig
from ul_engine.models.frames import fold_frames, from_tokens, to_tokens, token_grid, unfold_frames
from ul_engine.nn.blocks import ResBlock, SharedModulation, TransformerBlock, zero_init
from ul_engine.nn.embeddings import LogSNREmbedding
from ul_engine.nn.norm import ChannelNorm
from ul_engine.nn.resample import Patchify, Unpatchify, downsample, upsample
from ul_engine.nn.rotary import grid_rotary


class DecoderLevel(nn.Module):
    """One convolution stage: blocks, what lies below, blocks again; one residual joins both sides.

    z_0 enters by a projection at its own resolution that is up-sampled to the stage's: a path in space is what keeps
    the latent in use early in training.
    """

    def __init__(
        self, channels: int, below: int, num_blocks: int, *, latent_channels: int, embedding_width: int
    ) -> None:
        super().__init__()
        self.project_z = nn.Conv2d(latent_channels, channels, 1)
        self.before = nn.ModuleList(ResBlock(channels, embedding_width=embedding_width) for _ in range(num_blocks))
        self.down = downsample(channels, below)
        self.up = upsample(below, channels)
        self.after = nn.ModuleList(ResBlock(channels, embedding_width=embedding_width) for _ in range(num_blocks))

    def descend(self, h: Tensor, z: Tensor, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """`h` [N, C, H, W], `z` [N, Cz, h, w] -> (what the way up adds to, what the level below gets)."""
        h = h + F.interpolate(self.project_z(z), size=h.shape[-2:], mode="bilinear", align_corners=False)
        for block in self.before:
            h = block(h, embedding)
        return h, self.down(h)

    def ascend(self, skip: Tensor, below: Tensor, embedding: Tensor) -> Tensor:
        """Join and refine."""
        h: Tensor = skip + self.up(below)
        for block in self.after:
            h = block(h, embedding)
        return h


class Decoder(nn.Module):
    """U-ViT: scaled `x_t` [B, 3, T, H, W], log-SNR [B], scaled `z_0` [B, Cz, T, h, w] -> `v_hat` like `x_t`.

    Sizes follow Unified Latents, section 4. How z_0 enters is ours: the paper is silent.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        decoder = config.decoder
        width = decoder.width
        self.head_channels = decoder.head_channels
        self.noise_level = LogSNREmbedding(width)
        self.patchify = Patchify(config.image_channels, decoder.channels[0], config.patch_px)
        below = (*decoder.channels[1:], width)
        self.levels = nn.ModuleList(
            DecoderLevel(
                channels,
                channels_below,
                decoder.blocks_per_stage,
                latent_channels=config.latent.channels,
                embedding_width=width,
            )
            for channels, channels_below in zip(decoder.channels, below, strict=True)
        )
        self.project_z = nn.Linear(config.latent.channels, width)
        self.modulation = SharedModulation(width, width)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, self.head_channels, dropout=decoder.dropout) for _ in range(decoder.num_blocks)
        )
        self.norm = ChannelNorm(decoder.channels[0], has_affine=True)
        self.unpatchify = Unpatchify(decoder.channels[0], config.image_channels, config.patch_px)
        zero_init(self.unpatchify.project)

    def forward(self, x_t: Tensor, logsnr: Tensor, z_0: Tensor) -> Tensor:
        """Predict v, float32."""
        num_frames = x_t.shape[2]
        embedding = self.noise_level(logsnr)
        per_frame = embedding.repeat_interleave(num_frames, dim=0)  # [B * T, E]
        z = fold_frames(z_0)
        h = self.patchify(fold_frames(x_t))
        skips = []
        for level in self.levels:
            assert isinstance(level, DecoderLevel)
            skip, h = level.descend(h, z, per_frame)
            skips.append(skip)
        h = self._middle(h, z_0, embedding)
        for level, skip in zip(reversed(self.levels), reversed(skips), strict=True):
            assert isinstance(level, DecoderLevel)
            h = level.ascend(skip, h, per_frame)
        v_hat = self.unpatchify(F.gelu(self.norm(h)))
        return unfold_frames(v_hat, num_frames).to(torch.float32)

    def _middle(self, h: Tensor, z_0: Tensor, embedding: Tensor) -> Tensor:
        """Transformer over all cells of the clip at the latent's resolution: [B * T, D, h, w] -> the same."""
        clip = unfold_frames(h, z_0.shape[2])
        grid = token_grid(clip)
        rotary = grid_rotary(grid, self.head_channels, device=h.device)
        modulation = self.modulation(embedding)
        tokens = to_tokens(clip) + self.project_z(to_tokens(z_0))
        for block in self.blocks:
            tokens = block(tokens, modulation, rotary)
        return fold_frames(from_tokens(tokens, grid))
