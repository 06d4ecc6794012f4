"""The deterministic encoder: pixels to z_clean."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.config import ModelConfig
from ul_engine.models.frames import fold_frames, unfold_frames
from ul_engine.nn.blocks import ResBlock
from ul_engine.nn.norm import ChannelNorm
from ul_engine.nn.resample import Patchify, downsample


class Encoder(nn.Module):
    """ResNet on 2x2 patches (Unified Latents, section 4): `x` [B, 3, T, H, W] in [-1, 1] -> z_clean [B, C, T, H / f,
    W / f].

    No variance head and no whitening: with the noise fixed, the latent's scale is information. It starts near unit
    scale.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        channels = config.encoder.channels
        self.patchify = Patchify(config.image_channels, channels[0], config.patch_px)
        self.stages = nn.ModuleList()
        self.downs = nn.ModuleList()
        for index, width in enumerate(channels):
            is_last = index == len(channels) - 1
            num_blocks = config.encoder.blocks_last_stage if is_last else config.encoder.blocks_per_stage
            self.stages.append(nn.ModuleList(ResBlock(width) for _ in range(num_blocks)))
            if not is_last:
                self.downs.append(downsample(width, channels[index + 1]))
        self.norm = ChannelNorm(channels[-1], has_affine=True)
        self.project = nn.Conv2d(channels[-1], config.latent.channels, 1)
        nn.init.normal_(self.project.weight, std=channels[-1] ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Encode; the result is float32."""
        h = self.patchify(fold_frames(x))
        for index, stage in enumerate(self.stages):
            assert isinstance(stage, nn.ModuleList)
            for block in stage:
                h = block(h)
            if index < len(self.downs):
                h = self.downs[index](h)
        z = self.project(F.gelu(self.norm(h)))
        return unfold_frames(z, x.shape[2]).to(torch.float32)
