"""The page Train: the runs on the left; one of them live, or the way to a new one, on the right."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from app.models.commands import Command
from app.models.runs.run_view import RunView
from app.models.runs.wishes import RunVerb, RunWish
from app.models.session import Session
from app.run_news import RunCondition
from app.services.preview_sheets import SheetImage
from app.ui.pieces import Pieces, polish
from app.ui.widgets.drop_hint import DropHint
from app.ui.widgets.shortcuts import bind
from app.ui.widgets.train.run_panel import RunPanel

if TYPE_CHECKING:
    from app.ui.widgets.train.live_view import LiveView
    from app.ui.widgets.train.new_run import NewRun
    from app.ui.widgets.train.no_run import NoRun


class TrainPage(QWidget):
    """Emits wishes; shows what the models hold. Its insides are built when it is shown first."""

    wished = Signal(object)  # RunWish
    folder_chosen = Signal(object)  # str: runs from elsewhere
    folder_requested = Signal(object)  # str: a folder to be shown
    publish_requested = Signal(object)  # str: a model folder
    sheet_wanted = Signal(object)  # SheetWish
    run_started = Signal(object)  # str: a run that the new-run pages have started

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setAcceptDrops(True)
        self._hint = DropHint(
            self, self.tr("Drop to train on it"), self.tr("A folder, a zip or tar files of pictures or videos.")
        )
        self.pieces = Pieces(self._make, self._make_ahead)
        self._register()
        self.panel: RunPanel
        self.stack: QStackedWidget
        self.live: LiveView
        self.new_run: NewRun
        self.nothing: NoRun

    def _register(self) -> None:
        """Everything the page can do, for the palette and the list of shortcuts."""
        commands, group = self._session.commands, self.tr("Train")
        new = Command("train.new", self.tr("New run"), group, ("Ctrl+N",), "train", "train start model")
        bind(self, commands, new, self._on_new_requested)
        verbs = (
            ("pause", self.tr("Pause the run"), RunVerb.PAUSE),
            ("resume", self.tr("Resume the run"), RunVerb.RESUME),
            ("stop", self.tr("Stop the run"), RunVerb.STOP),
            ("preview", self.tr("Draw a preview now"), RunVerb.PREVIEW),
            ("save", self.tr("Save the run’s state now"), RunVerb.SAVE),
        )
        for name, title, verb in verbs:
            command = Command(f"train.{name}", title, group, (), "train", "training run")
            bind(self, commands, command, partial(self._wish, verb), partial(self._can, verb))
        for place, (tab, title) in enumerate(
            (
                ("charts", self.tr("Charts of the run")),
                ("previews", self.tr("Previews of the run")),
                ("checkpoints", self.tr("Checkpoints of the run")),
                ("log", self.tr("Log of the run")),
            )
        ):
            show = Command(f"train.{tab}", title, group, (f"Alt+{place + 1}",), "train", "tab")
            bind(self, commands, show, partial(self._show_tab, tab), self._has_run)
        for keys, title in (
            (self.tr("Wheel"), self.tr("Zoom a chart at the pointer, after a click into it or with Ctrl")),
            (self.tr("Shift+drag"), self.tr("Zoom a chart into a box")),
            ("R", self.tr("Show everything in a chart")),
            (self.tr("Shift+Left, Shift+Right"), self.tr("Walk over a chart’s values")),
            ("Ctrl+Return", self.tr("New run: the next step, and at last the start")),
            ("Alt+Left", self.tr("New run: the step before")),
        ):
            commands.add(Command(f"train.hand {keys}", title, group, (keys,), "train"))

    def _wish(self, verb: RunVerb) -> None:
        current = self._session.runs.current
        if current is not None:
            self.wished.emit(RunWish(verb, current.path))

    def _can(self, verb: RunVerb) -> bool:
        current = self._session.runs.current
        if current is None:
            return False
        condition = current.standing.condition
        return condition.can_resume if verb is RunVerb.RESUME else condition is RunCondition.RUNNING

    def _has_run(self) -> bool:
        return self._session.runs.current is not None

    def _show_tab(self, tab: str) -> None:
        self.build()
        self.show_run()
        self.live.show_tab(tab)

    def showEvent(self, event: QShowEvent) -> None:
        """Build what the first paint of the window need not wait for."""
        self.build()
        super().showEvent(event)

    def build(self) -> None:
        """Make the insides, once; the charts bring numpy."""
        self.pieces.finish()

    def _make(self) -> Iterator[None]:
        from app.ui.widgets.train.live_view import LiveView
        from app.ui.widgets.train.new_run import NewRun
        from app.ui.widgets.train.no_run import NoRun

        runs = self._session.runs
        self.panel = RunPanel(runs, self)
        yield
        self.live = LiveView(runs, self)
        yield
        self.new_run = NewRun(self._session, self)
        self.nothing = NoRun(runs, self)
        self.stack = QStackedWidget(self)
        for page in (self.nothing, self.live, self.new_run):
            self.stack.addWidget(page)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.panel)
        layout.addWidget(self.stack, 1)
        self._connect()
        self._on_runs_changed()
        self.show_run()

    def _make_ahead(self) -> Iterator[None]:
        """The way to a new run too."""
        yield from polish(self)
        while not self.new_run.pieces.is_over:
            yield
            self.new_run.pieces.make_next()

    def _connect(self) -> None:
        runs = self._session.runs
        self.panel.new_requested.connect(self._on_new_requested)
        self.panel.run_chosen.connect(self.open_run)
        self.panel.folder_chosen.connect(self.folder_chosen)
        self.nothing.new_requested.connect(self._on_new_requested)
        self.live.wished.connect(self.wished)
        self.live.folder_requested.connect(self.folder_requested)
        self.live.publish_requested.connect(self.publish_requested)
        self.live.sheet_wanted.connect(self.sheet_wanted)
        self.live.clone_requested.connect(self.open_new_run)
        self.new_run.closed.connect(self.show_run)
        self.new_run.run_started.connect(self._on_run_started)
        runs.list.runs_changed.connect(self._on_runs_changed)
        runs.current_changed.connect(self._on_current_changed)

    # ---- what is in front -----------------------------------------------------------------------------------------

    def open_run(self, path: str) -> None:
        """Bring a run to the front."""
        self.build()
        self._session.runs.open(path)
        self.show_run()

    def show_run(self) -> None:
        """The run in front, or that there is none."""
        self.stack.setCurrentWidget(self.live if self._session.runs.current is not None else self.nothing)

    def is_showing(self, path: str) -> bool:
        """Whether this run is what is seen."""
        current = self._session.runs.current
        is_front = current is not None and current.path == path
        return self.isVisible() and is_front and self.stack.currentWidget() is self.live

    def open_new_run(self, source: str = "") -> None:
        """The way to a new run, with the settings of the run folder `source` if there is one."""
        self.build()
        self.new_run.prepare(source)
        self.stack.setCurrentWidget(self.new_run)

    def train_on(self, path: str) -> None:
        """The way to a new run on a folder or an archive."""
        if not self.pieces.is_made or self.stack.currentWidget() is not self.new_run:
            self.open_new_run()
        self.new_run.take_data(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A folder or an archive may come in anywhere; other files are for the window."""
        if _dropped_data(event):
            event.acceptProposedAction()
            self._hint.cover()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It went away again."""
        self._hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """That is what is to be trained on."""
        self._hint.hide()
        path = _dropped_data(event)
        if path:
            event.acceptProposedAction()
            self.train_on(path)

    def take_sheet(self, found: SheetImage) -> None:
        """A preview picture that was asked for."""
        if self.pieces.is_made:
            self.live.take_sheet(found)

    def _on_new_requested(self) -> None:
        self.open_new_run()

    def _on_run_started(self, folder: str) -> None:
        self.open_run(folder)
        self.run_started.emit(folder)

    def _on_runs_changed(self) -> None:
        """Who comes back finds the run that is at work, or the last one, in front."""
        runs = self._session.runs
        if runs.current is None and runs.list.runs:
            runs.open(runs.list.runs[0].path)

    def _on_current_changed(self, view: RunView | None) -> None:
        if self.stack.currentWidget() is not self.new_run:
            self.show_run()


def _dropped_data(event: QDropEvent) -> str:
    """The path, if exactly one local folder or archive is dropped."""
    urls = event.mimeData().urls()
    path = urls[0].toLocalFile().rstrip("/") if len(urls) == 1 and urls[0].isLocalFile() else ""
    return path if path and (path.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz")) or Path(path).is_dir()) else ""
