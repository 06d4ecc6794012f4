"""What is known of the picture or clip that the form begins with."""

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal


@dataclass(frozen=True)
class BeginningView:
    """The beginning on show. `thumbnail` is a small picture of whatever kind the window paints."""

    path: str = ""
    name: str = ""
    size_px: tuple[int, int] = (0, 0)
    num_frames: int = 1
    thumbnail: Any = None
    problem: str = ""


class Beginnings(QObject):
    """One for pictures to start from, one for clips to continue."""

    picture_changed = Signal(object)  # BeginningView
    clip_changed = Signal(object)  # BeginningView

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._picture = BeginningView()
        self._clip = BeginningView()

    @property
    def picture(self) -> BeginningView:
        """The picture to start from; its path is empty if there is none."""
        return self._picture

    @property
    def clip(self) -> BeginningView:
        """The clip to continue; its path is empty if there is none."""
        return self._clip

    def set_picture(self, view: BeginningView) -> None:
        """Another picture, or none."""
        self._picture = view
        self.picture_changed.emit(view)

    def set_clip(self, view: BeginningView) -> None:
        """Another clip, or none."""
        self._clip = view
        self.clip_changed.emit(view)
