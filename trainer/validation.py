"""What is measured on held-out pictures, always with the same pictures and noise."""

import numpy as np
import torch
from torch import Tensor

from trainer.config import ValidationConfig
from ul_engine.data.pixels import Uint8Array, array_from_pictures
from ul_engine.diffusion.bitrate import bits_per_dim, bits_per_pixel
from ul_engine.metrics.distortion import psnr_db, ssim
from ul_engine.pipelines import Pipeline
from ul_engine.requests import SamplerName, SamplerSettings

PREVIEW_COLUMNS = 12
CHUNK = 64


def reconstruction_figures(pipeline: Pipeline, x: Tensor, config: ValidationConfig) -> dict[str, float]:
    """Bits, PSNR, SSIM, and the gap in dB between reconstructions from the right and from a shuffled latent.

    A latent that has collapsed shows as a gap of nothing, whatever the loss says.
    """
    rows = [_chunk_figures(pipeline, x[start : start + CHUNK], start, config) for start in range(0, len(x), CHUNK)]
    merged = {name: torch.cat([row[name] for row in rows]).double().mean().item() for name in rows[0]}
    merged["shuffle_gap_db"] = merged["psnr_db"] - merged["psnr_shuffled_db"]
    merged["latent_std"] = float(pipeline.model.latent_std)
    return merged


def _chunk_figures(pipeline: Pipeline, x: Tensor, start: int, config: ValidationConfig) -> dict[str, Tensor]:
    seeds = range(start, start + len(x))
    settings = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=config.decoder_steps)
    z_clean, log_variance = pipeline.encode_sampled(x, seeds)
    z_0 = pipeline.native_latent(z_clean, seeds)
    right = pipeline.decode(z_0, seeds, settings)
    shuffled = pipeline.decode(z_0.roll(1, dims=0), seeds, settings)
    bitrate = pipeline.bitrate(
        z_clean,
        seeds,
        num_times=config.bitrate_times,
        restorer=pipeline.native_restorer,
        log_variance=log_variance,
    )
    x = x.to(right.device)
    return {
        "bits_per_pixel": bits_per_pixel(bitrate.nats, num_pixels=x[0, 0].numel()),
        "bits_per_dim": bits_per_dim(bitrate.nats, num_dims=z_clean[0].numel()),
        "psnr_db": psnr_db(x, right).cpu(),
        "psnr_shuffled_db": psnr_db(x, shuffled).cpu(),
        "ssim": ssim(x, right).cpu(),
    }


def reconstruction_sheet(pipeline: Pipeline, x: Tensor, config: ValidationConfig) -> Uint8Array:
    """Two rows: originals, reconstructions."""
    x = x[:PREVIEW_COLUMNS]
    seeds = range(len(x))
    settings = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=config.decoder_steps)
    decoded = pipeline.decode(pipeline.native_latent(pipeline.encode(x), seeds), seeds, settings)
    return sheet([array_from_pictures(x), array_from_pictures(decoded)])


def sheet(rows: list[Uint8Array]) -> Uint8Array:
    """Rows of pictures, each [N, H, W, 3], as one picture."""
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)
