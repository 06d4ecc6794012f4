"""One run at a time of ``ul-train`` as a child: its news line by line, what it printed, and its end in words."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.services.child_lines import lines_of
from app.services.engine_process import child_environment, exit_words

STDERR_LINES = 200
GRACE_S = 3.0
COMMAND = (sys.executable, "-m", "trainer.cli")
_FLAGS = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)


@dataclass(frozen=True)
class ToolEnd:
    """How a child ended."""

    code: int
    output: str
    lines: tuple[str, ...]
    """The last lines of its standard error."""

    @property
    def words(self) -> str:
        """What it says of itself, else how it ended."""
        said = [line.removeprefix("ul-train: ") for line in self.lines if line.startswith("ul-train: ")]
        if said:
            return said[-1]
        last = next((line for line in reversed(self.lines) if line.strip()), "")
        words = exit_words(self.code)
        return f"{words}: {last}" if last else words


class ToolProcess(QObject):
    """Starting another ends the one before, of which nothing more is heard."""

    line_read = Signal(object)  # str, of standard error
    ended = Signal(object)  # ToolEnd; never for one that was stopped

    def __init__(self, command: Sequence[str] = COMMAND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = tuple(command)
        self._task: asyncio.Task[None] | None = None
        self._former: set[asyncio.Task[None]] = set()

    @property
    def is_running(self) -> bool:
        """Whether a child is at work."""
        return self._task is not None

    def start(self, arguments: Sequence[str] | Callable[[], Sequence[str]]) -> None:
        """Run the tool with these arguments; needs a running event loop. Where they are a function, it is called in a
        thread before: it may write the files that it names, and an OSError of it ends like one of the tool."""
        self.stop()
        self._task = asyncio.get_running_loop().create_task(self._run(arguments))

    def stop(self) -> None:
        """End the child and all that came from it."""
        task, self._task = self._task, None
        if task is not None:
            self._former.add(task)
            task.add_done_callback(self._former.discard)
            task.cancel()

    async def close(self) -> None:
        """End it, and wait until it is gone."""
        self.stop()
        if self._former:
            await asyncio.wait(set(self._former))

    async def _run(self, wanted: Sequence[str] | Callable[[], Sequence[str]]) -> None:
        try:
            arguments = await asyncio.to_thread(wanted) if callable(wanted) else wanted
        except OSError as error:
            self._finish_early(f"what it needs cannot be written ({error.strerror or error})")
            return
        try:
            process = await _started((*self._command, *arguments))
        except OSError as error:
            self._finish_early(f"it cannot be started ({error.strerror or error})")
            return
        try:
            end = await self._followed(process)
        except asyncio.CancelledError:
            await _end(process)
            raise
        self._finish(end)

    def _finish_early(self, reason: str) -> None:
        self._finish(ToolEnd(127, "", (f"ul-train: {reason}",)))

    def _finish(self, end: ToolEnd) -> None:
        if self._task is asyncio.current_task():
            self._task = None
            self.ended.emit(end)

    async def _followed(self, process: asyncio.subprocess.Process) -> ToolEnd:
        assert process.stdout is not None
        lines: deque[str] = deque(maxlen=STDERR_LINES)
        output, _ = await asyncio.gather(process.stdout.read(), self._read_lines(process, lines))
        code = await process.wait()
        _signal_group(process, signal.SIGTERM)  # whatever it left behind
        return ToolEnd(code, output.decode("utf-8", "replace"), tuple(lines))

    async def _read_lines(self, process: asyncio.subprocess.Process, lines: "deque[str]") -> None:
        assert process.stderr is not None
        async for line in lines_of(process.stderr):
            lines.append(line)
            self.line_read.emit(line)


async def _started(command: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment(os.environ),
        start_new_session=sys.platform != "win32",
        creationflags=_FLAGS if sys.platform == "win32" else 0,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    """Politely first, then not; the pipes are emptied, or the child might hang in writing."""
    _signal_group(process, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.communicate(), GRACE_S)
    except TimeoutError:
        pass
    finally:
        _signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    await process.communicate()


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            if process.returncode is None:
                process.send_signal(number)
        else:
            os.killpg(process.pid, number)
