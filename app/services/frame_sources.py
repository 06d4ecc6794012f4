"""Frames of clips as pictures to paint: of clips in memory, and of files that are decoded in a thread."""

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage

from app.pixels import Pixels
from app.services.media import image_of

DEFAULT_FPS = 24.0


class FrameSource(QObject):
    """Frames by number. A frame that is not there yet is asked for by `want` and told by `frame_ready`."""

    opened = Signal()  # count, rate and size are known
    frame_ready = Signal(object)  # int
    failed = Signal(object)  # str: a sentence

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.count = 0
        self.fps = DEFAULT_FPS
        self.size = QSize()
        self.times_s: tuple[float, ...] = ()
        """When each frame begins; empty: evenly spaced."""

    def image(self, frame: int) -> QImage | None:
        """The frame, if it is there."""
        raise NotImplementedError

    def want(self, frame: int, direction: int = 1) -> None:
        """Get this frame, and then those that follow it in this direction."""

    def close(self) -> None:
        """Nothing is wanted any more."""


class MemoryFrames(FrameSource):
    """Frames that are there."""

    def __init__(self, frames: tuple[Pixels, ...], fps: float | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._frames = frames
        self.count = len(frames)
        self.fps = fps or DEFAULT_FPS
        self.size = QSize(frames[0].width_px, frames[0].height_px)

    def image(self, frame: int) -> QImage | None:
        """Always there; of 512 x 512 pixels it takes 0.3 ms."""
        return image_of(self._frames[frame]).convertToFormat(QImage.Format.Format_RGB32)
