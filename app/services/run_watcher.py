"""Watches run folders in a thread of its own and tells what is new, a few times a second."""

import importlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.run_news import RunFacts, RunNews, RunSummary, Standing
from app.services.event_tail import EventTail
from app.services.run_folder import (
    best_scores_of,
    checkpoints_of,
    console_tail,
    facts_of,
    has_model,
    run_folders,
    standing_of,
    summary_of,
)
from trainer.run_dir import RunDir

POLL_S = 0.15
"""Between two looks at an open run: six or seven a second."""
STANDING_S = 0.5
LIST_S = 2.0
BREATH_S = 0.004
"""Between two chunks of the past, so that the window's thread gets its turn."""


class RunWatcher(QObject):
    """Reads only. Any number of windows may watch the same folder."""

    news_arrived = Signal(object)  # RunNews
    runs_found = Signal(object)  # tuple[RunSummary, ...]

    def __init__(self, roots: Sequence[Path], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._roots = tuple(roots)
        self._wanted: tuple[str, ...] = ()
        self._is_closed = False
        self._wake = threading.Event()
        self._list_now = True
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        if self._thread is None and not self._is_closed:
            self._thread = threading.Thread(target=self._look, name="run-watcher", daemon=True)
            self._thread.start()

    def set_roots(self, roots: Sequence[Path]) -> None:
        """Folders below which runs are listed, and runs listed by themselves."""
        with self._lock:
            self._roots = tuple(roots)
        self.refresh()

    def watch(self, paths: Sequence[str]) -> None:
        """Tell what is new in these runs from now on, each from its start; those not named any more are let go."""
        with self._lock:
            self._wanted = tuple(dict.fromkeys(paths))
        self._wake.set()

    def refresh(self) -> None:
        """List the runs at once."""
        self._list_now = True
        self._wake.set()

    def close(self) -> None:
        """End the thread."""
        self._is_closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    # ---- in the thread; signals are queued to their receivers -----------------------------------------------------

    def _look(self) -> None:
        importlib.import_module("numpy")  # the charts need it: here it keeps nobody waiting
        readers: dict[str, FolderReader] = {}
        listing, listed_at = RunListing(), 0.0
        while not self._is_closed:
            with self._lock:
                wanted, roots = self._wanted, self._roots
            readers = {path: readers.get(path) or FolderReader(path) for path in wanted}
            is_behind = False
            for reader in readers.values():
                news = reader.read()
                if news is not None:
                    is_behind |= not news.is_caught_up
                    self.news_arrived.emit(news)
            if self._list_now or time.monotonic() - listed_at > LIST_S:
                self._list_now = False
                self.runs_found.emit(listing.look(roots))
                listed_at = time.monotonic()
            self._wake.wait(BREATH_S if is_behind else POLL_S)
            self._wake.clear()


class FolderReader:
    """What changes in one run folder."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._folder = Path(path)
        self._tail = EventTail(RunDir(self._folder).events)
        self._is_first = True
        self._standing: Standing | None = None
        self._standing_at = 0.0
        self._seen: dict[str, float] = {}

    def read(self) -> RunNews | None:
        """What is new; None if nothing is."""
        chunk = self._tail.read()
        run = RunDir(self._folder)
        standing = self._changed_standing()
        facts = facts_of(self._folder) if self._is_touched(run.settings) else None
        console = console_tail(self._folder) if self._is_touched(run.console) else None
        is_saved = self._is_touched(run.checkpoints) | self._is_touched(run.checkpoints / "best.json")
        is_saved |= self._is_touched(run.pins)
        is_exported = self._is_touched(run.model)
        is_first, self._is_first = self._is_first, False
        is_still = chunk.is_empty and standing is None and facts is None and console is None
        if is_still and not (is_saved or is_exported or is_first):
            return None
        return RunNews(
            self._path,
            is_from_start=chunk.is_from_start or is_first,
            blocks=chunk.blocks,
            happenings=tuple(chunk.happenings),
            is_caught_up=chunk.is_caught_up,
            standing=standing,
            facts=facts,
            console=console,
            checkpoints=checkpoints_of(self._folder) if is_saved or is_first else None,
            best_scores=best_scores_of(self._folder) if is_saved or is_first else None,
            has_model=has_model(self._folder) if is_exported or is_first else None,
        )

    def _changed_standing(self) -> Standing | None:
        now = time.monotonic()
        if not self._is_first and now - self._standing_at < STANDING_S:
            return None
        self._standing_at = now
        standing = standing_of(self._folder)
        if standing == self._standing:
            return None
        self._standing = standing
        return standing

    def _is_touched(self, path: Path) -> bool:
        try:
            changed = path.stat().st_mtime
        except OSError:
            changed = 0.0
        is_other = self._seen.get(path.name) != changed
        self._seen[path.name] = changed
        return is_other and changed > 0.0


class RunListing:
    """The runs below the roots; settings are read again only when their file has changed."""

    def __init__(self) -> None:
        self._facts: dict[Path, tuple[float, RunFacts]] = {}

    def look(self, roots: Sequence[Path]) -> tuple[RunSummary, ...]:
        """All runs, those at work first, then the one that something happened in last."""
        found: dict[str, RunSummary] = {}
        for root in roots:
            for folder in run_folders(root):
                name = str(folder.relative_to(root)) if folder != root else folder.name
                found.setdefault(str(folder), summary_of(folder, name, self._facts_of(folder)))
        order = sorted(found.values(), key=lambda run: (not run.standing.condition.is_live, -run.changed_s, run.name))
        return tuple(order)

    def _facts_of(self, folder: Path) -> RunFacts:
        try:
            changed = RunDir(folder).settings.stat().st_mtime
        except OSError:
            return RunFacts()
        known = self._facts.get(folder)
        if known is None or known[0] != changed:
            known = (changed, facts_of(folder))
            self._facts[folder] = known
        return known[1]
