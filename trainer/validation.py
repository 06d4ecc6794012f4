"""What is measured on held-out samples, always with the same samples and noise."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainer.config import ValidationConfig
from trainer.data.samples import SampleSource
from trainer.trainable import Preview
from ul_engine.data.pixels import Uint8Array, array_from_clips, clips_from_frames
from ul_engine.diffusion.bitrate import bits_per_dim, bits_per_pixel
from ul_engine.metrics.distortion import psnr_db, ssim
from ul_engine.pipelines import Pipeline
from ul_engine.requests import SamplerName, SamplerSettings

PREVIEW_COLUMNS = 12
PREVIEW_CLIPS = 3
PIXELS_AT_ONCE = {"cuda": 2**21, "cpu": 2**18}
"""By kind of device: 64 pictures of 64 px on a CPU, 8 of 512 px on a GPU."""
VALIDATION_STEP = -1
"""Data step of the noise of held-out losses, which no step of training has."""


@dataclass(frozen=True)
class HeldOut:
    """The first held-out samples: `clips` [N, 3, T, H, W] in [-1, 1] on the CPU, captions, `labels` [N] int64."""

    clips: Tensor
    captions: list[str]
    labels: Tensor

    def pieces(self, device: torch.device) -> Iterator[tuple[int, int]]:
        """Ranges of samples that go through the networks together."""
        chunk = samples_at_once(self.clips, device)
        return ((start, min(start + chunk, len(self.clips))) for start in range(0, len(self.clips), chunk))


def samples_at_once(clips: Tensor, device: torch.device) -> int:
    """How many samples of this size are measured together."""
    return max(1, PIXELS_AT_ONCE.get(device.type, PIXELS_AT_ONCE["cpu"]) // clips[0, 0].numel())


def held_out(source: SampleSource, count: int) -> HeldOut:
    """The first `count` samples of a source of held-out samples; of several shapes only those of the commonest."""
    samples = [source.sample(index, None) for index in range(count)]
    common, _ = Counter(sample.frames.shape for sample in samples).most_common(1)[0]
    fitting = [sample for sample in samples if sample.frames.shape == common]
    return HeldOut(
        clips_from_frames(torch.from_numpy(np.stack([sample.frames for sample in fitting]))),
        [sample.caption for sample in fitting],
        torch.tensor([sample.label for sample in fitting], dtype=torch.int64),
    )


def reconstruction_figures(pipeline: Pipeline, x: Tensor, config: ValidationConfig) -> dict[str, float]:
    """Bits, PSNR, SSIM, and the gap in dB between reconstructions from the right and from a shuffled latent.

    A latent that has collapsed shows as a gap of nothing, whatever the loss says.
    """
    chunk = max(2, samples_at_once(x, pipeline.device))
    starts = list(range(0, max(len(x) - 1, 1), chunk))  # a last one alone joins those before: it needs a partner
    ends = [*starts[1:], len(x)]
    rows = [_chunk_figures(pipeline, x[start:end], start, config) for start, end in zip(starts, ends, strict=True)]
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
        "bits_per_pixel": bits_per_pixel(bitrate.nats, num_pixels=x[0, 0].numel()).cpu(),
        "bits_per_dim": bits_per_dim(bitrate.nats, num_dims=z_clean[0].numel()).cpu(),
        "psnr_db": psnr_db(x, right).cpu(),
        "psnr_shuffled_db": psnr_db(x, shuffled).cpu(),
        "ssim": ssim(x, right).cpu(),
    }


def reconstruction_preview(pipeline: Pipeline, x: Tensor, config: ValidationConfig) -> Preview:
    """Originals and reconstructions: of pictures a row each, of clips two rows of frames for each of a few clips."""
    is_clips = x.shape[2] > 1
    x = x[: PREVIEW_CLIPS if is_clips else PREVIEW_COLUMNS]
    seeds = range(len(x))
    settings = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=config.decoder_steps)
    decoded = pipeline.decode(
        pipeline.native_latent(pipeline.encode(x), seeds), seeds, settings, crop_to=(x.shape[-2], x.shape[-1])
    )
    pair = (array_from_clips(x), array_from_clips(decoded))
    if not is_clips:
        return Preview("reconstruction", (pair[0][:, 0], pair[1][:, 0]), ("original", "reconstruction"))
    rows = [part[index] for index in range(len(x)) for part in pair]
    names = [f"{name} {index + 1}" for index in range(len(x)) for name in ("original", "reconstruction")]
    return Preview("reconstruction", tuple(rows), tuple(names))


def sheet(rows: tuple[Uint8Array, ...]) -> Uint8Array:
    """Rows of pictures, each [N, H, W, 3], as one picture; shorter rows end in white."""
    width = max(len(row) * row.shape[2] for row in rows)
    joined = [np.concatenate(list(row), axis=1) for row in rows]
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in joined]
    return np.concatenate(padded, axis=0)
