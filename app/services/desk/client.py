"""The window's end of the process that works on models: starts it when there is something to do, and hears it."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

COMMAND = (sys.executable, "-m", "app.services.desk.child")
GOODBYE_MS = 1500


@dataclass(frozen=True)
class DeskNews:
    """Something about one task: ``progress``, ``done``, ``failed`` or ``cancelled``."""

    task_id: str
    deed: str
    arguments: Mapping[str, Any]
    news: str
    content: Mapping[str, Any] = field(default_factory=dict)


class DeskClient(QObject):
    """Every task ends in exactly one of ``done``, ``failed`` and ``cancelled``, whatever becomes of the process."""

    told = Signal(object)  # DeskNews

    def __init__(self, environment: Mapping[str, str] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._environment = dict(environment or {})
        self._process: QProcess | None = None
        self._tasks: dict[str, tuple[str, dict[str, Any]]] = {}
        self._number = 0
        self._rest = b""
        self._must_renew = False

    @property
    def is_busy(self) -> bool:
        """Whether anything is being done."""
        return bool(self._tasks)

    def set_environment(self, **changes: str | None) -> None:
        """Another mirror or the like: counts for a new process, which is started when nothing runs; None removes."""
        new = {name: value for name, value in {**self._environment, **changes}.items() if value is not None}
        if new != self._environment:
            self._environment = new
            self._must_renew = True
            self._renew()

    def start(self, deed: str, **arguments: Any) -> str:
        """Have something done; its number, under which news come."""
        self._renew()
        self._number += 1
        task_id = str(self._number)
        self._tasks[task_id] = (deed, arguments)
        self._write({"id": task_id, "do": deed, **arguments})
        return task_id

    def cancel(self, task_id: str) -> None:
        """It is not wanted any more; ends in ``cancelled``, or ``done`` if it was just finished."""
        if task_id in self._tasks:
            self._write({"id": task_id, "do": "cancel"})

    def close(self) -> None:
        """End the process; downloads go on from where they are another time."""
        self._tasks.clear()
        process = self._let_go()
        if process is not None and not process.waitForFinished(GOODBYE_MS):
            process.kill()
            process.waitForFinished(GOODBYE_MS)

    def _let_go(self) -> QProcess | None:
        """Say goodbye to the process; it ends by itself."""
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._on_finished)
            process.errorOccurred.disconnect(self._on_error)
            process.readyReadStandardOutput.disconnect(self._on_output)
            process.finished.connect(process.deleteLater)
            process.closeWriteChannel()
        return process

    def _renew(self) -> None:
        if self._must_renew and not self._tasks:
            self._must_renew = False
            self._let_go()

    def _write(self, message: dict[str, Any]) -> None:
        if self._process is None:
            self._process = self._made()
            self._process.start(COMMAND[0], list(COMMAND[1:]))
        if self._process is not None:  # else it could not even be started, and all that was asked for has failed
            self._process.write((json.dumps(message) + "\n").encode())

    def _made(self) -> QProcess:
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        for name, value in self._environment.items():
            environment.insert(name, value)
        environment.insert("HF_HUB_DISABLE_TELEMETRY", "1")
        process.setProcessEnvironment(environment)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        process.readyReadStandardOutput.connect(self._on_output)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._rest = b""
        return process

    def _on_output(self) -> None:
        assert self._process is not None
        *lines, self._rest = (self._rest + bytes(self._process.readAllStandardOutput().data())).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        task_id, news = str(message.pop("id")), str(message.pop("news"))
        deed, arguments = self._tasks.get(task_id, ("", {}))
        if not deed:
            return
        if news != "progress":
            del self._tasks[task_id]
        self.told.emit(DeskNews(task_id, deed, arguments, news, message))
        self._renew()

    def _on_error(self, error: QProcess.ProcessError) -> None:
        """A process that cannot be started never ends, and would be waited for without end."""
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._lose(self._process.errorString())

    def _on_finished(self) -> None:
        """It died."""
        process = self._process
        self._lose(
            "" if process is None else bytes(process.readAllStandardError().data()).decode("utf-8", "replace")[-2000:]
        )

    def _lose(self, tail: str) -> None:
        """What was to be done has failed, and the next task gets a new process."""
        process, self._process = self._process, None
        lost, self._tasks = self._tasks, {}
        for task_id, (deed, arguments) in lost.items():
            content = {"kind": "died", "text": tail, "url": ""}
            self.told.emit(DeskNews(task_id, deed, arguments, "failed", content))
        if process is not None:
            process.deleteLater()
