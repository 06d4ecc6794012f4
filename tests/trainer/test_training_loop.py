"""The loop around a stage: what it does when, and how a run ends for each reason."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.helpers.tiny_runs import events_of, run_config
from trainer.config import RunConfig
from trainer.data.samples import IntArray
from trainer.loop import TrainingLoop, data_step_of
from trainer.noise import Piece
from trainer.pace import is_preview_due
from trainer.protocol import RunState, RunStatus
from trainer.ranks import single
from trainer.reporting import Reporter
from trainer.run_dir import RunDir
from trainer.trainable import Averages, LossCall, Preview
from ul_engine.errors import NumericsError, OutputError


@dataclass
class Numbers:
    """A batch of the numbers of one data step."""

    indices: IntArray
    epochs: IntArray

    def __len__(self) -> int:
        return len(self.indices)


class NumberFeed:
    """Batches of four."""

    wait_s = 0.0

    def __init__(self) -> None:
        self.given: list[int] = []
        self.is_closed = False

    def start(self, steps: Iterable[int]) -> None:
        self._steps: Iterator[int] = iter(steps)

    def next(self) -> Numbers:
        self.given.append(next(self._steps))
        return Numbers(4 * self.given[-1] + np.arange(4), np.zeros(4, np.int64))

    def close(self) -> None:
        self.is_closed = True


class Line:
    """The smallest thing that can be trained: a straight line through known points."""

    def __init__(self, spoil: Callable[[int], float] = lambda step: 0.0) -> None:
        torch.manual_seed(0)
        self.module: nn.Linear = nn.Linear(1, 1)
        self.loss_module = nn.Sequential(self.module)
        self.feed = NumberFeed()
        self.spoil = spoil
        self.calls: list[tuple[str, Any]] = []

    def loss(self, call: LossCall, batch: Numbers, rows: slice, piece: Piece) -> tuple[Tensor, dict[str, Tensor]]:
        self.calls.append(("loss", piece.step))
        assert self.module.training
        x = torch.linspace(-1, 1, 4)[piece.start : piece.stop, None]
        loss: Tensor = (call(x) - 3 * x - 1).square().sum() + self.spoil(piece.data_step)
        return loss, {"error": loss.detach(), "samples": torch.tensor(float(len(piece)))}

    def after_step(self, step: int, sums: Mapping[str, Tensor]) -> None:
        pass

    def figures(self, means: Mapping[str, float | list[float]]) -> dict[str, float | list[float]]:
        return dict(means)

    def validate(self, averages: Averages) -> dict[str, float]:
        self.calls.append(("validate", None))
        assert not self.module.training
        return {"slope": float(averages["weight"])}

    def score(self, figures: Mapping[str, float]) -> float:
        return -abs(figures["slope"] - 3)

    def preview(self, averages: Averages) -> Preview:
        self.calls.append(("preview", None))
        return Preview("samples", (np.zeros((1, 2, 2, 3), np.uint8),), ("zero",))

    def export(self, averages: Averages, folder: Path, figures: Mapping[str, float]) -> None:
        self.calls.append(("export", dict(figures)))


def run_line(tmp_path: Path, line: Line, **changes: Any) -> RunState:
    settings = {"num_steps": 4, "optimizer__learning_rate": 0.1, "cadence__keep_best": False}
    config: RunConfig = run_config(tmp_path, **(settings | changes))
    run, ranks = RunDir(tmp_path / "run"), single(torch.device("cpu"))
    run.create()
    reporter = Reporter(run, ranks, config.num_steps)
    try:
        return TrainingLoop(line, config, run, ranks, reporter).run()
    finally:
        reporter.close()


def status_of(tmp_path: Path) -> RunStatus:
    status = RunDir(tmp_path / "run").read_status()
    assert status is not None
    return status


def test_order_of_things(tmp_path: Path) -> None:
    line = Line()
    assert run_line(tmp_path, line, cadence__validate_every=2) == "finished"
    assert line.calls[:-1] == [
        ("validate", None),
        ("preview", None),
        ("loss", 0),
        ("loss", 1),
        ("validate", None),
        ("loss", 2),
        ("loss", 3),
        ("validate", None),
        ("preview", None),
    ]
    name, figures = line.calls[-1]
    assert name == "export"
    assert set(figures) == {"slope"}
    assert line.feed.given == [0, 1, 2, 3]
    assert line.feed.is_closed


def test_it_learns(tmp_path: Path) -> None:
    line = Line()
    run_line(tmp_path, line, num_steps=300, ema_decay=0.5, cadence__log_every=100)
    assert float(line.module.weight.detach()) == pytest.approx(3.0, abs=0.05)
    last = events_of(tmp_path / "run", "step")[-1]
    assert last["loss"] < 1e-3
    assert last["learning_rate"] == pytest.approx(0.01, rel=0.01)


def test_figures_are_means_since_the_last_time(tmp_path: Path) -> None:
    run_line(tmp_path, Line(), num_steps=6, cadence__log_every=1)
    each = [event["error"] for event in events_of(tmp_path / "run", "step")]
    run_line(tmp_path / "b", Line(), num_steps=6, cadence__log_every=3)
    together = [event["error"] for event in events_of(tmp_path / "b" / "run", "step")]
    assert together == pytest.approx([np.mean(each[:3]), np.mean(each[3:])], rel=1e-5)


# Once: the status and the event of a failed run state the step it was started at, not the one it failed at.
def test_numbers_that_are_not_finite_stop_the_run_before_the_step(tmp_path: Path) -> None:
    line = Line(lambda step: float("nan") if step == 2 else 0.0)
    with pytest.raises(NumericsError):
        run_line(tmp_path, line, cadence__checkpoint_every=1)
    assert line.calls[-1] == ("loss", 2)
    assert line.module.weight.isfinite().all()
    assert line.feed.is_closed
    status = status_of(tmp_path)
    assert (status.state, status.step) == ("failed", 2)
    assert "not taken" in status.reason
    last = events_of(tmp_path / "run")[-1]
    assert (last["type"], last["step"]) == ("run_failed", 2)
    healthy = Line()
    assert run_line(tmp_path, healthy, cadence__checkpoint_every=1) == "finished"
    assert [call for call in healthy.calls if call[0] == "loss"] == [("loss", 2), ("loss", 3)]


def test_handlers_of_signals_are_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    run_line(tmp_path, Line())
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_signals_stop_after_the_running_step(tmp_path: Path, number: str) -> None:
    def spoil(step: int) -> float:
        if step == 1:
            os.kill(os.getpid(), getattr(signal, number))
        return 0.0

    line = Line(spoil)
    assert run_line(tmp_path, line) == "stopped"
    assert [call for call in line.calls if call[0] in ("loss", "export")] == [("loss", 0), ("loss", 1)]
    assert (status_of(tmp_path).state, status_of(tmp_path).step) == ("stopped", 2)
    assert [event["type"] for event in events_of(tmp_path / "run")][-2:] == ["checkpoint", "run_stopped"]


# Once: the status is first written after `log_every` steps: until then a new run has none, and a resumed one is
# still "stopped" or "failed" with the pid of a process that is gone.
def test_the_status_says_running_from_the_start(tmp_path: Path) -> None:
    states = []

    class Asking(Line):
        def validate(self, averages: Averages) -> dict[str, float]:
            states.append(status_of(tmp_path).state)
            return super().validate(averages)

    run_line(tmp_path, Asking())
    assert states[0] == "running"


# Once: what is none of our errors (torch out of memory, a fault of our own) leaves the status "running".
def test_any_failure_is_written_down(tmp_path: Path) -> None:
    def spoil(step: int) -> float:
        if step == 2:
            raise ArithmeticError("a fault of our own")
        return 0.0

    with pytest.raises(ArithmeticError):
        run_line(tmp_path, Line(spoil))
    assert (status_of(tmp_path).state, status_of(tmp_path).reason) == ("failed", "a fault of our own")


# Once: a preview that cannot be written escapes as OSError, with a traceback and the status "running".
def test_a_preview_that_cannot_be_written(tmp_path: Path) -> None:
    class Spoiling(Line):
        def preview(self, averages: Averages) -> Preview:
            (tmp_path / "run" / "previews").rmdir()
            (tmp_path / "run" / "previews").write_text("in the way")
            return super().preview(averages)

    with pytest.raises(OutputError):
        run_line(tmp_path, Spoiling())
    assert status_of(tmp_path).state == "failed"


# ---- steps and looks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("skipped", "wanted"),
    [([], [0, 1, 2, 3]), ([0], [1, 2, 3, 4]), ([1, 2], [0, 3, 4, 5]), ([1, 3], [0, 2, 4, 5]), ([9], [0, 1, 2, 3])],
)
def test_batches_that_are_left_out(skipped: list[int], wanted: list[int]) -> None:
    assert [data_step_of(step, skipped) for step in range(4)] == wanted


def test_previews_thin_out() -> None:
    due = [step for step in range(1, 500) if is_preview_due(step, 5)]
    assert due[:8] == [5, 10, 15, 20, 25, 30, 35, 40]
    assert due[8:12] == [50, 60, 70, 80]
    assert due[12:16] == [100, 120, 140, 160]
    assert due[16:] == [200, 240, 280, 320, 400, 480]
    assert is_preview_due(0, 5)


def test_previews_of_a_run(tmp_path: Path) -> None:
    run_line(tmp_path, Line(), num_steps=19, cadence={"preview_every": 1, "log_every": 5})
    steps = [event["step"] for event in events_of(tmp_path / "run", "preview")]
    assert steps == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 19]
    assert sorted(path.name for path in (tmp_path / "run" / "previews").iterdir()) == [
        f"samples-{step:07d}.png" for step in steps
    ]
