"""All observable state of one window, as one thing to hand around."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.models.beginnings import Beginnings
from app.models.commands import Commands
from app.models.compare.comparison import Comparison
from app.models.desk.desk import ModelDesk
from app.models.engine_state import EngineState
from app.models.export_form import ExportForm
from app.models.folders import FolderPlaces, Folders
from app.models.gallery.gallery import Gallery
from app.models.generate_form import GenerateForm
from app.models.job_queue import JobQueue
from app.models.long_work import LongWork
from app.models.machine import Machine
from app.models.model_library import ModelLibrary
from app.models.notices import NoticeBoard
from app.models.preferences import Preferences
from app.models.prompt_history import PromptHistory
from app.models.results import ResultsModel
from app.models.runs.runs import Runs

if TYPE_CHECKING:
    from app.models.new_run.new_run import NewRun
    from app.models.sweeps.sweeps import Sweeps


class Session(QObject):
    """Owns the models; they do not know each other."""

    new_run_made = Signal(object)  # NewRun
    sweeps_made = Signal(object)  # Sweeps

    def __init__(
        self, model_roots: Sequence[Path], folders: FolderPlaces | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.preferences = Preferences(self)
        self.folders = Folders(folders or _places_beside(model_roots), self)
        self.commands = Commands(self)
        self.engine = EngineState(self)
        self.machine = Machine(self)
        self.library = ModelLibrary(model_roots, self)
        self.form = GenerateForm(self)
        self.beginnings = Beginnings(self)
        self.history = PromptHistory(self)
        self.queue = JobQueue(self)
        self.results = ResultsModel(self)
        self.export = ExportForm(self)
        self.compare = Comparison(self)
        self.notices = NoticeBoard(self)
        self.long_work = LongWork(self)
        self.gallery = Gallery(self)
        self.desk = ModelDesk(self)
        self.runs = Runs(self)
        self._new_run: NewRun | None = None
        self._sweeps: Sweeps | None = None

    @property
    def new_run(self) -> "NewRun":
        """The way to a new training run, made when it is first asked for: the first paint need not wait for all that it
        knows of training (0.1 s)."""
        if self._new_run is None:
            from app.models.new_run.new_run import NewRun

            self._new_run = NewRun(self.folders.places.runs, self)
            self.new_run_made.emit(self._new_run)
        return self._new_run

    @property
    def sweeps(self) -> "Sweeps":
        """The sweeps, made when they are first asked for."""
        if self._sweeps is None:
            from app.models.sweeps.sweeps import Sweeps

            self._sweeps = Sweeps(self.folders.places.runs, self)
            self.sweeps_made.emit(self._sweeps)
        return self._sweeps

    @property
    def has_sweeps(self) -> bool:
        """Whether anybody asked for them yet."""
        return self._sweeps is not None


def _places_beside(model_roots: Sequence[Path]) -> FolderPlaces:
    """Folders for a session that was given only models."""
    models = model_roots[-1] if model_roots else Path("models")
    return FolderPlaces(models.parent / "outputs", models, models.parent / "runs")
