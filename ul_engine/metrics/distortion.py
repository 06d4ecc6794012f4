"""How far a reconstruction is from its original, pixel by pixel and in structure, for pictures and clips.

Everywhere `x` and `x_hat` are float `[B, 3, T, H, W]` in [-1, 1] of one shape (a picture is a clip of one frame), and
ShapeError is raised for anything else. Values outside the range are measured as they are.
"""

import torch
from torch import Tensor

from ul_engine.errors import ShapeError
from ul_engine.metrics.windows import WINDOW_PX, similarity

PEAK_TO_PEAK = 2.0


def psnr_db(x: Tensor, x_hat: Tensor) -> Tensor:
    """Peak signal-to-noise ratio `10 log10(peak^2 / MSE)` in dB, `[B]` float32; infinite for equal pictures.

    The mean runs over every value of a sample. A clip's PSNR therefore weighs frames by their error and is no larger
    than the mean of `psnr_db_per_frame`.
    """
    check_pair(x, x_hat)
    return _psnr(_squared_error(x, x_hat).flatten(1))


def psnr_db_per_frame(x: Tensor, x_hat: Tensor) -> Tensor:
    """The same for each frame by itself, in dB, `[B, T]` float32."""
    check_pair(x, x_hat)
    return _psnr(_squared_error(x, x_hat).transpose(1, 2).flatten(2))


def ssim(x: Tensor, x_hat: Tensor) -> Tensor:
    """Structural similarity, mean over positions, colours and frames, `[B]` float32; exactly 1 for equal pictures.

    Taken on values in [0, 1], for its luminance term depends on where black lies. Gaussian window of 11 pixels
    (sigma 1.5), at positions where it lies wholly inside the picture. ShapeError below 11 pixels a side.
    Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment" (2004), eq. 13 and section III-C.
    Differs from it by: colour, each channel by itself; no down-sampling of large pictures beforehand.
    """
    check_pair(x, x_hat)
    height, width = x.shape[-2:]
    if min(height, width) < WINDOW_PX:
        raise ShapeError(f"SSIM needs at least {WINDOW_PX} pixels a side; the picture has {width} x {height}")
    luminance, contrast = similarity(unit_frames(x), unit_frames(x_hat))
    return (luminance * contrast).mean((1, 2, 3)).view(len(x), -1).mean(1)


def flicker(x: Tensor, x_hat: Tensor) -> Tensor:
    """Change over time that the original does not have (or lacks), `[B]` float32, in units of the range [-1, 1].

    `mean |(x_hat[t+1] - x_hat[t]) - (x[t+1] - x[t])|` over all values and neighbouring frames. 0 when the
    error stands still, whatever its size; multiply by 127.5 for 8-bit levels. ShapeError for a single frame.
    """
    return flicker_per_frame(x, x_hat).mean(1)


def flicker_per_frame(x: Tensor, x_hat: Tensor) -> Tensor:
    """The same for each pair of neighbouring frames by itself, `[B, T - 1]` float32."""
    check_pair(x, x_hat)
    if x.shape[2] < 2:
        raise ShapeError("flicker needs a clip of at least two frames; this one has one")
    return (x_hat.float() - x.float()).diff(dim=2).abs().mean((1, 3, 4))


def check_pair(x: Tensor, x_hat: Tensor) -> None:
    """Raise ShapeError unless both are `[B, 3, T, H, W]` of the same, non-empty shape."""
    if x.ndim != 5 or x.shape[1] != 3 or x.numel() == 0:
        raise ShapeError(f"expected pictures or clips [B, 3, T, H, W], got {tuple(x.shape)}")
    if x.shape != x_hat.shape:
        raise ShapeError(f"the original is {tuple(x.shape)} and the reconstruction {tuple(x_hat.shape)}; equal needed")


def unit_frames(x: Tensor) -> Tensor:
    """`[B, 3, T, H, W]` in [-1, 1] -> frames `[B * T, 3, H, W]` float32 in [0, 1], not clipped; a sample's lie
    together."""
    return x.float().transpose(1, 2).flatten(0, 1).add(1.0).div(2.0)


def _squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    return (x.float() - x_hat.float()).square()


def _psnr(squared_error: Tensor) -> Tensor:
    mean = squared_error.mean(-1, dtype=torch.float64)
    return (10.0 * torch.log10(PEAK_TO_PEAK**2 / mean)).float()
