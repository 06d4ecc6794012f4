"""Batches of samples through the model: their bits and their reconstructions, with every figure per sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ul_engine.data.pixels import Uint8Array, array_from_clips, clip_from_array
from ul_engine.diffusion.bitrate import LN2, Bitrate, bits_per_dim, bits_per_pixel
from ul_engine.diffusion.noise import Seed, derived_seed
from ul_engine.evaluation.catalogue import METRICS
from ul_engine.evaluation.plan import Plan
from ul_engine.evaluation.settings import EvaluationSettings
from ul_engine.metrics.distortion import flicker, psnr_db, psnr_db_per_frame, ssim
from ul_engine.metrics.flip import flip
from ul_engine.metrics.lpips import Lpips
from ul_engine.metrics.ms_ssim import ms_ssim
from ul_engine.pipelines import Pipeline, Restorer

LEVELS_PER_UNIT = 127.5


@dataclass(frozen=True)
class Reconstructor:
    """Takes batches of one size through encoder, prior or base model, and decoder, as `ul_engine.comparison.Study` does
    with a single picture: the same seeds give the same noise, in any batch."""

    pipeline: Pipeline
    settings: EvaluationSettings
    plan: Plan

    @property
    def decodes(self) -> bool:
        """Whether anything needs pictures, not bits alone."""
        return any(name != "bits" and _is_of_reconstructions(name) for name in self.plan.names)

    def run(self, originals: Sequence[Uint8Array], seeds: Sequence[int]) -> "Reconstructed":
        """`originals` uint8 `[T, H, W, 3]`, all of one size. Where nothing asks for it, the model is left alone."""
        if not self.decodes and not self.plan.restorers:
            return Reconstructed(tuple(originals), (), {}, 0)
        x = clips_from_arrays(originals)
        z_clean, log_variance = self.pipeline.encode_sampled(x, seeds)
        bits = {
            name: self.pipeline.bitrate(
                z_clean,
                seeds,
                num_times=self.settings.bitrate_times,
                restorer=name,
                log_variance=log_variance,
            )
            for name in self.plan.restorers
        }
        decodes = self._decoded(z_clean, seeds, x.shape) if self.decodes else ()
        return Reconstructed(tuple(originals), decodes, bits, z_clean[0].numel())

    def _decoded(self, z_clean: Tensor, seeds: Sequence[int], shape: torch.Size) -> tuple[Uint8Array, ...]:
        z_0 = self.pipeline.native_latent(z_clean, seeds)
        return tuple(
            array_from_clips(
                self.pipeline.decode(
                    z_0,
                    _seeds_of_draw(seeds, draw),
                    self.settings.sampling.decoder,
                    crop_to=(shape[-2], shape[-1]),
                    num_frames=shape[2],
                )
            )
            for draw in range(self.settings.num_decodes)
        )


def _seeds_of_draw(seeds: Sequence[int], draw: int) -> list[Seed]:
    return [seed if draw == 0 else derived_seed(seed, f"decode {draw}") for seed in seeds]


def _is_of_reconstructions(name: str) -> bool:
    distance = METRICS[name].distance
    return distance is None or distance.side == "reconstructed"


@dataclass(frozen=True)
class Reconstructed:
    """One batch: `originals` uint8 `[T, H, W, 3]` each; `decodes` uint8 `[B, T, H, W, 3]`, one array per draw, the
    first of which is measured; `bits` by whose bound it is."""

    originals: tuple[Uint8Array, ...]
    decodes: tuple[Uint8Array, ...]
    bits: dict[Restorer, Bitrate]
    num_dims: int

    @cached_property
    def num_pixels(self) -> int:
        """Frames x height x width of one sample."""
        return int(np.prod(self.originals[0].shape[:3]))

    @cached_property
    def mean_decode(self) -> Uint8Array:
        """Mean of all decodes, rounded, `[B, T, H, W, 3]`."""
        total = np.zeros(self.decodes[0].shape, np.float64)
        for decode in self.decodes:
            total += decode
        return np.rint(total / len(self.decodes)).astype(np.uint8)


def clips_from_arrays(arrays: Sequence[Uint8Array]) -> Tensor:
    """uint8 `[T, H, W, 3]` of one size -> float32 `[B, 3, T, H, W]` in [-1, 1]."""
    return torch.cat([clip_from_array(array) for array in arrays])


def bit_rows(batch: Reconstructed) -> list[dict[str, Any]]:
    """Columns of bits per sample: per pixel and per latent value, the terminal KL apart, bands of log-SNR per pixel."""
    rows: list[dict[str, Any]] = [{} for _ in batch.originals]
    for name, bound in batch.bits.items():
        columns = {
            f"bits_per_pixel_{name}": bits_per_pixel(bound.nats, num_pixels=batch.num_pixels),
            f"bits_per_latent_value_{name}": bits_per_dim(bound.nats, num_dims=batch.num_dims),
            f"terminal_bits_per_pixel_{name}": bits_per_pixel(bound.terminal_nats, num_pixels=batch.num_pixels),
            f"band_bits_per_pixel_{name}": bound.band_nats / (LN2 * batch.num_pixels),
        }
        for index, row in enumerate(rows):
            row |= {key: values[index].tolist() for key, values in columns.items()}
    return rows


def distortion_rows(
    batch: Reconstructed, plan: Plan, lpips: Lpips | None, device: torch.device
) -> list[dict[str, Any]]:
    """Columns of distortion per sample, of the first decode as 8-bit pixels. A metric that needs larger pictures is
    None."""
    rows: list[dict[str, Any]] = [{} for _ in batch.originals]
    if not batch.decodes:
        return rows
    x, x_hat = clips_from_arrays(batch.originals).to(device), clips_from_arrays(list(batch.decodes[0])).to(device)
    side = min(x.shape[-2:])
    for metric in plan.per_sample:
        values = _measured(metric.name, x, x_hat, batch, lpips) if side >= metric.min_px else [{}] * len(rows)
        for row, value in zip(rows, values, strict=True):
            row |= {metric.key: None} | value
    return rows


def _measured(name: str, x: Tensor, x_hat: Tensor, batch: Reconstructed, lpips: Lpips | None) -> list[dict[str, Any]]:
    """The columns of one metric, a dictionary per sample."""
    key = METRICS[name].key
    if name == "ms-ssim":
        found = ms_ssim(x, x_hat)
        return [{key: value, "ms_ssim_scales": found.num_scales} for value in found.values.tolist()]
    if name == "frame-psnr":
        frames = psnr_db_per_frame(x, x_hat).tolist()
        return [{key: float(np.mean(values)), "psnr_db_per_frame": values} for values in frames]
    return [{key: value} for value in _single(name, x, x_hat, batch, lpips).tolist()]


def _single(name: str, x: Tensor, x_hat: Tensor, batch: Reconstructed, lpips: Lpips | None) -> Tensor:
    """A metric that is one column, `[B]`."""
    if name == "psnr":
        return psnr_db(x, x_hat)
    if name == "ssim":
        return ssim(x, x_hat)
    if name == "flip":
        return flip(x, x_hat).mean
    if name == "flicker":
        return flicker(x, x_hat) * LEVELS_PER_UNIT
    if name == "mean-psnr":
        return psnr_db(x, clips_from_arrays(list(batch.mean_decode)).to(x.device))
    assert name == "lpips"
    assert lpips is not None
    values: Tensor = lpips(x, x_hat)
    return values
