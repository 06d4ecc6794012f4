"""Times of a batch: one in each stratum, each alone uniform, repeatable, and quieter than independent draws."""

import pytest
import torch

from ul_engine.diffusion.time_sampling import stratified_times


@pytest.mark.parametrize("count", [1, 2, 7, 64, 1000])
def test_each_stratum_is_hit_once(count: int) -> None:
    t = stratified_times(count, generator=torch.Generator().manual_seed(count))
    assert t.shape == (count,)
    assert t.dtype == torch.float32
    assert sorted((t * count).floor().int().tolist()) == list(range(count))
    assert float(t.min()) >= 0.0
    assert float(t.max()) <= 1.0


def test_each_place_alone_is_uniform() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack([stratified_times(4, generator=generator) for _ in range(4000)])
    for place in range(4):
        ordered = draws[:, place].sort().values
        distance = (ordered - torch.arange(1, 4001) / 4000).abs().max()
        assert float(distance) < 1.63 / 4000**0.5  # Kolmogorov-Smirnov at 1 %


def test_places_are_dealt_out_at_random() -> None:
    t = stratified_times(256, generator=torch.Generator().manual_seed(0))
    assert abs(float(torch.corrcoef(torch.stack((t, torch.arange(256.0))))[0, 1])) < 0.2


def test_a_generator_decides() -> None:
    def draw(seed: int) -> torch.Tensor:
        return stratified_times(16, generator=torch.Generator().manual_seed(seed))

    assert torch.equal(draw(3), draw(3))
    assert not torch.equal(draw(3), draw(4))
    torch.manual_seed(5)
    first = stratified_times(16)
    torch.manual_seed(5)
    assert torch.equal(stratified_times(16), first)


def test_a_mean_over_time_is_far_less_noisy() -> None:
    generator = torch.Generator().manual_seed(1)
    stratified = torch.stack([stratified_times(64, generator=generator).square().mean() for _ in range(300)])
    independent = torch.rand(300, 64, generator=generator).square().mean(1)
    assert float(stratified.mean()) == pytest.approx(1 / 3, abs=1e-3)
    assert float(stratified.std()) < 0.05 * float(independent.std())
