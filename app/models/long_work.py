"""Work that took long and is over: worth telling someone who looks elsewhere."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

LONG_S = 30.0


@dataclass(frozen=True)
class WorkEnded:
    """What ended, in words for a notification."""

    title: str
    sentence: str
    elapsed_s: float


class LongWork(QObject):
    """Passes on only what took long; whoever does the work tells it of every end."""

    long_work_ended = Signal(object)  # WorkEnded

    def tell(self, title: str, sentence: str, elapsed_s: float) -> None:
        """Something is over, after so many seconds."""
        if elapsed_s >= LONG_S:
            self.long_work_ended.emit(WorkEnded(title, sentence, elapsed_s))
