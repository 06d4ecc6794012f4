"""The notices now on show, newest first."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.errors import Notice

MAX_NOTICES = 20


@dataclass(frozen=True)
class ActionChoice:
    """A person chose one of a notice's actions."""

    notice: Notice
    name: str
    argument: str


class NoticeBoard(QObject):
    """Holds notices; knows nothing of how they look or what their actions do."""

    posted = Signal(object)  # Notice: said now, even if it was on show before
    notices_changed = Signal(object)  # tuple[Notice, ...]
    action_chosen = Signal(object)  # ActionChoice

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices: tuple[Notice, ...] = ()

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Newest first."""
        return self._notices

    def post(self, notice: Notice) -> None:
        """Show a notice; one with the same key, or saying exactly the same, gives way to it."""
        others = [old for old in self._notices if old != notice and not (notice.key and old.key == notice.key)]
        self.posted.emit(notice)
        self._set((notice, *others)[:MAX_NOTICES])

    def reword(self, notice: Notice) -> None:
        """Say otherwise what a key on show stands for, in its place; a key that is not on show stays so."""
        self._set(tuple(notice if old.key == notice.key else old for old in self._notices))

    def dismiss(self, notice: Notice) -> None:
        """Take a notice away."""
        self._set(tuple(old for old in self._notices if old != notice))

    def dismiss_key(self, key: str) -> None:
        """Take away what a key stands for, because it is over."""
        self._set(tuple(old for old in self._notices if old.key != key))

    def dismiss_passing(self) -> None:
        """The person went on to something else."""
        self._set(tuple(old for old in self._notices if not old.is_passing))

    def choose(self, notice: Notice, name: str, argument: str = "") -> None:
        """Pass a choice on; the notice has served."""
        self.dismiss(notice)
        self.action_chosen.emit(ActionChoice(notice, name, argument))

    def _set(self, notices: tuple[Notice, ...]) -> None:
        if notices != self._notices:
            self._notices = notices
            self.notices_changed.emit(notices)
