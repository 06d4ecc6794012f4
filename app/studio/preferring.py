"""Ties what a person has set to what it concerns: folders, the engine's command line, what goes into files."""

from pathlib import Path

from PySide6.QtCore import QObject

from app.models.preferences import PreferenceState
from app.models.session import Session
from app.services.engine_client import EngineClient
from app.services.picture_files import PictureFiles
from app.services.settings import usual_runs


class Preferring(QObject):
    """The go-between of the preferences and everything that heeds them."""

    def __init__(
        self,
        session: Session,
        client: EngineClient,
        files: PictureFiles,
        runs: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._client = client
        self._named_runs = runs
        self._usual_models = session.folders.places.models
        self._usual_command = client.command
        self._must_restart = False
        self._heed_engine(session.preferences.state)
        self._heed_folders(session.preferences.state)
        session.folders.move(outputs=files.root)
        session.preferences.preferences_changed.connect(self._on_preferences_changed)
        session.queue.queue_changed.connect(self._restart_when_idle)

    def set_outputs(self, folder: Path) -> None:
        """Results go there now."""
        self._session.folders.move(outputs=folder)

    def _on_preferences_changed(self, state: PreferenceState) -> None:
        self._heed_folders(state)
        before = self._client.command
        self._heed_engine(state)
        if self._client.command != before:
            self._must_restart = True
            self._restart_when_idle()

    def _heed_folders(self, state: PreferenceState) -> None:
        models = Path(state.models_folder) if state.models_folder else self._usual_models
        runs = Path(state.runs_folder) if state.runs_folder else self._named_runs or usual_runs()
        self._session.library.set_own_root(models)
        self._session.folders.move(models=models, runs=runs)

    def _heed_engine(self, state: PreferenceState) -> None:
        command = [*self._usual_command]
        if state.device != "auto":
            command.append(f"--device={state.device}")
        if state.threads:
            command.append(f"--threads={state.threads}")
        self._client.set_command(command)

    def _restart_when_idle(self, _view: object = None) -> None:
        """Another device means another process; a running job is not torn away for it."""
        if self._must_restart and self._session.queue.view.running is None:
            self._must_restart = False
            if not self._client.is_released:
                self._client.restart()
