"""Noise by seed: the same in any batch, different for every seed and stream, standard normal."""

import pytest
import torch

from ul_engine.diffusion.noise import SeededNoise, stream_seed


def test_a_seed_gives_the_same_noise_in_any_batch() -> None:
    batch = SeededNoise([3, 7, 11, 7], "base", shape=(2, 5))
    alone = SeededNoise([7], "base", shape=(2, 5))
    for _ in range(4):
        drawn, single = batch.draw(), alone.draw()
        assert drawn.shape == (4, 2, 5)
        assert drawn.dtype == torch.float32
        assert torch.equal(drawn[1], single[0])
        assert torch.equal(drawn[3], single[0])
        assert not torch.equal(drawn[0], drawn[1])


def test_draws_go_on() -> None:
    noise = SeededNoise([7], "base", shape=(8,))
    first, second = noise.draw(), noise.draw()
    assert not torch.equal(first, second)
    again = SeededNoise([7], "base", shape=(8,))
    assert torch.equal(again.draw(), first)
    assert torch.equal(again.draw(), second)


def test_global_random_state_neither_matters_nor_moves() -> None:
    torch.manual_seed(1)
    first = SeededNoise([7], "base", shape=(8,)).draw()
    state = torch.random.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(SeededNoise([7], "base", shape=(8,)).draw(), first)
    torch.manual_seed(1)
    SeededNoise([8], "base", shape=(8,)).draw()
    assert torch.equal(torch.random.get_rng_state(), state)


def test_streams_and_neighbouring_seeds_are_independent() -> None:
    streams = [
        SeededNoise([seed], stream, shape=(20_000,)).draw()[0]
        for seed in (0, 1, 2)
        for stream in ("base", "decoder", "encoder", "ladder")
    ]
    correlation = torch.corrcoef(torch.stack(streams)) - torch.eye(len(streams))
    assert float(correlation.abs().max()) < 5 / 20_000**0.5


def test_standard_normal() -> None:
    noise = SeededNoise(range(20), "base", shape=(10_000,)).draw()
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(noise.std()) == pytest.approx(1.0, abs=0.01)
    assert float(noise.pow(4).mean()) == pytest.approx(3.0, abs=0.1)


def test_large_seeds_are_seeds_of_their_own() -> None:
    seeds = [0, 2**32, 2**40, 2**62, 2**63 - 1]
    noise = SeededNoise(seeds, "base", shape=(8,)).draw()
    assert len({tuple(row.tolist()) for row in noise}) == len(seeds)


# Once: torch's CPU generator keeps only the low 32 of the 63 bits, so different seeds share their noise. These
# two were found among the first 200 000 seeds of the stream "base" (there are others, and more across streams).
COLLIDING = (79_026, 162_276)


def test_no_two_seeds_share_their_noise() -> None:
    assert stream_seed(COLLIDING[0], "base") != stream_seed(COLLIDING[1], "base")
    first, second = SeededNoise(COLLIDING, "base", shape=(8,)).draw()
    assert not torch.equal(first, second)
