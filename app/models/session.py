"""All observable state of one window, as one thing to hand around."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from app.models.commands import Commands
from app.models.engine_state import EngineState
from app.models.generate_form import GenerateForm
from app.models.job_queue import JobQueue
from app.models.model_library import ModelLibrary
from app.models.notices import NoticeBoard
from app.models.results import ResultsModel


class Session(QObject):
    """Owns the models; they do not know each other."""

    def __init__(self, model_roots: Sequence[Path], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.commands = Commands(self)
        self.engine = EngineState(self)
        self.library = ModelLibrary(model_roots, self)
        self.form = GenerateForm(self)
        self.queue = JobQueue(self)
        self.results = ResultsModel(self)
        self.notices = NoticeBoard(self)
