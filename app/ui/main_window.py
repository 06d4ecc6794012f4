"""The shell: navigation, notices, the page on show, the status line, and files dropped anywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QByteArray, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.models.progress import ProgressView
from app.models.restore import RestoreOffer
from app.models.session import Session
from app.ui.pages.generate import GeneratePage, open_folder
from app.ui.pieces import Pieces
from app.ui.theme.icons import app_icon
from app.ui.theme.theme import Theme
from app.ui.widgets.drop_hint import DropHint
from app.ui.widgets.navigation_rail import NavigationRail
from app.ui.widgets.notices_bar import NoticesBar
from app.ui.widgets.overlay.overlay import Overlay
from app.ui.widgets.status_strip import StatusStrip
from app.ui.widgets.toasts import Toasts
from app.ui.window_commands import WindowCommands

if TYPE_CHECKING:
    from app.ui.pages.compare import ComparePage
    from app.ui.pages.library import LibraryPage
    from app.ui.pages.models import ModelsPage
    from app.ui.pages.settings import SettingsPage
    from app.ui.pages.train import TrainPage
    from app.ui.widgets.overlay.command_palette import CommandPalette
    from app.ui.widgets.overlay.shortcut_sheet import ShortcutSheet
    from app.ui.widgets.overlay.tour import Tour

LATE_PAGES = ("compare", "train", "library", "models", "settings")
"""In the order in which they are made while nobody does anything."""
USUAL_SIZE = (1280, 800)
SMALLEST_SIZE = (960, 600)


class MainWindow(QMainWindow):
    """Pages know nothing of each other or of this window.

    All but the first are made when they are first asked for, so that the first paint waits for none of them.
    """

    page_made = Signal(object)  # str: its name
    closed = Signal()
    file_dropped = Signal(object)  # str
    changes_chosen = Signal(object)  # tuple[Change, ...]
    release_confirmed = Signal()

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._theme = theme
        self._pages: dict[str, QWidget] = {}
        self._may_close = False
        self.setWindowTitle("UL Studio")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.setMinimumSize(*SMALLEST_SIZE)
        self.resize(*USUAL_SIZE)
        self.palette_overlay: CommandPalette | None = None
        self.sheet_overlay: ShortcutSheet | None = None
        self.tour: Tour | None = None
        self._commands = WindowCommands(session, theme, self)
        self.rail = NavigationRail(self)
        self.notices = NoticesBar(session.notices, self, is_shown=lambda notice: not notice.only_informs)
        self._stack = QStackedWidget(self)
        self.generate_page = GeneratePage(session, self)
        self.status = StatusStrip(session.engine, self)
        self._build()
        self._hint = DropHint(self)
        self.rail.page_requested.connect(self.show_page)
        self.status.theme_toggle_requested.connect(theme.toggle)
        self._commands.palette_requested.connect(self.open_palette)
        self._commands.sheet_requested.connect(self.open_shortcuts)
        self._commands.escape_pressed.connect(self._on_escape)
        self._commands.tour_requested.connect(self.open_tour)
        self._commands.full_screen_requested.connect(self._on_full_screen_requested)
        session.queue.progress_changed.connect(self._on_progress_changed)
        self.show_page("generate")

    def _build(self) -> None:
        self._pages["generate"] = self.generate_page
        self._stack.addWidget(self.generate_page)
        for name, title, icon, keys in (
            ("generate", self.tr("Generate"), "generate", "Ctrl+1"),
            ("compare", self.tr("Compare"), "compare", "Ctrl+2"),
            ("train", self.tr("Train"), "train", "Ctrl+3"),
            ("models", self.tr("Models"), "model", "Ctrl+4"),
            ("library", self.tr("Library"), "library", "Ctrl+5"),
            ("settings", self.tr("Settings"), "settings", "Ctrl+,"),
        ):
            button = self.rail.add_page(name, title, icon, keys, is_last=name == "settings")
            self._commands.add_page(button, title, keys)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.notices)
        right.addWidget(self._stack, 1)
        right.addWidget(self.status)
        middle = QWidget(self)
        row = QHBoxLayout(middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addLayout(right, 1)
        self.setCentralWidget(middle)
        self.toasts = Toasts(self._session.notices, self._stack, middle)

    # ---- pages ----------------------------------------------------------------------------------------------------

    @property
    def compare_page(self) -> "ComparePage":
        """Made when first asked for, as the following."""
        return cast("ComparePage", self.ensure_page("compare"))

    @property
    def train_page(self) -> "TrainPage":
        """Training runs."""
        return cast("TrainPage", self.ensure_page("train"))

    @property
    def models_page(self) -> "ModelsPage":
        """Models here and on the Hub."""
        return cast("ModelsPage", self.ensure_page("models"))

    @property
    def library_page(self) -> "LibraryPage":
        """Everything made so far."""
        return cast("LibraryPage", self.ensure_page("library"))

    @property
    def settings_page(self) -> "SettingsPage":
        """Preferences."""
        return cast("SettingsPage", self.ensure_page("settings"))

    def ensure_page(self, name: str) -> QWidget:
        """The page of this name, made now if it was not there."""
        if name not in self._pages:
            page = self._make_page(name)
            self._pages[name] = page
            self._stack.addWidget(page)
            self.page_made.emit(name)
        return self._pages[name]

    def make_ahead(self, name: str) -> bool:
        """Another piece of what a page consists of; whether there is more."""
        pieces: Pieces = cast(Any, self.ensure_page(name)).pieces
        pieces.make_next()
        return not pieces.is_over

    def has_page(self, name: str) -> bool:
        """Whether this page was made yet."""
        return name in self._pages

    def _make_page(self, name: str) -> QWidget:
        if name == "compare":
            from app.ui.pages.compare import ComparePage

            return ComparePage(self._session, self)
        if name == "train":
            from app.ui.pages.train import TrainPage

            return TrainPage(self._session, self)
        if name == "models":
            from app.ui.pages.models import ModelsPage

            return ModelsPage(self._session, self)
        if name == "library":
            from app.ui.pages.library import LibraryPage

            return LibraryPage(self._session, self)
        from app.ui.pages.settings import SettingsPage

        return SettingsPage(self._session, self._theme, self)

    def show_page(self, name: Any) -> None:
        """Bring a page to the front. One that is built when it is first shown does so in `ensure_built()` or `build()`,
        while it is hidden, so that it comes up whole."""
        page = self.ensure_page(name)
        build = getattr(page, "ensure_built", None) or getattr(page, "build", None)
        if build is not None:
            build()
        self._stack.setCurrentWidget(page)
        self.rail.set_current(name)

    @property
    def page(self) -> str:
        """Name of the page in front."""
        return next(name for name, page in self._pages.items() if page is self._stack.currentWidget())

    # ---- commands -------------------------------------------------------------------------------------------------

    def open_palette(self) -> None:
        """Everything that can be done, to be searched."""
        from app.ui.widgets.overlay.command_palette import CommandPalette

        self.ensure_pages()
        if self.palette_overlay is None:
            self.palette_overlay = CommandPalette(self._session.commands, self)
            self.palette_overlay.command_requested.connect(self._on_command_requested)
        self._dismiss_overlays()
        self.palette_overlay.open_for(self.page)

    def open_shortcuts(self) -> None:
        """All keys, to be searched."""
        from app.ui.widgets.overlay.shortcut_sheet import ShortcutSheet

        self.ensure_pages()
        if self.sheet_overlay is None:
            self.sheet_overlay = ShortcutSheet(self._session.commands, self)
        self._dismiss_overlays()
        self.sheet_overlay.open_fresh()

    def ensure_pages(self) -> None:
        """Make all pages; each brings its own commands."""
        for name in LATE_PAGES:
            self.ensure_page(name)

    def open_tour(self) -> None:
        """A first look around, from its first step."""
        from app.ui.window_tour import make_tour

        self._dismiss_overlays()
        if self.tour is not None:
            self.tour.deleteLater()
        self.show_page("generate")
        self.tour = make_tour(self.generate_page, self.rail, self)
        self.tour.page_requested.connect(self.show_page)
        self.tour.closed.connect(self._on_tour_closed)
        self.tour.begin()

    def _on_tour_closed(self) -> None:
        self._session.preferences.update(has_seen_tour=True)

    def _on_command_requested(self, name: str) -> None:
        """Some things can be done on their page only."""
        page = self._session.commands.command(name).page
        if page and page != self.page:
            self.show_page(page)
        self._session.commands.run(name)

    def _dismiss_overlays(self) -> bool:
        """Whether there was one."""
        shown = [overlay for overlay in self.findChildren(Overlay) if overlay.isVisible()]
        for overlay in shown:
            overlay.dismiss()
        return bool(shown)

    def _on_escape(self) -> None:
        """What is in front goes first: what lies over the window, a toast that has the keyboard, then what the page
        itself can close, then the running job. A page says what it can close in `handle_escape() -> bool`; True means
        that it was something."""
        if self._dismiss_overlays() or self.toasts.close_focused():
            return
        handle = getattr(self._stack.currentWidget(), "handle_escape", None)
        if handle is not None and handle():
            return
        if not self._session.queue.view.is_idle:
            self._session.queue.stop()

    def _on_full_screen_requested(self) -> None:
        self.showNormal() if self.isFullScreen() else self.showFullScreen()

    def _on_progress_changed(self, progress: ProgressView) -> None:
        """The title tells it to whoever sees only the task bar."""
        share = f"{progress.fraction:.0%} · " if progress.line else ""
        title = f"{share}UL Studio"
        if title != self.windowTitle():
            self.setWindowTitle(title)

    # ---- remembered size ------------------------------------------------------------------------------------------

    def geometry_text(self) -> str:
        """Size and place, to be remembered."""
        return bytes(self.saveGeometry().toBase64().data()).decode()

    def restore_geometry(self, text: str) -> None:
        """Take over a remembered size and place; whatever does not fit the screens is put right by Qt."""
        if text:
            self.restoreGeometry(QByteArray.fromBase64(text.encode()))

    # ---- settings from pictures -----------------------------------------------------------------------------------

    def ask_restore(self, offer: RestoreOffer) -> None:
        """Show what taking over would change."""
        self.show_page("generate")
        from app.ui.widgets.restore_dialog import RestoreDialog

        dialog = RestoreDialog(offer, self)
        dialog.changes_chosen.connect(self.changes_chosen)
        dialog.open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """One file of this computer may come in."""
        if _dropped_file(event) is not None:
            event.acceptProposedAction()
            self._hint.cover()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It went away again."""
        self._hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Look what it is."""
        self._hint.hide()
        path = _dropped_file(event)
        if path is not None:
            event.acceptProposedAction()
            self.file_dropped.emit(path)

    # ---- files and folders ----------------------------------------------------------------------------------------

    def show_in_folder(self, path: str) -> None:
        """Open the folder of a file."""
        open_folder(Path(path).parent)

    def show_report(self, text: str, path: str) -> None:
        """A crash report, to be read and copied."""
        from app.ui.widgets.report_dialog import ReportDialog

        dialog = ReportDialog(text, path, self)
        dialog.folder_requested.connect(self.show_in_folder)
        dialog.open()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The program ends by its own, slower way; if something would be lost, it asks first."""
        loss = self._loss()
        if loss and not self._may_close:
            event.ignore()
            self._ask_close(loss)
            return
        super().closeEvent(event)
        self.closed.emit()

    def ask_release(self) -> None:
        """The engine is at work; ending it now costs what it is at."""
        from app.ui.widgets.question_dialog import QuestionDialog

        dialog = QuestionDialog(
            self.tr("End the engine while it works?"),
            self.tr("The running job stops. What is finished is kept; what waits stays in the queue, on hold."),
            (self.tr("End it"), self.tr("Let it work")),
            self,
        )
        dialog.confirmed.connect(self.release_confirmed)
        dialog.open()

    def _loss(self) -> str:
        """What closing now would lose; empty if nothing."""
        jobs = self._session.queue.view
        if any(job.page != "generate" for job in (*filter(None, (jobs.running,)), *jobs.ready)):
            return self.tr("A comparison is still being computed and would be lost.")
        if self._session.export.progress is not None:
            return self.tr("A file is still being exported; it would not be finished.")
        if any(not tile.path and tile.problem for tile in self._session.results.done_tiles()):
            return self.tr("Some pictures could not be saved and exist only in this window.")
        return ""

    def _ask_close(self, loss: str) -> None:
        from app.ui.widgets.question_dialog import QuestionDialog

        answers = (self.tr("Close anyway"), self.tr("Stay"))
        dialog = QuestionDialog(self.tr("Close UL Studio?"), loss, answers, self)
        dialog.confirmed.connect(self._on_close_confirmed)
        dialog.open()

    def _on_close_confirmed(self) -> None:
        self._may_close = True
        self.close()


def _dropped_file(event: QDropEvent) -> str | None:
    """The path, if exactly one local file is dropped."""
    urls = event.mimeData().urls()
    return urls[0].toLocalFile() if len(urls) == 1 and urls[0].isLocalFile() else None
