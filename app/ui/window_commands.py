"""What can be done from every page, and the keys for it."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.models.commands import Command
from app.models.session import Session
from app.ui.theme.theme import Theme
from app.ui.widgets.navigation_rail import RailButton
from app.ui.widgets.shortcuts import bind


class WindowCommands(QObject):
    """Registers them; what needs the window is asked of it by signals."""

    palette_requested = Signal()
    sheet_requested = Signal()
    escape_pressed = Signal()
    full_screen_requested = Signal()
    tour_requested = Signal()

    def __init__(self, session: Session, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._group = self.tr("Everywhere")
        self._bind_opening("palette", self.tr("Find anything to do"), self.palette_requested.emit, ("Ctrl+K",))
        self._bind_opening("shortcuts", self.tr("List all shortcuts"), self.sheet_requested.emit, ("?", "F1"))
        self._bind_opening(
            "escape", self.tr("Close what is in front, else stop the job"), self.escape_pressed.emit, ("Esc",)
        )
        self._bind("theme", self.tr("Turn dark into light or back"), theme.toggle, ("Ctrl+Shift+L",))
        self._bind("full-screen", self.tr("Fill the screen or no longer"), self.full_screen_requested.emit, ("F11",))
        self._bind("quit", self.tr("Close UL Studio"), window.close, ("Ctrl+Q",))
        tour = Command("window.tour", self.tr("Start the tour"), self._group, words=self.tr("help first look beginner"))
        session.commands.add(tour, self.tour_requested.emit)
        stop = Command("window.stop", self.tr("Stop the running job"), self._group, words=self.tr("cancel abort halt"))
        session.commands.add(stop, session.queue.stop, self._has_job)
        close = Command("window.notices", self.tr("Close all notices"), self._group, words=self.tr("messages errors"))
        session.commands.add(close, self._close_notices, self._has_notices)

    def add_page(self, button: RailButton, title: str, keys: str) -> None:
        """A page of the rail; its button has the keys."""
        command = Command(
            f"go.{button.page}",
            self.tr("Go to {page}").format(page=title),
            self._group,
            (keys,),
            words=self.tr("open show page"),
        )
        self._session.commands.add(command, button.click)

    def _bind(self, name: str, title: str, run: Callable[[], object], keys: tuple[str, ...]) -> None:
        command = Command(f"window.{name}", title, self._group, keys, words=self._words(name))
        bind(self._window, self._session.commands, command, run)

    def _bind_opening(self, name: str, title: str, run: Callable[[], object], keys: tuple[str, ...]) -> None:
        command = Command(f"window.{name}", title, self._group, keys, is_listed=name == "shortcuts")
        bind(self._window, self._session.commands, command, run)

    def _words(self, name: str) -> str:
        """What else people call it."""
        return {
            "theme": self.tr("colours night day mode"),
            "quit": self.tr("exit quit leave"),
        }.get(name, "")

    def _has_job(self) -> bool:
        return not self._session.queue.view.is_idle

    def _has_notices(self) -> bool:
        return bool(self._session.notices.notices)

    def _close_notices(self) -> None:
        for notice in self._session.notices.notices:
            self._session.notices.dismiss(notice)
