"""Runs a sweep: held-out samples first, then every point through its stages and its measuring. No torch."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from trainer.config import Stage
from trainer.signals import StopRequest
from trainer.sweep.children import Step
from trainer.sweep.definition import MeasureSettings
from trainer.sweep.folders import HELD_OUT_INFO, PointFolder, StateName, held_out_folder, is_same_task, prepare_point
from trainer.sweep.jobs import Say, Slot, run_jobs
from trainer.sweep.points import Point
from ul_engine.errors import ConfigError, OutputError
from ul_engine.whole_files import explained

LOCK_NAME = ".sweep.lock"


@dataclass(frozen=True)
class RunOptions:
    """`workers` points at once, on `devices` in turn."""

    workers: int = 1
    devices: tuple[str, ...] = ("auto",)

    def slots(self) -> tuple[Slot, ...]:
        """Cores shared out evenly, unless the environment has fewer."""
        if self.workers < 1:
            raise ConfigError("at least one point must run at a time", field="workers")
        share = max(1, num_cores() // self.workers)
        threads = min(share, int(os.environ.get("OMP_NUM_THREADS", share)))
        variables = {"OMP_NUM_THREADS": str(threads)}
        return tuple(Slot(self.devices[number % len(self.devices)], variables) for number in range(self.workers))


def num_cores() -> int:
    """Cores that this process may use."""
    if hasattr(psutil.Process, "cpu_affinity"):
        return len(psutil.Process().cpu_affinity())
    return os.cpu_count() or 1


def run_sweep(
    points: Sequence[Point], measure: MeasureSettings, out: Path, options: RunOptions, say: Say
) -> dict[str, StateName]:
    """Work through `points` and return how each one stands, by its slug. What is finished is passed over.

    SIGTERM and Ctrl+C stop all children, which save first. Raises ConfigError for settings other than those points were
    begun with, OutputError, also where another sweep is at work in `out`.
    """
    with explained(out):
        out.mkdir(parents=True, exist_ok=True)
    stop = StopRequest()
    try:
        with FileLock(out / LOCK_NAME, timeout=0), stop.listening():
            jobs = [PointJob(point, _task(point, measure, out), out) for point in points]
            for job in jobs:
                job.prepare()
            run_jobs(_held_out_jobs(jobs), RunOptions().slots(), stop, say)
            run_jobs([job for job in jobs if job.is_open], options.slots(), stop, say)
    except Timeout as error:
        raise OutputError("another sweep is at work in this folder", path=out) from error
    return {job.point.slug: job.folder.read_state()["state"] for job in jobs}


def _task(point: Point, measure: MeasureSettings, out: Path) -> dict[str, Any]:
    """What to measure of a point, as JSON."""
    data = point.stages[Stage.STAGE1].data.model_dump(mode="json")
    return {
        "settings": measure.model_dump(mode="json", exclude={"batch_size"}),
        "held_out": held_out_folder(out, data, measure.num_samples).name,
        "stages": [stage.value for stage in point.stages],
        "batch_size": measure.batch_size,
    }


@dataclass
class PointJob:
    """A point on its way through its stages and its measuring."""

    point: Point
    task: dict[str, Any]
    out: Path
    folder: PointFolder = field(init=False)

    def __post_init__(self) -> None:
        self.folder = PointFolder(self.point.folder)

    def prepare(self) -> None:
        """Write its settings."""
        self.folder = prepare_point(self.point, self.task)
        if self.is_measured:
            self.folder.write_state("done")

    @property
    def title(self) -> str:
        """The point's name."""
        return self.point.name

    @property
    def place(self) -> Path:
        """The point's folder."""
        return self.folder.root

    @property
    def held_out(self) -> Path:
        """Folder of its held-out samples."""
        data = self.point.stages[Stage.STAGE1].data.model_dump(mode="json")
        return held_out_folder(self.out, data, self.task["settings"]["num_samples"])

    @property
    def is_measured(self) -> bool:
        """Whether its figures are there, measured as asked."""
        result = self.folder.read_result()
        return result is not None and is_same_task(result, self.task)

    @property
    def is_open(self) -> bool:
        """Whether anything is left to do, and can be."""
        return not self.is_measured and self.folder.read_state()["state"] == "waiting"

    def steps(self, slot: Slot) -> list[Step]:
        """Training of each stage, then measuring."""
        device = ("--device", slot.device)
        measure = ("-m", "trainer.sweep", "measure", "--point", str(self.folder.root), "--held-out", str(self.held_out))
        stages = [self._training(stage, device) for stage in self.point.stages]
        log = self.folder.log_file("measure")
        return [*stages, Step("measure", (sys.executable, *measure, *device), log, lambda: self.is_measured)]

    def _training(self, stage: Stage, device: tuple[str, str]) -> Step:
        run = self.folder.run_dir(stage)
        places = ("--config", str(self.folder.config_file(stage)), "--out", str(run.root))

        def reason() -> str | None:
            status = run.read_status()
            return status.reason if status is not None and status.state == "failed" else None

        return Step(
            stage.value,
            (sys.executable, "-m", "trainer.cli", stage.value, *places, *device),
            self.folder.log_file(stage.value),
            lambda: self.folder.is_trained(stage),
            reason,
        )

    def note(self, state: StateName, reason: str, step: str, took_s: float) -> None:
        """Keep how it goes."""
        self.folder.write_state(state, reason=reason, step=step, took_s=took_s)


@dataclass(frozen=True)
class HeldOutJob:
    """The held-out samples of one data set, for all points that measure on them."""

    jobs: tuple[PointJob, ...]

    @property
    def title(self) -> str:
        """What it is."""
        return "held-out samples"

    @property
    def place(self) -> Path:
        """The folder beside the samples."""
        return self.jobs[0].held_out.parent

    def steps(self, slot: Slot) -> list[Step]:
        """One process, which also renders or indexes the data, so that points need not do it at the same time."""
        first = self.jobs[0]
        with explained(self.place):
            self.place.mkdir(parents=True, exist_ok=True)
        config = first.folder.config_file(Stage.STAGE1)
        number = str(first.task["settings"]["num_samples"])
        command = ("-m", "trainer.sweep", "held-out", "--config", str(config), "--held-out", str(first.held_out))
        log = first.held_out.with_suffix(".log")
        is_done = (first.held_out / HELD_OUT_INFO).is_file
        return [Step("held-out samples", (sys.executable, *command, "--num-samples", number), log, is_done)]

    def note(self, state: StateName, reason: str, step: str, took_s: float) -> None:
        """A failure is one of all its points."""
        if state in ("failed", "stopped"):
            for job in self.jobs:
                job.note(state, reason, "", 0.0)


def _held_out_jobs(jobs: Sequence[PointJob]) -> list[HeldOutJob]:
    """One for each data set that has unfinished points; those that failed before are tried again."""
    by_folder: dict[Path, list[PointJob]] = {}
    for job in jobs:
        if not job.is_measured:
            job.note("waiting", "", "", 0.0)
            by_folder.setdefault(job.held_out, []).append(job)
    return [HeldOutJob(tuple(alike)) for alike in by_folder.values()]
