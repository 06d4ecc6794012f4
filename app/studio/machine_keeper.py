"""Ties what the probe finds out about this machine to what the window shows of it."""

from PySide6.QtCore import QObject

from app.models.machine import Device, Finding
from app.models.session import Session
from app.services.machine import DoctorReport, MachineFacts, MachineProbe


class MachineKeeper(QObject):
    """The go-between of probe and session."""

    def __init__(self, session: Session, probe: MachineProbe, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._machine = session.machine
        self._folders = session.folders
        self._probe = probe
        probe.looked.connect(self._on_looked)
        probe.checked.connect(self._on_checked)

    def look(self) -> None:
        """List the devices anew."""
        self._probe.look()

    def check(self) -> None:
        """Start the thorough check."""
        self._machine.update(is_checking=True, findings=(), problem="")
        self._probe.check(self._folders.places.outputs)

    def _on_looked(self, facts: MachineFacts) -> None:
        devices = tuple(Device(device.name, device.title) for device in facts.devices)
        self._machine.update(devices=devices, num_cores=facts.num_cores, has_token=facts.has_token)

    def _on_checked(self, report: DoctorReport) -> None:
        findings = tuple(Finding(line.is_good, line.text, line.mend) for line in report.lines)
        self._machine.update(is_checking=False, findings=findings, problem=report.problem)
