"""What a run would cost, measured by a child process that takes a few real steps."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal

from app.services.dataset_check import ToolProblem, problem_of
from app.services.scratch import ScratchFolder
from app.services.tool_process import COMMAND, ToolEnd, ToolProcess
from trainer.cost import RunEstimate


@dataclass(frozen=True)
class EstimateAnswer:
    """What came of one wish, told apart by the key it was asked with."""

    key: object
    estimate: RunEstimate


@dataclass(frozen=True)
class EstimateFailure:
    """Why nothing came of it."""

    key: object
    problem: ToolProblem


class DryRun(QObject):
    """One at a time; a new wish ends the one before."""

    estimate_arrived = Signal(object)  # EstimateAnswer
    estimate_failed = Signal(object)  # EstimateFailure

    def __init__(self, command: Sequence[str] = COMMAND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tool = ToolProcess(command, self)
        self._numbers = count(1)
        self._place = ScratchFolder("ul-studio-estimate-")
        self._key: object = None
        self._tool.ended.connect(self._on_ended)

    def estimate(
        self, key: object, settings: Mapping[str, Any], run: Path, *, processes: int = 1, device: str = "auto"
    ) -> None:
        """Reckon a run with these settings in the folder `run`, which need not exist."""
        self._key = key
        number, content = next(self._numbers), json.dumps(dict(settings))

        def arguments() -> list[str]:
            file = str(self._place.write(f"settings-{number}.json", content))
            what = [str(settings["stage"]), "--config", file, "--out", str(run), "--dry-run", "--json"]
            return [*what, "--processes", str(processes), "--device", device]

        self._tool.start(arguments)

    def stop(self) -> None:
        """Never mind."""
        self._tool.stop()

    async def close(self) -> None:
        """End it and remove what was written."""
        await self._tool.close()
        await asyncio.to_thread(self._place.remove)

    def _on_ended(self, end: ToolEnd) -> None:
        if end.code != 0:
            self.estimate_failed.emit(EstimateFailure(self._key, problem_of(end)))
            return
        try:
            estimate = RunEstimate.model_validate_json(end.output)
        except ValidationError as error:
            problem = ToolProblem("the estimate cannot be read", str(error))
            self.estimate_failed.emit(EstimateFailure(self._key, problem))
            return
        self.estimate_arrived.emit(EstimateAnswer(self._key, estimate))
