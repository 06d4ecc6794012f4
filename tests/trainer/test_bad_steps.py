"""Steps that are refused before they change anything, what is kept of them, and how a run goes back."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.tiny_runs import (
    checkpoint_content,
    differences,
    events_of,
    run_config,
    saved_state,
    watched_loop,
)
from trainer.config import GuardConfig
from trainer.data.order import batch_indices
from trainer.guard import FIRST_STEPS, BadStep, StepGuard
from trainer.noise import Piece
from trainer.protocol import RunStatus
from trainer.run_dir import RunDir
from trainer.train import run_training

CPU = torch.device("cpu")
ROLLBACK = {"guard__on_bad_step": "rollback", "cadence__checkpoint_every": 2}


def poison(*data_steps: int, factor: float = math.nan) -> Any:
    return lambda data_step: factor if data_step in data_steps else 1.0


def status_of(folder: Path) -> RunStatus:
    status = RunDir(folder).read_status()
    assert status is not None
    return status


@pytest.mark.parametrize("factor", [math.nan, math.inf, 1e38])  # the last: a finite loss, gradients that are not
def test_a_bad_step_changes_nothing(scenes: Path, tmp_path: Path, factor: float) -> None:
    """Weights, moments, averages, the guard's own memory: all to the bit what the step before left."""
    config = run_config(scenes, cadence={"checkpoint_every": 5, "log_every": 1}, optimizer__kind="muon")
    with watched_loop(config, tmp_path / "run", factor=poison(5, factor=factor)) as (loop, watched):
        with pytest.raises(BadStep) as caught:
            loop.run()
        after = loop.state.tensors()
    assert caught.value.step == 5
    before = saved_state(tmp_path / "run", 5)
    for part in ("module", "ema", "numbers"):
        for name, value in after[part].items():
            assert torch.equal(value, before[f"{part}.{name}"]), name
    for name, moments in after["optimizer"].items():
        for key, value in moments.items():
            assert torch.equal(value, before[f"optimizer.{name}.{key}"]), name
    assert watched.seen[-1][0] == 5
    status = status_of(tmp_path / "run")
    assert (status.state, status.step) == ("failed", 5)
    assert "step 6 was not taken" in status.reason
    assert status.advice[0] == "--set guard.on_bad_step=rollback"
    assert [event["type"] for event in events_of(tmp_path / "run")][-2:] == ["bad_step", "run_failed"]


def test_the_evidence(scenes: Path, tmp_path: Path) -> None:
    config = run_config(scenes, cadence__checkpoint_every=2, seed=7)
    with watched_loop(config, tmp_path / "run", factor=poison(5)) as (loop, _), pytest.raises(BadStep):
        loop.run()
    (event,) = events_of(tmp_path / "run", "bad_step")
    assert (event["step"], event["action"]) == (5, "stop")
    kept = json.loads((tmp_path / "run" / "evidence" / event["evidence"]).read_text())
    assert kept["indices"] == batch_indices(7, 5, batch_size=4, num_samples=24).tolist()
    assert kept["epochs"] == [0, 0, 0, 0]
    assert (kept["seed"], kept["step"], kept["data_step"]) == (7, 5, 5)
    assert (kept["loss"], kept["gradient_norm"]) == ("nan", "nan")
    assert kept["average_norm"] > 0
    assert kept["newest_checkpoint"] == ["step-4"]
    assert kept["learning_rate"] > 0
    norms = kept["gradient_norms"]
    assert set(norms) == {name for name, _ in loop.trainable.module.named_parameters()}
    assert {norms[name] for name in norms} <= {"nan", "0"}


def test_a_weight_that_broke_stops_the_run(scenes: Path, tmp_path: Path) -> None:
    """Not a factor on the loss, but the real way: something in the networks is infinite."""
    config = run_config(scenes)

    def spoil(piece: Piece) -> None:
        if piece.step == 3:
            with torch.no_grad():
                next(iter(loop.trainable.module.parameters())).view(-1)[0] = math.inf

    with watched_loop(config, tmp_path / "run", before=spoil) as (loop, _), pytest.raises(BadStep, match="not taken"):
        loop.run()


# ---- going back -----------------------------------------------------------------------------------------------------


def test_rolling_back_leaves_the_batch_out(scenes: Path, tmp_path: Path) -> None:
    config = run_config(scenes, **ROLLBACK)
    with watched_loop(config, tmp_path / "run", factor=poison(5)) as (loop, watched):
        assert loop.run() == "finished"
    assert [step for step, _ in watched.seen] == [0, 1, 2, 3, 4, 5, 4, 5, 6, 7]
    batches = [tuple(batch_indices(0, step, batch_size=4, num_samples=24).tolist()) for step in range(9)]
    assert [samples for _, samples in watched.seen[6:]] == [batches[4], batches[6], batches[7], batches[8]]
    assert saved_state(tmp_path / "run")["skipped"] == [5]
    (event,) = events_of(tmp_path / "run", "bad_step")
    assert (event["step"], event["action"]) == (5, "rollback")
    assert (tmp_path / "run" / "evidence" / event["evidence"]).is_file()
    assert status_of(tmp_path / "run").state == "finished"
    assert "went back to step 4, leaving batch 5 out" in (tmp_path / "run" / "console.log").read_text()


@pytest.mark.stress
def test_going_back_to_the_very_beginning(scenes: Path, tmp_path: Path) -> None:
    config = run_config(scenes, **ROLLBACK)
    with watched_loop(config, tmp_path / "run", factor=poison(0, 1)) as (loop, watched):
        assert loop.run() == "finished"
    assert saved_state(tmp_path / "run")["skipped"] == [0, 1]
    assert [step for step, _ in watched.seen] == [0, 0, *range(8)]


@pytest.mark.stress
def test_what_was_left_out_stays_out_after_a_restart(scenes: Path, tmp_path: Path) -> None:
    """Continued without any poison, the run is still the one that rolled back, to the bit."""
    config = run_config(scenes, **ROLLBACK)
    with watched_loop(config, tmp_path / "whole", factor=poison(2)) as (loop, _):
        loop.run()
    short = run_config(scenes, **ROLLBACK, num_steps=8)

    def stop(piece: Piece) -> None:
        if piece.step == 5:
            (tmp_path / "parts" / "commands" / "stop").touch()

    with watched_loop(short, tmp_path / "parts", factor=poison(2), before=stop) as (loop, _):
        assert loop.run() == "stopped"
    assert run_training(config, tmp_path / "parts", device="cpu") == "finished"
    assert saved_state(tmp_path / "parts")["skipped"] == [2]
    assert differences(saved_state(tmp_path / "whole"), saved_state(tmp_path / "parts")) == []


@pytest.mark.stress
def test_too_many_roll_backs_end_the_run(scenes: Path, tmp_path: Path) -> None:
    config = run_config(scenes, **ROLLBACK, guard__max_rollbacks=2)
    with watched_loop(config, tmp_path / "run", factor=poison(*range(5, 30))) as (loop, _), pytest.raises(BadStep):
        loop.run()
    assert [event["action"] for event in events_of(tmp_path / "run", "bad_step")] == ["rollback", "rollback", "stop"]
    assert status_of(tmp_path / "run").state == "failed"
    assert checkpoint_content(RunDir(tmp_path / "run").checkpoint_folders()[-1])["step"] == 4


# ---- spikes ---------------------------------------------------------------------------------------------------------


def judged(guard: StepGuard, norm: float, loss: float = 1.0) -> bool:
    _, is_bad = guard.judge(0, torch.tensor(loss), torch.tensor(norm))
    return bool(is_bad)


def test_a_spike_is_many_times_the_usual_norm() -> None:
    guard = StepGuard(GuardConfig(spike_factor=10.0), CPU)
    assert not any(judged(guard, 1e6 if step == 3 else 2.0) for step in range(FIRST_STEPS - 1))  # not yet
    guard = StepGuard(GuardConfig(spike_factor=10.0), CPU)
    assert not any(judged(guard, 2.0) for _ in range(FIRST_STEPS))
    assert not judged(guard, 19.0)
    assert judged(guard, 25.0)
    average = guard.average.clone()
    assert judged(guard, 1e4)
    assert torch.equal(guard.average, average)  # what was refused is not usual
    assert float(average[0].exp()) == pytest.approx(2.0 * 9.5**0.02, rel=1e-3)
    assert float(average[1]) == FIRST_STEPS + 1


def test_without_a_factor_only_what_is_not_finite_counts() -> None:
    guard = StepGuard(GuardConfig(spike_factor=0.0), CPU)
    assert not any(judged(guard, 1.0) for _ in range(FIRST_STEPS + 1))
    assert not judged(guard, 1e20)
    for norm, loss in ((math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan), (1.0, -math.inf)):
        assert judged(guard, norm, loss)


def test_a_gradient_of_nothing_does_not_spoil_the_average() -> None:
    guard = StepGuard(GuardConfig(spike_factor=10.0), CPU)
    for step in range(2 * FIRST_STEPS):
        assert not judged(guard, 0.0 if step == 5 else 2.0)
    assert float(guard.average[0].exp()) == pytest.approx(2.0, rel=0.5)
    assert judged(guard, 1e4)


def test_a_spike_in_a_run(scenes: Path, tmp_path: Path) -> None:
    config = run_config(
        scenes, num_steps=FIRST_STEPS + 4, batch_size=2, cadence={"log_every": 50, "checkpoint_every": 50}
    )
    spike = poison(FIRST_STEPS + 2, factor=1e5)
    with watched_loop(config, tmp_path / "run", factor=spike) as (loop, _), pytest.raises(BadStep) as caught:
        loop.run()
    assert caught.value.step == FIRST_STEPS + 2
    assert caught.value.norm > 1e4 * caught.value.average_norm
    assert "is usual" in str(caught.value)
    assert saved_state(tmp_path / "run")["numbers.guard"][1] == FIRST_STEPS
