"""The two dialogs of the library: its bin, and the clean-up."""

from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.ui.widgets.library.bin_dialog import BinDialog
from app.ui.widgets.library.cleanup_dialog import CleanupDialog


class LibraryDialogs(QObject):
    """Opens them, and hands them what they asked for."""

    bin_requested = Signal()
    restore_requested = Signal(object)  # tuple[BinEntry, ...]
    empty_bin_requested = Signal()
    preview_requested = Signal(object)  # Cleanup
    cleanup_requested = Signal(object)  # CleanupPreview
    thumbnail_requested = Signal(object)  # ThumbnailWish

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.bin: BinDialog | None = None
        self.cleanup: CleanupDialog | None = None

    def open_bin(self) -> None:
        """What was deleted."""
        self.bin = BinDialog(self._parent)
        self.bin.restore_requested.connect(self.restore_requested)
        self.bin.empty_requested.connect(self.empty_bin_requested)
        self.bin.finished.connect(self._on_bin_closed)
        self.bin.open()
        self.bin_requested.emit()

    def open_cleanup(self) -> None:
        """Look for what could go."""
        self.cleanup = CleanupDialog(self._parent)
        self.cleanup.preview_requested.connect(self.preview_requested)
        self.cleanup.confirmed.connect(self.cleanup_requested)
        self.cleanup.grid.thumbnails.wished.connect(self.thumbnail_requested)
        self.cleanup.finished.connect(self._on_cleanup_closed)
        self.cleanup.open()

    def refresh(self) -> None:
        """The bin may hold something else now."""
        if self.bin is not None:
            self.bin_requested.emit()

    def set_bin(self, entries: Any) -> None:
        """What the bin holds."""
        if self.bin is not None:
            self.bin.set_entries(entries)

    def set_preview(self, preview: Any) -> None:
        """What a clean-up would take."""
        if self.cleanup is not None:
            self.cleanup.set_preview(preview)

    def set_thumbnail(self, news: Any) -> None:
        """A small picture is there."""
        if self.cleanup is not None:
            self.cleanup.grid.thumbnails.set_thumbnail(news)

    def _on_bin_closed(self) -> None:
        self.bin = None

    def _on_cleanup_closed(self) -> None:
        self.cleanup = None
