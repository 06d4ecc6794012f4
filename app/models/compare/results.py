"""All findings of a session within a budget of memory, and what is still being worked on."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.models.compare.findings import Finding, Key

BUDGET_BYTES = 1536 * 2**20

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Work:
    """One job on its way, and what is still to come of it."""

    job_id: str
    keys: tuple[Key, ...]
    is_running: bool = False


class CompareResults(QObject):
    """Compares, stores, tells. The least recently used findings go first when memory runs short."""

    found = Signal(object)  # the key of a new finding
    work_changed = Signal()

    def __init__(self, parent: QObject | None = None, budget_bytes: int = BUDGET_BYTES) -> None:
        super().__init__(parent)
        self._budget_bytes = budget_bytes
        self._findings: OrderedDict[Key, Finding] = OrderedDict()
        self._num_bytes = 0
        self._work: dict[str, Work] = {}
        self._failed: set[Key] = set()

    # ---- what was found -------------------------------------------------------------------------------------------

    @property
    def num_bytes(self) -> int:
        """Memory of all findings."""
        return self._num_bytes

    def get(self, key: Key, kind: type[Kind]) -> Kind | None:
        """A finding of this kind, if it is there."""
        found = self._findings.get(key)
        if found is None:
            return None
        self._findings.move_to_end(key)
        assert isinstance(found, kind)
        return found

    def has(self, key: Key) -> bool:
        """Whether something is there, without using it."""
        return key in self._findings

    def put(self, key: Key, finding: Finding) -> None:
        """Keep a finding; the oldest give way to it."""
        self._drop(key)
        self._findings[key] = finding
        self._num_bytes += finding.num_bytes
        self._failed.discard(key)
        while self._num_bytes > self._budget_bytes and len(self._findings) > 1:
            self._drop(next(iter(self._findings)))
        for work in list(self._work.values()):
            if key in work.keys:
                self._work[work.job_id] = replace(work, keys=tuple(other for other in work.keys if other != key))
        self.found.emit(key)

    def forget(self, source: str) -> None:
        """Let go of everything about an input."""
        for key in [key for key in self._findings if key.source == source]:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        finding = self._findings.pop(key, None)
        self._num_bytes -= finding.num_bytes if finding is not None else 0

    # ---- what is on its way ---------------------------------------------------------------------------------------

    def begin_work(self, job_id: str, keys: tuple[Key, ...]) -> None:
        """A job was queued."""
        self._work[job_id] = Work(job_id, keys)
        self._failed -= set(keys)
        self.work_changed.emit()

    def note_running(self, job_id: str) -> None:
        """A job is at work now."""
        if job_id in self._work:
            self._work[job_id] = replace(self._work[job_id], is_running=True)
            self.work_changed.emit()

    def end_work(self, job_id: str, *, is_failed: bool) -> None:
        """A job is over; what it did not bring will not come."""
        work = self._work.pop(job_id, None)
        if work is None:
            return
        if is_failed:
            self._failed |= set(work.keys)
        self.work_changed.emit()

    @property
    def is_working(self) -> bool:
        """Whether anything is on its way."""
        return bool(self._work)

    def is_expected(self, key: Key) -> bool:
        """Whether a job that waits or runs will bring it."""
        return any(key in work.keys for work in self._work.values())

    def expects(self, kind: type[Key]) -> bool:
        """Whether anything of a kind is on its way."""
        return any(isinstance(key, kind) for work in self._work.values() for key in work.keys)

    def is_running(self, key: Key) -> bool:
        """Whether it is next to come from the running job."""
        return any(work.is_running and work.keys[:1] == (key,) for work in self._work.values())

    def has_failed(self, key: Key) -> bool:
        """Whether a job for it ended with an error."""
        return key in self._failed
