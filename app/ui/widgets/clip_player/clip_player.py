"""A clip with its controls."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.models.play_state import PlayState
from app.services.frame_sources import FrameSource
from app.ui.widgets.clip_player.play_bar import PlayBar
from app.ui.widgets.image_view.image_view import ImageView
from app.ui.widgets.image_view.view_state import ViewState


class ClipPlayer(QWidget):
    """Space plays and pauses, A and D step, L changes what happens at the end; the picture zooms as everywhere.

    Players with the same `play_state` run in step: none goes on before all have their frame.
    """

    failed = Signal(object)  # str: a sentence

    def __init__(
        self,
        play_state: PlayState | None = None,
        view_state: ViewState | None = None,
        parent: QWidget | None = None,
        *,
        has_bar: bool = True,
    ) -> None:
        super().__init__(parent)
        self.play = play_state or PlayState(self)
        self._is_alone = play_state is None
        self.view = ImageView(view_state, self)
        self.bar = PlayBar(self.play, self)
        self.bar.setVisible(has_bar)
        self._source: FrameSource | None = None
        self._plays = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.bar)
        self.setFocusProxy(self.view)
        self.play.frame_changed.connect(self._on_frame_changed)

    @property
    def source(self) -> FrameSource | None:
        """Where the frames come from."""
        return self._source

    def set_source(self, source: FrameSource | None, *, plays: bool = False) -> None:
        """Another clip, that plays by itself or waits; the player owns the source until it gets another one."""
        if self._source is not None:
            self._source.frame_ready.disconnect(self._on_frame_ready)
            self._source.opened.disconnect(self._on_opened)
            self._source.failed.disconnect(self._on_failed)
            self._source.close()
            self._source.deleteLater()
        self._source = source
        self._plays = plays
        self.view.set_message("")
        self.bar.set_note("")
        self.play.wait_for(self, False)
        if source is None:
            self.view.set_image(None)
            if self._is_alone:
                self.play.set_clip(0, 0.0)
            return
        source.setParent(self)
        source.frame_ready.connect(self._on_frame_ready)
        source.opened.connect(self._on_opened)
        source.failed.connect(self._on_failed)
        if source.count:
            self._on_opened()

    def _on_failed(self, message: Any) -> None:
        """Say it in place of the picture, or below what can still be seen."""
        sentence = self.tr("This clip {problem}.").format(problem=str(message).rstrip("."))
        if self._source is not None and self._source.count:
            self.bar.set_note(sentence)
        else:
            self.view.set_image(None)
            self.view.set_message(sentence)
        self.failed.emit(message)

    def _on_opened(self) -> None:
        assert self._source is not None
        self.play.set_clip(self._source.count, self._source.fps, self._source.times_s)
        self._on_frame_changed(self.play.frame)
        if self._plays:
            self._plays = False
            self.play.play()

    def _on_frame_changed(self, frame: Any) -> None:
        source = self._source
        if source is None or not 0 <= frame < source.count or not self.isVisible():
            return
        image = source.image(frame)
        self.play.wait_for(self, image is None)
        source.want(frame, self.play.direction)
        if image is not None:
            self.view.set_image(image)

    def _on_frame_ready(self, frame: Any) -> None:
        if frame == self.play.frame:
            self._on_frame_changed(frame)

    # ---- events ---------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with the state."""
        super().showEvent(event)
        self._on_frame_changed(self.play.frame)

    def hideEvent(self, event: QHideEvent) -> None:
        """Who is not seen neither decodes nor holds others up."""
        super().hideEvent(event)
        self.play.wait_for(self, False)
        if self._is_alone:
            self.play.pause()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        if not self.take_key(event):
            super().keyPressEvent(event)

    def take_key(self, event: QKeyEvent) -> bool:
        """Do what a key means to a clip; False if it means nothing. For parents that get keys first."""
        play, key = self.play, event.key()
        if play.count < 2 or event.modifiers():
            return False
        if key == Qt.Key.Key_Space:
            play.toggle()
        elif key == Qt.Key.Key_L:
            self.bar.next_loop()
        elif key in (Qt.Key.Key_A, Qt.Key.Key_D):
            play.step(1 if key == Qt.Key.Key_D else -1)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            play.step((play.count - 1 if key == Qt.Key.Key_End else 0) - play.frame)
        else:
            return False
        return True
