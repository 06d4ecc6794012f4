"""SIGTERM and Ctrl+C as a wish to stop, which whoever works looks at when it suits. No torch."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Set by SIGTERM or SIGINT while it listens."""

    def __init__(self) -> None:
        self.is_set = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.is_set = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Install the handlers, and put the former ones back."""
        former = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
