"""How far a reconstruction is from its original, pixel by pixel and in structure, for pictures and clips.

Everywhere `x` and `x_hat` are float `[B, 3, T, H, W]` in [-1, 1] of one shape (a picture is a clip of one frame), and
ShapeError is raised for anything else. Values outside the range are measured as they are.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ul_engine.errors import ShapeError
from ul_engine.metrics.windows import STRIP_PIXELS, WINDOW_PX, mean_similarity, rows_of

PEAK_TO_PEAK = 2.0


def psnr_db(x: Tensor, x_hat: Tensor) -> Tensor:
    """Peak signal-to-noise ratio `10 log10(peak^2 / MSE)` in dB, `[B]` float32; infinite for equal pictures.

    The mean runs over every value of a sample. A clip's PSNR therefore weighs frames by their error and is no larger
    than the mean of `psnr_db_per_frame`.
    """
    check_pair(x, x_hat)
    return _psnr(_squared_error(x, x_hat).mean(1))


def psnr_db_per_frame(x: Tensor, x_hat: Tensor) -> Tensor:
    """The same for each frame by itself, in dB, `[B, T]` float32."""
    check_pair(x, x_hat)
    return _psnr(_squared_error(x, x_hat))


def ssim(x: Tensor, x_hat: Tensor, *, observe: Callable[[], None] = lambda: None) -> Tensor:
    """Structural similarity, mean over positions, colours and frames, `[B]` float32; exactly 1 for equal pictures.

    Taken on values in [0, 1], for its luminance term depends on where black lies. Gaussian window of 11 pixels
    (sigma 1.5), at positions where it lies wholly inside the picture. ShapeError below 11 pixels a side.
    Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment" (2004), eq. 13 and section III-C.
    Differs from it by: colour, each channel by itself; no down-sampling of large pictures beforehand.
    `observe` is called before each strip of a picture; it may raise to stop.
    """
    check_pair(x, x_hat)
    height, width = x.shape[-2:]
    if min(height, width) < WINDOW_PX:
        raise ShapeError(f"SSIM needs at least {WINDOW_PX} pixels a side; the picture has {width} x {height}")
    groups = [mean_similarity(*pair, unit_range, observe=observe)[0] for pair in frame_groups(x, x_hat)]
    return torch.cat(groups).view(len(x), -1).mean(1).float()


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
    return unit_range(_frames(x))


def unit_range(x: Tensor) -> Tensor:
    """[-1, 1] -> float32 in [0, 1], not clipped."""
    return x.float().add(1.0).div(2.0)


def frame_groups(x: Tensor, x_hat: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Frames of both as they are, `[N, 3, H, W]`, as many together as make a strip's work; in the order of
    `unit_frames`."""
    num_frames = max(1, STRIP_PIXELS // (x.shape[-2] * x.shape[-1]))
    return zip(_frames(x).split(num_frames), _frames(x_hat).split(num_frames), strict=True)


def _frames(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(0, 1)


def _squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """Mean over each frame, `[B, T]` float64; in strips of rows, for memory."""
    rows = rows_of(x.shape[-1])
    strips = zip(x.split(rows, -2), x_hat.split(rows, -2), strict=True)
    sums = [(a.float() - b.float()).square().sum((1, 4), dtype=torch.float64) for a, b in strips]  # [B, T, rows]
    return torch.cat(sums, -1).sum(-1) / x[0, :, 0].numel()


def _psnr(mean_squared_error: Tensor) -> Tensor:
    return (10.0 * torch.log10(PEAK_TO_PEAK**2 / mean_squared_error)).float()
