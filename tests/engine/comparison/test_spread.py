"""Mean and deviation of several decodes, against numpy and against what must hold for any numbers."""

import numpy as np
import pytest

from ul_engine.comparison import spread_of
from ul_engine.data.pixels import Uint8Array


def drawn(count: int, *, shape: tuple[int, ...] = (3, 5, 7, 3), seed: int = 0) -> Uint8Array:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.mark.parametrize("count", [2, 3, 17])
def test_against_numpy(count: int) -> None:
    decodes = drawn(count)
    spread = spread_of(list(decodes))
    values = decodes.astype(np.float64)
    assert (spread.mean.dtype, spread.mean.shape) == (np.uint8, (3, 5, 7, 3))
    assert (spread.deviation.dtype, spread.deviation.shape) == (np.float32, (3, 5, 7))
    assert np.array_equal(spread.mean, np.rint(values.mean(0)))
    np.testing.assert_allclose(spread.deviation, np.sqrt(values.var(0, ddof=1).mean(-1)), rtol=1e-6)
    assert spread.mean_deviation == pytest.approx(np.sqrt(values.var(0, ddof=1).mean()), rel=1e-6)
    assert spread.num_decodes == count


def test_equal_decodes_deviate_by_nothing() -> None:
    (picture,) = drawn(1)
    spread = spread_of([picture] * 6)
    assert np.array_equal(spread.mean, picture)
    assert not spread.deviation.any()
    assert spread.mean_deviation == 0.0


def test_two_levels_apart() -> None:
    """Variance of 100 and 110 is 50, in one of three colours."""
    first = np.full((1, 2, 2, 3), 100, np.uint8)
    second = first.copy()
    second[0, 0, 0, 1] = 110
    spread = spread_of([first, second])
    assert spread.mean[0, 0, 0].tolist() == [100, 105, 100]
    assert spread.deviation[0, 0, 0] == pytest.approx(np.sqrt(50 / 3))
    assert not spread.deviation[0, 1].any()


def test_the_extremes_of_eight_bits() -> None:
    black, white = np.zeros((1, 2, 2, 3), np.uint8), np.full((1, 2, 2, 3), 255, np.uint8)
    spread = spread_of([black, white, black, white])
    assert spread.mean_deviation == pytest.approx(255 / np.sqrt(3))
    assert set(spread.mean.ravel()) == {128}


def test_order_does_not_matter() -> None:
    decodes = list(drawn(9))
    forth, back = spread_of(decodes), spread_of(decodes[::-1])
    assert np.array_equal(forth.mean, back.mean)
    np.testing.assert_allclose(forth.deviation, back.deviation, rtol=1e-6)


def test_only_one_decode_need_exist_at_a_time() -> None:
    decodes = drawn(4)
    spread = spread_of(decode for decode in decodes)
    assert np.array_equal(spread.deviation, spread_of(decodes).deviation)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two(count: int) -> None:
    with pytest.raises(ValueError, match="at least two"):
        spread_of(list(drawn(count)))
