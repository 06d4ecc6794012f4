"""The sweeps there are, the one on show, and the one being put together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.models.config_form import ConfigForm
from app.models.new_run.launching import proposed_name
from app.models.sweeps.reading import DEFINITION, SweepReport
from app.models.sweeps.settings import SweepSettings, definition, proposed
from trainer.config import RunConfig

LEAST_MEASURED = 4
"""Held-out samples without which nothing can be measured."""


@dataclass(frozen=True)
class SweepStart:
    """Begin this sweep, or go on with the one in the folder (no definition)."""

    folder: Path
    definition: Mapping[str, Any] | None
    workers: int
    device: str


@dataclass(frozen=True)
class SweepsState:
    """One moment."""

    reports: tuple[SweepReport, ...] = ()
    chosen: str = ""
    """Folder of the one on show."""
    is_known: bool = False
    """Whether anybody has looked yet."""
    is_starting: bool = False
    trouble: str = ""

    @property
    def report(self) -> SweepReport | None:
        """The one on show: the chosen one, else the newest."""
        found = next((each for each in self.reports if each.folder == self.chosen), None)
        return found or (self.reports[0] if self.reports else None)


class Sweeps(QObject):
    """It starts nothing itself; whoever has the services listens to its wishes."""

    state_changed = Signal(object)  # SweepsState
    look_wanted = Signal()
    start_wanted = Signal(object)  # SweepStart
    stop_wanted = Signal(object)  # str: folder

    def __init__(self, runs: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._state = SweepsState()
        self._config: RunConfig | None = None
        self._device = "auto"
        self.run_seconds: float | None = None
        self.rendering_seconds = 0.0
        self.obstacle = ""
        """Why no sweep can be made of these settings; empty if one can."""
        self.form = ConfigForm(SweepSettings, {"name": "sweep", "loss_factors": [1.5]}, parent=self)

    @property
    def state(self) -> SweepsState:
        """The present moment."""
        return self._state

    @property
    def base(self) -> RunConfig | None:
        """Settings that all points share."""
        return self._config

    # ---- what a person does ---------------------------------------------------------------------------------------

    def prepare(
        self,
        runs: Path,
        config: RunConfig,
        *,
        device: str,
        run_seconds: float | None,
        rendering_seconds: float = 0.0,
        num_held_out: int | None = None,
    ) -> None:
        """Put a sweep of these settings together. `run_seconds` is the time of one run without `rendering_seconds`,
        after which all of them have their scenes; `num_held_out` is what there is to measure on. None: unknown."""
        self.obstacle = self._obstacle(num_held_out)
        self._runs, self._config, self._device = runs, config, device
        self.run_seconds, self.rendering_seconds = run_seconds, rendering_seconds
        stem = "".join(each if each.isalnum() or each in "-_." else "-" for each in config.model.name.lower())
        self.form.restart(proposed(config, proposed_name(stem, "sweep", runs)))

    def start(self) -> bool:
        """Begin it; False if something in it is wrong."""
        settings: SweepSettings | None = self.form.result
        if settings is None or self._config is None or self._state.is_starting or self.obstacle:
            return False
        folder = (self._runs / settings.name).absolute()
        if (folder / DEFINITION).exists():
            self._set(replace(self._state, trouble=self.tr("There is a sweep of this name already; choose another.")))
            return False
        self._set(replace(self._state, is_starting=True, trouble="", chosen=str(folder)))
        whole = definition(settings, self._config)
        self.start_wanted.emit(SweepStart(folder, whole, settings.points_at_once, self._device))
        return True

    def go_on(self) -> None:
        """Let the sweep on show finish what is left."""
        report = self._state.report
        if report is not None and report.can_go_on and not self._state.is_starting:
            self._set(replace(self._state, is_starting=True, trouble=""))
            self.start_wanted.emit(SweepStart(Path(report.folder), None, 1, self._device))

    def stop(self) -> None:
        """Ask the sweep on show to save and end."""
        report = self._state.report
        if report is not None and report.is_running:
            self.stop_wanted.emit(report.folder)

    def choose(self, folder: str) -> None:
        """Show another."""
        self._set(replace(self._state, chosen=folder))

    def look(self) -> None:
        """Look at the folders again."""
        self.look_wanted.emit()

    # ---- answers --------------------------------------------------------------------------------------------------

    def note_reports(self, reports: tuple[SweepReport, ...]) -> None:
        """So they stand."""
        self._set(replace(self._state, reports=reports, is_known=True))

    def note_began(self, folder: str) -> None:
        """It is at work."""
        self._set(replace(self._state, is_starting=False, chosen=folder))
        self.look_wanted.emit()

    def note_failed(self, words: str) -> None:
        """It could not be started."""
        self._set(replace(self._state, is_starting=False, trouble=words))

    def _obstacle(self, num_held_out: int | None) -> str:
        if num_held_out is None or num_held_out >= LEAST_MEASURED:
            return ""
        return self.tr(
            "Only {count} samples are held out, and measuring needs {least}. A tenth of the data is held out, so about "
            "{needed} samples are needed in all."
        ).format(count=num_held_out, least=LEAST_MEASURED, needed=10 * LEAST_MEASURED)

    def _set(self, state: SweepsState) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)
