"""Steers training runs from threads: commands by file, starting again, ending by force, models out of checkpoints.

What a person sees of it comes back through the run's own files; here it is only told whether a wish could be passed
on.
"""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from PySide6.QtCore import QObject, Signal

from app.services.engine_process import child_environment, exit_words
from app.services.run_folder import has_model, standing_of
from app.services.worker_thread import raise_bugs
from trainer.launch import LAUNCHER_NAME, LaunchPlan, RunningProcess, attach, detached, start, stop_group
from trainer.protocol import Command, request_command
from trainer.run_dir import RunDir, read_json
from ul_engine.errors import CheckpointError, ConfigError, EngineError, OutputError
from ul_engine.outputs import explained

KILL_GRACE_S = 2.0
EXPORT_COMMAND = (sys.executable, "-m", "trainer.cli", "eval")


@dataclass(frozen=True)
class ControlDone:
    """A wish was passed on, or carried out. `path` is what came of it, where there is something."""

    verb: str
    run: str
    path: str = ""


@dataclass(frozen=True)
class ControlProblem:
    """A wish could not be carried out."""

    verb: str
    run: str
    message: str
    details: str = ""


class RunControl(QObject):
    """Commands and starts wait for no export: they have threads of their own."""

    done = Signal(object)  # ControlDone
    failed = Signal(object)  # ControlProblem

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        export_command: tuple[str, ...] = EXPORT_COMMAND,
        start_run: Callable[..., RunningProcess | None] = start,
    ) -> None:
        super().__init__(parent)
        self._export_command = export_command
        self._start = start_run
        self._commands = ThreadPoolExecutor(max_workers=2, thread_name_prefix="run-commands")
        self._exports = ThreadPoolExecutor(max_workers=1, thread_name_prefix="run-exports")
        self._export: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._children: list[RunningProcess] = []
        """Runs that were started here: the system wants to hear of their end from their parent."""
        self._is_closed = False

    def command(self, run: str, command: Command) -> None:
        """Ask a run for something; it acts after the step it is at."""
        self._submit(self._commands, command.value, run, lambda: _ask(Path(run), command))

    def resume(self, run: str) -> None:
        """Let a run go on, on as many processes and the device it had."""
        self._submit(self._commands, "resume", run, lambda: self._resume(Path(run), None))

    def extend(self, run: str, num_steps: int) -> None:
        """Let a run go on to another last step."""
        self._submit(self._commands, "extend", run, lambda: self._resume(Path(run), num_steps))

    def kill(self, run: str) -> None:
        """End a run's processes; what was done since the last checkpoint is lost."""
        self._submit(self._commands, "kill", run, lambda: _kill(Path(run)))

    def pin(self, run: str, step: int, *, is_pinned: bool) -> None:
        """Let a checkpoint stay, or go with the others of its age."""
        self._submit(self._commands, "pin" if is_pinned else "unpin", run, lambda: _pin(Path(run), step, is_pinned))

    def export(self, run: str, step: int | None, target: str, verb: str = "export") -> None:
        """Make a model folder of a run's exported model (`step` None), or of any of its checkpoints."""
        self._submit(self._exports, verb, run, lambda: self._make_model(Path(run), step, Path(target)))

    def reap(self) -> None:
        """Hear of the end of runs that were started here, so that none stays behind as a zombie."""
        with self._lock:
            self._children = [child for child in self._children if child.is_running()]

    def close(self) -> None:
        """End the threads; an export in the making is given up. Runs go on, and are let go."""
        self._is_closed = True
        if (export := self._export) is not None:
            _kill_family(export)
        self._commands.shutdown(wait=True)
        self._exports.shutdown(wait=True, cancel_futures=True)
        for running in self._children:
            running.is_running()
            running.release()

    def _submit(self, executor: ThreadPoolExecutor, verb: str, run: str, work: Callable[[], str]) -> None:
        executor.submit(self._carry_out, verb, run, work).add_done_callback(raise_bugs)

    # ---- in the threads; signals are queued to their receivers ----------------------------------------------------

    def _carry_out(self, verb: str, run: str, work: Callable[[], str]) -> None:
        try:
            path = work()
        except _ExportFailed as error:
            if not self._is_closed:
                self.failed.emit(ControlProblem(verb, run, str(error), error.details))
        except EngineError as error:
            self.failed.emit(ControlProblem(verb, run, str(error)))
        except OSError as error:
            self.failed.emit(ControlProblem(verb, run, str(error.strerror or error)))
        else:
            self.done.emit(ControlDone(verb, run, path))

    def _resume(self, run: Path, num_steps: int | None) -> str:
        running = self._start(plan_of(run), _settings(run, num_steps))
        if running is not None:
            with self._lock:
                self._children.append(running)
        return ""

    def _make_model(self, run: Path, step: int | None, target: Path) -> str:
        if target.exists():
            raise OutputError("is there already; choose another name", path=target)
        with explained(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
        if step is None:
            if not has_model(run):
                raise CheckpointError("this run has not exported a model yet", path=run)
            with explained(target):
                self._copy_whole(RunDir(run).model, target)
        else:
            self._export_checkpoint(run, step, target)
        return str(target)

    def _copy_whole(self, source: Path, target: Path) -> None:
        """Copy a folder so that it has its name only when it is whole; given up between two files."""
        beside = target.with_name(f".{target.name}.part")

        def copy(name: str, other: str) -> str:
            if self._is_closed:
                raise _ExportFailed("it was given up", "")
            return shutil.copy2(name, other)

        shutil.rmtree(beside, ignore_errors=True)
        try:
            with _first_reason():
                shutil.copytree(source, beside, copy_function=copy)
            beside.rename(target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _export_checkpoint(self, run: Path, step: int, target: Path) -> None:
        """By the trainer's own program, which loads torch in a process of its own."""
        words = (*self._export_command, str(run), "--checkpoint", str(step), "--export", str(target))
        self._export = export = _child(words, target)
        if self._is_closed:  # while it was being started
            _kill_family(export)
        output, _ = export.communicate()
        self._export = None
        if export.returncode != 0:
            shutil.rmtree(target, ignore_errors=True)
            lines = output.decode("utf-8", "replace").strip().splitlines()
            reason = lines[-1] if lines else exit_words(export.returncode)
            raise _ExportFailed(reason, "\n".join(lines[-40:]))


class _ExportFailed(Exception):
    """The child process could not make the model; `details` are its last lines."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.details = details


@contextmanager
def _first_reason() -> Iterator[None]:
    """Of a folder that could not be copied, why the first of its files could not."""
    try:
        yield
    except shutil.Error as error:
        raise OSError(f"{error.args[0][0][2]}") from error


def _child(words: Sequence[str], target: Path) -> "subprocess.Popen[bytes]":
    """In a group of its own, so that it is ended with all that came from it. Raises OutputError."""
    with explained(target):
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=child_environment(os.environ),
            **detached(),
        )


def _kill_family(process: "subprocess.Popen[bytes]") -> None:
    """End a child and its children, unless it has ended."""
    with suppress(psutil.NoSuchProcess):
        for each in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.kill()


def plan_of(run: Path) -> LaunchPlan:
    """How a run was started last, to be started so again. Raises ConfigError for one of several machines."""
    try:
        words = [str(word) for word in read_json(run / LAUNCHER_NAME)["command"]]
    except (CheckpointError, KeyError, TypeError):
        words = []
    if "--nnodes" in words:
        raise ConfigError(
            "this run was started on several machines; go on there with ul-train resume, on each of them", field="run"
        )
    status = RunDir(run).read_status()
    processes = _value_of(words, "--nproc-per-node") or str(status.num_ranks if status is not None else 1)
    return LaunchPlan(
        run.resolve(),
        num_processes=int(processes) if processes.isdigit() else 1,
        device=_value_of(words, "--device") or "auto",
    )


def _value_of(words: list[str], option: str) -> str:
    place = words.index(option) + 1 if option in words else len(words)
    return words[place] if place < len(words) else ""


def _settings(run: Path, num_steps: int | None) -> dict[str, object] | None:
    """The settings to begin from: None as they stand in the folder, else with another number of steps."""
    if num_steps is None:
        return None
    settings = read_json(RunDir(run).config)
    if not isinstance(settings, dict):
        raise CheckpointError("holds no settings of a run", path=RunDir(run).config)
    return settings | {"num_steps": num_steps}


def _ask(run: Path, command: Command) -> str:
    standing = standing_of(run)
    if not standing.condition.is_live:
        raise OutputError("there is nobody to ask: the run is not at work", path=run)
    with explained(run):
        request_command(run, command)
    return ""


def _pin(run: Path, step: int, is_pinned: bool) -> str:
    RunDir(run).set_pinned(step, is_pinned=is_pinned)
    return ""


def _kill(run: Path) -> str:
    running = attach(run)
    if running is not None:
        stop_group(running, grace_s=KILL_GRACE_S)
    return ""
