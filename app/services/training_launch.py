"""Starts runs and sweeps as processes of their own, which outlive the window."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml
from PySide6.QtCore import QObject, QTimer, Signal

from app.services.engine_process import child_environment
from app.services.tool_process import COMMAND
from trainer.launch import LAUNCHER_NAME, LaunchPlan, RunningProcess, detached, start
from trainer.run_dir import RunDir, write_bytes, write_json
from ul_engine.errors import EngineError
from ul_engine.outputs import explained

REAP_MS = 5000
SWEEP_FILE = "definition.yaml"
SWEEP_LOG = "console.log"


@dataclass(frozen=True)
class LaunchFailure:
    """A run or sweep that did not begin."""

    folder: str
    words: str


class TrainingLaunch(QObject):
    """Writes and starts in a thread; keeps an eye on its children only so that none stays behind as a zombie."""

    run_began = Signal(object)  # str: its folder
    sweep_began = Signal(object)  # str: its folder
    launch_failed = Signal(object)  # LaunchFailure, of a run
    sweep_failed = Signal(object)  # LaunchFailure, of a sweep

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._children: list[RunningProcess] = []
        self._sweeps: list[subprocess.Popen[bytes]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer = QTimer(self)
        self._timer.setInterval(REAP_MS)
        self._timer.timeout.connect(self._reap)

    def start_run(self, plan: LaunchPlan, settings: Mapping[str, Any]) -> None:
        """Begin a run in the plan's folder; ends in `run_began` or `launch_failed`."""
        self._begin(self._start_run(plan, dict(settings)))

    def start_sweep(
        self, folder: Path, definition: Mapping[str, Any] | None, *, workers: int = 1, device: str = "auto"
    ) -> None:
        """Begin a sweep in a folder, or (None) go on with the one that is there; ends as `start_run` does, or in
        `sweep_began`."""
        self._begin(self._start_sweep(folder, None if definition is None else dict(definition), workers, device))

    async def close(self) -> None:
        """What runs goes on without the window."""
        self._timer.stop()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
        for child in self._children:
            child.is_running()
            child.release()
        for sweep in self._sweeps:
            if sweep.poll() is None:
                sweep.returncode = 0
        self._children.clear()
        self._sweeps.clear()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start_run(self, plan: LaunchPlan, settings: dict[str, Any]) -> None:
        try:
            self._children.append(await asyncio.to_thread(_started_run, plan, settings))
        except EngineError as error:
            self.launch_failed.emit(LaunchFailure(str(plan.run), str(error)))
            return
        self._timer.start()
        self.run_began.emit(str(plan.run))

    async def _start_sweep(self, folder: Path, definition: dict[str, Any] | None, workers: int, device: str) -> None:
        try:
            self._sweeps.append(await asyncio.to_thread(_started_sweep, folder, definition, workers, device))
        except EngineError as error:
            self.sweep_failed.emit(LaunchFailure(str(folder), str(error)))
            return
        self._timer.start()
        self.sweep_began.emit(str(folder))

    def _reap(self) -> None:
        self._children = [child for child in self._children if child.is_running()]
        self._sweeps = [sweep for sweep in self._sweeps if sweep.poll() is None]
        if not self._children and not self._sweeps:
            self._timer.stop()


def _started_run(plan: LaunchPlan, settings: dict[str, Any]) -> RunningProcess:
    RunDir(plan.run).create()
    return start(plan, settings)


def _started_sweep(
    folder: Path, definition: dict[str, Any] | None, workers: int, device: str
) -> "subprocess.Popen[bytes]":
    """Raises OutputError."""
    file = folder / SWEEP_FILE
    options = ("--out", str(folder), "--workers", str(workers), "--device", device)
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if definition is not None:
            write_bytes(file, yaml.safe_dump(definition, sort_keys=False, allow_unicode=True).encode())
        with (folder / SWEEP_LOG).open("ab") as log:
            child = subprocess.Popen(
                [*COMMAND, "sweep", str(file), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=child_environment(os.environ),
                **detached(),
            )
    _note_launcher(folder, child)
    return child


def _note_launcher(folder: Path, child: "subprocess.Popen[bytes]") -> None:
    """Whom to ask to stop; a sweep that nobody could find again is ended."""
    try:
        started = psutil.Process(child.pid).create_time()
        write_json(folder / LAUNCHER_NAME, {"pid": child.pid, "pid_started": started, "host": socket.gethostname()})
    except BaseException:
        child.kill()
        child.wait()
        raise
