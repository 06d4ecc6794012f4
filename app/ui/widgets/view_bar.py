"""How the grid shows its pictures: size, edges, and what to do with all of them."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.models.results import ResultsModel
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip, IconButton
from app.ui.widgets.labels import label
from app.ui.widgets.queue_list import pictures_text

TILE_SIZES = (("S", 140), ("M", 204), ("L", 332))
"""Cells for pictures of 128, 192 and 320 px: whole multiples of 64."""


class ViewBar(QWidget):
    """One row above the grid."""

    crisp_changed = Signal(object)  # bool
    tile_px_changed = Signal(object)  # int
    folder_requested = Signal()

    def __init__(self, results: ResultsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._results = results
        self._count = label("", "muted")
        self.crisp_button = IconButton("pixels", "", parent=self)
        self.crisp_button.setCheckable(True)
        self._folder = IconButton("folder", self.tr("Open the folder of results"), parent=self)
        self._clear = IconButton("trash", self.tr("Empty this list; the files stay"), parent=self)
        names = {"S": self.tr("Small pictures"), "M": self.tr("Medium pictures"), "L": self.tr("Large pictures")}
        self._sizes = [Chip(letter, str(tile_px), "tab", self) for letter, tile_px in TILE_SIZES]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.xs)
        row.addWidget(self._count)
        row.addStretch(1)
        for chip in self._sizes:
            chip.setCheckable(True)
            chip.setAccessibleName(names[chip.text()])
            chip.setToolTip(names[chip.text()])
            chip.clicked.connect(self._on_size_clicked)
            row.addWidget(chip)
        row.addSpacing(SPACING.s)
        for button in (self.crisp_button, self._folder, self._clear):
            row.addWidget(button)
        self.crisp_button.toggled.connect(self._on_crisp_toggled)
        self._folder.clicked.connect(self.folder_requested)
        self._clear.clicked.connect(results.clear)
        results.count_changed.connect(self._on_count_changed)
        self._on_count_changed(results.num_done)
        self._name_crisp(False)

    @property
    def tile_px(self) -> int:
        """The wished size of a picture's cell."""
        return next((int(chip.value) for chip in self._sizes if chip.isChecked()), TILE_SIZES[1][1])

    def set_view(self, *, is_crisp: bool, tile_px: int) -> None:
        """Take over remembered choices."""
        self.crisp_button.setChecked(is_crisp)
        self.crisp_changed.emit(is_crisp)
        self._choose_size(min((size for _, size in TILE_SIZES), key=lambda size: abs(size - tile_px)))

    def set_clearable(self, is_clearable: bool) -> None:
        """The list cannot be emptied under a running job."""
        self._clear.setEnabled(is_clearable)

    def _choose_size(self, tile_px: int) -> None:
        for chip in self._sizes:
            chip.setChecked(chip.value == str(tile_px))
        self.tile_px_changed.emit(tile_px)

    def _on_size_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self._choose_size(int(chip.value))

    def _on_crisp_toggled(self, is_crisp: bool) -> None:
        self._name_crisp(is_crisp)
        self.crisp_changed.emit(is_crisp)

    def _name_crisp(self, is_crisp: bool) -> None:
        crisp, smooth = self.tr("Sharp pixels; click for smooth"), self.tr("Smooth; click for sharp pixels")
        self.crisp_button.set_name(crisp if is_crisp else smooth)

    def _on_count_changed(self, count: Any) -> None:
        num_moving = sum(tile.is_moving for tile in self._results.done_tiles())
        parts = [
            pictures_text(count - num_moving) if count > num_moving else "",
            pictures_text(num_moving, is_clips=True) if num_moving else "",
        ]
        self._count.setText(self.tr(" and ").join(part for part in parts if part))
