"""Which sampler and how many steps a model's presets take, by measuring."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from trainer.finishing.kept import Kept
from ul_engine.data.pixels import clips_from_frames
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.render import render_scenes
from ul_engine.data.scenes.spec import SceneOptions
from ul_engine.metrics.distortion import psnr_db, ssim
from ul_engine.metrics.distribution import reconstruction_distance
from ul_engine.metrics.feature_networks import load_feature_network
from ul_engine.model_folder import NetworkName
from ul_engine.pipelines import Pipeline
from ul_engine.requests import SamplerName, SamplerSettings

NAMES = (SamplerName.DDPM, SamplerName.DDIM, SamplerName.DPMPP_2M, SamplerName.DPMPP_2M_SDE)
DECODER_STEPS = (4, 8, 16, 24)
RFD_TOLERANCE = 0.5
"""Side by side, what has half as much again as the least distance but a better SSIM looks cleaner, not blurred."""
USED: tuple[NetworkName, ...] = ("encoder", "decoder")
BATCH = 50


@dataclass(frozen=True)
class DecoderTrial:
    """Reconstructions by one sampler."""

    name: SamplerName
    num_steps: int
    psnr_db: float
    ssim: float
    rfd_small: float


def unseen_scenes(
    size_px: int, *, seed: int, count: int, options: SceneOptions, num_frames: int = 1, fps: float = 8.0
) -> Tensor:
    """Scenes that neither training nor any card has, as pictures or as clips: `[N, 3, num_frames, H, W]` in [-1, 1]."""
    specs = [scene_spec(seed, index, options) for index in range(count)]
    pictures = render_scenes(specs, size_px=size_px, num_frames=num_frames, frames_per_second=fps)
    return clips_from_frames(pictures.permute(0, 2, 3, 4, 1))


def decoder_trials(pipeline: Pipeline, x: Tensor, kept: Kept, *, of: object) -> list[DecoderTrial]:
    """Every sampler with every number of steps on the pictures or clips `x`; `of` says which they are."""
    seeds = range(len(x))
    z_0 = torch.cat(
        [
            pipeline.native_latent(pipeline.encode(x[part.start : part.stop]), part)
            for part in (seeds[start : start + BATCH] for start in range(0, len(x), BATCH))
        ]
    )
    trials = []
    for name in NAMES:
        for steps in DECODER_STEPS:
            settings = SamplerSettings(name=name, num_steps=steps)
            measure = partial(_figures, pipeline, x, z_0, settings)
            trials.append(DecoderTrial(name, steps, **kept.get(f"decoder {name.value} {steps}", USED, of, measure)))
    return trials


def _figures(pipeline: Pipeline, x: Tensor, z_0: Tensor, settings: SamplerSettings) -> dict[str, float]:
    decoded = torch.cat(
        [
            pipeline.decode(z_0[start : start + BATCH], range(start, min(start + BATCH, len(x))), settings)
            for start in range(0, len(x), BATCH)
        ]
    )
    is_clip = x.shape[2] > 1
    network = load_feature_network("small-clip" if is_clip else "small")
    pair = (x, decoded) if is_clip else (x[:, :, 0], decoded[:, :, 0])
    return {
        "psnr_db": float(psnr_db(x, decoded).mean()),
        "ssim": float(ssim(x, decoded).mean()),
        "rfd_small": reconstruction_distance([pair], network).value,
    }


def best_decoder(trials: Sequence[DecoderTrial], *, steps_max: int) -> SamplerSettings:
    """Of the trials with few enough steps: the best SSIM among those whose rFD-Small is at most half as much again as
    the least. SSIM alone rewards smoothness, the distance alone what merely looks like a picture."""
    able = [trial for trial in trials if trial.num_steps <= steps_max]
    least = min(trial.rfd_small for trial in able)
    near = [trial for trial in able if trial.rfd_small <= (1.0 + RFD_TOLERANCE) * least]
    best = max(near, key=lambda trial: trial.ssim)
    return SamplerSettings(name=best.name, num_steps=best.num_steps)
