"""Large pictures are measured in strips of rows: to the bit what the whole picture gives, in a part of the memory."""

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ul_engine.errors import Cancelled
from ul_engine.metrics import windows
from ul_engine.metrics.distortion import psnr_db, psnr_db_per_frame, ssim, unit_range
from ul_engine.metrics.ms_ssim import ms_ssim
from ul_engine.metrics.windows import halved, mean_similarity

SIZES = [(37, 53), (331, 200), (64, 1025)]


def pair(height: int, width: int, *, frames: int = 1, batch: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(height)
    x = torch.rand((batch, 3, frames, height, width), generator=generator) * 2 - 1
    return x, (x + 0.1 * torch.randn(x.shape, generator=generator)).clamp(-1, 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rows", [1, 2, 7, 45])
def test_strips_of_any_height_are_the_whole_to_the_bit(size: tuple[int, int], rows: int) -> None:
    x, y = (each[:, :, 0] for each in pair(*size))
    whole = mean_similarity(x, y, unit_range, strip_rows=10_000)
    strips = mean_similarity(x, y, unit_range, strip_rows=rows)
    assert all(torch.equal(a, b) for a, b in zip(whole, strips, strict=True))
    assert torch.equal(halved(x, unit_range, strip_rows=rows), halved(x, unit_range, strip_rows=10_000))


@pytest.mark.parametrize("size", SIZES)
def test_measures_do_not_depend_on_the_strips(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = pair(*size, frames=2, batch=2)

    def measured() -> list[Tensor]:
        return [ssim(x, y), ms_ssim(x, y).values, psnr_db(x, y), psnr_db_per_frame(x, y)]

    usual = measured()
    for pixels in (1, 10**9):
        monkeypatch.setattr(windows, "STRIP_PIXELS", pixels)
        monkeypatch.setattr(windows, "STRIP_ROWS", 3)
        assert all(torch.equal(a, b) for a, b in zip(usual, measured(), strict=True))


def test_a_mistake_at_the_seam_would_be_seen() -> None:
    """The comparison above is no comparison of zeros: one changed value anywhere moves the mean."""
    x, y = pair(90, 61)
    before = ssim(x, y)
    y[0, 0, 0, 45, 30] = -y[0, 0, 0, 45, 30]
    assert not torch.equal(ssim(x, y), before)


class Largest(TorchDispatchMode):
    """Values of the largest tensor that any operation makes anew."""

    def __init__(self) -> None:
        super().__init__()
        self.values = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        made = func(*args, **(kwargs or {}))
        given = {arg.untyped_storage().data_ptr() for arg in args if isinstance(arg, Tensor)}  # views make nothing anew
        if isinstance(made, Tensor) and made.untyped_storage().data_ptr() not in given:
            self.values = max(self.values, made.numel())
        return made


def test_no_step_holds_a_large_picture_whole() -> None:
    x, y = pair(3000, 1100)
    strip = 3 * (windows.STRIP_PIXELS + windows.WINDOW_PX * 1100)
    for measure in (psnr_db, ssim):
        with Largest() as largest:
            measure(x, y)
        assert 0 < largest.values <= strip
    with Largest() as largest:
        ms_ssim(x, y)
    assert largest.values <= x.numel() // 4  # the next scale, and nothing of the finest


@pytest.mark.parametrize("measure", [ssim, ms_ssim])
def test_stopping_within_a_strip(measure: object) -> None:
    x, y = pair(400, 1000)
    seen = []

    def observe() -> None:
        seen.append(None)
        if len(seen) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        measure(x, y, observe=observe)  # type: ignore[operator]
    assert len(seen) == 2
