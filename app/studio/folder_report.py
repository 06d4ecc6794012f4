"""Ties the report on a folder to its child process, and tells where it lies."""

import hashlib
import time
from pathlib import Path

from PySide6.QtCore import QObject

from app.errors import Notice, NoticeAction, Severity
from app.models.compare.report import ReportPhase, ReportWish
from app.models.progress import duration
from app.models.session import Session
from app.services.evaluation_run import EvaluationDone, EvaluationEnd, EvaluationRun
from app.services.picture_files import PictureFiles
from app.studio import actions
from ul_engine.metadata import folder_name
from ul_engine.protocol import EvaluationProgress


class FolderReporter(QObject):
    """The go-between of the report and the child process."""

    def __init__(
        self, session: Session, run: EvaluationRun, files: PictureFiles, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._run = run
        self._files = files
        self._report = session.compare.report
        self._began_s = 0.0
        self._part = ("", 0.0, 0)
        self._report.start_requested.connect(self._on_start_requested)
        self._report.stop_requested.connect(run.stop)
        run.progressed.connect(self._on_progressed)
        run.finished.connect(self._on_finished)
        run.ended.connect(self._on_ended)

    def _on_start_requested(self, wish: ReportWish) -> None:
        self._began_s = time.monotonic()
        self._part = ("", 0.0, 0)
        self._session.notices.dismiss_key("folder-report")
        self._run.start(arguments_of(wish, self._files.root))

    def _on_progressed(self, news: EvaluationProgress) -> None:
        """How far, and how long yet: by the pace since this part began."""
        now = time.monotonic()
        if news.doing != self._part[0]:
            self._part = (news.doing, now, news.done)
        _, began_s, first = self._part
        left = ""
        if news.done > first and news.total:
            seconds = (now - began_s) / (news.done - first) * (news.total - news.done)
            left = self.tr("{duration} left").format(duration=duration(seconds)) if seconds else ""
        parts = [news.doing[:1].upper() + news.doing[1:], f"{news.done} / {news.total}", left]
        line = " · ".join(part for part in parts if part)
        self._report.update(line=line, fraction=news.done / max(1, news.total))

    def _on_finished(self, done: EvaluationDone) -> None:
        news, wish = done.finished, self._report.wish
        worst = tuple(str(Path(wish.folder) / name) for name in done.worst) if wish else ()
        table = news.tables[0] if news.tables else ""
        self._report.update(
            phase=ReportPhase.FINISHED,
            page=news.page,
            table=table,
            num_samples=news.num_samples,
            num_broken=news.num_broken,
            worst=worst,
            fraction=1.0,
        )
        title = self.tr("The report is written")
        sentence = self.tr("{count} pictures measured, the worst first.").format(count=news.num_samples)
        if news.num_broken:
            sentence += " " + self.tr("{count} could not be read.").format(count=news.num_broken)
        shown = (
            NoticeAction(actions.OPEN_FILE, self.tr("Open the report"), news.page),
            NoticeAction(actions.SHOW_FILE, self.tr("Show in folder"), news.page),
        )
        self._session.notices.post(Notice(Severity.INFO, title, sentence, actions=shown, key="folder-report"))
        self._session.long_work.tell(title, sentence, time.monotonic() - self._began_s)

    def _on_ended(self, end: EvaluationEnd) -> None:
        if end.was_asked:
            self._report.update(phase=ReportPhase.STOPPED)
            return
        can_begin_anew = "--restart" in end.message
        problem = end.message.replace(" (--restart)", "")
        problem = problem[:1].upper() + problem[1:].rstrip(".") + "."
        self._report.update(phase=ReportPhase.FAILED, problem=problem, can_begin_anew=can_begin_anew)
        self._session.notices.post(
            Notice(
                Severity.ERROR,
                self.tr("The folder was not measured"),
                problem,
                details=end.details,
                key="folder-report",
            )
        )


def arguments_of(wish: ReportWish, root: Path) -> list[str]:
    """The command line of a wish. Equal wishes get one folder, so that a stopped one goes on where it was."""
    told = "\0".join((str(Path(wish.folder).absolute()), wish.model, wish.preset, str(wish.limit)))
    digest = hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:8]
    out = root / "reports" / f"{Path(wish.folder).name}-{folder_name(wish.model)}-{digest}"
    arguments = [wish.model, wish.folder, "--out", str(out), "--preset", wish.preset, "--skip-broken"]
    arguments += ["--json-progress"]
    arguments += ["--limit", str(wish.limit)] if wish.limit else []
    return arguments + (["--restart"] if wish.is_anew else [])
