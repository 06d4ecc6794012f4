"""Ties the library to its index: searches, stars, deletions with their way back, and news from the disk."""

from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from app.errors import Notice, NoticeAction, Severity
from app.gallery import CleanupPreview, GalleryQuery, StarWish
from app.models.gallery.gallery import ScanState
from app.models.notices import ActionChoice
from app.models.session import Session
from app.services.gallery.index import Found, GalleryIndex, GalleryProblem, ItemsRead, ScanProgress
from app.services.gallery.recycle_bin import BinEntry, BinResult
from app.services.gallery.scan import ScanResult
from app.services.gallery.thumbnails import Thumbnails
from app.services.gallery.watch import GalleryWatch
from app.services.picture_files import PictureFiles, PictureSaved
from app.studio import actions

SETTLE_MS = 60
"""Changes within this time are answered by one search."""


class GalleryKeeper(QObject):
    """The go-between of the gallery, its index and the notices."""

    def __init__(self, session: Session, files: PictureFiles, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._files = files
        self._is_open = False
        self.index = GalleryIndex(files.root, self)
        self.thumbnails = Thumbnails(files.root, self)
        self._watch = GalleryWatch(self)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._ask_again)
        self._connect()

    def _connect(self) -> None:
        gallery, index = self._session.gallery, self.index
        gallery.search_wanted.connect(self._on_search_wanted)
        gallery.list.items_wanted.connect(index.read_items)
        index.found.connect(self._on_found)
        index.items_read.connect(self._on_items_read)
        index.facts_read.connect(gallery.set_facts)
        index.content_changed.connect(self._on_content_changed)
        index.scan_progressed.connect(self._on_scan_progressed)
        index.scan_finished.connect(self._on_scan_finished)
        index.binned.connect(self._on_binned)
        index.restored.connect(self._on_restored)
        index.bin_emptied.connect(self.index.read_facts)
        index.problem_found.connect(self._on_problem)
        self._watch.folder_changed.connect(self._on_folder_changed)
        self._watch.stars_changed.connect(index.reread_stars)
        self._files.picture_saved.connect(self._on_picture_saved)
        self._session.notices.action_chosen.connect(self._on_action_chosen)

    def open(self) -> None:
        """The page came to the front: look whether anything happened behind our back."""
        self._is_open = True
        if self.index.root != self._files.root:
            self.thumbnails.set_root(self._files.root)
            self.index.set_root(self._files.root)
        else:
            self.index.rescan()
        self._session.gallery.search()
        self.index.read_facts()

    def close(self) -> None:
        """End all threads."""
        self._watch.stop()
        self._settle.stop()
        self.thumbnails.close()
        self.index.close()

    # ---- what a person does ---------------------------------------------------------------------------------------

    def set_starred(self, wish: StarWish) -> None:
        """Star results, or take their stars; shown at once."""
        self._session.gallery.list.set_starred(wish.ids, wish.is_starred)
        self.index.set_stars(wish.ids, wish.is_starred)

    def delete(self, ids: tuple[int, ...]) -> None:
        """Move results to the bin; a notice offers the way back."""
        self._session.notices.dismiss_passing()
        self.index.bin(ids)

    def restore(self, entries: tuple[BinEntry, ...]) -> None:
        """Bring chosen things back from the bin."""
        batches: dict[str, list[str]] = {}
        for entry in entries:
            batches.setdefault(entry.batch, []).append(entry.name)
        for batch, names in batches.items():
            self.index.restore(batch, tuple(names))

    def clean_up(self, preview: CleanupPreview) -> None:
        """Move what a clean-up found to the bin."""
        self.delete(tuple(item.item_id for item in preview.items))

    # ---- questions and answers ------------------------------------------------------------------------------------

    def _on_search_wanted(self, query: GalleryQuery) -> None:
        self.index.search(self._session.gallery.ticket, query)

    def _on_found(self, news: Found) -> None:
        self._session.gallery.set_found(news.ticket, news.ids)

    def _on_items_read(self, news: ItemsRead) -> None:
        self._session.gallery.list.set_items(news.ids, news.items)

    def _on_content_changed(self) -> None:
        if self._is_open and not self._settle.isActive():
            self._settle.start()

    def _ask_again(self) -> None:
        self._session.gallery.list.set_stale()
        self._session.gallery.search()
        self.index.read_facts()

    # ---- news from the disk ---------------------------------------------------------------------------------------

    def _on_picture_saved(self, news: PictureSaved) -> None:
        if self._is_open:
            self.index.add(news.path)

    def _on_folder_changed(self, folder: str) -> None:
        self.index.rescan(folder)

    def _on_scan_progressed(self, news: ScanProgress) -> None:
        self._session.gallery.set_scan(ScanState(False, True, news.done, news.total))

    def _on_scan_finished(self, result: ScanResult) -> None:
        self._session.gallery.set_scan(ScanState(is_first=False, problem=result.problem))
        if result.folders is not None:
            self._watch.watch(self.index.root, result.folders)

    # ---- deletions and their way back -----------------------------------------------------------------------------

    def _on_binned(self, result: BinResult) -> None:
        count = len(result.done)
        if count:
            title = self.tr("Moved to the bin") if count == 1 else self.tr("{n} moved to the bin").format(n=count)
            sentence = Path(result.done[0]).name if count == 1 else self.tr("They stay there until you empty it.")
            undo = NoticeAction(actions.RESTORE_DELETED, self.tr("Undo"), result.batch)
            self._post(Severity.INFO, title, sentence, undo)
        if result.problems:
            self._post_refused(self.tr("Some files could not be moved to the bin"), result.problems)

    def _on_restored(self, result: BinResult) -> None:
        count = len(result.done)
        if count:
            title = self.tr("Back again") if count == 1 else self.tr("{n} are back again").format(n=count)
            self._post(Severity.INFO, title, Path(result.done[0]).name if count == 1 else "")
        if result.problems:
            self._post_refused(self.tr("Some files could not be brought back"), result.problems)

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        if choice.name == actions.RESTORE_DELETED:
            self.index.restore(choice.argument)

    def _post(self, severity: Severity, title: str, sentence: str, *offered: NoticeAction) -> None:
        self._session.notices.post(Notice(severity, title, sentence, actions=offered, key="bin", is_passing=True))

    def _post_refused(self, title: str, problems: tuple[str, ...]) -> None:
        details = "\n".join(problems)
        self._session.notices.post(Notice(Severity.WARNING, title, problems[0], details=details, key="bin-refused"))

    def _on_problem(self, news: GalleryProblem) -> None:
        titles = {
            "scan": self.tr("The library could not be brought up to date"),
            "search": self.tr("The library cannot be searched"),
            "star": self.tr("The star could not be kept"),
            "bin": self.tr("Nothing was deleted"),
            "restore": self.tr("Nothing was brought back"),
            "empty": self.tr("The bin could not be emptied"),
        }
        self._session.notices.post(
            Notice(Severity.ERROR, titles[news.deed], f"{news.message.rstrip('.')}.", key=f"library-{news.deed}")
        )
        self._ask_again()
