"""The middle of the page Compare: tools, candidates, pictures, the play bar of clips, and the ladder."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.models.play_state import PlayState
from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.clip_player.play_bar import PlayBar
from app.ui.widgets.compare.candidate_bar import CandidateBar
from app.ui.widgets.compare.empty_compare import EmptyCompare
from app.ui.widgets.compare.ladder_bar import LadderBar
from app.ui.widgets.compare.stage import CompareStage
from app.ui.widgets.compare.view_bar import CompareViewBar
from app.ui.widgets.progress_strip import ProgressStrip


class CompareCenter(QFrame):
    """One place for the frame of clips: all candidates show the same one."""

    run_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compare = session.compare
        self.setProperty("role", "stage")
        self.play = PlayState(self)
        self.progress = ProgressStrip(session, self)
        self.tools = CompareViewBar(session.compare, self)
        self.candidates = CandidateBar(session.compare, self)
        self.stage = CompareStage(session.compare, self)
        self.play_bar = PlayBar(self.play, self)
        self.ladder = LadderBar(session.compare, self)
        self.empty = EmptyCompare(self)
        self._pages = QStackedWidget(self)
        self._build()
        self.tools.crisp_toggled.connect(self.stage.set_crisp)
        self.tools.fit_requested.connect(self.stage.fit)
        self.ladder.run_requested.connect(self.run_requested)
        self.play.frame_changed.connect(self._on_frame_changed)
        session.compare.inputs.inputs_changed.connect(self._refresh)
        session.compare.shown_changed.connect(self._refresh)
        self._refresh()

    def _build(self) -> None:
        work = QWidget(self)
        inner = QVBoxLayout(work)
        inner.setContentsMargins(0, SPACING.s, 0, 0)
        inner.setSpacing(SPACING.s)
        tools = QHBoxLayout()
        tools.setContentsMargins(SPACING.m, 0, SPACING.m, 0)
        tools.addWidget(self.tools)
        second = QHBoxLayout()
        second.setContentsMargins(SPACING.m, 0, SPACING.m, 0)
        second.setSpacing(SPACING.s)
        second.addWidget(self.candidates, 1)
        self.candidates.set_tail(self.tools.pair_tools)
        inner.addLayout(tools)
        inner.addLayout(second)
        inner.addWidget(self.stage, 1)
        inner.addWidget(self.play_bar)
        inner.addWidget(self.ladder)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(work)
        self._head = QVBoxLayout()
        self._head.setContentsMargins(SPACING.m, SPACING.s, SPACING.m, 0)
        self._head.addWidget(self.progress)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._head)
        layout.addWidget(self._pages, 1)

    def _refresh(self, _payload: Any = None) -> None:
        self._pages.setCurrentIndex(1 if self._compare.inputs.items else 0)
        self._head.setContentsMargins(SPACING.m, SPACING.s if self.progress.isVisibleTo(self) else 0, SPACING.m, 0)
        clips = [shown.clip for shown in self._compare.all_shown() if shown.clip]
        count = min((len(clip.frames) for clip in clips), default=0)
        fps = next((clip.fps for clip in clips if clip.fps), None)
        if (count, fps or self.play.fps) != (self.play.count, self.play.fps):
            self.play.set_clip(count, fps or self.play.fps)
        self.play_bar.setVisible(count > 1)

    def hideEvent(self, event: QHideEvent) -> None:
        """What nobody sees need not play."""
        super().hideEvent(event)
        self.play.pause()

    def _on_frame_changed(self, frame: Any) -> None:
        self._compare.view.update(frame=frame)
