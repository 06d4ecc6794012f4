"""What stands in the folder of a sweep, also while it is at work. Reads files: call it in a thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from trainer.config import read_recipe
from trainer.launch import START_TOLERANCE_S
from trainer.run_dir import read_json
from trainer.sweep.definition import parse_sweep
from trainer.sweep.points import axis_title, points_of, value_text
from trainer.sweep.results import rows_of
from ul_engine.errors import EngineError

DEFINITION = "definition.yaml"
REPORT = "sweep.json"
LOCK = ".sweep.lock"
LAUNCHER = "launcher.json"


@dataclass(frozen=True)
class SweepRow:
    """A point: its values on the axes, how it stands, and its figures as far as they are measured."""

    name: str
    values: tuple[str, ...]
    state: str
    reason: str
    figures: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class SweepReport:
    """A sweep at one moment."""

    folder: str
    name: str
    axes: tuple[str, ...] = ()
    rows: tuple[SweepRow, ...] = ()
    is_running: bool = False
    problem: str = ""

    @property
    def num_done(self) -> int:
        """Points with figures."""
        return sum(row.state == "done" for row in self.rows)

    @property
    def can_go_on(self) -> bool:
        """Whether points are left and nobody is at work on them."""
        return not self.is_running and self.num_done < len(self.rows)


def find_sweeps(runs: Path) -> tuple[SweepReport, ...]:
    """All sweeps in the folder of the runs, newest first."""
    try:
        folders = [path for path in runs.iterdir() if _is_sweep(path)]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return ()
    return tuple(read_sweep_folder(folder) for folder in folders)


def read_sweep_folder(folder: Path) -> SweepReport:
    """From its definition and its points, so that it is never older than they are; else from its last report."""
    try:
        found = _from_definition(folder) if (folder / DEFINITION).is_file() else _from_report(folder)
    except (EngineError, KeyError, TypeError) as error:
        return SweepReport(str(folder), folder.name, problem=str(error))
    return found


def stop_sweep(folder: Path) -> bool:
    """Ask a sweep to save and end; False where none is at work."""
    try:
        who = read_json(folder / LAUNCHER)
        process = psutil.Process(int(who["pid"]))
        if abs(process.create_time() - float(who["pid_started"])) > START_TOLERANCE_S:
            return False
        process.terminate()
    except (EngineError, psutil.Error, KeyError, TypeError, ValueError):
        return False
    return True


def _is_sweep(folder: Path) -> bool:
    return (folder / DEFINITION).is_file() or (folder / REPORT).is_file()


def _from_definition(folder: Path) -> SweepReport:
    sweep = parse_sweep(read_recipe(folder / DEFINITION))
    rows = [
        SweepRow(
            row.point.name,
            tuple(value_text(value) for value in row.point.axes.values()),
            row.state,
            row.reason,
            dict(row.figures),
        )
        for row in rows_of(points_of(sweep, folder))
    ]
    axes = tuple(axis_title(key) for key in sweep.axes)
    return SweepReport(str(folder), sweep.name, axes, _honest(rows, is_running := _is_running(folder)), is_running)


def _from_report(folder: Path) -> SweepReport:
    data: Mapping[str, Any] = read_json(folder / REPORT)
    points: Sequence[Mapping[str, Any]] = data["points"]
    axes = tuple(axis_title(key) for key in points[0]["axes"]) if points else ()
    rows = [
        SweepRow(
            point["name"],
            tuple(value_text(value) for value in point["axes"].values()),
            point["state"],
            point["reason"],
            dict(point["figures"]),
        )
        for point in points
    ]
    is_running = _is_running(folder)
    return SweepReport(str(folder), str(data["name"]), axes, _honest(rows, is_running), is_running)


def _honest(rows: Sequence[SweepRow], is_running: bool) -> tuple[SweepRow, ...]:
    """A point that claims to be at work while nobody is was interrupted."""
    if is_running:
        return tuple(rows)
    return tuple(
        SweepRow(row.name, row.values, "interrupted", row.reason, row.figures) if row.state == "running" else row
        for row in rows
    )


def _is_running(folder: Path) -> bool:
    """Whether somebody holds its lock."""
    if not (folder / LOCK).exists():
        return False
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False
