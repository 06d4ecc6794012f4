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

from app.services.child_lines import lines_of
from app.services.engine_process import child_environment, exit_words
from app.services.in_order import InOrder
from ul_engine.protocol import EvaluationFailed, EvaluationFinished, EvaluationProgress, read_evaluation_line

EVALUATE_COMMAND = (sys.executable, "-m", "ul_engine.cli", "evaluate")
STDERR_LINES = 30
GRACE_S = 5.0
"""A child that was asked to end and has not by then is ended."""


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
        self._deadline: asyncio.TimerHandle | None = None
        self._was_asked = False
        self._reader = InOrder("evaluation", self)
        self._reader.finished.connect(self.finished)

    def start(self, arguments: Sequence[str]) -> None:
        """Start the child with these arguments; needs a running event loop."""
        self._was_asked = False
        self._task = asyncio.get_running_loop().create_task(self._run(tuple(arguments)))

    def stop(self) -> None:
        """Ask the child to end, and make it where it does not; what it has finished stays on the disk."""
        self._was_asked = True
        if self._process is not None:
            self._end(self._process)

    async def close(self) -> None:
        """End the child and the thread."""
        self.stop()
        if self._task is not None:
            await asyncio.wait({self._task})
        self._reader.close()

    def _end(self, process: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            process.terminate()
        self._deadline = asyncio.get_running_loop().call_later(GRACE_S, self._kill, process)

    def _kill(self, process: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            process.kill()

    async def _run(self, arguments: tuple[str, ...]) -> None:
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=child_environment(os.environ),
            )
        except OSError as error:
            self.ended.emit(EvaluationEnd(f"it could not be started ({error.strerror or error})"))
            return
        if self._was_asked:  # while it was being started
            self._end(process)
        tail: deque[str] = deque(maxlen=STDERR_LINES)
        last, _ = await asyncio.gather(self._follow(process), _collect(process, tail))
        code = await process.wait()
        self._process = None
        if self._deadline is not None:
            self._deadline.cancel()
        self._tell_end(last, code, "\n".join(tail))

    async def _follow(self, process: asyncio.subprocess.Process) -> EvaluationFinished | EvaluationFailed | None:
        """Pass news on; returns the last word."""
        assert process.stdout is not None
        last: EvaluationFinished | EvaluationFailed | None = None
        async for line in lines_of(process.stdout):
            news = read_evaluation_line(line.encode())
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
            self.ended.emit(EvaluationEnd(exit_words(code), tail, self._was_asked))


async def _collect(process: asyncio.subprocess.Process, tail: deque[str]) -> None:
    assert process.stderr is not None
    async for line in lines_of(process.stderr):
        tail.append(line.rstrip())


def _done(finished: EvaluationFinished) -> EvaluationDone:
    """In the thread: the names of the worst files out of the report."""
    try:
        report = json.loads(Path(finished.report).read_text(encoding="utf-8"))
        worst = tuple(str(sample["file"]) for sample in (report["worst_first"] or {"samples": ()})["samples"])
    except (OSError, ValueError, KeyError, TypeError):
        worst = ()
    return EvaluationDone(finished, worst)
