"""Ties the engine to the page Compare: queues what it asks for, files what comes, says what went wrong."""

from dataclasses import dataclass

from PySide6.QtCore import QObject

from app.errors import Notice, Severity
from app.models.compare.asking import Ask
from app.models.compare.findings import FileKey, OriginalKey
from app.models.compare.messages import Filed, MissingCodec, filed
from app.models.job_queue import Job, JobState
from app.models.model_library import ModelLibrary
from app.models.session import Session
from app.services.engine_client import EngineClient
from app.services.engine_news import JobResult
from app.services.in_order import InOrder
from app.studio.compare_pictures import ComparePictures
from app.studio.compare_saving import CompareSaver
from ul_engine.config import LatentConfig
from ul_engine.requests import Request


@dataclass(frozen=True)
class _Ended:
    """A job is over; told behind its last result."""

    job: Job


@dataclass(frozen=True)
class _Unreadable:
    """A result whose payload does not fit what it says."""

    reason: str


class CompareRunner(QObject):
    """The go-between of comparison, queue and engine client."""

    def __init__(self, session: Session, client: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.pictures = ComparePictures(session, self)
        self.saver = CompareSaver(session.notices, self)
        self._reader = InOrder("compare-results", self)
        self._reader.finished.connect(self._on_read)
        session.compare.form.offer(session.library.entries)
        session.library.models_changed.connect(session.compare.form.offer)
        session.compare.asks_made.connect(self._on_asks_made)
        session.compare.stop_requested.connect(self._on_stop_requested)
        session.queue.job_began.connect(self._on_job_began)
        session.queue.job_ended.connect(self._on_job_ended)
        session.queue.jobs_dropped.connect(self._on_jobs_dropped)
        client.result_arrived.connect(self._on_result)

    def close(self) -> None:
        """End the threads."""
        self.pictures.close()
        self._reader.close()
        self.saver.close()

    # ---- asking ---------------------------------------------------------------------------------------------------

    def _on_asks_made(self, asks: tuple[Ask, ...]) -> None:
        """Put them before all that wait, in their order: a person looks at this page now."""
        if not all(ask.is_automatic for ask in asks):
            self._session.notices.dismiss_passing()
        for ask in reversed(asks):
            job = self._session.queue.add(ask.request, ask.model_name, ask.size_px, page="compare", is_next=True)
            self._session.compare.results.begin_work(job.job_id, ask.keys)

    def _on_stop_requested(self) -> None:
        """What waits is taken out; what runs ends within one step. Jobs of other pages go on."""
        queue = self._session.queue
        for job in queue.view.waiting:
            if job.page == "compare":
                queue.remove(job.job_id)
        if queue.view.running is not None and queue.view.running.page == "compare":
            queue.skip()

    # ---- results --------------------------------------------------------------------------------------------------

    def _on_job_began(self, job: Job) -> None:
        if job.page == "compare":
            self._session.compare.results.note_running(job.job_id)

    def _on_result(self, news: JobResult) -> None:
        job = self._session.queue.view.running
        if job is None or job.job_id != news.job_id or job.page != "compare":
            return
        self._reader.start(_read, news, job.request, *self._facts(job.request, news))

    def _facts(self, request: Request, news: JobResult) -> tuple[float, float | None]:
        """The model's native log-SNR, and the rate of the input if it is a clip."""
        native = native_logsnr(self._session.library, request.model)
        source = str(getattr(news.message, "input", ""))
        item = self._session.compare.inputs.by_path(source)
        return native, item.fps if item else None

    def _on_job_ended(self, job: Job) -> None:
        if job.page == "compare":
            self._reader.start(_Ended, job)

    def _on_jobs_dropped(self, jobs: tuple[Job, ...]) -> None:
        """A person took them out, here or in the queue: what they were to bring can be asked for again."""
        for job in jobs:
            self._session.compare.results.end_work(job.job_id, is_failed=False)

    def _on_read(self, read: object) -> None:
        compare = self._session.compare
        match read:
            case Filed():
                compare.results.put(read.key, read.finding)
                if isinstance(read.key, OriginalKey | FileKey):
                    self._tell_missing(read)
            case MissingCodec():
                compare.note_missing_codec(read.codec, read.reason)
            case _Ended():
                compare.results.end_work(read.job.job_id, is_failed=read.job.state is JobState.FAILED)
            case _Unreadable():
                self._session.notices.post(
                    Notice(
                        Severity.ERROR,
                        self.tr("A result could not be read"),
                        self.tr("The engine and this window do not fit together; install both anew. ({reason})").format(
                            reason=read.reason
                        ),
                        key="compare-unreadable",
                    )
                )

    def _tell_missing(self, read: Filed) -> None:
        self._session.compare.note_missing_measures(getattr(read.finding, "missing_measures", ()))


def native_logsnr(library: ModelLibrary, model: str) -> float:
    """The level at which a model's decoder sees latents."""
    entry = library.by_path(model)
    config = entry.manifest.model.latent if entry and entry.manifest else LatentConfig()
    return config.logsnr_max


def _read(news: JobResult, request: Request, native: float, fps: float | None) -> object:
    """In the thread."""
    try:
        return filed(request, news.message, news.payload, native=native, fps=fps)
    except ValueError as error:
        return _Unreadable(str(error))
