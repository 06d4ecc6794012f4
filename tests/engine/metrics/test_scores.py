"""All measures of a reconstruction at once are the measures one by one."""

import math

import pytest
import torch

from tests.helpers.tiny import simple_pictures
from ul_engine.data.pixels import pictures_from_array
from ul_engine.errors import ShapeError
from ul_engine.metrics.distortion import psnr_db, ssim
from ul_engine.metrics.flip import flip
from ul_engine.metrics.lpips import Lpips
from ul_engine.metrics.ms_ssim import ms_ssim
from ul_engine.metrics.scores import score


def test_one_row_per_picture() -> None:
    x = pictures_from_array(simple_pictures(3, size_px=48)) * 0.8
    x_hat = x + torch.tensor([0.0, 0.01, 0.1]).view(3, 1, 1, 1, 1)
    rows = score(x, x_hat, pixels_per_degree=40.0)
    assert [row.psnr_db for row in rows] == psnr_db(x, x_hat).tolist()
    assert [row.ssim for row in rows] == ssim(x, x_hat).tolist()
    assert [row.ms_ssim for row in rows] == ms_ssim(x, x_hat).values.tolist()
    assert [row.flip for row in rows] == flip(x, x_hat, 40.0).mean.tolist()
    assert {row.ms_ssim_scales for row in rows} == {3}
    assert (rows[0].psnr_db, rows[0].ssim, rows[0].flip, rows[0].lpips) == (math.inf, 1.0, 0.0, None)


def test_measured_as_it_is_shown() -> None:
    """Beyond white is white, for a codec's pixels as for ours."""
    x = torch.ones(1, 3, 1, 16, 16)
    assert score(x, x + 0.5) == score(x, x)


def test_lpips_where_there_is_one() -> None:
    torch.manual_seed(0)
    x = pictures_from_array(simple_pictures(2, size_px=32))
    deep = Lpips("alex").requires_grad_(False)
    assert [row.lpips for row in score(x, -x, lpips=deep)] == pytest.approx(deep(x, -x).tolist())


def test_too_small() -> None:
    with pytest.raises(ShapeError, match="11 pixels"):
        score(torch.zeros(1, 3, 1, 8, 8), torch.zeros(1, 3, 1, 8, 8))
