"""All observable state of one window, as one thing to hand around."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Signal

from app.models.beginnings import Beginnings
from app.models.commands import Commands
from app.models.engine_state import EngineState
from app.models.export_form import ExportForm
from app.models.folders import FolderPlaces, Folders
from app.models.generate_form import GenerateForm
from app.models.job_queue import JobQueue
from app.models.long_work import LongWork
from app.models.machine import Machine
from app.models.model_library import ModelLibrary
from app.models.notices import NoticeBoard
from app.models.preferences import Preferences
from app.models.prompt_history import PromptHistory
from app.models.results import ResultsModel

if TYPE_CHECKING:
    from app.models.compare.comparison import Comparison
    from app.models.desk.desk import ModelDesk
    from app.models.gallery.gallery import Gallery
    from app.models.new_run.new_run import NewRun
    from app.models.runs.runs import Runs
    from app.models.sweeps.sweeps import Sweeps


class Session(QObject):
    """Owns the models; they do not know each other.

    What the page Generate does not need is made when it is first asked for: the first paint of the window does not wait
    for all that the program knows of comparing and training.
    """

    part_made = Signal(object)  # str: a part that is late was made and is in its place

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
        self.notices = NoticeBoard(self)
        self.long_work = LongWork(self)
        self._late: dict[str, QObject] = {}

    @property
    def compare(self) -> "Comparison":
        """What is compared; late."""
        if "compare" not in self._late:
            from app.models.compare.comparison import Comparison

            self._place("compare", Comparison(self))
        return cast("Comparison", self._late["compare"])

    @property
    def gallery(self) -> "Gallery":
        """The results of all days; late."""
        if "gallery" not in self._late:
            from app.models.gallery.gallery import Gallery

            self._place("gallery", Gallery(self))
        return cast("Gallery", self._late["gallery"])

    @property
    def desk(self) -> "ModelDesk":
        """Models here and on the Hub; late."""
        if "desk" not in self._late:
            from app.models.desk.desk import ModelDesk

            self._place("desk", ModelDesk(self))
        return cast("ModelDesk", self._late["desk"])

    @property
    def runs(self) -> "Runs":
        """The training runs; late."""
        if "runs" not in self._late:
            from app.models.runs.runs import Runs

            self._place("runs", Runs(self))
        return cast("Runs", self._late["runs"])

    @property
    def new_run(self) -> "NewRun":
        """The way to a new training run; late."""
        if "new_run" not in self._late:
            from app.models.new_run.new_run import NewRun

            self._place("new_run", NewRun(self.folders.places.runs, self))
        return cast("NewRun", self._late["new_run"])

    @property
    def sweeps(self) -> "Sweeps":
        """The sweeps; late."""
        if "sweeps" not in self._late:
            from app.models.sweeps.sweeps import Sweeps

            self._place("sweeps", Sweeps(self.folders.places.runs, self))
        return cast("Sweeps", self._late["sweeps"])

    def has(self, part: str) -> bool:
        """Whether anybody asked for this late part yet."""
        return part in self._late

    def _place(self, name: str, part: QObject) -> None:
        self._late[name] = part
        self.part_made.emit(name)


def _places_beside(model_roots: Sequence[Path]) -> FolderPlaces:
    """Folders for a session that was given only models."""
    models = model_roots[-1] if model_roots else Path("models")
    return FolderPlaces(models.parent / "outputs", models, models.parent / "runs")
