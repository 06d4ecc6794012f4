"""Looks through training data in a child process: what is there, what is wrong, and the tensors a model would see."""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal

from app.services.scratch import ScratchFolder
from app.services.tool_process import COMMAND, ToolEnd, ToolProcess
from trainer.data.check.report import DataReport


@dataclass(frozen=True)
class CheckProgress:
    """How far a check is."""

    doing: str
    done: int
    total: int


@dataclass(frozen=True)
class ToolProblem:
    """A child could not do its work: why, and its last lines."""

    words: str
    details: str = ""


class DatasetCheck(QObject):
    """One check and one drawing at a time; a new one ends the one before."""

    progressed = Signal(object)  # CheckProgress
    report_arrived = Signal(object)  # DataReport
    check_failed = Signal(object)  # ToolProblem
    sheet_drawn = Signal(object)  # str: path of a PNG
    sheet_failed = Signal(object)  # ToolProblem

    def __init__(self, command: Sequence[str] = COMMAND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._check = ToolProcess(command, self)
        self._draw = ToolProcess(command, self)
        self._numbers = count(1)
        self._place = ScratchFolder("ul-studio-data-")
        self._drawing = 0
        self._parsing: asyncio.Task[None] | None = None
        self._check.line_read.connect(self._on_line)
        self._check.ended.connect(self._on_check_ended)
        self._draw.ended.connect(self._on_draw_ended)

    @property
    def is_checking(self) -> bool:
        """Whether a check is at work."""
        return self._check.is_running or self._parsing is not None

    def check(self, data: Mapping[str, Any]) -> None:
        """Look through the data of this section; what it leaves out is chosen to suit the files."""
        self.stop()
        number, section = next(self._numbers), dict(data)
        cores = max(1, (os.cpu_count() or 2) - 1)  # the window needs one

        def arguments() -> list[str]:
            told = ["--json", "-", "--progress", "json", "--sheet", self._sheet_path(number)]
            return ["data", "check", *self._source(section, number), *told, "--processes", str(cores)]

        self._check.start(arguments)

    def draw(self, data: Mapping[str, Any], seed: int = 0) -> None:
        """Only draw the tensors, for other settings of data that was checked."""
        number, section = next(self._numbers), dict(data)
        self._drawing = number

        def arguments() -> list[str]:
            told = ["--out", self._sheet_path(number), "--progress", "off", "--seed", str(seed)]
            return ["data", "sheet", *self._source(section, number), *told]

        self._draw.start(arguments)

    def stop(self) -> None:
        """End what runs; nothing more is heard of it."""
        self._check.stop()
        self._draw.stop()
        if self._parsing is not None:
            self._parsing.cancel()
            self._parsing = None

    async def close(self) -> None:
        """End everything and remove what was drawn."""
        self.stop()
        await self._check.close()
        await self._draw.close()
        await asyncio.to_thread(self._place.remove)

    # ---- in a thread ------------------------------------------------------------------------------------------------

    def _source(self, section: Mapping[str, Any], number: int) -> list[str]:
        """The section as a file, which JSON makes a recipe of."""
        if section.get("kind") == "scenes" and not section.get("cache"):
            section = {**section, "cache": str(self._place.path("scenes"))}  # a few for a look; a run has its own
        return ["--config", str(self._place.write(f"data-{number}.json", json.dumps({"data": section})))]

    def _sheet_path(self, number: int) -> str:
        return str(self._place.path(f"sheet-{number}.png"))

    # ---- news of the children ---------------------------------------------------------------------------------------

    def _on_line(self, line: str) -> None:
        try:
            news = json.loads(line)
            progress = CheckProgress(str(news["doing"]), int(news["done"]), int(news["total"]))
        except (ValueError, KeyError, TypeError):
            return  # a remark for people; it stands in the details should the check fail
        self.progressed.emit(progress)

    def _on_check_ended(self, end: ToolEnd) -> None:
        if not end.output.strip():
            self.check_failed.emit(problem_of(end))
            return
        self._parsing = asyncio.get_running_loop().create_task(self._parse(end))

    async def _parse(self, end: ToolEnd) -> None:
        """In a thread: a report may name many thousands of files."""
        try:
            report = await asyncio.to_thread(DataReport.model_validate_json, end.output)
        except ValidationError as error:
            self._parsing = None
            self.check_failed.emit(ToolProblem("the check's answer cannot be read", str(error)))
            return
        self._parsing = None
        self.report_arrived.emit(report)

    def _on_draw_ended(self, end: ToolEnd) -> None:
        if end.code == 0:
            self.sheet_drawn.emit(self._sheet_path(self._drawing))
        else:
            self.sheet_failed.emit(problem_of(end))


def problem_of(end: ToolEnd) -> ToolProblem:
    """Why a child failed, with its last lines, without its news for programs."""
    lines = [line for line in end.lines if not line.startswith("{")]
    return ToolProblem(end.words, "\n".join(lines))
