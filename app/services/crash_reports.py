"""Exceptions that nobody caught: written to a report a person can read before sending, and told to the window."""

import asyncio
import platform
import sys
import threading
import traceback
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QObject, Signal, qVersion

MAX_REPORTS = 20


@dataclass(frozen=True)
class CrashReport:
    """One unexpected error."""

    summary: str
    text: str
    path: str
    """Empty if the report could not be written."""


class CrashReporter(QObject):
    """Takes over the four places where Python drops exceptions."""

    error_reported = Signal(object)  # CrashReport

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._saved: tuple[Any, Any, Any] | None = None
        self._is_reporting = False

    def install(self) -> None:
        """From here on, uncaught exceptions come here."""
        self._saved = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        sys.unraisablehook = self._on_unraisable

    def watch_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Also those of tasks and callbacks of this loop."""
        loop.set_exception_handler(self._on_loop_exception)

    def uninstall(self) -> None:
        """Give the hooks back."""
        if self._saved is not None:
            sys.excepthook, threading.excepthook, sys.unraisablehook = self._saved
            self._saved = None

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None, where: str = "window"
    ) -> None:
        if issubclass(kind, KeyboardInterrupt | SystemExit):
            return
        lines = traceback.format_exception(kind, error, trace)
        self._report(f"{kind.__name__}: {error}", "".join(lines), where)

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            name = args.thread.name if args.thread else "a thread"
            self._on_exception(args.exc_type, args.exc_value, args.exc_traceback, name)

    def _on_unraisable(self, args: Any) -> None:
        if args.exc_value is not None:
            self._on_exception(type(args.exc_value), args.exc_value, args.exc_traceback, f"{args.object!r}")

    def _on_loop_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._on_exception(type(error), error, error.__traceback__, str(context.get("message", "event loop")))
        else:
            self._report(str(context.get("message")), repr(context), "event loop")

    def _report(self, summary: str, trace: str, where: str) -> None:
        sys.stderr.write(trace)
        if self._is_reporting:
            return
        self._is_reporting = True
        try:
            text = f"{_heading(where)}\n\n{trace}"
            report = CrashReport(summary, text, self._write(text))
            self.error_reported.emit(report)
        except Exception:  # noqa: BLE001 - the last resort must not raise, whatever happened
            sys.stderr.write(traceback.format_exc())
        finally:
            self._is_reporting = False

    def _write(self, text: str) -> str:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"crash-{datetime.now():%Y%m%d-%H%M%S-%f}.txt"
            path.write_text(text, encoding="utf-8")
            for old in sorted(self._folder.glob("crash-*.txt"))[:-MAX_REPORTS]:
                old.unlink(missing_ok=True)
        except OSError:
            return ""
        return str(path)


def _heading(where: str) -> str:
    """What helps to understand a report, and nothing about the person."""
    return (
        f"UL Studio, {datetime.now().isoformat(timespec='seconds')}, in {where}\n"
        f"Python {platform.python_version()}, Qt {qVersion()}, {platform.system()} {platform.release()}"
    )
