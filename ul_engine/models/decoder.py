"""The diffusion decoder: a U-ViT in pixel space that sees the noisy picture and z_0."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.config import ModelConfig
from ul_engine.errors import ShapeError
from ul_engine.models.frames import fold_frames, from_tokens, halves_time, to_tokens, token_grid, unfold_frames
from ul_engine.nn.blocks import ResBlock, SharedModulation, TransformerBlock, zero_init
from ul_engine.nn.embeddings import LogSNREmbedding
from ul_engine.nn.norm import ChannelNorm
from ul_engine.nn.resample import Patchify, Unpatchify, downsample, pointwise, upsample
from ul_engine.nn.rotary import grid_rotary
from ul_engine.nn.temporal import DoubleFrames, HalveFrames, repeat_frames, run_stage, temporal_convs


class DecoderLevel(nn.Module):
    """One convolution stage: blocks, what lies below, blocks again; one residual joins both sides.

    z_0 enters by a projection at its own resolution that is up-sampled to the stage's: a path in space is what keeps
    the latent in use early in training.
    """

    def __init__(self, config: ModelConfig, index: int) -> None:
        super().__init__()
        decoder, is_video = config.decoder, config.video is not None
        channels, num_blocks, width = decoder.channels[index], decoder.blocks_per_stage, decoder.width
        below = (*decoder.channels[1:], width)[index]
        self.project_z = nn.Conv2d(config.latent.channels, channels, 1)
        self.before = nn.ModuleList(ResBlock(channels, embedding_width=width) for _ in range(num_blocks))
        self.down = downsample(channels, below)
        self.up = upsample(below, channels)
        self.after = nn.ModuleList(ResBlock(channels, embedding_width=width) for _ in range(num_blocks))
        self.temporal_before = temporal_convs(channels, num_blocks, is_video=is_video)
        self.temporal_after = temporal_convs(channels, num_blocks, is_video=is_video)
        halves = halves_time(index, len(decoder.channels), config.temporal_downsampling)
        self.time_down = HalveFrames(channels) if halves else None
        self.time_up = DoubleFrames(channels) if halves else None

    def descend(self, h: Tensor, z: Tensor, embedding: Tensor, frames: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """`h` [B * T, C, H, W], `z` [B * Tz, Cz, h, w] -> (what the way up adds to, what the level below gets).

        `frames` are (T, Tz) of this level; `embedding` [B, E].
        """
        in_space = F.interpolate(pointwise(self.project_z, z), size=h.shape[-2:], mode="bilinear", align_corners=False)
        h = h + repeat_frames(in_space, frames[1], frames[0] // frames[1])
        h = run_stage(h, self.before, self.temporal_before, frames[0], embedding.repeat_interleave(frames[0], dim=0))
        return h, self.down(self.time_down(h) if self.time_down is not None else h)

    def ascend(self, skip: Tensor, below: Tensor, embedding: Tensor, num_frames: int) -> Tensor:
        """Join and refine; `num_frames` is T of this level."""
        risen = self.up(below)
        h = skip + (self.time_up(risen) if self.time_up is not None else risen)
        return run_stage(h, self.after, self.temporal_after, num_frames, embedding.repeat_interleave(num_frames, dim=0))


class Decoder(nn.Module):
    """U-ViT: scaled `x_t` [B, 3, T, H, W], log-SNR [B], scaled `z_0` [B, Cz, Tz, h, w] -> `v_hat` like `x_t`.

    Sizes follow Unified Latents, section 4. How z_0 enters and the convolutions along time of a model of clips are
    ours: the paper is silent. Where the latent's log-SNR varies (single-stage training with a weighted bound,
    appendix B), the decoder is told it.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        decoder = config.decoder
        width = decoder.width
        self.head_channels = decoder.head_channels
        self.frames_per_latent = config.temporal_downsampling
        self.noise_level = LogSNREmbedding(width)
        self.patchify = Patchify(config.image_channels, decoder.channels[0], config.patch_px)
        self.levels = nn.ModuleList(DecoderLevel(config, index) for index in range(len(decoder.channels)))
        self.project_z = nn.Linear(config.latent.channels, width)
        self.modulation = SharedModulation(width, width)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, self.head_channels, dropout=decoder.dropout) for _ in range(decoder.num_blocks)
        )
        self.norm = ChannelNorm(decoder.channels[0], has_affine=True)
        self.unpatchify = Unpatchify(decoder.channels[0], config.image_channels, config.patch_px)
        zero_init(self.unpatchify.project)
        self.latent_level = LogSNREmbedding(width) if config.training == "single-weighted" else None

    def forward(self, x_t: Tensor, logsnr: Tensor, z_0: Tensor, latent_logsnr: Tensor | None = None) -> Tensor:
        """Predict v, float32. `latent_logsnr` [B] is needed, and looked at, only where the latent's level varies."""
        embedding = self.noise_level(logsnr)
        if self.latent_level is not None:
            assert latent_logsnr is not None
            embedding = embedding + self.latent_level(latent_logsnr)
        z = fold_frames(z_0)
        num_frames, latent_frames = x_t.shape[2], z_0.shape[2]
        if num_frames != latent_frames * self.frames_per_latent:
            raise ShapeError(f"{latent_frames} latent frames do not give {num_frames} frames")
        h = self.patchify(fold_frames(x_t))
        skips = []
        for level in self.levels:
            assert isinstance(level, DecoderLevel)
            skip, h = level.descend(h, z, embedding, (num_frames, latent_frames))
            skips.append((skip, num_frames))
            num_frames = num_frames // 2 if level.time_down is not None else num_frames
        h = self._middle(h, z_0, embedding)
        for level, (skip, num_frames) in zip(reversed(self.levels), reversed(skips), strict=True):
            assert isinstance(level, DecoderLevel)
            h = level.ascend(skip, h, embedding, num_frames)
        v_hat = self.unpatchify(F.gelu(self.norm(h)))
        return unfold_frames(v_hat, x_t.shape[2]).to(torch.float32)

    def _middle(self, h: Tensor, z_0: Tensor, embedding: Tensor) -> Tensor:
        """Transformer over all cells of the clip at the latent's resolution: [B * Tz, D, h, w] -> the same."""
        clip = unfold_frames(h, z_0.shape[2])
        grid = token_grid(clip)
        rotary = grid_rotary(grid, self.head_channels, device=h.device)
        modulation = self.modulation(embedding)
        tokens = to_tokens(clip) + self.project_z(to_tokens(z_0))
        for block in self.blocks:
            tokens = block(tokens, modulation, rotary)
        return fold_frames(from_tokens(tokens, grid))
