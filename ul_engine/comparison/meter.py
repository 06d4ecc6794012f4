"""How far pictures are from their original, by the measures that were asked for."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ul_engine.data.pixels import Uint8Array, clip_from_array
from ul_engine.errors import CheckpointError
from ul_engine.metrics.distortion import flicker_per_frame, psnr_db, psnr_db_per_frame, ssim
from ul_engine.metrics.flip import flip
from ul_engine.metrics.lpips import Lpips, load_lpips, lpips_problem
from ul_engine.metrics.ms_ssim import ms_ssim
from ul_engine.metrics.windows import WINDOW_PX
from ul_engine.requests import MeasureName

LEVELS_PER_UNIT = 127.5
LPIPS_MIN_PX = 31


@dataclass(frozen=True)
class Measured:
    """Figures of a picture or clip against its original; None where a measure was not taken.

    `taken` names the measures that were taken. `flip_map` is the FLIP error per
    pixel, uint8 `[T, H, W]`, 255 standing for 1. The two sequences are of clips: PSNR per frame, and change between
    neighbouring frames that the original lacks, in 8-bit levels.
    """

    psnr_db: float
    ssim: float | None = None
    ms_ssim: float | None = None
    ms_ssim_scales: int | None = None
    flip: float | None = None
    lpips: float | None = None
    psnr_db_per_frame: tuple[float, ...] = ()
    flicker_per_frame: tuple[float, ...] = ()
    flip_map: Uint8Array | None = None
    taken: frozenset[MeasureName] = frozenset()

    @property
    def flicker_levels(self) -> float | None:
        """Mean of `flicker_per_frame`; None for a picture."""
        return float(np.mean(self.flicker_per_frame)) if self.flicker_per_frame else None


class Meter:
    """Takes measures on `device` (Apple's GPU has no float64: there on the CPU). LPIPS is read at its first use."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        wanted = torch.device(device)
        self.device = wanted if wanted.type == "cuda" else torch.device("cpu")

    @cached_property
    def _lpips(self) -> Lpips:
        return load_lpips(device=self.device)

    def problems(self, measures: Collection[MeasureName], size: tuple[int, int]) -> dict[MeasureName, str]:
        """Why some of `measures` cannot be taken of pictures of this (height, width)."""
        found = {name: self._problem(name, min(size)) for name in measures}
        return {name: reason for name, reason in found.items() if reason is not None}

    def _problem(self, name: MeasureName, side_px: int) -> str | None:
        least = {"ssim": WINDOW_PX, "ms-ssim": WINDOW_PX, "flip": 1, "lpips": LPIPS_MIN_PX}[name]
        if side_px < least:
            return f"it needs at least {least} pixels a side; the picture has {side_px}"
        return self._lpips_problem if name == "lpips" else None

    @property
    def _lpips_problem(self) -> str | None:
        """What is missing, or wrong with the file that is there."""
        if (problem := lpips_problem()) is not None:
            return problem
        try:
            assert self._lpips is not None
        except CheckpointError as error:
            return str(error)
        return None

    def measure(
        self,
        original: Uint8Array,
        picture: Uint8Array,
        measures: Collection[MeasureName],
        *,
        known: Measured | None = None,
        observe: Callable[[], None] = lambda: None,
    ) -> Measured:
        """Figures of `picture` against `original`, both uint8 `[T, H, W, 3]`; what is `known` is not taken again.

        `observe` is called before each measure and each strip of one; it may raise Cancelled.
        """
        missing = set(measures) - (known.taken if known is not None else set())
        if known is not None and not missing:
            return known
        x, x_hat = (clip_from_array(array).to(self.device) for array in (original, picture))
        found = known or _plain(x, x_hat)
        problems = self.problems(missing, original.shape[1:3])
        for name in sorted(missing - problems.keys()):
            observe()
            found = self._with(found, name, x, x_hat, observe=observe)
        return replace(found, taken=found.taken | (missing - problems.keys()))

    def _with(
        self, found: Measured, name: MeasureName, x: Tensor, x_hat: Tensor, *, observe: Callable[[], None]
    ) -> Measured:
        match name:
            case "ssim":
                return replace(found, ssim=float(ssim(x, x_hat, observe=observe)))
            case "ms-ssim":
                values, num_scales = ms_ssim(x, x_hat, observe=observe)
                return replace(found, ms_ssim=float(values), ms_ssim_scales=num_scales)
            case "flip":
                errors, mean = flip(x, x_hat, observe=observe)
                levels: Uint8Array = errors[0, 0].mul(255.0).round().to(torch.uint8).cpu().numpy()
                return replace(found, flip=float(mean), flip_map=levels)
            case "lpips":
                with torch.inference_mode():
                    return replace(found, lpips=float(self._lpips(x, x_hat)))


def _plain(x: Tensor, x_hat: Tensor) -> Measured:
    """What is always taken."""
    if x.shape[2] < 2:
        return Measured(float(psnr_db(x, x_hat)))
    return Measured(
        float(psnr_db(x, x_hat)),
        psnr_db_per_frame=tuple(psnr_db_per_frame(x, x_hat)[0].tolist()),
        flicker_per_frame=tuple((flicker_per_frame(x, x_hat)[0] * LEVELS_PER_UNIT).tolist()),
    )
