"""The order of the data: a permutation per pass, a pure function of seed and step."""

import numpy as np
import pytest

from trainer.data.order import batch_indices


def stream(seed: int, *, num_steps: int, batch_size: int, num_samples: int) -> np.ndarray:
    return np.concatenate(
        [batch_indices(seed, step, batch_size=batch_size, num_samples=num_samples) for step in range(num_steps)]
    )


@pytest.mark.parametrize(("batch_size", "num_samples"), [(4, 24), (5, 24), (7, 10), (64, 10), (3, 1)])
def test_each_pass_shows_every_sample_once(batch_size: int, num_samples: int) -> None:
    indices = stream(0, num_steps=60, batch_size=batch_size, num_samples=num_samples)
    for start in range(0, len(indices) - num_samples, num_samples):
        assert sorted(indices[start : start + num_samples]) == list(range(num_samples))


def test_batch_size_only_cuts_the_stream() -> None:
    small = stream(3, num_steps=40, batch_size=3, num_samples=17)
    large = stream(3, num_steps=12, batch_size=10, num_samples=17)
    assert np.array_equal(small, large)


def test_passes_and_seeds_have_orders_of_their_own() -> None:
    passes = stream(0, num_steps=30, batch_size=10, num_samples=100).reshape(3, 100)
    assert not np.array_equal(passes[0], passes[1])
    assert not np.array_equal(passes[1], passes[2])
    assert not np.array_equal(stream(1, num_steps=10, batch_size=10, num_samples=100), passes[0])


def test_nothing_is_carried_from_step_to_step() -> None:
    late = batch_indices(5, 1000, batch_size=8, num_samples=100)
    for step in (3, 999, 7):
        batch_indices(5, step, batch_size=8, num_samples=100)
    np.random.seed(1)  # noqa: NPY002 - the global state is what must not matter
    assert np.array_equal(batch_indices(5, 1000, batch_size=8, num_samples=100), late)
    assert late.dtype == np.int64


def test_order_is_shuffled_evenly() -> None:
    firsts = [int(batch_indices(seed, 0, batch_size=1, num_samples=4)[0]) for seed in range(400)]
    counts = np.bincount(firsts, minlength=4)
    assert counts.min() > 70
