"""Keeps an engine worker alive, talks to it, and tells the window about it through signals."""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.pixels import Clip, split_batch
from app.services.engine_news import EngineDeath, EngineDelay, FinishedPicture, JobResult, PreviewPictures
from app.services.engine_process import EngineEnd, EngineProcess
from app.services.latest_wins import LatestWins
from ul_engine.protocol import (
    PROTOCOL_VERSION,
    CancelJob,
    CancelNoted,
    Command,
    EngineReady,
    ImageResult,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobPreview,
    JobProgress,
    JobStarted,
    LoadModel,
    ModelFailed,
    ModelLoaded,
    ModelLoading,
    News,
    Ping,
    Pong,
    ProtocolError,
    RunJob,
    Shutdown,
)
from ul_engine.requests import Request

PROGRESS_INTERVAL_MS = 50
PREVIEW_INTERVAL_MS = 100
WORKER_COMMAND = (sys.executable, "-m", "ul_engine.worker", "--device", "auto")


@dataclass(frozen=True)
class EngineTimes:
    """How patient the client is; tests are less so."""

    ready_s: float = 120.0
    """A start that takes longer is worth a notice."""
    cancel_s: float = 10.0
    """So is a stop."""
    grace_s: float = 3.0
    """For each step of shutting down: by command, by SIGTERM, by SIGKILL."""
    backoff_s: tuple[float, ...] = (0.5, 2.0)
    """Pauses before restarts after quick deaths; when they are used up the engine stays down."""
    healthy_s: float = 30.0
    """A worker that lived longer did not die quickly."""
    ping_s: float = 2.0


class EngineClient(QObject):
    """The engine as the program sees it. Every signal carries one frozen object, or nothing."""

    engine_launched = Signal()
    engine_became_ready = Signal(object)  # EngineReady
    engine_died = Signal(object)  # EngineDeath
    start_delayed = Signal(object)  # EngineDelay
    stop_delayed = Signal(object)  # EngineDelay
    pong_received = Signal(object)  # Pong
    model_load_began = Signal(object)  # ModelLoading
    model_loaded = Signal(object)  # ModelLoaded
    model_failed = Signal(object)  # ModelFailed
    job_started = Signal(object)  # JobStarted
    job_progressed = Signal(object)  # JobProgress, at most 20 a second
    preview_arrived = Signal(object)  # PreviewPictures, at most 10 a second
    picture_arrived = Signal(object)  # FinishedPicture: a picture or a clip
    result_arrived = Signal(object)  # JobResult: whatever else a job brings
    cancel_noted = Signal(object)  # CancelNoted: the worker heard it, and stops within a step
    job_finished = Signal(object)  # JobFinished
    job_cancelled = Signal(object)  # JobCancelled
    job_failed = Signal(object)  # JobFailed

    def __init__(
        self,
        command: Sequence[str] = WORKER_COMMAND,
        times: EngineTimes = EngineTimes(),
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._command = tuple(command)
        self._times = times
        self._process: EngineProcess | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._is_ready = False
        self._is_closing = False
        self._restart_asked = False
        self._is_released = False
        self._quick_deaths = 0
        self._progress = LatestWins(PROGRESS_INTERVAL_MS, self)
        self._progress.released.connect(self.job_progressed)
        self._previews = LatestWins(PREVIEW_INTERVAL_MS, self)
        self._previews.released.connect(self.preview_arrived)
        self._ping_timer = self._make_timer(times.ping_s, self._on_ping_due)
        self._ready_timer = self._make_timer(times.ready_s, self._on_ready_overdue)
        self._cancel_timer = self._make_timer(times.cancel_s, self._on_cancel_overdue)
        self._ready_timer.setSingleShot(True)
        self._cancel_timer.setSingleShot(True)

    def _make_timer(self, seconds: float, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(round(seconds * 1000))
        timer.timeout.connect(slot)
        return timer

    # ---- what the program asks of the engine ----------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        """Whether a worker runs and has said that it is ready."""
        return self._is_ready

    @property
    def pid(self) -> int | None:
        """Process id of the worker."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the worker and keep it alive; needs a running event loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep_alive())

    def restart(self) -> None:
        """End the worker, if one runs, and start a new one at once."""
        self._quick_deaths = 0
        self._is_released = False
        if self._process is not None:
            self._restart_asked = True
            self._process.kill()
        self._wake.set()

    def release(self) -> None:
        """End the worker, the only sure way to free its memory, and start no new one before `restart`."""
        self._is_released = True
        if self._process is not None:
            self._restart_asked = True
            self._process.kill()
        self._wake.set()

    @property
    def is_released(self) -> bool:
        """Whether the worker was ended to free its memory, and waits to be wanted."""
        return self._is_released

    def set_command(self, command: Sequence[str]) -> None:
        """How workers are started from the next one on."""
        self._command = tuple(command)

    @property
    def command(self) -> tuple[str, ...]:
        """How workers are started."""
        return self._command

    def load_model(self, path: str) -> None:
        """Have a model read ahead of its first use."""
        self._send(LoadModel(path=path))

    def run_job(self, job_id: str, request: Request) -> None:
        """Hand a job to the worker."""
        self._send(RunJob(job_id=job_id, request=request))

    def cancel_job(self, job_id: str) -> None:
        """Ask the worker to stop a job; `stop_delayed` tells if it does not."""
        self._send(CancelJob(job_id=job_id))
        self._cancel_timer.start()

    async def close(self) -> None:
        """End the worker: by command, then by signals to its process group."""
        self._is_closing = True
        self._wake.set()
        self._stop_timers()
        self._send(Shutdown())
        if self._process is not None and not self._is_ready:
            self._process.terminate()  # it does not listen yet, and has nothing to lose
        if self._task is None:
            return
        for deed in (EngineProcess.terminate, EngineProcess.kill):
            if await self._task_ends_within(self._times.grace_s):
                break
            if self._process is not None:
                deed(self._process)
        await self._task
        self._task = None

    async def _task_ends_within(self, seconds: float) -> bool:
        assert self._task is not None
        done, _ = await asyncio.wait({self._task}, timeout=seconds)
        return bool(done)

    def _send(self, command: Command) -> None:
        if self._process is not None:
            self._process.send(command)

    # ---- lives of the worker --------------------------------------------------------------------------------------

    async def _keep_alive(self) -> None:
        while not self._is_closing:
            began_s = time.monotonic()
            end = await self._live()
            await self._rest(end, time.monotonic() - began_s)

    async def _live(self) -> EngineEnd:
        """Start a worker, pass on what it says, and return how it ended."""
        self.engine_launched.emit()
        self._ready_timer.start()
        try:
            self._process = await EngineProcess.start(self._command)
        except OSError as error:
            return EngineEnd(f"it could not be started ({error.strerror or error})")
        finally:
            if self._process is None:
                self._stop_timers()
        if self._is_released:
            self._process.kill()
        words = ""
        try:
            async for news, payload in self._process.frames():
                self._on_news(news, payload)
        except (ProtocolError, ValueError) as error:
            words = f"it sent something unreadable ({error})"
            self._process.kill()
        self._is_ready = False
        self._stop_timers()
        end = await self._process.end(grace_s=self._times.grace_s)
        self._process = None
        return EngineEnd(words or end.words, end.stderr_tail)

    async def _rest(self, end: EngineEnd, lived_s: float) -> None:
        """Tell about a death and wait until it is time for the next life; nothing of the kind while closing."""
        if self._is_closing:
            return
        was_asked, self._restart_asked = self._restart_asked or self._is_released, False
        self._quick_deaths = 1 if lived_s > self._times.healthy_s else self._quick_deaths + 1
        backoff_s = self._times.backoff_s
        pause_s = backoff_s[self._quick_deaths - 1] if self._quick_deaths <= len(backoff_s) else None
        if was_asked:
            self._quick_deaths, pause_s = 0, None if self._is_released else 0.0
        self._wake.clear()
        self.engine_died.emit(EngineDeath(end.words, end.stderr_tail, pause_s, was_asked))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), pause_s)
        if self._is_released and pause_s is not None:  # in the pause before a restart that is not to come now
            self.engine_died.emit(EngineDeath(end.words, end.stderr_tail, None, was_asked=True))
        while self._is_released and not self._is_closing:
            self._wake.clear()
            await self._wake.wait()

    def _stop_timers(self) -> None:
        for timer in (self._ping_timer, self._ready_timer, self._cancel_timer):
            timer.stop()
        self._progress.drop()
        self._previews.drop()

    # ---- news from the worker -------------------------------------------------------------------------------------

    def _on_news(self, news: News, payload: bytes) -> None:
        match news:
            case JobProgress():
                self._progress.offer(news)
            case JobPreview():
                pictures = split_batch(news.shape, payload)
                self._previews.offer(PreviewPictures(news.job_id, news.first_index, pictures))
            case ImageResult():
                self._on_picture(news, payload)
            case JobFinished() | JobCancelled() | JobFailed():
                self._on_job_end(news)
            case EngineReady():
                self._on_ready(news)
            case Pong():
                self.pong_received.emit(news)
            case CancelNoted():
                self.cancel_noted.emit(news)
            case JobStarted():
                self.job_started.emit(news)
            case ModelLoading():
                self.model_load_began.emit(news)
            case ModelLoaded():
                self.model_loaded.emit(news)
            case ModelFailed():
                self.model_failed.emit(news)
            case _:
                self._on_result(news, payload)

    def _on_ready(self, news: EngineReady) -> None:
        if news.protocol_version != PROTOCOL_VERSION:
            raise ProtocolError(
                f"it speaks version {news.protocol_version} of the protocol, this window {PROTOCOL_VERSION}"
            )
        self._is_ready = True
        self._ready_timer.stop()
        self._ping_timer.start()
        self.engine_became_ready.emit(news)
        self._send(Ping())

    def _on_picture(self, news: ImageResult, payload: bytes) -> None:
        frames = split_batch(news.shape, payload)
        if news.fps is None and len(frames) > 1:
            raise ValueError(f"{len(frames)} frames without a rate are no clip")
        self._previews.drop()
        self._progress.flush()
        clip = Clip(frames, news.fps)
        self.picture_arrived.emit(FinishedPicture(news.job_id, news.index, news.seed, clip, news.elapsed_s))

    def _on_result(self, news: News, payload: bytes) -> None:
        """A result that only the one who asked understands."""
        self._progress.flush()
        self.result_arrived.emit(JobResult(str(getattr(news, "job_id", "")), news, payload))

    def _on_job_end(self, news: JobFinished | JobCancelled | JobFailed) -> None:
        self._cancel_timer.stop()
        self._previews.drop()
        if isinstance(news, JobFinished):
            self._progress.flush()
            self._quick_deaths = 0
            self.job_finished.emit(news)
        elif isinstance(news, JobCancelled):
            self._progress.drop()
            self.job_cancelled.emit(news)
        else:
            self._progress.drop()
            self.job_failed.emit(news)

    # ---- clocks ---------------------------------------------------------------------------------------------------

    def _on_ping_due(self) -> None:
        self._send(Ping())

    def _on_ready_overdue(self) -> None:
        tail = self._process.stderr_tail if self._process else ()
        self.start_delayed.emit(EngineDelay(self._times.ready_s, tail))

    def _on_cancel_overdue(self) -> None:
        tail = self._process.stderr_tail if self._process else ()
        self.stop_delayed.emit(EngineDelay(self._times.cancel_s, tail))
