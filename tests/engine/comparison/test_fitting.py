"""Pictures brought to a size: exact, centred, never stretched."""

import numpy as np
import pytest

from ul_engine.data.fitting import cover
from ul_engine.data.pixels import Uint8Array


def rings(height: int, width: int) -> Uint8Array:
    """Concentric circles round the middle: `[1, H, W, 3]`."""
    y, x = np.mgrid[0:height, 0:width]
    radius = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)
    return np.repeat((127.5 + 120 * np.cos(radius / 6))[None, ..., None], 3, -1).astype(np.uint8)


def widths(mask: Uint8Array) -> tuple[int, int]:
    rows, columns = np.nonzero(mask)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_the_right_size_is_left_alone() -> None:
    frames = rings(12, 18)
    assert cover(frames, (12, 18)) is frames


# Once: rounding put the box a hair outside the picture at one size in some twenty, and Pillow refused it.
def test_every_size_is_exact() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        height, width, *size = rng.integers(1, 90, 4).tolist()
        covered = cover(rng.integers(0, 256, (1, height, width, 3), dtype=np.uint8), (size[0], size[1]))
        assert covered.shape == (1, *size, 3)
        assert covered.dtype == np.uint8


@pytest.mark.parametrize("source", [(60, 60), (60, 100), (100, 60), (31, 47), (200, 333)])
@pytest.mark.parametrize("size", [(40, 40), (40, 64), (64, 40), (97, 101)])
def test_circles_stay_circles_round_the_middle(source: tuple[int, int], size: tuple[int, int]) -> None:
    covered = cover(rings(*source), size)[0, ..., 0]
    scale = max(size[0] / source[0], size[1] / source[1])
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    radius = np.hypot(y - (size[0] - 1) / 2, x - (size[1] - 1) / 2) / scale
    wanted = 127.5 + 120 * np.cos(radius / 6)
    inner = radius < 0.45 * min(source)
    assert np.abs(covered - wanted)[inner].mean() < 12
    mirrored = covered.astype(int)
    assert np.abs(mirrored - mirrored[::-1]).max() <= 2
    assert np.abs(mirrored - mirrored[:, ::-1]).max() <= 2


def test_what_juts_out_is_cut_evenly() -> None:
    """Of stripes 10 to each side too many, the ten outer ones go."""
    stripes = np.zeros((1, 8, 40, 3), np.uint8)
    stripes[:] = (np.arange(40) * 6)[None, None, :, None]
    assert np.array_equal(cover(stripes, (8, 20)), stripes[:, :, 10:30])
    tall = stripes.transpose(0, 2, 1, 3)
    assert np.array_equal(cover(tall, (20, 8)), tall[:, 10:30])


def test_a_flat_picture_stays_flat() -> None:
    flat = np.full((2, 33, 57, 3), 77, np.uint8)
    for size in ((16, 16), (100, 20), (64, 200)):
        assert set(np.unique(cover(flat, size))) == {77}


def test_all_frames_are_treated_alike() -> None:
    clip = np.concatenate([rings(30, 50), 255 - rings(30, 50), rings(30, 50)])
    covered = cover(clip, (16, 16))
    assert covered.shape == (3, 16, 16, 3)
    assert np.array_equal(covered[0], covered[2])
    assert np.array_equal(covered[1], cover(clip[1:2], (16, 16))[0])


def test_scaling_down_averages() -> None:
    """A board of single black and white pixels becomes grey, not black or white."""
    board = np.indices((64, 64)).sum(0) % 2 * 255
    covered = cover(np.repeat(board[None, ..., None], 3, -1).astype(np.uint8), (16, 16))
    assert np.abs(covered[:, 2:-2, 2:-2].astype(int) - 127).max() < 6
