"""Child processes of a sweep: each in a process group of its own, with a log, stopped so that it can save. No torch."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from trainer.run_dir import read_json, write_json
from ul_engine.whole_files import explained

GRACE_S = 90.0
"""Time that a child has to save after SIGTERM: a validation that has begun is finished first."""
EXPLAINED = "ul-train: "
"""Begins the line in which a command explains its problem."""


@dataclass(frozen=True)
class Step:
    """One child process of a job. `reason` explains its failure; None: its log does."""

    name: str
    command: tuple[str, ...]
    log: Path
    is_done: Callable[[], bool]
    reason: Callable[[], str | None] = lambda: None


class Child:
    """One child process in a process group of its own, writing into a log file."""

    def __init__(self, step: Step, place: Path, variables: Mapping[str, str]) -> None:
        self._note = place / "process.json"
        stop_left_over(self._note)
        self._began = time.monotonic()
        with explained(step.log):
            step.log.parent.mkdir(parents=True, exist_ok=True)
            with step.log.open("ab") as log:
                self._process = subprocess.Popen(
                    step.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=os.environ | {"PYTHONUNBUFFERED": "1"} | dict(variables),
                    start_new_session=True,
                )
        with suppress(psutil.NoSuchProcess):  # it may be over already
            created = psutil.Process(self._process.pid).create_time()
            write_json(self._note, {"pid": self._process.pid, "created": created})

    @property
    def took_s(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._began

    def ended_with(self) -> int | None:
        """Its exit code; None while it runs."""
        code = self._process.poll()
        if code is not None:
            self._clear()
        return code

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself, which ends its own helpers."""
        self._process.terminate()

    def wait_or_kill(self, seconds: float) -> None:
        """Wait for its end; after `seconds` its whole group is killed."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            _kill_group(self._process.pid)
            self._process.wait()
        self._clear()

    def _clear(self) -> None:
        self._note.unlink(missing_ok=True)


def stop_left_over(note: Path) -> None:
    """A sweep that was killed leaves its children at work: stop the one that `note` names, so that no run is trained
    by two."""
    if not note.is_file():
        return
    known = read_json(note)
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(known["pid"])
        if abs(process.create_time() - known["created"]) < 1.0:
            process.terminate()
            try:
                process.wait(GRACE_S)
            except psutil.TimeoutExpired:
                _kill_group(known["pid"])
                process.wait(GRACE_S)
    note.unlink(missing_ok=True)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, psutil.NoSuchProcess):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            psutil.Process(pid).kill()


def failure_text(step: Step, code: int) -> str:
    """Why a step failed: what the end of its log explains, else what it noted itself, else how its process ended."""
    lines = step.log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if step.log.is_file() else []
    last = lines[-1].strip() if lines else "it said nothing"
    if last.startswith(EXPLAINED):
        return last.removeprefix(EXPLAINED)
    ended = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return step.reason() or f"{ended}; last line of {step.log}: {last}"
