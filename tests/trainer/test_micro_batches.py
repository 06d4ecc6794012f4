"""How a batch is cut into micro-batches or among ranks changes neither data nor noise, and losses only by rounding."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.helpers.sample_arrays import picture_samples
from tests.helpers.tiny_runs import differences, events_of, run_config, saved_state, watched_loop, write_settings
from trainer.config import LoadingConfig
from trainer.data.loader import BatchLoader
from trainer.data.order import BatchOrder
from trainer.loop import TrainingLoop
from trainer.noise import Piece, StepNoise
from trainer.ranks import single
from trainer.reporting import Reporter
from trainer.run_dir import RunDir
from trainer.train import opened_stage
from ul_engine.errors import ConfigError

CPU = torch.device("cpu")
CUTS = [(8,), (3, 3, 2), (1,) * 8, (1, 7), (5, 3)]
SHAPES = ((2, 3), (4,), (1, 2, 2))


def pieces(cut: tuple[int, ...]) -> list[tuple[int, int]]:
    ends = [sum(cut[: index + 1]) for index in range(len(cut))]
    return list(zip([0, *ends[:-1]], ends, strict=True))


def draws(seed: int, step: int, cut: tuple[int, ...]) -> list[Tensor]:
    """Everything random of a batch of 8, put together again from its pieces."""
    parts = []
    for piece in pieces(cut):
        draw = StepNoise(seed, Piece(step, step, *piece, 8), CPU)
        parts.append([draw.times(), draw.times(), draw.uniform(), *draw.normals(SHAPES), draw.uniform()])
    return [torch.cat(column) for column in zip(*parts, strict=True)]


@pytest.mark.parametrize("cut", CUTS)
def test_noise_is_the_same_for_every_cut(cut: tuple[int, ...]) -> None:
    for ours, whole in zip(draws(3, 7, cut), draws(3, 7, (8,)), strict=True):
        assert torch.equal(ours, whole)


def test_noise_is_a_function_of_seed_and_step() -> None:
    torch.manual_seed(5)
    first = draws(0, 5, (8,))
    torch.manual_seed(6)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(first, draws(0, 5, (8,)), strict=True))
    values = [
        value
        for seed in range(3)
        for step in range(20)
        for part in draws(seed, step, (8,))
        for value in part.flatten().tolist()
    ]
    assert len(set(values)) > 0.999 * len(values)


def test_noise_is_normal_and_times_are_stratified() -> None:
    normals = torch.cat([draws(0, step, (8,))[3].flatten() for step in range(200)])
    assert float(normals.mean()) == pytest.approx(0.0, abs=0.03)
    assert float(normals.std()) == pytest.approx(1.0, abs=0.03)
    for step in range(20):
        first, second = draws(0, step, (8,))[:2]
        for times in (first, second):
            assert sorted((times * 8).floor().tolist()) == list(range(8))  # one in each eighth
        assert not torch.equal(first, second)


def test_dropout_masks_are_seeded_by_step_and_place() -> None:
    def mask(step: int, piece: tuple[int, int]) -> list[float]:
        StepNoise(0, Piece(step, step, *piece, 8), CPU).seed_dropout()
        return torch.rand(4).tolist()

    assert mask(1, (0, 4)) == mask(1, (0, 4))
    assert len({tuple(mask(step, (start, 8))) for step in range(4) for start in (0, 4)}) == 8


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 4])
def test_ranks_share_out_the_very_same_batches(num_ranks: int) -> None:
    source, order = picture_samples(10), BatchOrder(10, 7, seed=2)
    shares = []
    for rank in range(num_ranks):
        with BatchLoader(source, order, LoadingConfig(num_workers=0), share=(rank, num_ranks)) as loader:
            loader.start(range(4))
            shares.append([loader.next() for _ in range(4)])
    for step in range(4):
        indices, epochs = order.batch(step)
        assert [index for share in shares for index in share[step].indices.tolist()] == indices.tolist()
        assert [epoch for share in shares for epoch in share[step].epochs.tolist()] == epochs.tolist()


# ---- runs -----------------------------------------------------------------------------------------------------------


def trained(config: Any, folder: Path, observe: Callable[[Any], None] = lambda watched: None) -> list[dict[str, Any]]:
    with watched_loop(config, folder) as (loop, watched):
        assert loop.run() == "finished"
        observe(watched)
    return events_of(folder, "step")


@pytest.mark.stress
@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_every_micro_batch_gives_the_same_run(stage: str, scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "num_steps": 4,
        "batch_size": 7,
        "model__decoder__dropout": 0.0,
        "model__base__dropout": 0.0,
    }
    if stage == "stage2":
        given["init_from"] = stage1_model_without_dropout(scenes, tmp_path)
    orders: dict[int | None, list[int]] = {}

    def keep(size: int | None) -> Callable[[Any], None]:
        def observe(watched: Any) -> None:
            orders[size] = [index for _, indices in watched.seen for index in indices]

        return observe

    whole = trained(run_config(scenes, stage, **given), tmp_path / "whole", keep(None))
    for size in (1, 3, 5):
        folder = tmp_path / str(size)
        steps = trained(run_config(scenes, stage, scale__micro_batch=size, **given), folder, keep(size))
        assert orders[size] == orders[None]
        for ours, theirs in zip(steps, whole, strict=True):
            assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-5)
            assert ours["gradient_norm"] == pytest.approx(theirs["gradient_norm"], rel=1e-3)
        state, wanted = saved_state(folder), saved_state(tmp_path / "whole")
        if stage == "stage1":
            assert float(state["module.latent_std"]) == pytest.approx(float(wanted["module.latent_std"]), rel=1e-4)


def stage1_model_without_dropout(scenes: Path, tmp_path: Path) -> str:
    config = run_config(scenes, num_steps=1, model__decoder__dropout=0.0, model__base__dropout=0.0)
    trained(config, tmp_path / "first")
    return str(tmp_path / "first" / "model")


def test_recomputed_activations_change_not_a_bit(scenes: Path, tmp_path: Path) -> None:
    """Dropout's masks are drawn again as they were."""
    for name, is_recomputed in (("kept", False), ("again", True)):
        config = run_config(scenes, num_steps=4, scale__checkpoint_activations=is_recomputed, scale__micro_batch=3)
        trained(config, tmp_path / name)
    assert differences(saved_state(tmp_path / "kept"), saved_state(tmp_path / "again")) == []


@pytest.mark.stress
def test_compiled_blocks(scenes: Path, tmp_path: Path) -> None:
    """In a process of its own: the compiler keeps threads for as long as its process lives."""
    given: dict[str, Any] = {"num_steps": 2, "model__decoder__dropout": 0.0}
    plain = trained(run_config(scenes, **given), tmp_path / "plain")
    folder = write_settings(run_config(scenes, scale__compile_blocks=True, **given), tmp_path / "compiled")
    command = [sys.executable, "-m", "trainer.worker", str(folder), "--device", "cpu"]
    environment = os.environ | {"TORCHINDUCTOR_COMPILE_THREADS": "1"}
    subprocess.run(command, check=True, timeout=500, env=environment, capture_output=True)
    for ours, theirs in zip(events_of(folder, "step"), plain, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
    assert saved_state(folder).keys() == saved_state(tmp_path / "plain").keys()


def test_fewer_samples_than_pieces_are_refused(scenes: Path, tmp_path: Path) -> None:
    """All ranks must exchange as often as each other: shares of 1 and 2 cannot both be cut into 2."""
    config = run_config(scenes, batch_size=3, scale__micro_batch=1)
    run = RunDir(tmp_path)
    run.create()
    ranks = single(torch.device("cpu"))
    with closing(Reporter(run, ranks, 8)) as reporter:
        settled, stage = opened_stage(config, run, ranks, reporter)
        stepper = TrainingLoop(stage, settled, run, ranks, reporter).stepper
        stepper._ranks = replace(ranks, size=2)
        assert stepper._bounds(2) == [0, 1, 2]
        with pytest.raises(ConfigError, match="batch_size: 1 samples of a rank cannot be cut into 2 pieces"):
            stepper._bounds(1)
        stage.feed.close()
