"""Filters, order and sizes: what is seen of the library, without typing."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from app.gallery import GalleryFacts, GalleryKind, GalleryOrder
from app.models.gallery.gallery import Gallery, GalleryFilter
from app.models.progress import grouped
from app.ui.theme.tokens import CONTROL_HEIGHT, SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.labels import label
from app.ui.widgets.quiet_inputs import QuietComboBox

MOST_PX = 240
TILE_SIZES = (("S", 124), ("M", 172), ("L", 290))


class FilterRow(QWidget):
    """Every change is on at once."""

    tile_px_changed = Signal(object)  # int

    def __init__(self, gallery: Gallery, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gallery = gallery
        self.model = self._combo(self.tr("Model"), 148)
        self.period = self._combo(self.tr("Date"), 128)
        self.kind = self._combo(self.tr("Kind"), 104)
        self.order = self._combo(self.tr("Order"), 136)
        self.starred = Chip(self.tr("Starred"), parent=self)
        self.starred.setCheckable(True)
        self.count = label("", "muted")
        self._sizes = [Chip(letter, str(tile_px), "tab", self) for letter, tile_px in TILE_SIZES]
        self._fill()
        self._build()
        for combo in (self.model, self.period, self.kind, self.order):
            combo.activated.connect(self._on_changed)
        self.starred.toggled.connect(self._on_changed)
        gallery.filter_changed.connect(self._on_filter_changed)
        gallery.facts_changed.connect(self._on_facts_changed)
        gallery.shown_changed.connect(self._show_count)
        self._on_facts_changed(gallery.facts)

    def _combo(self, name: str, width_px: int) -> QuietComboBox:
        combo = QuietComboBox(self)
        combo.setAccessibleName(name)
        combo.setToolTip(name)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        combo.setMinimumWidth(width_px)
        combo.setMaximumWidth(MOST_PX)
        return combo

    def _fill(self) -> None:
        periods = (
            (self.tr("Any time"), ""),
            (self.tr("Today"), "today"),
            (self.tr("Last 7 days"), "7d"),
            (self.tr("Last 30 days"), "30d"),
            (self.tr("Last 365 days"), "365d"),
        )
        kinds = (
            (self.tr("All kinds"), None),
            (self.tr("Pictures"), GalleryKind.PICTURE),
            (self.tr("Clips"), GalleryKind.CLIP),
        )
        orders = (
            (self.tr("Newest first"), GalleryOrder.NEWEST),
            (self.tr("Oldest first"), GalleryOrder.OLDEST),
            (self.tr("Most pixels"), GalleryOrder.LARGEST),
            (self.tr("Largest files"), GalleryOrder.HEAVIEST),
            (self.tr("By prompt"), GalleryOrder.PROMPT),
            (self.tr("By seed"), GalleryOrder.SEED),
        )
        for combo, rows in ((self.period, periods), (self.kind, kinds), (self.order, orders)):
            for text, value in rows:
                combo.addItem(text, value)

    def _build(self) -> None:
        filters = QWidget(self)
        flow = FlowLayout(SPACING.s, filters)
        self.count.setMinimumHeight(CONTROL_HEIGHT)
        for part in (self.model, self.period, self.kind, self.order, _as_high_as_fields(self.starred), self.count):
            flow.addWidget(part)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.xs)
        row.addWidget(filters, 1)
        names = {"S": self.tr("Small pictures"), "M": self.tr("Medium pictures"), "L": self.tr("Large pictures")}
        for chip in self._sizes:
            chip.setCheckable(True)
            chip.setAccessibleName(names[chip.text()])
            chip.setToolTip(names[chip.text()])
            chip.clicked.connect(self._on_size_clicked)
            row.addWidget(chip)

    # ---- sizes ----------------------------------------------------------------------------------------------------

    @property
    def tile_px(self) -> int:
        """The wished width of a cell."""
        return next((int(chip.value) for chip in self._sizes if chip.isChecked()), TILE_SIZES[1][1])

    def set_tile_px(self, tile_px: int) -> None:
        """The nearest of the sizes there are."""
        nearest = min((size for _, size in TILE_SIZES), key=lambda size: abs(size - tile_px))
        for chip in self._sizes:
            chip.setChecked(chip.value == str(nearest))
        self.tile_px_changed.emit(nearest)

    def _on_size_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self.set_tile_px(int(chip.value))

    # ---- filters --------------------------------------------------------------------------------------------------

    def _on_changed(self, _payload: Any = None) -> None:
        self._gallery.set_filter(
            model=self.model.currentData() or "",
            period=self.period.currentData() or "",
            kind=self.kind.currentData(),
            order=self.order.currentData(),
            is_starred=self.starred.isChecked(),
        )

    def _on_filter_changed(self, wanted: GalleryFilter) -> None:
        pairs = (
            (self.model, wanted.model),
            (self.period, wanted.period),
            (self.kind, wanted.kind),
            (self.order, wanted.order),
        )
        for combo, value in pairs:
            combo.setCurrentIndex(max(0, combo.findData(value)))
        self.starred.blockSignals(True)
        self.starred.setChecked(wanted.is_starred)
        self.starred.blockSignals(False)
        self._show_count()

    def _on_facts_changed(self, facts: GalleryFacts) -> None:
        chosen = self._gallery.filter.model
        self.model.clear()
        self.model.addItem(self.tr("All models"), "")
        for name, count in facts.models:
            self.model.addItem(f"{name}  ({grouped(count)})", name)
            self.model.setItemData(self.model.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        self._show_count()

    def _show_count(self) -> None:
        shown, total = self._gallery.list.rowCount(), self._gallery.facts.num_items
        if self._gallery.filter.is_open or shown >= total:
            text = self.tr("1 result") if shown == 1 else self.tr("{count} results").format(count=grouped(shown))
        else:
            text = self.tr("{count} of {total}").format(count=grouped(shown), total=grouped(total))
        self.count.setText(text)


def _as_high_as_fields(chip: QWidget) -> QWidget:
    """A chip in the middle of a row of fields."""
    place = QWidget(chip.parentWidget())
    place.setFixedHeight(CONTROL_HEIGHT)
    row = QHBoxLayout(place)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(chip, 0, Qt.AlignmentFlag.AlignVCenter)
    return place
