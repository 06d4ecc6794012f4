"""Ties the engine to the queue and the results: hands jobs over, passes news on, explains what went wrong."""

from dataclasses import replace

from PySide6.QtCore import QObject, Qt

from app.errors import Notice, NoticeAction, Severity
from app.models.engine_state import EnginePhase
from app.models.job_queue import Job, JobState, QueueView
from app.models.notices import ActionChoice
from app.models.requested import at_once, changed, size_of
from app.models.session import Session
from app.services.engine_client import EngineClient
from app.services.engine_news import EngineDeath, EngineDelay, FinishedPicture, PreviewPictures
from app.studio import actions
from app.studio.failures import death_notice, failure_notice, model_key
from ul_engine.model_folder import ModelEntry
from ul_engine.protocol import (
    EngineReady,
    JobCancelled,
    JobFailed,
    JobFinished,
    ModelFailed,
    ModelLoaded,
    ModelLoading,
)


class JobRunner(QObject):
    """The go-between of engine client, queue, results and notices."""

    def __init__(self, session: Session, client: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._client = client
        self._failed: dict[str, Job] = {}
        self._is_loading = False
        self._wanted_model = ""
        self._connect_engine()
        session.queue.queue_changed.connect(self._on_queue_changed)
        # Queued: taking a job changes the queue, and a change within a change would reach others in the wrong order.
        session.queue.queue_changed.connect(self._dispatch, Qt.ConnectionType.QueuedConnection)
        session.queue.job_began.connect(session.results.add_job)
        session.queue.job_ended.connect(session.results.end_job)
        session.queue.stop_requested.connect(self._on_stop_requested)
        session.form.model_changed.connect(self._on_model_chosen)
        session.notices.action_chosen.connect(self._on_action_chosen)

    def _connect_engine(self) -> None:
        client, engine = self._client, self._session.engine
        client.engine_launched.connect(engine.set_launched)
        client.engine_became_ready.connect(self._on_ready)
        client.engine_died.connect(self._on_died)
        client.pong_received.connect(engine.set_memory)
        client.start_delayed.connect(self._on_start_delayed)
        client.stop_delayed.connect(self._on_stop_delayed)
        client.model_load_began.connect(self._on_model_load_began)
        client.model_loaded.connect(self._on_model_loaded)
        client.model_failed.connect(self._on_model_failed)
        client.job_progressed.connect(self._session.queue.note_progress)
        client.cancel_noted.connect(self._session.queue.note_stop)
        client.preview_arrived.connect(self._on_preview)
        client.picture_arrived.connect(self._on_picture)
        client.job_finished.connect(self._on_finished)
        client.job_cancelled.connect(self._on_cancelled)
        client.job_failed.connect(self._on_failed)

    def generate(self) -> bool:
        """Queue what the form describes; False if something in it is wrong."""
        session = self._session
        session.notices.dismiss_passing()
        preset, model = session.form.preset, session.form.model
        requests = session.form.take_requests()
        if model is None or model.manifest is None:
            return False
        if requests and session.form.prompts is None and session.form.text_config is not None:
            session.history.add(session.form.state.prompt)
        for request in requests:
            session.queue.add(
                request,
                model.name,
                size_of(request, model.manifest.model.image_px),
                preset,
                makes_clips=session.form.offers.makes_clips,
            )
        return bool(requests)

    # ---- life of the engine ---------------------------------------------------------------------------------------

    def _on_ready(self, news: EngineReady) -> None:
        self._is_loading = False
        self._session.engine.set_ready(news)
        self._session.notices.dismiss_key("engine-slow")
        self._session.notices.dismiss_key("engine-idle-death")
        self._preload()
        self._dispatch(self._session.queue.view)

    def _on_died(self, death: EngineDeath) -> None:
        session = self._session
        self._is_loading = False
        session.notices.dismiss_key("engine-slow")
        is_released = death.was_asked and death.restart_in_s is None
        session.engine.set_died(is_restarting=death.restart_in_s is not None, is_released=is_released)
        job = session.queue.view.running
        is_stopping = job is not None and job.state is JobState.STOPPING
        if job is not None and not (death.was_asked and is_stopping):
            session.queue.set_paused(bool(session.queue.view.ready))
        waiting = len(session.queue.view.ready) if session.queue.view.is_paused else 0
        if job is not None:
            state = JobState.STOPPED if death.was_asked else JobState.FAILED
            self._failed[job.job_id] = job
            session.queue.end(job.job_id, state, "" if death.was_asked else self.tr("The engine stopped"))
        if not death.was_asked:
            session.notices.post(death_notice(death, job, waiting))

    def _on_start_delayed(self, delay: EngineDelay) -> None:
        self._session.notices.post(
            Notice(
                Severity.WARNING,
                self.tr("The engine takes long to start"),
                self.tr("It has been starting for {seconds} s. You can wait, or start it anew.").format(
                    seconds=round(delay.waited_s)
                ),
                details="\n".join(delay.stderr_tail),
                actions=(NoticeAction(actions.RESTART_ENGINE, self.tr("Restart the engine")),),
                key="engine-slow",
            )
        )

    def _on_stop_delayed(self, delay: EngineDelay) -> None:
        self._session.notices.post(
            Notice(
                Severity.WARNING,
                self.tr("The engine does not stop"),
                self.tr("It was asked {seconds} s ago. You can wait, or end it; pictures already made stay.").format(
                    seconds=round(delay.waited_s)
                ),
                details="\n".join(delay.stderr_tail),
                actions=(NoticeAction(actions.RESTART_ENGINE, self.tr("End and restart the engine")),),
                key="engine-slow",
            )
        )

    # ---- models ---------------------------------------------------------------------------------------------------

    def _on_model_chosen(self, model: ModelEntry | None) -> None:
        if model is not None:
            self._preload()

    def _preload(self) -> None:
        model = self._session.form.model
        if model is not None and model.manifest is not None and self._client.is_ready:
            self._client.load_model(model.path)

    def _on_model_load_began(self, news: ModelLoading) -> None:
        self._is_loading = True
        self._show_phase()

    def _on_model_loaded(self, news: ModelLoaded) -> None:
        self._is_loading = False
        self._show_phase()

    def _on_model_failed(self, news: ModelFailed) -> None:
        self._is_loading = False
        self._show_phase()
        self._session.notices.post(
            Notice(Severity.ERROR, self.tr("The model cannot be used"), news.message, key=model_key(news.path))
        )

    def _show_phase(self) -> None:
        is_busy = self._session.queue.view.running is not None
        phase = EnginePhase.BUSY if is_busy else EnginePhase.READY
        self._session.engine.set_phase(EnginePhase.LOADING if self._is_loading else phase)

    # ---- jobs -----------------------------------------------------------------------------------------------------

    def _on_queue_changed(self, _view: QueueView) -> None:
        self._show_phase()

    def _dispatch(self, _view: QueueView) -> None:
        if self._client.is_released and self._session.queue.view.waiting and not self._session.queue.view.is_paused:
            self._client.restart()
        if self._client.is_ready and (job := self._session.queue.take_next()) is not None:
            self._client.run_job(job.job_id, job.request)

    def _on_stop_requested(self, job: Job) -> None:
        self._client.cancel_job(job.job_id)

    def _on_preview(self, news: PreviewPictures) -> None:
        self._session.results.set_previews(news.job_id, news.first_index, news.pictures)

    def _on_picture(self, news: FinishedPicture) -> None:
        self._session.results.finish_picture(news.job_id, news.index, news.clip)
        self._session.queue.note_picture(news.job_id)

    def _on_finished(self, news: JobFinished) -> None:
        self._end(news.job_id, JobState.FINISHED)

    def _on_cancelled(self, news: JobCancelled) -> None:
        self._end(news.job_id, JobState.STOPPED)

    def _on_failed(self, news: JobFailed) -> None:
        job = self._session.queue.view.running
        if job is None or job.job_id != news.job_id:
            return
        self._failed[job.job_id] = job
        notice = failure_notice(news, job)
        self._end(news.job_id, JobState.FAILED, notice.title)
        self._session.notices.post(notice)

    def _end(self, job_id: str, state: JobState, message: str = "") -> None:
        self._session.notices.dismiss_key("engine-slow")
        self._session.queue.end(job_id, state, message)

    # ---- what notices offer ---------------------------------------------------------------------------------------

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        match choice.name:
            case actions.RESTART_ENGINE:
                self._client.restart()
            case actions.CONTINUE_QUEUE:
                self._session.queue.set_paused(False)
            case actions.TRY_AGAIN:
                self._try_again(choice.argument, {})
            case actions.SMALLER_BATCH:
                self._try_smaller(choice.argument)
            case actions.TRAINED_SIZE:
                self._try_trained_size(choice.argument)

    def _try_smaller(self, job_id: str) -> None:
        job = self._failed.get(job_id)
        if job is not None and (together := at_once(job.request)) > 1:
            if job.page == "generate":
                self._session.form.update(batch_size=together // 2)
            self._try_again(job_id, {"batch_size": together // 2})

    def _try_trained_size(self, job_id: str) -> None:
        job = self._failed.get(job_id)
        model = self._session.library.by_path(job.request.model) if job else None
        if job is not None and model is not None and model.manifest is not None:
            side = model.manifest.model.image_px
            self._failed[job_id] = replace(job, size_px=(side, side))
            if job.page == "generate":
                self._session.form.update(width_px=None, height_px=None)
            self._try_again(job_id, {"width_px": None, "height_px": None})

    def _try_again(self, job_id: str, changes: dict[str, object]) -> None:
        job = self._failed.pop(job_id, None)
        if job is not None:
            request = changed(job.request, changes)
            self._session.queue.add(
                request, job.model_name, job.size_px, job.preset, page=job.page, makes_clips=job.makes_clips
            )
