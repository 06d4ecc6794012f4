"""The Fréchet distance against closed forms and torchmetrics, and its statistics streamed, merged, saved, resumed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from ul_engine.errors import ConfigError, DataError, EngineError, NumericsError, OutputError, ShapeError
from ul_engine.metrics.frechet import FeatureStatistics, frechet_distance, statistics_of


def rows(num: int, width: int, *, seed: int, shift: float = 0.0) -> Tensor:
    """Correlated rows far from the origin, float32."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width, width, generator=torch.Generator().manual_seed(width)) + torch.eye(width)
    return torch.randn(num, width, generator=generator) @ mixing + 100.0 + shift


def gaussian(mean: Tensor, covariance: Tensor, num: int = 10_000) -> FeatureStatistics:
    """Statistics as `num` samples with exactly this mean and covariance would leave them."""
    statistics = FeatureStatistics(len(mean), network="test")
    statistics.num_samples = num
    statistics.mean, statistics.scatter = mean.double(), covariance.double() * (num - 1)
    return statistics


def of(features: Tensor) -> FeatureStatistics:
    return statistics_of([features], features.shape[1], network="test")


# ---- the distance -------------------------------------------------------------------------------------------------


def test_commuting_gaussians_have_a_closed_form() -> None:
    """`|m1 - m2|^2 + sum (s1 - s2)^2` for covariances that share their axes.

    Both are singular: an eigenvalue of 0 comes out as 1e-16, whose root counts.
    """
    axes = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).Q
    first, second = torch.tensor([1.0, 2.0, 0.0, 3.0, 0.5]), torch.tensor([4.0, 2.0, 1.0, 0.0, 0.25])
    first, second = first.double(), second.double()
    mean = torch.tensor([1.0, -2.0, 0.0, 0.5, 0.0])
    distance = frechet_distance(
        gaussian(mean, axes @ first.square().diag() @ axes.T),
        gaussian(torch.zeros(5), axes @ second.square().diag() @ axes.T),
        name="FD",
    )
    assert distance.mean_term == pytest.approx(5.25, abs=1e-12)
    assert distance.covariance_term == pytest.approx(float((first - second).square().sum()), abs=1e-6)
    assert distance.value == distance.mean_term + distance.covariance_term
    assert (distance.name, distance.num_features, distance.warnings) == ("FD", 5, ())


def test_two_by_two_covariances_that_do_not_commute() -> None:
    """`tr (C1 C2)^(1/2) = (tr(C1 C2) + 2 sqrt(det C1 det C2))^(1/2)` for 2 x 2."""
    first = torch.tensor([[2.0, 0.9], [0.9, 1.0]], dtype=torch.float64)
    second = torch.tensor([[0.5, -0.3], [-0.3, 4.0]], dtype=torch.float64)
    overlap = ((first @ second).trace() + 2.0 * (first.det() * second.det()).sqrt()).sqrt()
    distance = frechet_distance(gaussian(torch.zeros(2), first), gaussian(torch.zeros(2), second))
    assert distance.value == pytest.approx(float(first.trace() + second.trace() - 2.0 * overlap), abs=1e-10)


def test_equal_sets_are_at_no_distance_even_without_full_rank() -> None:
    features = rows(40, 64, seed=0)
    distance = frechet_distance(of(features), of(features.flip(0)))
    assert abs(distance.value) < 1e-11 * float(of(features).covariance.trace())


def test_it_is_symmetric_and_grows_with_a_shift() -> None:
    one, other = of(rows(300, 6, seed=0)), of(rows(300, 6, seed=1, shift=0.7))
    assert frechet_distance(one, other).value == pytest.approx(frechet_distance(other, one).value, rel=1e-9)
    assert frechet_distance(one, other).mean_term == pytest.approx(
        float((one.mean - other.mean).square().sum()), rel=1e-12
    )


class _Passed(nn.Module):
    """Features handed through as they are."""

    num_features = 16

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_as_torchmetrics_has_it() -> None:
    measured, reference = rows(700, 16, seed=2, shift=0.5), rows(500, 16, seed=3)
    metric = FrechetInceptionDistance(feature=_Passed())
    metric.set_dtype(torch.float64)
    metric.update(reference, real=True)
    metric.update(measured, real=False)
    assert frechet_distance(of(measured), of(reference)).value == pytest.approx(float(metric.compute()), rel=1e-6)


def test_few_samples_are_told() -> None:
    few = frechet_distance(of(rows(9, 10, seed=0)), of(rows(3000, 10, seed=1)))
    assert few.num_samples == (9, 3000)
    assert "only 9 samples" in few.warnings[0]
    assert "rank deficient" in few.warnings[1]
    assert len(frechet_distance(of(rows(99, 10, seed=0)), of(rows(99, 10, seed=1))).warnings) == 1
    assert not frechet_distance(of(rows(2048, 10, seed=0)), of(rows(2048, 10, seed=1))).warnings


# ---- statistics ---------------------------------------------------------------------------------------------------


def test_statistics_are_mean_and_unbiased_covariance() -> None:
    features = rows(50, 4, seed=0)
    statistics = of(features)
    assert statistics.num_samples == 50
    torch.testing.assert_close(statistics.mean, features.double().mean(0), rtol=1e-13, atol=0.0)
    torch.testing.assert_close(statistics.covariance, features.double().T.cov(), rtol=1e-10, atol=1e-10)


def test_a_large_offset_costs_no_digits() -> None:
    features = rows(400, 3, seed=0).double()
    near, far = FeatureStatistics(3, network="test"), FeatureStatistics(3, network="test")
    for part in features.split(7):
        near.update(part)
        far.update(part + 1e6)
    torch.testing.assert_close(far.covariance, near.covariance, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("batch_size", [1, 7, 100, 1000])
def test_streaming_in_any_batches_gives_the_same(batch_size: int) -> None:
    features = rows(100, 5, seed=0)

    def stream() -> Iterator[Tensor]:
        yield from features.split(batch_size)

    streamed = statistics_of(stream(), 5, network="test")
    torch.testing.assert_close(streamed.covariance, of(features).covariance, rtol=1e-11, atol=1e-11)


def test_merging_is_having_seen_both() -> None:
    features = rows(90, 5, seed=0)
    first, second = of(features[:20]), of(features[20:])
    kept = second.scatter.clone()
    first.merge(second)
    first.merge(FeatureStatistics(5, network="test"))
    torch.testing.assert_close(first.covariance, of(features).covariance, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(first.mean, of(features).mean, rtol=1e-13, atol=0.0)
    assert first.num_samples == 90
    assert torch.equal(second.scatter, kept)


def test_a_run_resumes_from_a_file(tmp_path: Path) -> None:
    features = rows(60, 5, seed=0)
    file = tmp_path / "new" / "reference.safetensors"
    of(features[:25]).save(file)
    resumed = FeatureStatistics.load(file, network="test")
    resumed.update(features[25:])
    assert torch.equal(resumed.mean, statistics_of(features.split([25, 35]), 5, network="test").mean)
    resumed.save(file)  # over the older one
    again = FeatureStatistics.load(file)
    assert torch.equal(again.scatter, resumed.scatter)
    assert (again.num_samples, again.network) == (60, "test")
    assert [path.name for path in file.parent.iterdir()] == [file.name]


# ---- guards -------------------------------------------------------------------------------------------------------


def test_networks_never_mix(tmp_path: Path) -> None:
    one, other = of(rows(20, 4, seed=0)), FeatureStatistics(4, network="another")
    other.update(rows(20, 4, seed=0))
    with pytest.raises(ConfigError, match="another"):
        frechet_distance(one, other)
    with pytest.raises(ConfigError, match="network"):
        one.merge(other)
    one.save(tmp_path / "a.safetensors")
    with pytest.raises(DataError, match="measured with test"):
        FeatureStatistics.load(tmp_path / "a.safetensors", network="another")


def test_rows_that_cannot_be_taken() -> None:
    statistics = FeatureStatistics(4, network="test")
    for features in (torch.zeros(2, 5), torch.zeros(4)):
        with pytest.raises(ShapeError, match="4"):
            statistics.update(features)
    with pytest.raises(NumericsError):
        statistics.update(torch.tensor([[1.0, 2.0, float("nan"), 0.0]]))
    statistics.update(torch.zeros(0, 4))
    statistics.update(torch.zeros(1, 4))
    assert statistics.num_samples == 1
    with pytest.raises(ShapeError, match="at least 2"):
        frechet_distance(statistics, statistics)


@pytest.mark.parametrize("content", [None, b"", b"no tensors at all, whatever the name says"])
def test_files_that_are_no_statistics(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "a.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.safetensors"):
        FeatureStatistics.load(file)


def test_other_safetensors_are_no_statistics(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"mean": torch.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(DataError, match="no file of feature statistics"):
        FeatureStatistics.load(tmp_path / "a.safetensors")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError) as caught:
        of(rows(5, 2, seed=0)).save(tmp_path / "file" / "a.safetensors")
    assert isinstance(caught.value, EngineError)
