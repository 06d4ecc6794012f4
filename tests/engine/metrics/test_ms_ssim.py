"""MS-SSIM against its definition put together from another implementation's terms, and its number of scales."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure

from ul_engine.errors import ShapeError
from ul_engine.metrics.distortion import ssim
from ul_engine.metrics.ms_ssim import WEIGHTS, label, ms_ssim, num_scales_for


def waves(height: int, width: int, *, seed: int = 0) -> Tensor:
    """`[1, 3, 1, H, W]` in [-1, 1]: smooth, with a little noise."""
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    picture = torch.stack([torch.sin(column / 9 + row / 5), torch.cos(row / 13), torch.sin(column / 31)])
    noise = torch.randn(picture.shape, generator=torch.Generator().manual_seed(seed))
    return (0.7 * picture + 0.1 * noise).view(1, 3, 1, height, width)


def by_definition(x: Tensor, x_hat: Tensor, num_scales: int) -> float:
    """Per channel, in float64, with the weights' sum kept."""
    weights = torch.tensor(WEIGHTS[:num_scales], dtype=torch.float64)
    weights *= sum(WEIGHTS) / weights.sum()
    before, after = ((each[0].double() + 1) / 2 for each in (x, x_hat))  # channels as a batch: [3, 1, H, W]
    product = torch.ones(3, dtype=torch.float64)
    for scale in range(num_scales):
        if scale < num_scales - 1:
            _, term = structural_similarity_index_measure(
                after, before, data_range=1.0, reduction="none", return_contrast_sensitivity=True
            )
        else:
            _, places = structural_similarity_index_measure(after, before, data_range=1.0, return_full_image=True)
            term = places[..., 5:-5, 5:-5].mean((1, 2, 3))
        product *= term ** weights[scale]
        before, after = F.avg_pool2d(before, 2), F.avg_pool2d(after, 2)
    return float(product.mean())


@pytest.mark.parametrize(("size", "num_scales"), [((177, 176), 5), ((95, 88), 4), ((64, 64), 3), ((30, 22), 2)])
def test_by_its_definition(size: tuple[int, int], num_scales: int) -> None:
    x, x_hat = waves(*size), waves(*size, seed=1)
    result = ms_ssim(x, x_hat)
    assert result.num_scales == num_scales
    assert 0.3 < float(result.values) < 0.99
    assert float(result.values) == pytest.approx(by_definition(x, x_hat, num_scales), abs=2e-6)


def test_one_scale_is_ssim() -> None:
    x, x_hat = waves(16, 16), waves(16, 16, seed=1)
    assert float(ms_ssim(x, x_hat).values) == pytest.approx(float(ssim(x, x_hat)), abs=1e-3)


def test_equal_and_inverted_pictures() -> None:
    x = waves(64, 48)
    assert ms_ssim(x, x).values.tolist() == [1.0]
    assert ms_ssim(x, -x).values.tolist() == [0.0]  # negative contrast terms, and no NaN


def test_clips_are_means_over_frames() -> None:
    x = torch.cat([waves(48, 48), waves(48, 48, seed=2)], dim=2).repeat(2, 1, 1, 1, 1)
    x_hat = x + torch.linspace(0.01, 0.2, 4).view(2, 1, 2, 1, 1) * torch.sin(torch.arange(48.0))
    frames = [ms_ssim(x[:, :, t : t + 1], x_hat[:, :, t : t + 1]).values for t in range(2)]
    torch.testing.assert_close(ms_ssim(x, x_hat).values, torch.stack(frames).mean(0))


def test_number_of_scales() -> None:
    sides = [11, 21, 22, 43, 44, 87, 88, 175, 176, 4000]
    assert [num_scales_for(side, 9999) for side in sides] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    with pytest.raises(ShapeError, match="10 x 600"):
        num_scales_for(600, 10)
    with pytest.raises(ShapeError, match="at least 11"):
        ms_ssim(waves(8, 8), waves(8, 8))


def test_labels_tell_scales_apart() -> None:
    assert label(5) == "MS-SSIM"
    assert ms_ssim(waves(64, 64), waves(64, 64)).label == "MS-SSIM (3 of 5 scales)"
    assert label(None) == "MS-SSIM (differing scales)"
