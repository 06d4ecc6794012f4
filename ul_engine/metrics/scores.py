"""Every measure of distortion of a reconstruction at once."""

from torch import Tensor

from ul_engine.metrics.distortion import psnr_db, ssim
from ul_engine.metrics.flip import PIXELS_PER_DEGREE, flip
from ul_engine.metrics.lpips import Lpips
from ul_engine.metrics.ms_ssim import ms_ssim
from ul_engine.metrics.rate_distortion import Distortion


def score(
    x: Tensor, x_hat: Tensor, *, lpips: Lpips | None = None, pixels_per_degree: float = PIXELS_PER_DEGREE
) -> list[Distortion]:
    """One `Distortion` per sample of `x`, `x_hat` float `[B, 3, T, H, W]` in [-1, 1] on one device.

    Both are clipped to [-1, 1] first: a codec's pixels cannot leave the range, and ours are shown clipped. `lpips` None
    leaves that measure out. Raises ShapeError below 11 pixels a side (LPIPS: 31 or 16).
    """
    x, x_hat = x.float().clamp(-1, 1), x_hat.float().clamp(-1, 1)
    multi_scale = ms_ssim(x, x_hat)
    columns = [psnr_db(x, x_hat), ssim(x, x_hat), multi_scale.values, flip(x, x_hat, pixels_per_degree).mean]
    distances = lpips(x, x_hat).tolist() if lpips is not None else [None] * len(x)
    rows = zip(*(column.tolist() for column in columns), distances, strict=True)
    return [
        Distortion(
            psnr_db=psnr, ssim=similarity, ms_ssim=multi, ms_ssim_scales=multi_scale.num_scales, flip=seen, lpips=deep
        )
        for psnr, similarity, multi, seen, deep in rows
    ]
