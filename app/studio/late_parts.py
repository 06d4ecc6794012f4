"""The go-betweens of all pages but the first, made together with the part of the session that they serve."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.models.session import Session
from app.services.engine_client import EngineClient
from app.services.evaluation_run import EVALUATE_COMMAND
from app.services.picture_files import PictureFiles
from app.studio.memory import Memory

if TYPE_CHECKING:
    from app.services.evaluation_run import EvaluationRun
    from app.studio.compare import CompareRunner
    from app.studio.folder_report import FolderReporter
    from app.studio.gallery import GalleryKeeper
    from app.studio.model_keeper import ModelKeeper
    from app.studio.training import TrainingStarter
    from app.studio.training_watch import TrainingWatch


class LateParts(QObject):
    """Makes what `session.part_made` calls for; asking for one here makes that part of the session too."""

    def __init__(
        self,
        session: Session,
        client: EngineClient,
        files: PictureFiles,
        memory: Memory,
        parent: QObject | None = None,
        *,
        sheets: Path,
        evaluate: tuple[str, ...] = EVALUATE_COMMAND,
    ) -> None:
        """`sheets` is the folder of preview cells that were cut out to be compared."""
        super().__init__(parent)
        self._session = session
        self._client = client
        self._files = files
        self._memory = memory
        self._sheets = sheets
        self._evaluate = evaluate
        self._comparer: CompareRunner
        self._evaluation: EvaluationRun
        self._reporter: FolderReporter
        self._gallery: GalleryKeeper
        self._models: ModelKeeper
        self._training: TrainingWatch
        self._starter: TrainingStarter
        session.part_made.connect(self._on_part_made)

    @property
    def comparer(self) -> "CompareRunner":
        """Serves the page Compare."""
        _ = self._session.compare
        return self._comparer

    @property
    def reporter(self) -> "FolderReporter":
        """Serves its report on a folder."""
        _ = self._session.compare
        return self._reporter

    @property
    def evaluation(self) -> "EvaluationRun":
        """The child process of that report."""
        _ = self._session.compare
        return self._evaluation

    @property
    def gallery(self) -> "GalleryKeeper":
        """Serves the page Library."""
        _ = self._session.gallery
        return self._gallery

    @property
    def models(self) -> "ModelKeeper":
        """Serves the page Models."""
        _ = self._session.desk
        return self._models

    @property
    def training(self) -> "TrainingWatch":
        """Serves the page Train."""
        _ = self._session.runs
        return self._training

    def _on_part_made(self, name: str) -> None:
        if name == "compare":
            self._make_comparer()
        elif name == "gallery":
            from app.studio.gallery import GalleryKeeper

            self._gallery = GalleryKeeper(self._session, self._files, self)
        elif name == "desk":
            from app.studio.model_keeper import ModelKeeper

            self._models = ModelKeeper(self._session, parent=self)
        elif name == "runs":
            self._make_training()
        elif name == "new_run":
            from app.studio.training import TrainingStarter

            self._starter = TrainingStarter(self._session, self._session.new_run, self)
        self._memory.take_over_part(name)

    def _make_comparer(self) -> None:
        from app.services.evaluation_run import EvaluationRun
        from app.studio.compare import CompareRunner
        from app.studio.folder_report import FolderReporter

        self._comparer = CompareRunner(self._session, self._client, self)
        self._evaluation = EvaluationRun(self._evaluate, self)
        self._reporter = FolderReporter(self._session, self._evaluation, self._files, self)

    def _make_training(self) -> None:
        from app.services.preview_sheets import PreviewSheets
        from app.services.run_control import RunControl
        from app.services.run_watcher import RunWatcher
        from app.studio.training_watch import TrainingWatch

        sheets = PreviewSheets(self._sheets, self)
        self._training = TrainingWatch(self._session, RunWatcher((), self), RunControl(self), sheets, self)

    async def close(self) -> None:
        """End threads and child processes of those that were made; training runs go on."""
        if self._session.has("new_run"):
            await self._starter.close()
        if self._session.has("runs"):
            self._training.close()
        if self._session.has("compare"):
            self._comparer.close()
            await self._evaluation.close()
        if self._session.has("gallery"):
            self._gallery.close()
        if self._session.has("desk"):
            self._models.close()
