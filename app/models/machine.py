"""What the window knows of this machine: its devices, and what a check of it found."""

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal


@dataclass(frozen=True)
class Device:
    """One thing to compute on."""

    name: str
    """As the engine takes it: cuda:0, mps."""
    title: str


@dataclass(frozen=True)
class Finding:
    """One line of a check."""

    is_good: bool
    text: str
    mend: str = ""
    """The command or step that helps; empty where all is well."""


@dataclass(frozen=True)
class MachineState:
    """One moment."""

    devices: tuple[Device, ...] = ()
    num_cores: int = 0
    has_token: bool = False
    """Whether a token of the Hugging Face Hub is stored here."""
    is_checking: bool = False
    findings: tuple[Finding, ...] = ()
    problem: str = ""
    """Why the check itself failed."""


class Machine(QObject):
    """Compares, stores, tells."""

    machine_changed = Signal(object)  # MachineState

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = MachineState()

    @property
    def state(self) -> MachineState:
        """The present moment."""
        return self._state

    def update(self, **changes: Any) -> None:
        """Some of it changed."""
        state = replace(self._state, **changes)
        if state != self._state:
            self._state = state
            self.machine_changed.emit(state)
