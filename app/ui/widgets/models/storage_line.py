"""Where the person's models lie, how much room they take, and the bin."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.models.desk.desk import ModelDesk
from app.models.folders import Folders
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.labels import label
from app.ui.widgets.shown_path import shown_path
from ul_engine.hub.wording import size_text


class StorageLine(QFrame):
    """One row at the bottom."""

    folder_requested = Signal()
    move_requested = Signal()
    restore_requested = Signal(object)  # str: batch of what was removed last
    empty_requested = Signal()

    def __init__(self, desk: ModelDesk, folders: Folders, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._folders = folders
        self.setProperty("role", "footer")
        self._place = ElidedLabel("", "muted", self)
        self._room = label("", "muted")
        self._bin = label("", "muted")
        show = TextButton(self.tr("Open"), "link", parent=self)
        self.move_button = TextButton(self.tr("Move…"), "link", parent=self)
        self.restore_button = TextButton(self.tr("Bring the last one back"), "link", parent=self)
        self.empty_button = TextButton(self.tr("Empty the bin…"), "link", parent=self)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACING.l, SPACING.xs, SPACING.l, SPACING.xs)
        row.setSpacing(SPACING.s)
        row.addWidget(self._place, 1)
        for part in (show, self.move_button, self._room, self._bin, self.restore_button, self.empty_button):
            row.addWidget(part)
        show.clicked.connect(self.folder_requested)
        self.move_button.clicked.connect(self.move_requested)
        self.restore_button.clicked.connect(self._on_restore_clicked)
        self.empty_button.clicked.connect(self.empty_requested)
        desk.storage_changed.connect(self._refresh)
        desk.tasks_changed.connect(self._refresh)
        folders.folders_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        storage = self._desk.storage
        self._place.set_text(self.tr("Your models: {folder}").format(folder=shown_path(self._folders.places.models)))
        self._room.setText(
            self.tr("{used} used, {free} free").format(
                used=size_text(storage.own_bytes), free=size_text(storage.free_bytes)
            )
            if storage.free_bytes
            else ""
        )
        size = size_text(sum(each.size_bytes for each in storage.removed))
        self._bin.setText(self.tr("Bin: {n}, {size}").format(n=len(storage.removed), size=size))
        for part in (self._bin, self.restore_button, self.empty_button):
            part.setVisible(bool(storage.removed))
        # Folders must not move under the feet of a download.
        self.move_button.setEnabled(not any(task.deed in ("download", "import", "move") for task in self._desk.tasks))

    def _on_restore_clicked(self) -> None:
        if self._desk.storage.removed:
            self.restore_requested.emit(self._desk.storage.removed[0].batch)
