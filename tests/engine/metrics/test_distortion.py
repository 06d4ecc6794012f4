"""PSNR, SSIM and flicker against formulas and an independent implementation, for pictures and clips."""

import math

import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from tests.helpers.tiny import simple_pictures
from ul_engine.data.pixels import pictures_from_array
from ul_engine.errors import ShapeError
from ul_engine.metrics.distortion import flicker, psnr_db, psnr_db_per_frame, ssim


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def clips(num: int = 2, *, frames: int = 3, size_px: int = 24) -> Tensor:
    """Structured pictures in [-1, 1], every frame another one."""
    pictures = pictures_from_array(simple_pictures(num * frames, size_px=size_px))
    return pictures[:, :, 0].view(num, frames, 3, size_px, size_px).transpose(1, 2)


# ---- PSNR ---------------------------------------------------------------------------------------------------------


def test_psnr_of_a_clip_is_over_all_its_values() -> None:
    x = clips(1, frames=2)
    x_hat = x.clone()
    x_hat[:, :, 1] += 0.2  # MSE 0 in one frame, 0.04 in the other, 0.02 together
    assert psnr_db(x, x_hat).tolist() == pytest.approx([10 * math.log10(4 / 0.02)], abs=1e-4)
    first, second = psnr_db_per_frame(x, x_hat)[0].tolist()
    assert first == math.inf
    assert second == pytest.approx(10 * math.log10(4 / 0.04), abs=1e-4)


def test_psnr_per_frame_is_that_of_the_frames_as_pictures() -> None:
    x, x_hat = clips(), clips() + 0.1 * noise(2, 3, 3, 24, 24)
    frames = psnr_db_per_frame(x, x_hat)
    assert frames.shape == (2, 3)
    torch.testing.assert_close(frames[1, 2:], psnr_db(x[1:, :, 2:], x_hat[1:, :, 2:]))
    assert (psnr_db(x, x_hat) <= frames.mean(1)).all()  # Jensen


# ---- SSIM ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-1.0, 0.0, 0.3, 1.0])
def test_equal_pictures_have_ssim_one_exactly(value: float) -> None:
    flat = torch.full((1, 3, 1, 40, 40), value)
    assert ssim(flat, flat).tolist() == [1.0]
    assert ssim(clips(), clips()).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("amount", [0.0003, 0.01, 0.3])
def test_ssim_as_torchmetrics_has_it_in_float64(amount: float) -> None:
    """On [0, 1], without the border that torchmetrics fills by reflection. 1 - SSIM has to agree, not only SSIM."""
    x = clips(3, frames=1, size_px=40)
    x_hat = x + amount * noise(*x.shape)
    before, after = ((each[:, :, 0].double() + 1) / 2 for each in (x, x_hat))
    _, places = structural_similarity_index_measure(after, before, data_range=1.0, return_full_image=True)
    expected = places[..., 5:-5, 5:-5].mean((1, 2, 3))
    torch.testing.assert_close((1 - ssim(x, x_hat)).double(), 1 - expected, rtol=3e-3, atol=2e-7)


def test_ssim_in_closed_form() -> None:
    """Flat grey levels have no variance: only the luminance term is left."""
    x, x_hat = torch.full((1, 3, 1, 16, 16), 0.2), torch.full((1, 3, 1, 16, 16), -0.4)
    a, b = 0.6, 0.3
    expected = (2 * a * b + 0.01**2) / (a**2 + b**2 + 0.01**2)
    assert ssim(x, x_hat).tolist() == pytest.approx([expected], abs=1e-5)


def test_ssim_of_a_clip_is_the_mean_over_frames() -> None:
    x, x_hat = clips(), clips() + 0.1 * noise(2, 3, 3, 24, 24)
    frames = torch.stack([ssim(x[:, :, t : t + 1], x_hat[:, :, t : t + 1]) for t in range(3)])
    torch.testing.assert_close(ssim(x, x_hat), frames.mean(0))


def test_the_smallest_picture_for_ssim() -> None:
    assert ssim(noise(1, 3, 1, 11, 11), noise(1, 3, 1, 11, 11)).shape == (1,)
    with pytest.raises(ShapeError, match="at least 11 pixels a side; the picture has 64 x 10"):
        ssim(noise(1, 3, 1, 10, 64), noise(1, 3, 1, 10, 64))


# ---- flicker ------------------------------------------------------------------------------------------------------


def test_a_standing_error_does_not_flicker() -> None:
    x = clips()
    assert flicker(x, x + 0.5).abs().max() < 1e-6


def test_flicker_in_closed_form() -> None:
    """A brightness of +-0.1 in turns changes by 0.2 from frame to frame; a frozen copy lacks the original's change."""
    x = torch.zeros(1, 3, 4, 8, 8)
    in_turns = torch.tensor([0.1, -0.1, 0.1, -0.1]).view(1, 1, 4, 1, 1)
    assert flicker(x, x + in_turns).tolist() == pytest.approx([0.2])
    assert flicker(in_turns.expand_as(x), x).tolist() == pytest.approx([0.2])


# ---- guards -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", [psnr_db, psnr_db_per_frame, ssim, flicker])
def test_other_shapes_are_refused(measure: object) -> None:
    assert callable(measure)
    x = clips()
    for other in (x[:, :2], x[:, :, 0], x[0], x[:0]):
        with pytest.raises(ShapeError, match="expected pictures or clips"):
            measure(other, other)
    with pytest.raises(ShapeError, match="equal needed"):
        measure(x, x[:, :, :2])


def test_one_frame_cannot_flicker() -> None:
    with pytest.raises(ShapeError, match="two frames"):
        flicker(clips(frames=1), clips(frames=1))
