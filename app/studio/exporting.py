"""Ties the export dialog's state to the service that writes files."""

import os
import time
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.errors import Notice, NoticeAction, Severity
from app.models.export_form import ExportProgress, ExportWish, PlaceNote
from app.models.progress import duration, grouped
from app.models.session import Session
from app.services.background import LatestTask
from app.services.clip_export import ClipExporter, Exported, ExportedSoFar, ExportFailed, ExportOrder
from app.services.latest_wins import LatestWins
from app.studio import actions
from ul_engine.hub.wording import size_text

INTERVAL_MS = 100
_MIN_SPAN_S = 0.8


class Exporting(QObject):
    """The go-between of the export form and the files."""

    def __init__(self, session: Session, exporter: ClipExporter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._form = session.export
        self._exporter = exporter
        self._begun_s = 0.0
        self._looking = LatestTask(self)
        self._news = LatestWins(INTERVAL_MS, self)
        self._form.place_changed.connect(self._on_place_changed)
        self._form.export_requested.connect(self._on_export_requested)
        self._form.cancel_requested.connect(self._on_cancel_requested)
        self._looking.finished.connect(self._form.set_note)
        self._news.released.connect(self._on_progress_due)
        exporter.progressed.connect(self._news.offer)
        exporter.exported.connect(self._on_exported)
        exporter.failed.connect(self._on_failed)
        exporter.cancelled.connect(self._on_cancelled)

    def _on_place_changed(self, path: str) -> None:
        words = {
            "folder": self.tr("This folder does not exist."),
            "locked": self.tr("Files cannot be written into this folder; choose another one."),
            "full-folder": self.tr("This folder already holds something; choose a new one for the pictures."),
            "is-folder": self.tr("This is a folder; add a name for the file."),
            "exists": self.tr("There is such a file already; it will be replaced."),
        }
        self._looking.start(partial(look_at, path, self._form.makes_folder, words))

    def _on_export_requested(self, wish: ExportWish) -> None:
        subject, settings = wish.subject, wish.settings
        self._begun_s = time.monotonic()
        self._form.set_progress(ExportProgress(self.tr("Beginning…")))
        self._exporter.start(
            ExportOrder(
                wish.path,
                clip=subject.clip,
                source_path=subject.path,
                is_moving=subject.is_moving,
                as_pictures=self._form.makes_folder,
                quality=settings.quality,
                fps=settings.fps,
                scale=settings.scale,
                is_ping_pong=settings.is_ping_pong,
                keeps_request=settings.keeps_request,
                embedded=subject.embedded,
            )
        )

    def _on_cancel_requested(self) -> None:
        progress = self._form.progress
        self._form.set_progress(ExportProgress(self.tr("Stopping…"), progress.fraction if progress else 0.0))
        self._exporter.cancel()

    def _on_progress_due(self, news: Any) -> None:
        assert isinstance(news, ExportedSoFar)
        if self._form.progress is not None:
            self._form.set_progress(ExportProgress(self._line(news), news.done / news.total))

    def _line(self, news: ExportedSoFar) -> str:
        if news.done == news.total:
            return self.tr("Finishing the file…")
        line = self.tr("Frame {done} / {total}").format(done=grouped(news.done), total=grouped(news.total))
        passed_s = time.monotonic() - self._begun_s
        if passed_s < _MIN_SPAN_S:
            return line
        left = duration(passed_s * (news.total - news.done) / max(1, news.done))
        return line + " · " + self.tr("{duration} left").format(duration=left)

    def _on_exported(self, news: Exported) -> None:
        self._news.drop()
        self._form.finish()
        self._session.notices.post(
            Notice(
                Severity.INFO,
                self.tr("Exported"),
                f"{news.path} · {size_text(news.num_bytes)}",
                actions=(NoticeAction(actions.SHOW_FILE, self.tr("Show in folder"), news.path),),
                key="export",
                is_passing=True,
            )
        )

    def _on_failed(self, news: ExportFailed) -> None:
        self._news.drop()
        self._form.set_progress(None)
        reason = news.message[:1].upper() + news.message[1:].rstrip(".")
        self._session.notices.post(
            Notice(
                Severity.ERROR,
                self.tr("The export was not written"),
                f"{reason}. ({news.path})",
                key="export",
            )
        )
        self._form.set_note(PlaceNote(self._form.path, problem=f"{reason}."))

    def _on_cancelled(self) -> None:
        self._news.drop()
        self._form.set_progress(None)


def look_at(path: str, makes_folder: bool, words: dict[str, str]) -> PlaceNote:
    """What is to be said of a place before anything is written there. Runs in a thread: disks can be slow."""
    target = Path(path)
    try:
        if not path.strip():
            return PlaceNote(path)
        if not target.parent.is_dir():
            return PlaceNote(path, problem=words["folder"])
        if not os.access(target.parent, os.W_OK):
            return PlaceNote(path, problem=words["locked"])
        if makes_folder:
            is_taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
            return PlaceNote(path, problem=words["full-folder"] if is_taken else "")
        if target.is_dir():
            return PlaceNote(path, problem=words["is-folder"])
        return PlaceNote(path, warning=words["exists"] if target.exists() else "")
    except OSError as error:
        return PlaceNote(path, problem=f"{error.strerror or error}")
