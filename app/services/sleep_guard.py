"""Keeps the computer awake while long work is done, by the means that each system has for it."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject

from app.services.engine_process import child_environment

WATCHER = "import os, sys; sys.stdin.buffer.read()"
"""Ends when this program closes its input, also by dying: what holds the lock then lets go."""
_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001


class SleepGuard(QObject):
    """Held by names: awake while anybody holds it. Without means for it nothing happens, and `is_able` says so."""

    def __init__(self, command: Sequence[str] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = tuple(inhibitor() if command is None else command)
        self._holders: set[str] = set()
        self._child: subprocess.Popen[bytes] | None = None
        self._leaving: list[subprocess.Popen[bytes]] = []

    @property
    def is_able(self) -> bool:
        """Whether this system can be kept awake."""
        return bool(self._command) or sys.platform == "win32"

    @property
    def is_awake(self) -> bool:
        """Whether the system is being kept awake now."""
        if sys.platform == "win32":
            return bool(self._holders)
        return self._child is not None and self._child.poll() is None

    @property
    def holders(self) -> frozenset[str]:
        """Who wants it awake."""
        return frozenset(self._holders)

    def set_held(self, name: str, is_held: bool) -> None:
        """Whether the work of this name goes on."""
        (self._holders.add if is_held else self._holders.discard)(name)
        if self._holders:
            self._wake()
        else:
            self._let_sleep()

    def close(self) -> None:
        """Let go of everything."""
        self._holders.clear()
        self._let_sleep()
        for child in self._leaving:
            try:
                child.wait(1.0)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._leaving.clear()

    def _wake(self) -> None:
        if sys.platform == "win32":
            _set_execution_state(_CONTINUOUS | _SYSTEM_REQUIRED)
        elif self._command and not self.is_awake:
            self._let_sleep()  # of a lock that was lost, nothing may stay behind
            self._child = _started(self._command)

    def _let_sleep(self) -> None:
        if sys.platform == "win32":
            _set_execution_state(_CONTINUOUS)
        self._leaving = [child for child in self._leaving if child.poll() is None]
        child, self._child = self._child, None
        if child is not None:
            assert child.stdin is not None
            child.stdin.close()  # it ends by itself; nobody waits for it here
            self._leaving.append(child)


def inhibitor(which: Callable[[str], str | None] = shutil.which, platform: str = sys.platform) -> tuple[str, ...]:
    """The command that keeps this system awake while it runs; empty where there is none."""
    watcher = (sys.executable, "-c", WATCHER)
    if platform == "darwin" and which("caffeinate"):
        return ("caffeinate", "-i", *watcher)
    if platform.startswith("linux") and which("systemd-inhibit"):
        about = ("--what=sleep:idle", "--who=UL Studio", "--why=Long work is going on", "--mode=block")
        return ("systemd-inhibit", *about, *watcher)
    if platform.startswith("linux") and which("gnome-session-inhibit"):
        return ("gnome-session-inhibit", "--inhibit", "suspend:idle", *watcher)
    return ()


def _started(command: Sequence[str]) -> "subprocess.Popen[bytes] | None":
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=child_environment(os.environ),
        )
    except OSError:
        return None


def _set_execution_state(state: int) -> None:
    """Windows' own switch; of the calling thread."""
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - only there
    kernel.SetThreadExecutionState(ctypes.c_uint(state))
