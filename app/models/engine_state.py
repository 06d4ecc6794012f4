"""What the window knows of the engine."""

from dataclasses import dataclass, replace
from enum import Enum

from PySide6.QtCore import QObject, Signal

from ul_engine.protocol import EngineReady, Pong


class EnginePhase(Enum):
    """What the engine is at."""

    STARTING = "starting"
    READY = "ready"
    LOADING = "loading"
    BUSY = "busy"
    RESTARTING = "restarting"
    DOWN = "down"
    RELEASED = "released"
    """Ended because a person wanted its memory back; the next job starts it."""


@dataclass(frozen=True)
class EngineStatus:
    """One moment of the engine."""

    phase: EnginePhase = EnginePhase.STARTING
    device: str = ""
    device_name: str = ""
    num_threads: int = 0
    total_memory_bytes: int = 0
    host_bytes: int = 0
    device_bytes: int = 0

    @property
    def is_up(self) -> bool:
        """Whether it takes jobs at once."""
        return self.phase in (EnginePhase.READY, EnginePhase.LOADING, EnginePhase.BUSY)

    @property
    def memory_bytes(self) -> int:
        """Memory in use where it is scarce: on the device, or the worker's own on a CPU."""
        return self.device_bytes or self.host_bytes


class EngineState(QObject):
    """Compares, stores, tells."""

    status_changed = Signal(object)  # EngineStatus

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._status = EngineStatus()

    @property
    def status(self) -> EngineStatus:
        """The present moment."""
        return self._status

    def set_launched(self) -> None:
        """A worker process was started."""
        self._set(EngineStatus())

    def set_ready(self, news: EngineReady) -> None:
        """The worker is ready; it told its device."""
        self._set(
            EngineStatus(
                phase=EnginePhase.READY,
                device=news.device,
                device_name=news.device_name,
                num_threads=news.num_threads,
                total_memory_bytes=news.total_memory_bytes,
            )
        )

    def set_phase(self, phase: EnginePhase) -> None:
        """Loading, busy or ready again; kept only while the engine is up."""
        if self._status.is_up:
            self._set(replace(self._status, phase=phase))

    def set_died(self, *, is_restarting: bool, is_released: bool = False) -> None:
        """The worker is gone."""
        down = EnginePhase.RELEASED if is_released else EnginePhase.DOWN
        self._set(EngineStatus(phase=EnginePhase.RESTARTING if is_restarting else down))

    def set_memory(self, news: Pong) -> None:
        """The worker told its memory."""
        self._set(replace(self._status, host_bytes=news.host_bytes, device_bytes=news.device_bytes))

    def _set(self, status: EngineStatus) -> None:
        if status != self._status:
            self._status = status
            self.status_changed.emit(status)
