"""What takes long to make, made piece by piece: by and by while nobody does anything, or the rest at once."""

from collections.abc import Callable, Iterator

from PySide6.QtWidgets import QWidget

WIDGETS_AT_ONCE = 60


class Pieces:
    """`make` makes something and yields wherever the window may have its turn; `ahead` is what is only quicker later if
    done before it is needed. Hidden until it is whole, nobody sees it grow; whoever shows it calls `finish` first."""

    def __init__(self, make: Callable[[], Iterator[None]], ahead: Callable[[], Iterator[None]]) -> None:
        self._needed, self._ahead = make, ahead
        self._rest: Iterator[None] | None = None
        self._is_at_work = False
        self.is_made = False
        self.is_over = False
        """Whether nothing is left to be done ahead either."""

    def make_next(self) -> None:
        """The next piece; nothing while one is being made already, by whoever asks in the midst of it."""
        if self.is_over or self._is_at_work:
            return
        self._is_at_work = True
        try:
            self._rest = self._rest if self._rest is not None else self._all()
            next(self._rest)
        except StopIteration:
            self.is_over = True
        finally:
            self._is_at_work = False

    def finish(self) -> None:
        """All that is needed and not there yet."""
        while not (self.is_made or self.is_over or self._is_at_work):
            self.make_next()

    def _all(self) -> Iterator[None]:
        yield from self._needed()
        self.is_made = True
        yield
        yield from self._ahead()


def polish(root: QWidget) -> Iterator[None]:
    """Look up the style of everything inside, which Qt else does when it is shown."""
    for place, widget in enumerate(root.findChildren(QWidget), start=1):
        widget.ensurePolished()
        if place % WIDGETS_AT_ONCE == 0:
            yield
