"""Where the engine computes, and how to get its memory back."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from app.models.engine_state import EnginePhase
from app.models.session import Session
from app.ui.widgets.quiet_inputs import QuietComboBox, QuietSpinBox
from app.ui.widgets.settings.section import Section, selectable

DEVICE_PX = 320


class EngineSection(Section):
    """Another device or another number of threads starts another engine, when the running job is done."""

    restart_requested = Signal()
    release_requested = Signal()

    def __init__(self, title: str, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._session = session
        self.device = QuietComboBox(self)
        self.device.setMinimumWidth(200)
        self.device.setMaximumWidth(DEVICE_PX)
        self.device.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.threads = QuietSpinBox(self)
        self.threads.setSpecialValueText(self.tr("All but one"))
        self.threads.setMinimumWidth(130)
        self._choices: list[tuple[str, str]] = []
        self._state = selectable()
        self.release = self.button(self.tr("Release"), self.release_requested)
        self.release.setAccessibleName(self.tr("Release the engine's memory"))
        self.restart = self.button(self.tr("Restart"), self.restart_requested)
        self.restart.setAccessibleName(self.tr("Restart the engine"))
        self.add_row(
            self.tr("Compute on"),
            self.tr("Changes when the running job is done. Training runs choose their own devices."),
            self.device,
        )
        self.add_row(self.tr("Processor threads"), self.tr("The window needs one for itself."), self.threads)
        self.add_row(self.tr("Engine"), self._state, self.release, self.restart)
        self.device.activated.connect(self._on_device_activated)
        self.threads.valueChanged.connect(self._on_threads_changed)
        session.engine.status_changed.connect(self._show_state)
        session.machine.machine_changed.connect(self._show_choices)
        session.preferences.preferences_changed.connect(self._show_choices)
        self._show_choices()
        self._show_state()

    def _show_choices(self, _news: Any = None) -> None:
        machine, wished = self._session.machine.state, self._session.preferences.state
        choices = [("auto", self.tr("The fastest there is"))]
        choices += [(device.name, f"{device.title} ({device.name})") for device in machine.devices]
        choices.append(("cpu", self.tr("The processor")))
        if wished.device not in dict(choices):
            choices.append((wished.device, self.tr("{name} (not found here)").format(name=wished.device)))
        if choices != self._choices:  # else a list that a person has just opened would close
            self._choices = choices
            self.device.clear()
            for name, title in choices:
                self.device.addItem(title, name)
        self.device.setCurrentIndex(self.device.findData(wished.device))
        self.threads.blockSignals(True)
        self.threads.setRange(0, max(machine.num_cores, wished.threads, 1))
        self.threads.setValue(wished.threads)
        self.threads.blockSignals(False)

    def _on_device_activated(self, row: int) -> None:
        self._session.preferences.update(device=self.device.itemData(row))

    def _on_threads_changed(self, count: int) -> None:
        self._session.preferences.update(threads=count)

    def _show_state(self, _status: Any = None) -> None:
        status = self._session.engine.status
        self.release.setEnabled(status.phase not in (EnginePhase.RELEASED, EnginePhase.DOWN))
        if status.phase is EnginePhase.RELEASED:
            self._state.setText(self.tr("Ended; its memory is free. The next job starts it again."))
        elif status.phase is EnginePhase.DOWN:
            self._state.setText(self.tr("Stopped. Restart it to go on."))
        elif not status.device_name:
            self._state.setText(self.tr("Starting."))
        else:
            self._state.setText(
                self.tr("Runs on {device}. Releasing ends it, the only sure way to free the memory of a GPU.").format(
                    device=f"{status.device_name} ({status.device})"
                )
            )
