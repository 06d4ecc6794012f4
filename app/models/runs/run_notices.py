"""What a person must know of the run in front, as notices: how it ended, and its alarms."""

from PySide6.QtCore import QObject

from app.errors import Notice, NoticeAction, Severity
from app.models.notices import NoticeBoard
from app.models.progress import grouped
from app.models.runs.alarms import Alarm
from app.models.runs.run_view import RunView
from app.run_news import RunCondition

RESUME, COPY_REPORT, SHOW_LOG = "resume_run", "copy_report", "show_log"
LOG_LINES = 30


class RunNotices(QObject):
    """Keeps a board of its own. An alarm that was closed comes back only after it was over."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.board = NoticeBoard(self)
        self._view: RunView | None = None
        self._told: dict[str, Notice] = {}

    def set_run(self, view: RunView | None) -> None:
        """Another run: another board's worth of notices."""
        if self._view is not None and self._view is not view:
            self._view.alarms_changed.disconnect(self._refresh)
            self._view.standing_changed.disconnect(self._refresh)
        if view is not None and view is not self._view:
            view.alarms_changed.connect(self._refresh)
            view.standing_changed.connect(self._refresh)
        self._view = view
        for key in self._told:
            self.board.dismiss_key(key)
        self._told = {}
        self._refresh()

    def _refresh(self) -> None:
        if self._view is None:
            return
        wanted = {alarm.kind.value: self._alarm_notice(alarm) for alarm in reversed(self._view.alarms)}
        ending = self._ending_notice(self._view)
        if ending is not None:
            wanted["ending"] = ending
        for key in self._told.keys() - wanted.keys():
            self.board.dismiss_key(key)
            del self._told[key]
        for key, notice in wanted.items():
            if key not in self._told:
                self.board.post(notice)
            elif self._told[key] != notice:
                self.board.reword(notice)
            self._told[key] = notice

    def _alarm_notice(self, alarm: Alarm) -> Notice:
        severity = Severity.ERROR if alarm.is_grave else Severity.WARNING
        return Notice(severity, alarm.title, alarm.sentence, key=alarm.kind.value)

    def _ending_notice(self, view: RunView) -> Notice | None:
        """Why a run is not at work though it should be, and what to do."""
        standing = view.standing
        report = NoticeAction(COPY_REPORT, self.tr("Copy report"))
        step = grouped(standing.step)
        if standing.condition is RunCondition.FAILED:
            title = self.tr("The run failed at step {step}").format(step=step)
            sentence = _sentence(standing.reason) or self.tr("It left no reason; its log may tell.")
        elif standing.condition is RunCondition.INTERRUPTED:
            title = self.tr("Interrupted at step {step}").format(step=step)
            sentence = self._interrupted(view)
        else:
            return None
        resume = NoticeAction(RESUME, self.tr("Resume"))
        log = NoticeAction(SHOW_LOG, self.tr("Show the log"))
        lines = [self.tr("What helps: {advice}").format(advice=advice) for advice in standing.advice]
        tail = view.console.splitlines()[-LOG_LINES:]
        details = "\n".join([*lines, *([""] if lines and tail else []), *tail])
        return Notice(Severity.ERROR, title, sentence, details, (resume, log, report), "ending")

    def _interrupted(self, view: RunView) -> str:
        standing = view.standing
        where = "" if standing.is_here else self.tr(" on {host}").format(host=standing.host)
        sentence = self.tr("Its process{where} ended without a word: a crash, a kill, or a power cut.").format(where=where)
        saved = view.checkpoint_facts
        if not saved:
            return sentence + " " + self.tr("Nothing was saved yet; Resume begins anew.")
        newest = grouped(saved[0].step)
        return sentence + " " + self.tr("Resume goes on from the checkpoint of step {step}.").format(step=newest)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""
