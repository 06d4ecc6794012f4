"""The page Models: models on this computer and on the Hub."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.models.commands import Command
from app.models.desk.model_rows import ModelRows
from app.models.session import Session
from app.ui.pieces import Pieces, polish
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip, TextButton
from app.ui.widgets.drop_hint import DropHint
from app.ui.widgets.labels import label
from app.ui.widgets.models.hub_browser import HubBrowser
from app.ui.widgets.models.model_details import ModelDetails
from app.ui.widgets.models.model_list import WIDTH_PX, ModelList
from app.ui.widgets.models.publish_dialog import PublishDialog
from app.ui.widgets.models.storage_line import StorageLine
from app.ui.widgets.models.task_rows import TaskRows
from app.ui.widgets.models.token_dialog import TokenDialog
from app.ui.widgets.question_dialog import QuestionDialog
from app.ui.widgets.shortcuts import bind
from ul_engine.hub.wording import size_text

_MARGIN = 20


class ModelsPage(QWidget):
    """Emits wishes; its insides are built when it is first seen."""

    opened = Signal()
    use_requested = Signal(object)  # str: folder
    compare_requested = Signal(object)  # str: folder
    verify_requested = Signal(object)  # str: folder
    folder_requested = Signal(object)  # Path
    card_wanted = Signal(object)  # str: folder
    remove_requested = Signal(object)  # str: folder
    restore_requested = Signal(object)  # str: batch
    empty_bin_requested = Signal()
    move_requested = Signal(object)  # Path
    import_requested = Signal(object)  # tuple[str, ...]: folders or zips
    refresh_requested = Signal()
    search_requested = Signal(object)  # str
    fetch_requested = Signal(object)  # str: repository
    forget_requested = Signal(object)  # str: repository
    pause_requested = Signal(object)  # DeskTask
    drop_requested = Signal(object)  # DeskTask
    token_entered = Signal(object, object)  # str: token; str: repository that waits for it
    forget_token_requested = Signal()
    plan_requested = Signal(object)  # PublishWish
    publish_requested = Signal(object)  # PublishWish

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._desk = session.desk
        self.pieces = Pieces(self._make, partial(polish, self))
        self.setAcceptDrops(True)
        self._hint = DropHint(
            self, self.tr("Drop to bring a model in"), self.tr("Its folder with config.json, or a zip of it.")
        )
        self._desk.token_wanted.connect(self.open_token)
        self._add_commands()

    def _add_commands(self) -> None:
        group = self.tr("Models")
        for name, title, keys, run, words in (
            ("import", self.tr("Bring in a model folder…"), (), self.choose_folder, self.tr("add open import")),
            (
                "import-zip",
                self.tr("Bring in a zipped model…"),
                (),
                self.choose_zip,
                self.tr("add open import archive"),
            ),
            ("refresh", self.tr("Look for models again"), ("F5",), self.refresh_requested.emit, self.tr("reload")),
            ("hub", self.tr("Find models on the Hugging Face Hub"), ("Ctrl+F",), self.show_hub, self.tr("download")),
            ("token", self.tr("Access token of the Hub…"), (), self.open_token, self.tr("login gated password")),
        ):
            command = Command(f"models.{name}", title, group, keys, "models", words)
            bind(self, self._session.commands, command, run)

    def showEvent(self, event: QShowEvent) -> None:
        """Build what is inside, and look at the folders."""
        self.build()
        super().showEvent(event)
        if not event.spontaneous():
            self.opened.emit()

    # ---- building -------------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Make the insides, once."""
        self.pieces.finish()

    def _make(self) -> Iterator[None]:
        session, desk = self._session, self._desk
        self.rows = ModelRows(session.library, desk, self)
        self.list = ModelList(self.rows, self)
        self.details = ModelDetails(self.rows, desk, self._own_folder, self)
        yield
        self.hub = HubBrowser(desk, self)
        yield
        self.tasks = TaskRows(desk, self)
        self.storage = StorageLine(desk, session.folders, self)
        self.here_tab = Chip(self.tr("On this computer"), parent=self)
        self.hub_tab = Chip(self.tr("Hugging Face Hub"), parent=self)
        self.folder_button = TextButton(self.tr("Bring in a folder…"), "", "folder", self)
        self.zip_button = TextButton(self.tr("Bring in a zip…"), "", "model", self)
        self._pages = QStackedWidget(self)
        here = QSplitter(Qt.Orientation.Horizontal, self)
        here.setChildrenCollapsible(False)
        here.addWidget(self.list)
        here.addWidget(self.details)
        here.setStretchFactor(1, 1)
        here.setSizes([WIDTH_PX, 800])
        self._pages.addWidget(here)
        self._pages.addWidget(self.hub)
        inner = QVBoxLayout()
        inner.setContentsMargins(_MARGIN, SPACING.l, SPACING.m, 0)
        inner.setSpacing(SPACING.m)
        inner.addLayout(self._head())
        inner.addWidget(self.tasks)
        inner.addWidget(self._pages, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(inner, 1)
        layout.addWidget(self.storage)
        self._show_page(self.here_tab)
        self._connect()

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(SPACING.s)
        head.addWidget(label(self.tr("Models"), "title"))
        head.addSpacing(SPACING.l)
        for tab in (self.here_tab, self.hub_tab):
            tab.setCheckable(True)
            tab.clicked.connect(self._on_tab_clicked)
            head.addWidget(tab)
        head.addStretch(1)
        for button in (self.folder_button, self.zip_button):
            head.addWidget(button)
        return head

    def _connect(self) -> None:
        details, hub = self.details, self.hub
        self.list.chosen_changed.connect(self._on_chosen_changed)
        self.list.use_requested.connect(self._on_use_requested)
        self.rows.modelReset.connect(self._on_rows_reset)
        for mine, theirs in (
            (details.use_requested, self.use_requested),
            (details.compare_requested, self.compare_requested),
            (details.verify_requested, self.verify_requested),
            (details.card_wanted, self.card_wanted),
            (details.remove_requested, self.remove_requested),
            (hub.search_requested, self.search_requested),
            (hub.fetch_requested, self.fetch_requested),
            (hub.forget_requested, self.forget_requested),
            (self.tasks.pause_requested, self.pause_requested),
            (self.tasks.drop_requested, self.drop_requested),
            (self.storage.restore_requested, self.restore_requested),
        ):
            mine.connect(theirs)
        hub.token_requested.connect(self.open_token)
        details.folder_requested.connect(self._on_folder_requested)
        details.publish_requested.connect(self.open_publish)
        self.folder_button.clicked.connect(self.choose_folder)
        self.zip_button.clicked.connect(self.choose_zip)
        self.storage.folder_requested.connect(self._on_own_folder_requested)
        self.storage.move_requested.connect(self.choose_new_place)
        self.storage.empty_requested.connect(self._ask_empty)
        self._on_rows_reset()

    def _own_folder(self) -> str:
        return str(self._session.folders.places.models)

    # ---- navigation -----------------------------------------------------------------------------------------------

    def show_hub(self) -> None:
        """Search the Hub."""
        if self.pieces.is_made:
            self._show_page(self.hub_tab)
            self.hub.field.setFocus()

    def show_model(self, folder: str) -> None:
        """Choose a model among those here."""
        if self.pieces.is_made:
            self._show_page(self.here_tab)
            self.list.choose(folder)

    def _on_tab_clicked(self) -> None:
        tab = self.sender()
        if isinstance(tab, Chip):
            self._show_page(tab)

    def _show_page(self, tab: Chip) -> None:
        self.here_tab.setChecked(tab is self.here_tab)
        self.hub_tab.setChecked(tab is self.hub_tab)
        self._pages.setCurrentIndex(int(tab is self.hub_tab))

    # ---- the models here ------------------------------------------------------------------------------------------

    def _on_rows_reset(self) -> None:
        """The chosen model stays chosen; if it is gone, the first one is."""
        entry = self.details.entry
        if (entry is None or not self.list.choose(entry.path)) and self.rows.rowCount():
            self.list.setCurrentIndex(self.rows.index(0))
        self._on_chosen_changed()

    def _on_chosen_changed(self) -> None:
        self.details.show_entry(self.list.entry)

    def _on_use_requested(self) -> None:
        entry = self.list.entry
        if entry is not None and entry.manifest is not None and entry.manifest.can_generate:
            self.use_requested.emit(entry.path)

    def _on_folder_requested(self, folder: str) -> None:
        self.folder_requested.emit(Path(folder))

    def _on_own_folder_requested(self) -> None:
        self.folder_requested.emit(self._session.folders.places.models)

    # ---- bringing in ----------------------------------------------------------------------------------------------

    def choose_folder(self) -> None:
        """Ask for the folder of a model."""
        dialog = self._dialog(self.tr("Folder of a model (with its config.json)"), QFileDialog.FileMode.Directory)
        dialog.filesSelected.connect(self._on_sources_chosen)
        dialog.open()

    def choose_zip(self) -> None:
        """Ask for a zipped model."""
        dialog = self._dialog(self.tr("Zipped model"), QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilter(self.tr("Zipped models (*.zip)"))
        dialog.filesSelected.connect(self._on_sources_chosen)
        dialog.open()

    def choose_new_place(self) -> None:
        """Ask where the models should be moved to."""
        dialog = self._dialog(self.tr("Empty folder to move your models to"), QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._on_new_place_chosen)
        dialog.open()

    def _dialog(self, title: str, mode: QFileDialog.FileMode) -> QFileDialog:
        dialog = QFileDialog(self, title)
        dialog.setFileMode(mode)
        if mode is QFileDialog.FileMode.Directory:
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog

    def _on_sources_chosen(self, paths: list[str]) -> None:
        self.import_requested.emit(tuple(paths))

    def _on_new_place_chosen(self, path: str) -> None:
        self.move_requested.emit(Path(path))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Model folders and zips may be dropped here."""
        if _dropped_models(event):
            event.acceptProposedAction()
            self._hint.cover()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """They went away again."""
        self._hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Bring them in."""
        self._hint.hide()
        paths = _dropped_models(event)
        if paths:
            event.acceptProposedAction()
            self.import_requested.emit(paths)

    # ---- dialogs --------------------------------------------------------------------------------------------------

    def open_token(self, repo: Any = "") -> None:
        """Ask for a token; `repo` is fetched once it is there. Who is asked already is asked anew."""
        if (before := self.findChild(TokenDialog)) is not None:
            before.reject()
        dialog = TokenDialog(self._desk, repo if isinstance(repo, str) else "", self)
        self._waiting_repo = repo if isinstance(repo, str) else ""
        dialog.token_entered.connect(self._on_token_entered)
        dialog.forget_requested.connect(self.forget_token_requested)
        dialog.open()

    def _on_token_entered(self, token: str) -> None:
        self.token_entered.emit(token, self._waiting_repo)

    def open_publish(self, folder: str) -> None:
        """Show what would be sent, and ask where to."""
        facts = self._desk.storage.models.get(folder)
        repo = facts.source if facts is not None and "/" in facts.source else ""
        dialog = PublishDialog(self._desk, folder, repo, self)
        dialog.plan_requested.connect(self.plan_requested)
        dialog.publish_requested.connect(self.publish_requested)
        dialog.open()

    def _ask_empty(self) -> None:
        removed = self._desk.storage.removed
        sentence = self.tr("{names} will be gone for good: {size}.").format(
            names=", ".join(each.name for each in removed), size=size_text(sum(each.size_bytes for each in removed))
        )
        answers = (self.tr("Delete for good"), self.tr("Keep"))
        dialog = QuestionDialog(self.tr("Empty the bin of models?"), sentence, answers, self)
        dialog.confirmed.connect(self.empty_bin_requested)
        dialog.open()


def _dropped_models(event: QDropEvent) -> tuple[str, ...]:
    """Folders and zips of this computer; nothing if anything else is among what is dropped."""
    urls = event.mimeData().urls()
    paths = [url.toLocalFile() for url in urls if url.isLocalFile()]
    is_model = bool(paths) and all(path.lower().endswith(".zip") or Path(path).is_dir() for path in paths)
    return tuple(paths) if len(paths) == len(urls) and is_model else ()
