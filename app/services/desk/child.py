"""The process that works on models: JSON lines in, JSON lines out. Neither Qt nor torch.

    {"id": "1", "do": "download", "repo": "user/name", ...}     {"id": "1", "do": "cancel"}

Answers carry the id and `news`: ``progress``, ``done`` with a `result`, ``failed`` with `kind`, `text` and `url`, or
``cancelled``. It ends when its input ends; the Hub's client reads its environment at import, so another mirror means
another process.
"""

import json
import os
import sys
import threading
import time
import traceback
from typing import Any

from app.services.desk.deeds import DEEDS, Report
from ul_engine.errors import Cancelled, EngineError

FAREWELL_S = 1.0
"""The window waits a little longer than that (`client.GOODBYE_MS`)."""


class Child:
    """Every deed in a thread of its own."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        sys.stdout = sys.stderr  # what a library prints must not break the lines
        self._lock = threading.Lock()
        self._cancelled: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def run(self) -> None:
        """Until the input ends; what runs then is given up, and has a moment to clear up behind itself."""
        for line in sys.stdin:
            self._take(json.loads(line))
        for event in list(self._cancelled.values()):
            event.set()
        until_s = time.monotonic() + FAREWELL_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        with self._lock:
            self._answers.flush()
            os._exit(0)  # a server that does not answer must not hold the window up

    def _take(self, task: dict[str, Any]) -> None:
        number, deed = str(task.pop("id")), str(task.pop("do"))
        if deed == "cancel":
            if (event := self._cancelled.get(number)) is not None:  # else it has just ended
                event.set()
            return
        event = self._cancelled[number] = threading.Event()
        thread = threading.Thread(target=self._work, args=(number, deed, task, event), daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _work(self, number: str, deed: str, task: dict[str, Any], event: threading.Event) -> None:
        def progress(**news: Any) -> None:
            self._say(number, "progress", **news)

        try:
            result = DEEDS[deed](Report(progress, event.is_set), **task)
            self._say(number, "done", result=result)
        except Cancelled:
            self._say(number, "cancelled")
        except EngineError as error:
            kind = str(getattr(error, "kind", "")) or type(error).__name__
            self._say(number, "failed", kind=kind, text=str(error), url=getattr(error, "url", None) or "")
        except Exception:  # noqa: BLE001 - a mistake of ours: told, and the process goes on for the other deeds
            self._say(number, "failed", kind="bug", text=traceback.format_exc(), url="")
        finally:
            self._cancelled.pop(number, None)

    def _say(self, number: str, news: str, **content: Any) -> None:
        with self._lock:
            self._answers.write(json.dumps({"id": number, "news": news, **content}) + "\n")
            self._answers.flush()


if __name__ == "__main__":
    Child().run()
