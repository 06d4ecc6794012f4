"""``ul-engine evaluate`` as a child process: its news as it comes, and how it ended."""

import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.services.engine_process import child_environment
from app.services.in_order import InOrder
from ul_engine.protocol import EvaluationFailed, EvaluationFinished, EvaluationProgress, read_evaluation_line

EVALUATE_COMMAND = (sys.executable, "-m", "ul_engine.cli", "evaluate")
STDERR_LINES = 30
LINE_BYTES = 2**20
GRACE_S = 3.0


@dataclass(frozen=True)
class EvaluationEnd:
    """The child is gone without a report."""

    message: str
    details: str = ""
    was_asked: bool = False


@dataclass(frozen=True)
class EvaluationDone:
    """The report is written."""

    finished: EvaluationFinished
    worst: tuple[str, ...]
    """Names of the worst files, below the folder that was measured."""


class EvaluationRun(QObject):
    """One at a time."""

    progressed = Signal(object)  # EvaluationProgress
    finished = Signal(object)  # EvaluationDone
    ended = Signal(object)  # EvaluationEnd

    def __init__(self, command: Sequence[str] = EVALUATE_COMMAND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = tuple(command)
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._was_asked = False
        self._reader = InOrder("evaluation", self)
        self._reader.finished.connect(self.finished)

    def start(self, arguments: Sequence[str]) -> None:
        """Start the child with these arguments; needs a running event loop."""
        self._was_asked = False
        self._task = asyncio.get_running_loop().create_task(self._run(tuple(arguments)))

    def stop(self) -> None:
        """Ask the child to end; what it has finished stays on the disk."""
        self._was_asked = True
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    async def close(self) -> None:
        """End the child and the thread."""
        self.stop()
        if self._task is not None:
            done, _ = await asyncio.wait({self._task}, timeout=GRACE_S)
            if not done and self._process is not None:
                self._process.kill()
                await self._task
        self._reader.close()

    async def _run(self, arguments: tuple[str, ...]) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=child_environment(os.environ),
                limit=LINE_BYTES,
            )
        except OSError as error:
            self.ended.emit(EvaluationEnd(f"it could not be started ({error.strerror or error})"))
            return
        tail: deque[str] = deque(maxlen=STDERR_LINES)
        try:
            last, _ = await asyncio.gather(self._follow(self._process), _collect(self._process, tail))
            code = await self._process.wait()
        finally:
            self._process = None
        self._tell_end(last, code, "\n".join(tail))

    async def _follow(self, process: asyncio.subprocess.Process) -> EvaluationFinished | EvaluationFailed | None:
        """Pass news on; returns the last word."""
        assert process.stdout is not None
        last: EvaluationFinished | EvaluationFailed | None = None
        async for line in process.stdout:
            news = read_evaluation_line(line)
            if isinstance(news, EvaluationProgress):
                self.progressed.emit(news)
            elif news is not None:
                last = news
        return last

    def _tell_end(self, last: EvaluationFinished | EvaluationFailed | None, code: int, tail: str) -> None:
        if isinstance(last, EvaluationFinished):
            self._reader.start(_done, last)
        elif isinstance(last, EvaluationFailed):
            self.ended.emit(EvaluationEnd(last.message, tail, self._was_asked))
        else:
            words = f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code}"
            self.ended.emit(EvaluationEnd(words, tail, self._was_asked))


async def _collect(process: asyncio.subprocess.Process, tail: deque[str]) -> None:
    assert process.stderr is not None
    async for line in process.stderr:
        tail.append(line.decode("utf-8", "replace").rstrip())


def _done(finished: EvaluationFinished) -> EvaluationDone:
    """In the thread: the names of the worst files out of the report."""
    try:
        report = json.loads(Path(finished.report).read_text(encoding="utf-8"))
        worst = tuple(str(sample["file"]) for sample in (report["worst_first"] or {"samples": ()})["samples"])
    except (OSError, ValueError, KeyError, TypeError):
        worst = ()
    return EvaluationDone(finished, worst)
