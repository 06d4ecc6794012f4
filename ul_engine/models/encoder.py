"""The deterministic encoder: pixels to z_clean."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.config import ModelConfig
from ul_engine.errors import ShapeError
from ul_engine.models.frames import fold_frames, halves_time, unfold_frames
from ul_engine.nn.blocks import ResBlock
from ul_engine.nn.norm import ChannelNorm
from ul_engine.nn.resample import Patchify, downsample, pointwise
from ul_engine.nn.temporal import HalveFrames, run_stage, temporal_convs

INITIAL_LOG_VARIANCE = -6.0


class Encoder(nn.Module):
    """ResNet on 2x2 patches (Unified Latents, section 4): `x` [B, 3, T, H, W] in [-1, 1] -> z_clean [B, C, T / ft,
    H / f, W / f].

    No whitening: with the noise fixed, the latent's scale is information. It starts near unit scale. The convolutions
    along time of a model of clips are ours; the paper is silent.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        channels = config.encoder.channels
        self.frames_per_latent = config.temporal_downsampling
        is_video = config.video is not None
        self.patchify = Patchify(config.image_channels, channels[0], config.patch_px)
        self.stages = nn.ModuleList()
        self.downs = nn.ModuleList()
        self.temporal = nn.ModuleList()
        self.time_downs = nn.ModuleDict()
        num_downs = len(channels) - 1
        for index, width in enumerate(channels):
            is_last = index == num_downs
            num_blocks = config.encoder.blocks_last_stage if is_last else config.encoder.blocks_per_stage
            self.stages.append(nn.ModuleList(ResBlock(width) for _ in range(num_blocks)))
            self.temporal.append(temporal_convs(width, num_blocks, is_video=is_video))
            if not is_last:
                self.downs.append(downsample(width, channels[index + 1]))
                if halves_time(index, num_downs, config.temporal_downsampling):
                    self.time_downs[str(index)] = HalveFrames(width)
        self.norm = ChannelNorm(channels[-1], has_affine=True)
        self.project = nn.Conv2d(channels[-1], config.latent.channels, 1)
        nn.init.normal_(self.project.weight, std=channels[-1] ** -0.5)
        self.project_variance = _variance_head(config) if config.encoder.variance == "learned" else None

    def forward(self, x: Tensor) -> Tensor:
        """Encode; the result is float32 (under a learned variance: the mean)."""
        return self.distribution(x)[0]

    def distribution(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """z_clean and, for the ablation with a learned variance, the log-variance of z_clean, alike in shape and
        float32; None where the encoder is deterministic."""
        num_frames = x.shape[2]
        if num_frames % self.frames_per_latent:  # folded, such frames would pair up across clips
            raise ShapeError(f"{num_frames} frames do not divide into latent frames of {self.frames_per_latent}")
        h = self.patchify(fold_frames(x))
        for index, (stage, temporal) in enumerate(zip(self.stages, self.temporal, strict=True)):
            assert isinstance(stage, nn.ModuleList)
            assert isinstance(temporal, nn.ModuleList)
            h = run_stage(h, stage, temporal, num_frames)
            if str(index) in self.time_downs:
                h = self.time_downs[str(index)](h)
                num_frames //= 2
            if index < len(self.downs):
                h = self.downs[index](h)
        h = F.gelu(self.norm(h))
        z = unfold_frames(pointwise(self.project, h), num_frames).to(torch.float32)
        if self.project_variance is None:
            return z, None
        return z, unfold_frames(pointwise(self.project_variance, h), num_frames).to(torch.float32)


def _variance_head(config: ModelConfig) -> nn.Conv2d:
    """Begins at one small variance everywhere."""
    head = nn.Conv2d(config.encoder.channels[-1], config.latent.channels, 1)
    nn.init.zeros_(head.weight)
    assert head.bias is not None
    nn.init.constant_(head.bias, INITIAL_LOG_VARIANCE)
    return head
