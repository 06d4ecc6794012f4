"""Everything a person can do, in one place: the palette and the list of shortcuts are made of it.

A page registers in its constructor, before its heavy parts are built, so that what it can do is found from the start.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from app.models.fuzzy import match

MAX_RECENT = 5


@dataclass(frozen=True)
class Command:
    """One thing to do."""

    name: str
    """``page.verb``, unique."""
    title: str
    """What a person reads: "Stop this job"."""
    group: str
    """Heading in the list of shortcuts, usually the page's title."""
    keys: tuple[str, ...] = ()
    """Key sequences in Qt's portable form; other words ("Drag", "1-9") are shown as they are and bind nothing."""
    page: str = ""
    """The page that must be in front; empty: it works everywhere."""
    words: str = ""
    """Other words a person might search for."""
    is_listed: bool = True
    """False: only in the list of shortcuts, as what opens the palette is."""


@dataclass(frozen=True)
class FoundCommand:
    """A command that fits what was typed."""

    command: Command
    letters: tuple[int, ...] = ()
    is_recent: bool = False


@dataclass(frozen=True)
class _Entry:
    command: Command
    run: Callable[[], object] | None
    is_enabled: Callable[[], bool] | None = field(default=None)


class Commands(QObject):
    """The registry. What is registered without a deed is only a key to be explained."""

    command_run = Signal(object)  # Command

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: dict[str, _Entry] = {}
        self._recent: list[str] = []

    def add(
        self,
        command: Command,
        run: Callable[[], object] | None = None,
        is_enabled: Callable[[], bool] | None = None,
    ) -> None:
        """Register a command, or another deed under its name; `run` and `is_enabled` are bound methods of QObjects.

        `run=None`: a gesture or key that is explained in the list of shortcuts and handled elsewhere.
        """
        self._entries[command.name] = _Entry(command, run, is_enabled)

    @property
    def all(self) -> tuple[Command, ...]:
        """In the order in which they were registered."""
        return tuple(entry.command for entry in self._entries.values())

    def command(self, name: str) -> Command:
        """The command of this name. Raises KeyError."""
        return self._entries[name].command

    def is_enabled(self, name: str) -> bool:
        """Whether it can be done just now."""
        entry = self._entries.get(name)
        return entry is not None and entry.run is not None and (entry.is_enabled is None or entry.is_enabled())

    def run(self, name: str) -> bool:
        """Do it, if it can be done just now."""
        if not self.is_enabled(name):
            return False
        entry = self._entries[name]
        assert entry.run is not None
        if entry.command.is_listed:
            self._recent = [name, *(other for other in self._recent if other != name)][:MAX_RECENT]
        entry.run()
        self.command_run.emit(entry.command)
        return True

    def find(self, query: str, page: str = "") -> tuple[FoundCommand, ...]:
        """What can be done just now and fits `query`, the best first; without a query what was done last comes first,
        then what belongs to `page`, the page in front."""
        doable = [entry.command for entry in self._entries.values() if self._is_listed(entry, page)]
        if query.strip():
            return tuple(_ranked(query, doable, page))
        recent = [command for name in self._recent for command in doable if command.name == name]
        others = [command for command in doable if command not in recent]
        others.sort(key=lambda command: command.page != page)  # stable: the order of registering within
        return (*(FoundCommand(command, is_recent=True) for command in recent), *map(FoundCommand, others))

    def explained(self, query: str = "") -> tuple[tuple[str, tuple[Command, ...]], ...]:
        """All commands that have keys and fit `query`, by group."""
        groups: dict[str, list[Command]] = {}
        for command in self.all:
            words = f"{command.group} {command.words} {' '.join(command.keys)}"
            if command.keys and match(query, command.title, words) is not None:
                groups.setdefault(command.group, []).append(command)
        return tuple((group, tuple(commands)) for group, commands in groups.items())

    def _is_listed(self, entry: _Entry, page: str) -> bool:
        """A command of another page is listed although it may not be possible there yet: choosing it goes there."""
        if entry.run is None or not entry.command.is_listed:
            return False
        is_elsewhere = bool(entry.command.page) and entry.command.page != page
        return is_elsewhere or entry.is_enabled is None or entry.is_enabled()


def _ranked(query: str, commands: list[Command], page: str) -> list[FoundCommand]:
    found = []
    for place, command in enumerate(commands):
        fit = match(query, command.title, f"{command.group} {command.words}")
        if fit is not None:
            bonus = 5.0 if page and command.page == page else 0.0
            found.append((-fit.score - bonus, place, FoundCommand(command, fit.letters)))
    return [each for _, _, each in sorted(found, key=lambda item: item[:2])]
