"""The page Library: everything made so far, to be searched, starred, compared and put in order."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, Qt, QUrl, Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.errors import Notice, Severity
from app.gallery import GalleryItem, GalleryKind
from app.models.commands import Command
from app.models.export_form import ExportSubject
from app.models.gallery.gallery import GalleryFilter
from app.models.session import Session
from app.services.file_facts import FileProblem
from app.services.gallery.records import pattern_of
from app.services.media import load_image
from app.ui.pieces import Pieces, polish
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.export_dialog import ExportDialog
from app.ui.widgets.export_subjects import SubjectFinder
from app.ui.widgets.library.details_panel import DetailsPanel
from app.ui.widgets.library.filter_row import TILE_SIZES, FilterRow
from app.ui.widgets.library.gallery_grid import GalleryGrid
from app.ui.widgets.library.gallery_verbs import GalleryMenu, GalleryVerbs
from app.ui.widgets.library.large_view import LargeView
from app.ui.widgets.library.library_dialogs import LibraryDialogs
from app.ui.widgets.library.library_notes import LibraryNotes
from app.ui.widgets.library.search_row import SearchRow
from app.ui.widgets.shortcuts import bind
from ul_engine.hub.wording import size_text

MAX_IN_DETAIL = 512
_MARGIN = 20


class LibraryPage(QWidget):
    """Emits wishes; carries out only what needs no more than a window: clipboard and dialogs.

    Its insides are built when it is first seen.
    """

    opened = Signal()
    thumbnail_requested = Signal(object)  # ThumbnailWish
    star_requested = Signal(object)  # StarWish
    use_requested = Signal(object)  # str: path
    compare_requested = Signal(object)  # tuple[str, ...]: paths
    continue_requested = Signal(object)  # str: path
    folder_requested = Signal(object)  # str: path
    delete_requested = Signal(object)  # tuple[int, ...]: numbers
    generate_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._gallery = session.gallery
        self._tile_px = TILE_SIZES[1][1]
        self.pieces = Pieces(self._make, partial(polish, self))
        self._row = 0
        self._large: LargeView | None = None
        self.verbs = GalleryVerbs(self)
        self._finder = SubjectFinder(self)
        self.dialogs = LibraryDialogs(self)
        self.dialogs.thumbnail_requested.connect(self.thumbnail_requested)
        self._add_commands()

    def showEvent(self, event: QShowEvent) -> None:
        """Build what is inside, and have the files looked at."""
        self.build()
        super().showEvent(event)
        if not event.spontaneous():
            self.opened.emit()

    def build(self) -> None:
        """Make the insides, once."""
        self.pieces.finish()

    def _make(self) -> Iterator[None]:
        self.search = SearchRow(self)
        self.filters = FilterRow(self._gallery, self)
        yield
        self.grid = GalleryGrid(self._gallery.list, self)
        self.notes = LibraryNotes(self._gallery, self)
        yield
        self.details = DetailsPanel(self.verbs, self)
        yield
        self.bin_button = IconButton("trash", self.tr("Bin"), parent=self)
        self.cleanup_button = IconButton("broom", self.tr("Clean up…"), parent=self)
        self._overview = QWidget(self)
        self._pages = QStackedWidget(self)
        self._inner = QStackedWidget(self)
        rows = QVBoxLayout(self._overview)
        rows.setContentsMargins(_MARGIN, SPACING.l, SPACING.xs, 0)
        rows.setSpacing(SPACING.s)
        rows.addLayout(self._head())
        rows.addLayout(_beside_the_bar(self.filters))
        rows.addWidget(self._inner, 1)
        self._inner.addWidget(self.notes)
        self._inner.addWidget(self.grid)
        self._pages.addWidget(self._overview)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.details)
        self._connect()

    def _head(self) -> QHBoxLayout:
        head = _beside_the_bar(self.search)
        for button in (self.cleanup_button, self.bin_button):
            head.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return head

    def _connect(self) -> None:
        gallery, grid = self._gallery, self.grid
        self.search.field.text_settled.connect(self._on_text_settled)
        self.search.field.left_downwards.connect(self._on_left_search)
        self.filters.tile_px_changed.connect(grid.set_tile_px)
        self.filters.set_tile_px(self._tile_px)
        gallery.filter_changed.connect(self._on_filter_changed)
        gallery.shown_changed.connect(self._on_shown_changed)
        gallery.facts_changed.connect(self._on_facts_changed)
        gallery.list.dataChanged.connect(self._on_chosen_changed)
        grid.selectionModel().selectionChanged.connect(self._on_chosen_changed)
        grid.thumbnails.wished.connect(self.thumbnail_requested)
        grid.open_requested.connect(self.open_item)
        grid.star_requested.connect(self.star_requested)
        grid.menu_requested.connect(self._on_menu_requested)
        self.notes.generate_requested.connect(self.generate_requested)
        self.notes.clear_requested.connect(self._on_clear_requested)
        self.bin_button.clicked.connect(self.dialogs.open_bin)
        self.cleanup_button.clicked.connect(self.dialogs.open_cleanup)
        self._connect_verbs()
        self._on_facts_changed(gallery.facts)
        self._on_shown_changed()

    def _connect_verbs(self) -> None:
        verbs = self.verbs
        verbs.open_requested.connect(self.open_item)
        verbs.star_requested.connect(self.star_requested)
        verbs.use_requested.connect(self.use_requested)
        verbs.compare_requested.connect(self.compare_requested)
        verbs.continue_requested.connect(self.continue_requested)
        verbs.folder_requested.connect(self.folder_requested)
        verbs.copy_requested.connect(self._on_copy_requested)
        verbs.delete_requested.connect(self.delete_requested)
        verbs.export_requested.connect(self._on_export_requested)
        self._finder.found.connect(self._on_subject_found)
        self._finder.failed.connect(self._on_subject_failed)

    def _on_export_requested(self, item: GalleryItem) -> None:
        self._finder.find(pattern_of(Path(item.path)))

    def _on_subject_found(self, subject: ExportSubject) -> None:
        """Ask how and where; while an export is running, its progress is shown instead."""
        export = self._session.export
        export.begin(subject, keeps_request=self._session.preferences.state.keeps_request)
        ExportDialog(export, self.window()).open()

    def _on_subject_failed(self, problem: FileProblem) -> None:
        title, sentence = self.tr("This result cannot be saved anew"), f"{Path(problem.path).name} {problem.sentence}."
        self._session.notices.post(Notice(Severity.WARNING, title, sentence, key="export", is_passing=True))

    def _add_commands(self) -> None:
        group, verbs, dialogs = self.tr("Library"), self.verbs, self.dialogs

        def add(name: str, title: str, keys: tuple[str, ...], run: Any, *, can: Any = None, words: str = "") -> None:
            command = Command(f"library.{name}", title, group, keys, "library", words)
            bind(self, self._session.commands, command, run, can)

        like, remix = self.tr("favourite like"), self.tr("restore remix")
        add("search", self.tr("Search the library"), ("Ctrl+F", "/"), self.focus_search, words=self.tr("find filter"))
        add("star", self.tr("Star, or take the star away"), ("S",), verbs.star, can=verbs.has_any, words=like)
        add("use", self.tr("Use the settings of a result"), ("U",), verbs.use, can=verbs.can_use, words=remix)
        add("compare", self.tr("Compare the chosen results"), ("C",), verbs.compare, can=verbs.can_compare)
        add("copy", self.tr("Copy the chosen results"), ("Ctrl+C",), verbs.copy, can=verbs.has_any)
        add(
            "save", self.tr("Save the chosen result as…"), ("Ctrl+S",), verbs.export, can=verbs.can_open, words="export"
        )
        add(
            "delete",
            self.tr("Move to the bin"),
            ("Del",),
            verbs.delete,
            can=verbs.has_any,
            words=self.tr("remove trash"),
        )
        add("clean", self.tr("Clean up the library…"), (), dialogs.open_cleanup, words=self.tr("duplicates old space"))
        add("bin", self.tr("Open the bin…"), (), dialogs.open_bin, words=self.tr("trash undelete restore"))

    # ---- from outside ---------------------------------------------------------------------------------------------

    @property
    def tile_px(self) -> int:
        """The wished width of a cell."""
        return self.filters.tile_px if self.pieces.is_made else self._tile_px

    def set_tile_px(self, tile_px: int) -> None:
        """Take over the remembered one."""
        self._tile_px = tile_px
        if self.pieces.is_made:
            self.filters.set_tile_px(tile_px)

    def set_thumbnail(self, news: Any) -> None:
        """A small picture is there."""
        if self.pieces.is_made:
            self.grid.thumbnails.set_thumbnail(news)
        self.dialogs.set_thumbnail(news)

    def handle_escape(self) -> bool:
        """From the large result back to all; else the search is emptied. False if there is nothing to go back from."""
        if self.is_large:
            self.close_large()
            return True
        if self.pieces.is_made and self.search.field.text():
            self.search.field.set_text("")
            return True
        return False

    # ---- searching ------------------------------------------------------------------------------------------------

    def focus_search(self) -> None:
        """Ready to type."""
        self.close_large()
        self.search.field.setFocus()
        self.search.field.selectAll()

    def _on_text_settled(self, text: str) -> None:
        self._gallery.set_filter(text=text)

    def _on_left_search(self) -> None:
        self.grid.setFocus()
        if not self.grid.currentIndex().isValid() and self._gallery.list.rowCount():
            self.grid.setCurrentIndex(self._gallery.list.index(0))

    def _on_filter_changed(self, _filter: Any) -> None:
        self.search.set_problem(self._gallery.problem)
        self.grid.scrollToTop()

    def _on_clear_requested(self) -> None:
        self.search.field.set_text("")
        self._gallery.set_filter(**vars(GalleryFilter(order=self._gallery.filter.order)))

    def _on_shown_changed(self) -> None:
        has_some = self._gallery.list.rowCount() > 0
        self._inner.setCurrentWidget(self.grid if has_some else self.notes)
        if self.is_large:
            self._refresh_large()
        self._on_chosen_changed()

    def _on_facts_changed(self, facts: Any) -> None:
        words = self.tr("Bin (empty)")
        if facts.bin_items:
            size = size_text(facts.bin_bytes)
            words = self.tr("Bin: {n} deleted, {size}").format(n=facts.bin_items, size=size)
        self.bin_button.set_name(words)
        self.dialogs.refresh()

    # ---- what is chosen -------------------------------------------------------------------------------------------

    def _on_chosen_changed(self, *_payload: Any) -> None:
        ids = self.grid.chosen_ids()
        if self.is_large and self.large.item is not None:
            ids = (self.large.item.item_id,)
        known = [self._gallery.list.known(number) for number in ids[:MAX_IN_DETAIL]]
        self.verbs.set_chosen(ids, tuple(item for item in known if item is not None))

    def _on_menu_requested(self, place: Any) -> None:
        GalleryMenu(self.verbs, self).open_at(place)

    def _on_copy_requested(self, items: tuple[GalleryItem, ...]) -> None:
        """One picture goes as a picture and as a file; several go as files."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(item.path) for item in items])
        if len(items) == 1 and items[0].kind is GalleryKind.PICTURE:
            image = load_image(items[0].path)
            if image is not None:
                data.setImageData(image)
        QGuiApplication.clipboard().setMimeData(data)

    # ---- one result large -----------------------------------------------------------------------------------------

    @property
    def large(self) -> LargeView:
        """The view of one result, built when it is first needed."""
        if self._large is None:
            self._large = LargeView(self)
            self._large.close_requested.connect(self.close_large)
            self._large.step_requested.connect(self._on_step_requested)
            self._pages.addWidget(self._large)
        return self._large

    @property
    def is_large(self) -> bool:
        """Whether one result fills the page."""
        return self._large is not None and self._pages.currentWidget() is self._large

    def open_item(self, item: GalleryItem) -> None:
        """Show one result large."""
        row = self._gallery.list.row_of(item.item_id)
        if row is not None:
            self._show_large(item, row)
            self._pages.setCurrentWidget(self.large)
            self.large.setFocus()
            self._on_chosen_changed()

    def close_large(self) -> None:
        """Back to all, with the focus on what was large."""
        if not self.is_large:
            return
        item = self.large.item
        self._pages.setCurrentWidget(self._overview)
        self.large.clear()
        if item is not None:
            self.grid.choose(item.item_id)
        self.grid.setFocus()
        self._on_chosen_changed()

    def _show_large(self, item: GalleryItem, row: int) -> None:
        self._row = row
        self.large.show_item(item, row, self._gallery.list.rowCount())

    def _on_step_requested(self, step: int) -> None:
        row = self._row + step
        item = self._gallery.list.item(row) if 0 <= row < self._gallery.list.rowCount() else None
        if item is not None:
            self._show_large(item, row)
            self._on_chosen_changed()

    def _refresh_large(self) -> None:
        """The result on show may have moved; if it is gone, the one after it takes its place."""
        rows, shown = self._gallery.list, self.large.item
        if shown is None or rows.rowCount() == 0:
            self.close_large()
            return
        row = rows.row_of(shown.item_id)
        row = min(self._row, rows.rowCount() - 1) if row is None else row
        item = rows.item(row)
        if item is not None:
            self._show_large(item, row)


def _beside_the_bar(widget: QWidget) -> QHBoxLayout:
    """A row that ends where the grid's scroll bar begins."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, SPACING.m, 0)
    row.setSpacing(SPACING.xs)
    row.addWidget(widget, 1)
    return row
