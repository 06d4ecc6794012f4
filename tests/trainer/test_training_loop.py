"""The loop around a stage: what it writes when, and how a run ends for each reason."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.helpers.tiny_runs import run_config
from trainer.config import RunConfig
from trainer.events import read_events
from trainer.loop import StepLoss, TrainingLoop
from trainer.run_dir import RunDir, read_json
from ul_engine.data.pixels import Uint8Array
from ul_engine.ema import EMA
from ul_engine.errors import NumericsError, OutputError


class Line:
    """The smallest thing that can be trained: a straight line through known points."""

    def __init__(self, spoil: Callable[[int], float] = lambda step: 0.0) -> None:
        torch.manual_seed(0)
        self.module = nn.Linear(1, 1)
        self.spoil = spoil
        self.calls: list[tuple[str, Any]] = []

    def loss(self, step: int) -> StepLoss:
        self.calls.append(("loss", step))
        assert self.module.training
        x = torch.linspace(-1, 1, 8)[:, None]
        error = (self.module(x) - 3 * x - 1).square().mean() + self.spoil(step)
        return StepLoss(error, {"error": error.detach()})

    def validate(self, averaged: EMA) -> dict[str, float]:
        self.calls.append(("validate", averaged.num_updates))
        assert not self.module.training
        return {"slope": float(dict(averaged.named_averages())["weight"])}

    def preview(self, averaged: EMA) -> Uint8Array:
        self.calls.append(("preview", averaged.num_updates))
        return np.zeros((2, 2, 3), np.uint8)

    def export(self, averaged: EMA, folder: Path, figures: dict[str, float]) -> None:
        self.calls.append(("export", figures))


def loop_of(tmp_path: Path, line: Line, **changes: Any) -> TrainingLoop:
    config: RunConfig = run_config(tmp_path, **({"num_steps": 4, "optimizer__learning_rate": 0.1} | changes))
    run = RunDir(tmp_path / "run")
    run.create()
    return TrainingLoop(line, config, run)


def test_order_of_things(tmp_path: Path) -> None:
    line = Line()
    assert loop_of(tmp_path, line, cadence__validate_every=2).run()
    assert line.calls[:-1] == [
        ("validate", 0),
        ("preview", 0),
        ("loss", 0),
        ("loss", 1),
        ("validate", 2),
        ("loss", 2),
        ("loss", 3),
        ("validate", 4),
        ("preview", 4),
    ]
    name, figures = line.calls[-1]
    assert name == "export"
    assert set(figures) == {"slope"}


def test_it_learns(tmp_path: Path) -> None:
    line = Line()
    loop_of(tmp_path, line, num_steps=300, ema_decay=0.5, cadence__log_every=100).run()
    events = [event for event in read_events(tmp_path / "run" / "events.jsonl") if event["type"] == "step"]
    assert float(line.module.weight.detach()) == pytest.approx(3.0, abs=0.05)
    assert events[-1]["loss"] < 1e-3
    assert events[-1]["learning_rate"] == pytest.approx(0.01, rel=0.01)


# Once: the status and the event of a failed run state the step it was started at, not the one it failed at.
def test_numbers_that_are_not_finite_stop_the_run_before_the_step(tmp_path: Path) -> None:
    line = Line(lambda step: float("nan") if step == 2 else 0.0)
    with pytest.raises(NumericsError):
        loop_of(tmp_path, line, cadence__checkpoint_every=1).run()
    assert line.calls[-1] == ("loss", 2)
    assert line.module.weight.isfinite().all()
    status = read_json(tmp_path / "run" / "status.json")
    assert (status["state"], status["step"]) == ("failed", 2)
    assert "not taken" in status["reason"]
    last = read_events(tmp_path / "run" / "events.jsonl")[-1]
    assert (last["type"], last["step"]) == ("run_failed", 2)
    healthy = Line()
    assert loop_of(tmp_path, healthy, cadence__checkpoint_every=1).run()
    assert [call for call in healthy.calls if call[0] == "loss"] == [("loss", 2), ("loss", 3)]


def test_handlers_of_signals_are_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    loop_of(tmp_path, Line()).run()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_signals_stop_after_the_running_step(tmp_path: Path, number: str) -> None:
    def spoil(step: int) -> float:
        if step == 1:
            os.kill(os.getpid(), getattr(signal, number))
        return 0.0

    line = Line(spoil)
    assert not loop_of(tmp_path, line).run()
    assert [call for call in line.calls if call[0] in ("loss", "export")] == [("loss", 0), ("loss", 1)]
    status = read_json(tmp_path / "run" / "status.json")
    assert (status["state"], status["step"]) == ("stopped", 2)
    assert read_events(tmp_path / "run" / "events.jsonl")[-1]["type"] == "run_stopped"


# Once: the status is first written after `log_every` steps: until then a new run has none, and a resumed one is
# still "stopped" or "failed" with the pid of a process that is gone.
def test_the_status_says_running_from_the_start(tmp_path: Path) -> None:
    states = []

    class Asking(Line):
        def validate(self, averaged: EMA) -> dict[str, float]:
            path = tmp_path / "run" / "status.json"
            states.append(read_json(path)["state"] if path.exists() else "none")
            return super().validate(averaged)

    loop_of(tmp_path, Asking()).run()
    assert states[0] == "running"


# Once: what is none of our errors (torch out of memory, a fault of our own) leaves the status "running".
def test_any_failure_is_written_down(tmp_path: Path) -> None:
    def spoil(step: int) -> float:
        if step == 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return 0.0

    with pytest.raises(Exception, match="memory"):
        loop_of(tmp_path, Line(spoil), cadence__log_every=1).run()
    assert read_json(tmp_path / "run" / "status.json")["state"] == "failed"


# Once: a preview that cannot be written escapes as OSError, with a traceback and the status "running".
def test_a_preview_that_cannot_be_written(tmp_path: Path) -> None:
    loop = loop_of(tmp_path, Line(), cadence__log_every=1)
    loop.run_dir.previews.rmdir()
    loop.run_dir.previews.write_text("in the way")
    with pytest.raises(OutputError):
        loop.run()
