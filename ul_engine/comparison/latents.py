"""A latent to be looked at: its principal components as colour, its scale beside the fixed noise."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ul_engine.comparison.study import Study
from ul_engine.data.pixels import Uint8Array
from ul_engine.diffusion.schedules import alpha_sigma

NUM_COLOURS = 3
SHOWN_PERCENT = (2.0, 98.0)
"""Values of a component that become black and full colour."""


@dataclass(frozen=True)
class LatentView:
    """`z_clean` and `z_0` float32 `[C, Tz, h, w]` on the CPU, figures per channel of `z_clean` over its cells.

    `colours` uint8 `[Tz, h, w, 3]` are its first three principal components, each stretched over its own range;
    `shares` is how much of the variance each holds. `z_0 = alpha_0 z_clean + sigma_0 eps`.
    """

    z_clean: Tensor
    z_0: Tensor
    channel_means: tuple[float, ...]
    channel_stds: tuple[float, ...]
    colours: Uint8Array
    shares: tuple[float, ...]
    latent_std: float
    alpha_0: float
    sigma_0: float


def view_of(study: Study) -> LatentView:
    """What there is to see of a study's latent."""
    z_clean, z_0 = (z[0].float().cpu().contiguous() for z in (study.z_clean, study.latent(study.native_logsnr)))
    colours, shares = principal_colours(z_clean)
    alpha_0, sigma_0 = alpha_sigma(torch.tensor(study.native_logsnr))
    values = z_clean.flatten(1).double()
    return LatentView(
        z_clean,
        z_0,
        tuple(values.mean(1).tolist()),
        tuple(values.std(1, correction=0).tolist()),
        colours,
        shares,
        float(study.pipeline.model.latent_std),
        float(alpha_0),
        float(sigma_0),
    )


def principal_colours(z: Tensor) -> tuple[Uint8Array, tuple[float, ...]]:
    """The first three principal components of `z` [C, T, h, w] over its cells as uint8 `[T, h, w, 3]`, and the share of
    the variance in each. The largest weight of a component is positive; what varies not at all is mid grey."""
    cells = z.flatten(1).double().T  # [T h w, C]
    centred = cells - cells.mean(0)
    variances, directions = torch.linalg.eigh(centred.T @ centred / len(cells))
    variances, directions = variances.flip(0).clamp_min(0.0)[:NUM_COLOURS], directions.flip(1)[:, :NUM_COLOURS]
    largest = directions.gather(0, directions.abs().argmax(0, keepdim=True))
    components = (centred @ (directions * largest.sign())).numpy()
    whole = max(float(centred.square().mean(0).sum()), 1e-30)
    columns = [_stretched(column) for column in components.T]
    columns += [np.full(len(cells), 128, np.uint8)] * (NUM_COLOURS - len(columns))
    return np.stack(columns, axis=-1).reshape(*z.shape[1:], NUM_COLOURS), tuple((variances / whole).tolist())


def _stretched(values: np.ndarray) -> Uint8Array:
    low, high = np.percentile(values, SHOWN_PERCENT)
    if high - low < 1e-9:
        return np.full(len(values), 128, np.uint8)
    levels: Uint8Array = np.rint(255.0 * np.clip((values - low) / (high - low), 0.0, 1.0)).astype(np.uint8)
    return levels
