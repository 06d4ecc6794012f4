"""Tells through the desktop, where there is one that listens; where not, nothing happens."""

import asyncio
import json
import shutil
import sys
from asyncio.subprocess import DEVNULL

from PySide6.QtCore import QObject

APP_NAME = "UL Studio"
PATIENCE_S = 5.0


class Notifier(QObject):
    """Each word is sent by a small program of the system, a child process that nobody waits for."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, title: str, sentence: str) -> None:
        """Show a notification; needs a running event loop."""
        command = notify_command(title, sentence)
        if command:
            task = asyncio.get_running_loop().create_task(_run(command))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what is still being sent."""
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


def notify_command(title: str, sentence: str, platform: str = sys.platform) -> tuple[str, ...]:
    """The command line that shows a notification here; empty if this system has none."""
    if platform == "darwin":
        script = f"display notification {json.dumps(sentence)} with title {json.dumps(title)}"
        return ("osascript", "-e", script) if shutil.which("osascript") else ()
    if platform == "win32":
        return ()
    if shutil.which("notify-send"):
        return ("notify-send", f"--app-name={APP_NAME}", "--icon=ul-studio", "--", title, _plain(sentence))
    if shutil.which("gdbus"):
        place = "org.freedesktop.Notifications"
        call = ("gdbus", "call", "--session", "--dest", place, "--object-path", "/org/freedesktop/Notifications")
        values = (APP_NAME, "0", "ul-studio", title, _plain(sentence), "[]", "{}", "-1")
        return (*call, "--method", f"{place}.Notify", *values)
    return ()


def _plain(text: str) -> str:
    """Notification servers may read a part of HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


async def _run(command: tuple[str, ...]) -> None:
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
    except OSError:
        return
    try:
        await asyncio.wait_for(process.wait(), PATIENCE_S)
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        await process.wait()
