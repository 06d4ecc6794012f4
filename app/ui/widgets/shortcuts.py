"""Keys of commands: how they are bound to a page, and how they are written."""

from collections.abc import Callable

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from app.models.commands import Command, Commands


class CommandShortcut(QShortcut):
    """Runs a command of the registry when its keys are pressed while its widget is on show."""

    def __init__(self, commands: Commands, command: Command, parent: QWidget) -> None:
        super().__init__(parent)
        self._commands = commands
        self._name = command.name
        self.setKeys([QKeySequence(keys) for keys in command.keys if is_sequence(keys)])
        self.activated.connect(self._on_activated)

    def _on_activated(self) -> None:
        self._commands.run(self._name)


def bind(
    page: QWidget,
    commands: Commands,
    command: Command,
    run: Callable[[], object],
    is_enabled: Callable[[], bool] | None = None,
) -> None:
    """Register a command and let its keys run it while `page` is on show: one call for palette, list and keyboard."""
    commands.add(command, run, is_enabled)
    if any(is_sequence(keys) for keys in command.keys):
        CommandShortcut(commands, command, page)


def is_sequence(keys: str) -> bool:
    """Whether Qt can bind this, or it is only to be read."""
    return bool(QKeySequence(keys).toString())


def native_keys(keys: str) -> str:
    """A key sequence as this system writes it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText) or keys
