"""The order of the data: the stream of old runs, batches of one shape, and no sample seen less often than another."""

import numpy as np
import pytest

from trainer.data.order import BatchOrder, batch_indices
from ul_engine.errors import ConfigError

BUCKETS = np.array([2] * 37 + [0] * 3 + [5] * 60)


def written_out(seed: int, step: int, batch_size: int, num_samples: int) -> np.ndarray:
    """Position by position: sample `position % num_samples` of the permutation of pass `position // num_samples`."""
    result = []
    for position in range(step * batch_size, (step + 1) * batch_size):
        rng = np.random.Generator(np.random.Philox(key=[seed, position // num_samples]))
        result.append(rng.permutation(num_samples)[position % num_samples])
    return np.array(result)


@pytest.mark.parametrize(("batch_size", "num_samples"), [(4, 24), (5, 24), (7, 10), (64, 10), (3, 1)])
def test_without_buckets_it_is_the_stream_of_permutations(batch_size: int, num_samples: int) -> None:
    order = BatchOrder(num_samples, batch_size, 11)
    for step in (0, 1, 2, 9, 3, 1000):
        indices, epochs = order.batch(step)
        assert np.array_equal(indices, written_out(11, step, batch_size, num_samples))
        assert np.array_equal(epochs, np.arange(step * batch_size, (step + 1) * batch_size) // num_samples)
        assert np.array_equal(indices, batch_indices(11, step, batch_size=batch_size, num_samples=num_samples))
        assert indices.dtype == epochs.dtype == np.int64


def test_streams_of_runs_begun_earlier_go_on() -> None:
    """Written by the first version of this order, of which runs are on disks."""
    assert batch_indices(0, 0, batch_size=6, num_samples=24).tolist() == [8, 15, 14, 19, 1, 10]
    assert batch_indices(3, 7, batch_size=6, num_samples=24).tolist() == [21, 7, 13, 22, 11, 10]


@pytest.mark.parametrize("batch_size", [1, 4, 7, 50])
def test_batches_of_buckets_have_one_shape_and_leave_nobody_out(batch_size: int) -> None:
    order = BatchOrder(len(BUCKETS), batch_size, 1, BUCKETS)
    num_epochs = 40
    num_steps = sum(num_epochs * int((bucket == BUCKETS).sum()) // batch_size for bucket in (0, 2, 5))
    batches = [order.batch(step) for step in range(num_steps)]
    assert all(len(set(BUCKETS[indices])) == 1 for indices, _ in batches)
    seen = np.bincount(np.concatenate([indices for indices, _ in batches]), minlength=len(BUCKETS))
    for bucket in (0, 2, 5):
        counts = seen[bucket == BUCKETS]
        waiting = num_epochs * len(counts) - counts.sum()
        assert 0 <= waiting < batch_size
        assert counts.max() - counts.min() <= 1
    pairs = [tuple(pair) for batch in batches for pair in zip(*batch, strict=True)]
    assert len(set(pairs)) == len(pairs)


def test_bucket_batches_depend_on_the_step_alone() -> None:
    order, other = (BatchOrder(len(BUCKETS), 8, 5, BUCKETS) for _ in range(2))
    forwards = [order.batch(step)[0].tolist() for step in range(60)]
    assert [other.batch(step)[0].tolist() for step in reversed(range(60))] == forwards[::-1]
    assert [BatchOrder(len(BUCKETS), 8, 6, BUCKETS).batch(step)[0].tolist() for step in range(60)] != forwards
    shapes = [BUCKETS[indices[0]] for indices in forwards]
    assert shapes != sorted(shapes)
    assert order.batch(10**6)[0].tolist() == other.batch(10**6)[0].tolist()


def test_one_bucket_has_every_sample_once_per_pass() -> None:
    order = BatchOrder(20, 5, 0, np.zeros(20, np.int64))
    for epoch in range(3):
        indices = np.concatenate([order.batch(epoch * 4 + step)[0] for step in range(4)])
        assert sorted(indices) == list(range(20))


def test_impossible_orders_are_refused() -> None:
    for arguments, field in (((0, 4, 0), "data"), ((4, 0, 0), "batch_size"), ((4, 2, 0, np.zeros(3)), "data.fit")):
        with pytest.raises(ConfigError) as caught:
            BatchOrder(*arguments)
        assert caught.value.field == field
