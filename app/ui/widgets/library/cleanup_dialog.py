"""Clean-up: what to look for, what would go and how much that frees; nothing goes before it was seen."""

from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from app.gallery import Cleanup, CleanupPreview
from app.models.gallery.gallery_list import GalleryList
from app.models.progress import grouped
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.library.gallery_grid import GalleryGrid
from app.ui.widgets.quiet_inputs import QuietSpinBox
from ul_engine.hub.wording import size_text

SIZE_PX = (760, 560)
DEBOUNCE_MS = 150


class CleanupDialog(QDialog):
    """Conditions above, the results they catch below."""

    preview_requested = Signal(object)  # Cleanup
    confirmed = Signal(object)  # CleanupPreview

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Clean up"))
        self.resize(*SIZE_PX)
        self._preview: CleanupPreview | None = None
        self._list = GalleryList(self)
        self.grid = GalleryGrid(self._list, self)
        self.grid.set_tile_px(124)
        self.grid.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.grid.setDragEnabled(False)
        self.is_old = QCheckBox(self.tr("Older than"), self)
        self.days = self._number(self.tr("Days"), 30, self.tr(" days"))
        self.is_small = QCheckBox(self.tr("Smaller than"), self)
        self.side = self._number(self.tr("Longer side"), 128, self.tr(" px"))
        self.is_duplicate = QCheckBox(self.tr("Copies with exactly the same content (one stays)"), self)
        self.is_unreadable = QCheckBox(self.tr("Files that are broken"), self)
        self.sum = label("", "emphasis", is_wrapped=True)
        self.go_button = TextButton(self.tr("Move to the bin"), "primary", "trash", self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._build()
        self._connect()
        self._on_changed()

    def _number(self, name: str, value: int, suffix: str) -> QuietSpinBox:
        box = QuietSpinBox(self)
        box.setRange(1, 100_000)
        box.setValue(value)
        box.setSuffix(suffix)
        box.setAccessibleName(name)
        box.setFixedWidth(130)
        return box

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING.m)
        grid.setVerticalSpacing(SPACING.s)
        grid.addWidget(self.is_old, 0, 0)
        grid.addWidget(self.days, 0, 1)
        grid.addWidget(self.is_duplicate, 0, 2)
        grid.addWidget(self.is_small, 1, 0)
        grid.addWidget(self.side, 1, 1)
        grid.addWidget(self.is_unreadable, 1, 2)
        grid.setColumnStretch(2, 1)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(self.sum, 1)
        cancel = TextButton(self.tr("Cancel"), parent=self)
        cancel.clicked.connect(self.reject)
        row.addWidget(cancel)
        row.addWidget(self.go_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.l)
        layout.setSpacing(SPACING.m)
        layout.addWidget(label(self.tr("Clean up"), "title"))
        words = self.tr(
            "Tick what should go, and see here first what that would be. Starred results always stay; what goes is "
            "moved to the bin and can come back."
        )
        layout.addWidget(label(words, "muted", is_wrapped=True))
        layout.addLayout(grid)
        layout.addWidget(self.grid, 1)
        layout.addLayout(row)

    def _connect(self) -> None:
        for tick in (self.is_old, self.is_small, self.is_duplicate, self.is_unreadable):
            tick.toggled.connect(self._on_changed)
        for box in (self.days, self.side):
            box.valueChanged.connect(self._on_changed)
        self._timer.timeout.connect(self._on_settled)
        self.go_button.clicked.connect(self._on_go_clicked)
        self._list.items_wanted.connect(self._on_items_wanted)

    def wish(self) -> Cleanup:
        """What is ticked."""
        return Cleanup(
            older_than_days=self.days.value() if self.is_old.isChecked() else None,
            smaller_than_px=self.side.value() if self.is_small.isChecked() else None,
            is_duplicate=self.is_duplicate.isChecked(),
            is_unreadable=self.is_unreadable.isChecked(),
        )

    def set_preview(self, preview: CleanupPreview) -> None:
        """What would go."""
        if preview.wish != self.wish():
            return
        self._preview = preview
        self._list.set_ids([item.item_id for item in preview.items])
        count = len(preview.items)
        if count:
            words = self.tr("1 result") if count == 1 else self.tr("{n} results").format(n=grouped(count))
            self.sum.setText(self.tr("{results}, {size}").format(results=words, size=size_text(preview.size_bytes)))
        elif preview.wish == Cleanup():
            self.sum.setText(self.tr("Nothing is ticked yet."))
        else:
            self.sum.setText(self.tr("Nothing fits; nothing would go."))
        self.go_button.setEnabled(count > 0)

    def _on_items_wanted(self, ids: Any) -> None:
        if self._preview is not None:
            wanted = set(ids)
            self._list.set_items(ids, [item for item in self._preview.items if item.item_id in wanted])

    def _on_changed(self, _payload: Any = None) -> None:
        self.days.setEnabled(self.is_old.isChecked())
        self.side.setEnabled(self.is_small.isChecked())
        self.go_button.setEnabled(False)
        self.sum.setText(self.tr("Looking…"))
        self._timer.start()

    def _on_settled(self) -> None:
        self.preview_requested.emit(self.wish())

    def _on_go_clicked(self) -> None:
        if self._preview is not None:
            self.confirmed.emit(self._preview)
            self.accept()
