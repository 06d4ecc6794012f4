"""A clip with its controls."""

from typing import Any

from PySide6.QtCore import Qt, Signal
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
        self.view = ImageView(view_state, self)
        self.bar = PlayBar(self.play, self)
        self.bar.setVisible(has_bar)
        self._source: FrameSource | None = None
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

    def set_source(self, source: FrameSource | None) -> None:
        """Another clip; the player keeps the source until it gets another one."""
        if self._source is not None:
            self._source.frame_ready.disconnect(self._on_frame_ready)
            self._source.opened.disconnect(self._on_opened)
            self._source.failed.disconnect(self.failed)
            self._source.close()
        self._source = source
        self.play.wait_for(id(self), False)
        if source is None:
            self.view.set_image(None)
            self.play.set_clip(0, 0.0)
            return
        source.setParent(self)
        source.frame_ready.connect(self._on_frame_ready)
        source.opened.connect(self._on_opened)
        source.failed.connect(self.failed)
        if source.count:
            self._on_opened()

    def _on_opened(self) -> None:
        assert self._source is not None
        self.play.set_clip(self._source.count, self._source.fps)
        self._on_frame_changed(self.play.frame)

    def _on_frame_changed(self, frame: Any) -> None:
        if self._source is None or not 0 <= frame < self._source.count:
            return
        image = self._source.image(frame)
        self.play.wait_for(id(self), image is None)
        self._source.want(frame, self.play.direction)
        if image is not None:
            self.view.set_image(image)

    def _on_frame_ready(self, frame: Any) -> None:
        if frame == self.play.frame:
            self._on_frame_changed(frame)

    def keyPressEvent(self, event: Any) -> None:
        """See the class."""
        keys = {
            Qt.Key.Key_Space: self.play.toggle,
            Qt.Key.Key_L: self.bar.next_loop,
        }
        steps = {Qt.Key.Key_A: -1, Qt.Key.Key_D: 1, Qt.Key.Key_Home: -self.play.frame}
        steps[Qt.Key.Key_End] = self.play.count - 1 - self.play.frame
        if event.modifiers():
            super().keyPressEvent(event)
        elif event.key() in keys:
            keys[event.key()]()
        elif event.key() in steps:
            self.play.step(steps[event.key()])
        else:
            super().keyPressEvent(event)
