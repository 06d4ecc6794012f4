"""How far a check of data is, on standard error."""

import json
import os
import sys
import time

LOG_INTERVAL_S = 5.0
JSON_INTERVAL_S = 0.1


class Progress:
    """Says nothing."""

    def show(self, doing: str, done: int, total: int) -> None:
        """What is being done, how much of it is done, and how much there is."""

    def clear(self) -> None:
        """Remove what was shown for the moment."""


class LineProgress(Progress):
    """``reading files · 1 200 / 3 068`` on standard error: one line that is rewritten on a terminal, elsewhere a new
    one every few seconds."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty() and "TERM" in os.environ
        self._last_line = time.monotonic()

    def show(self, doing: str, done: int, total: int) -> None:
        """See above."""
        text = f"{doing} · {done:,} / {total:,}".replace(",", " ") if total > 1 else doing
        if self._is_live:
            print(f"\r{text:<70}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._last_line >= LOG_INTERVAL_S:
            self._last_line = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the line."""
        if self._is_live:
            print(f"\r{'':<70}\r", end="", file=sys.stderr, flush=True)


class JsonProgress(Progress):
    """``{"doing": "reading files", "done": 1200, "total": 3068}``, one object per line on standard error, at most ten a
    second; the first and the last of everything always."""

    def __init__(self) -> None:
        self._doing = ""
        self._last_line = 0.0

    def show(self, doing: str, done: int, total: int) -> None:
        """See above."""
        is_edge = doing != self._doing or done >= total
        if is_edge or time.monotonic() - self._last_line >= JSON_INTERVAL_S:
            self._doing, self._last_line = doing, time.monotonic()
            print(json.dumps({"doing": doing, "done": done, "total": total}), file=sys.stderr, flush=True)


def progress_of(kind: str) -> Progress:
    """Of the kind that ``--progress`` names."""
    return {"auto": LineProgress, "json": JsonProgress, "off": Progress}[kind]()
