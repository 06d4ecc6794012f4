"""Ties training runs to their folders: what is new there into the models, what a person wants into commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import Notice, NoticeAction, Severity
from app.models.folders import FolderPlaces
from app.models.runs.previews import PreviewCell
from app.models.runs.runs import RunEnd
from app.models.runs.wishes import RunVerb, RunWish
from app.models.runs.words import standing_line
from app.models.session import Session
from app.run_news import RunCondition
from app.services.preview_sheets import Crop, CropsSaved, PreviewSheets
from app.services.run_control import ControlDone, ControlProblem, RunControl
from app.services.run_watcher import RunWatcher
from app.studio import actions
from trainer.protocol import Command

SILENCE_CHECK_MS = 15_000
COMMANDS = {
    RunVerb.PAUSE: Command.PAUSE,
    RunVerb.STOP: Command.STOP,
    RunVerb.SAVE: Command.SAVE,
    RunVerb.PREVIEW: Command.PREVIEW,
}
PINS = (RunVerb.PIN.value, RunVerb.UNPIN.value)


class TrainingWatch(QObject):
    """The go-between of runs, their watcher and their control. Closing it leaves all runs running."""

    crops_ready = Signal(object)  # tuple[str, ...]: picture files for Compare

    def __init__(
        self,
        session: Session,
        watcher: RunWatcher,
        control: RunControl,
        sheets: PreviewSheets,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._watcher, self._control, self.sheets = session, watcher, control, sheets
        self.is_in_sight: Callable[[str], bool] = _never
        """Whether a run is what the window shows; then its end need not be told a second time."""
        runs = session.runs
        watcher.news_arrived.connect(runs.take)
        watcher.runs_found.connect(runs.take_list)
        runs.watched_changed.connect(watcher.watch)
        runs.ended.connect(self._on_run_ended)
        control.done.connect(self._on_done)
        control.failed.connect(self._on_failed)
        sheets.crops_saved.connect(self._on_crops_saved)
        session.folders.folders_changed.connect(self._on_folders_changed)
        self._silence = QTimer(self)
        self._silence.setInterval(SILENCE_CHECK_MS)
        self._silence.timeout.connect(self._on_silence)

    def start(self) -> None:
        """Look for runs, and into those that are open."""
        self._silence.start()
        self._set_roots()
        self._watcher.start()

    def close(self) -> None:
        """End the threads; the runs go on."""
        self._silence.stop()
        self._watcher.close()
        self._control.close()
        self.sheets.close()

    def open_folder(self, folder: str) -> None:
        """List the runs of a folder from elsewhere too."""
        runs = self._session.runs
        runs.add_opened(folder)
        self._set_roots()

    def _set_roots(self) -> None:
        opened = tuple(Path(folder) for folder in self._session.runs.opened)
        self._watcher.set_roots((self._session.folders.places.runs, *opened))

    def _on_folders_changed(self, _places: FolderPlaces) -> None:
        self._set_roots()

    def _on_silence(self) -> None:
        """No news is news too."""
        self._control.reap()
        current = self._session.runs.current
        if current is not None:
            current.check_alarms()

    # ---- wishes ---------------------------------------------------------------------------------------------------

    def carry_out(self, wish: RunWish) -> None:
        """Do what a person wants of a run."""
        self._session.notices.dismiss_key(_key(wish.path))
        if wish.verb in COMMANDS:
            command = COMMANDS[wish.verb]
            view = self._session.runs.view_of(wish.path)
            if view is not None:
                view.expect(command)
            self._control.command(wish.path, command)
        elif wish.verb is RunVerb.RESUME:
            self._control.resume(wish.path)
        elif wish.verb is RunVerb.EXTEND:
            self._control.extend(wish.path, wish.num_steps)
        elif wish.verb is RunVerb.KILL:
            self._control.kill(wish.path)
        elif wish.verb in (RunVerb.PIN, RunVerb.UNPIN) and wish.step is not None:
            self._control.pin(wish.path, wish.step, is_pinned=wish.verb is RunVerb.PIN)
        elif wish.verb is RunVerb.COMPARE:
            cells = [cell for cell in wish.cells if isinstance(cell, PreviewCell)]
            name = Path(wish.path).name
            self.sheets.save_crops([Crop(cell.sheet.path, cell.rect, f"{name}, {cell.title}") for cell in cells])
        else:
            self._make_model(wish)

    def _make_model(self, wish: RunWish) -> None:
        """Into the folder of models, or wherever a person wants it."""
        is_promoted = wish.verb is RunVerb.PROMOTE
        target = self._session.folders.places.models / wish.target if is_promoted else Path(wish.target)
        self._post(
            Severity.INFO,
            self.tr("Making a model of the run"),
            self.tr("A checkpoint is measured and written to {target}; that takes a while.").format(target=target)
            if wish.step is not None
            else self.tr("It is copied to {target}.").format(target=target),
            wish.path,
        )
        self._control.export(wish.path, wish.step, str(target), wish.verb.value)

    # ---- answers --------------------------------------------------------------------------------------------------

    def _on_done(self, news: ControlDone) -> None:
        if news.verb == RunVerb.PROMOTE.value:
            self._session.library.refresh()
            self._post(
                Severity.INFO,
                self.tr("The model is in the library"),
                self.tr("{name} can be chosen on every page now.").format(name=Path(news.path).name),
                news.run,
            )
        elif news.verb == RunVerb.EXPORT.value:
            deed = NoticeAction(actions.SHOW_FILE, self.tr("Show in folder"), news.path)
            self._post(Severity.INFO, self.tr("The model is exported"), news.path, news.run, deeds=(deed,))
        elif news.verb in (RunVerb.RESUME.value, RunVerb.EXTEND.value, RunVerb.KILL.value, *PINS):
            self._watcher.refresh()

    def _on_failed(self, news: ControlProblem) -> None:
        view = self._session.runs.view_of(news.run)
        if view is not None and news.verb in tuple(Command):
            view.give_up(Command(news.verb))
        titles = {
            RunVerb.RESUME.value: self.tr("The run could not be started"),
            RunVerb.EXTEND.value: self.tr("The run could not be started"),
            RunVerb.PROMOTE.value: self.tr("The model could not be made"),
            RunVerb.EXPORT.value: self.tr("The model could not be made"),
            **dict.fromkeys(PINS, self.tr("The checkpoint could not be pinned or let go")),
        }
        title = titles.get(news.verb, self.tr("The run could not be asked"))
        self._post(Severity.ERROR, title, news.message, news.run, details=news.details)

    def _on_crops_saved(self, news: CropsSaved) -> None:
        if news.problem:
            self._post(Severity.WARNING, self.tr("Not all pictures could be taken"), news.problem, "crops")
        if news.paths:
            self.crops_ready.emit(news.paths)

    def _on_run_ended(self, end: RunEnd) -> None:
        """Somebody may wait for it on another page, or behind other windows."""
        run, condition = end.run, end.run.standing.condition
        is_bad = condition in (RunCondition.FAILED, RunCondition.INTERRUPTED)
        parts = (standing_line(run.standing), run.standing.reason)
        sentence = ". ".join(part.rstrip(".") for part in parts if part) + "."
        deed = NoticeAction(actions.SHOW_RUN, self.tr("Show the run"), run.path)
        if not self.is_in_sight(run.path):
            self._post(Severity.ERROR if is_bad else Severity.INFO, run.name, sentence, run.path, deeds=(deed,))
        self._session.long_work.tell(run.name, sentence, end.seen_s)

    def _post(
        self,
        severity: Severity,
        title: str,
        sentence: str,
        run: str,
        *,
        deeds: tuple[NoticeAction, ...] = (),
        details: str = "",
    ) -> None:
        is_passing = severity is Severity.INFO
        notice = Notice(severity, title, sentence, details, deeds, _key(run), is_passing)
        self._session.notices.post(notice)

    def on_sheet_wanted(self, wish: Any) -> None:
        """A preview picture is to be shown."""
        self.sheets.load(wish)


def _never(_run: str) -> bool:
    return False


def _key(run: str) -> str:
    return f"run {run}"
