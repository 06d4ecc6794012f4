"""Looks at this machine without stalling the window: devices in a thread, the thorough check in a child process."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.services.engine_process import child_environment
from app.services.worker_thread import WorkerThread
from ul_engine.outputs import OUTPUTS_VARIABLE

DOCTOR_COMMAND = (sys.executable, "-m", "ul_engine.cli", "doctor", "--json")
_GIB = 2**30


@dataclass(frozen=True)
class DeviceFacts:
    """A device as the driver tells of it."""

    name: str
    title: str


@dataclass(frozen=True)
class MachineFacts:
    """What a look costs nothing to find out."""

    devices: tuple[DeviceFacts, ...]
    num_cores: int
    has_token: bool


@dataclass(frozen=True)
class DoctorLine:
    """One finding of the thorough check."""

    is_good: bool
    text: str
    mend: str


@dataclass(frozen=True)
class DoctorReport:
    """All findings, or why there are none."""

    lines: tuple[DoctorLine, ...] = ()
    problem: str = ""


class MachineProbe(QObject):
    """Each look ends in one signal."""

    looked = Signal(object)  # MachineFacts
    checked = Signal(object)  # DoctorReport

    def __init__(self, command: Sequence[str] = DOCTOR_COMMAND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = tuple(command)
        self._thread = WorkerThread("machine")
        self._check: asyncio.Task[None] | None = None

    def look(self) -> None:
        """List the devices."""
        self._thread.do(self._look)

    def check(self, outputs: Path) -> None:
        """Run the thorough check, unless it runs already; needs a running event loop. `outputs`: where results go."""
        if self._check is None or self._check.done():
            self._check = asyncio.get_running_loop().create_task(self._run_check(outputs))

    async def close(self) -> None:
        """End what runs."""
        self._thread.close()
        if self._check is not None:
            self._check.cancel()
            await asyncio.wait({self._check})

    def _look(self) -> None:
        self.looked.emit(MachineFacts(_devices(), _num_cores(), _has_token()))

    async def _run_check(self, outputs: Path) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=child_environment({**os.environ, OUTPUTS_VARIABLE: str(outputs)}),
            )
        except OSError as error:
            self.checked.emit(DoctorReport(problem=f"The check could not be started ({error.strerror or error})."))
            return
        try:
            output, errors = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        self.checked.emit(_report(output, errors))


def _report(output: bytes, errors: bytes) -> DoctorReport:
    try:
        items = json.loads(output)
        return DoctorReport(tuple(DoctorLine(bool(i["is_good"]), str(i["text"]), str(i["mend"])) for i in items))
    except (ValueError, KeyError, TypeError):
        tail = errors.decode("utf-8", "replace").strip().splitlines()[-12:]
        return DoctorReport(problem="\n".join(tail) or "The check ended without a word.")


def _devices() -> tuple[DeviceFacts, ...]:
    """GPUs by the names that the engine takes; nothing where there is no driver."""
    if sys.platform == "darwin":
        return (DeviceFacts("mps", "Apple GPU"),)
    try:
        import pynvml
    except ImportError:
        return ()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        return tuple(_nvidia_device(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()


def _nvidia_device(nvml: Any, index: int) -> DeviceFacts:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    name = nvml.nvmlDeviceGetName(handle)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle).total / _GIB
    return DeviceFacts(f"cuda:{index}", f"{name}, {memory:.0f} GB")


def _num_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _has_token() -> bool:
    """As ``hf auth login`` stores it, or in the environment; only whether, never which."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    named = os.environ.get("HF_TOKEN_PATH")
    path = Path(named) if named else home / "token"
    try:
        return bool(os.environ.get("HF_TOKEN")) or path.stat().st_size > 0
    except OSError:
        return False
