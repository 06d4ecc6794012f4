"""The pixel under the pointer in all candidates: its colour, its numbers, how far from the original."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.models.compare.comparison import Comparison
from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING, TYPE
from app.ui.widgets.compare.stage import CompareStage
from app.ui.widgets.compare.when_seen import WhenSeen
from app.ui.widgets.image_view import Probe
from app.ui.widgets.labels import label

ROW_PX = 22
MAX_ROWS = 6
_SWATCH_PX = 12


class ProbeTable(WhenSeen, QWidget):
    """Keeps the last pixel when the pointer leaves, so that its numbers can be copied."""

    def __init__(self, compare: Comparison, stage: CompareStage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compare = compare
        self._stage = stage
        self._probe: Probe | None = None
        self._title = label("", "field")
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = QTableWidget(0, 5, self)
        self._build()
        stage.probed.connect(self._on_probed)
        self.follow(compare)

    def _build(self) -> None:
        table = self.table
        table.setHorizontalHeaderLabels(["", self.tr("R"), self.tr("G"), self.tr("B"), self.tr("off by")])
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        first = QTableWidgetItem(self.tr("Candidate"))
        first.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.setHorizontalHeaderItem(0, first)
        table.setProperty("role", "numbers")
        table.setAccessibleName(self.tr("Colour of the pixel in all candidates"))
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setFont(font(TYPE.caption, has_even_digits=True))
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW_PX)
        table.setShowGrid(False)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in ((1, 40), (2, 40), (3, 40), (4, 88)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            table.setColumnWidth(column, width)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addWidget(self._title)
        layout.addWidget(table)

    @property
    def probe(self) -> Probe | None:
        """The pixel whose numbers are shown."""
        return self._probe

    def _on_probed(self, probe: Any) -> None:
        if probe is not None:
            self._probe = probe
            self.refresh()

    def refresh(self) -> None:
        """Look at the pixel again."""
        probe = self._probe
        if probe is None:
            self._title.setText(self.tr("Pixel: point at the picture"))
        else:
            self._title.setText(self.tr("Pixel {x}, {y}").format(x=probe.x, y=probe.y))
        shown = self._compare.all_shown()
        self.table.setRowCount(len(shown))
        self.table.setFixedHeight(ROW_PX * (min(len(shown), MAX_ROWS) + 1) + 8)
        reference = self._colour(shown[0], probe)
        for row, each in enumerate(shown):
            self._fill(row, each.candidate.title, self._colour(each, probe), reference)

    def _colour(self, shown: Any, probe: Probe | None) -> QColor | None:
        image = self._stage.image_of(shown) if probe is not None else None
        if image is None or probe is None or not image.rect().contains(probe.x, probe.y):
            return None
        return image.pixelColor(probe.x, probe.y)

    def _fill(self, row: int, title: str, colour: QColor | None, reference: QColor | None) -> None:
        name = self._item(row, 0)
        name.setText(title)
        name.setToolTip(title)
        if colour is not None:
            swatch = QPixmap(_SWATCH_PX, _SWATCH_PX)
            swatch.fill(colour)
            name.setData(Qt.ItemDataRole.DecorationRole, swatch)
        else:
            name.setData(Qt.ItemDataRole.DecorationRole, None)
        values = (colour.red(), colour.green(), colour.blue()) if colour is not None else None
        for column in range(3):
            self._item(row, column + 1).setText(str(values[column]) if values else "–")
        self._item(row, 4).setText(off_text(colour, reference) if row else "")

    def _item(self, row: int, column: int) -> QTableWidgetItem:
        item = self.table.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            if column:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, item)
        return item


def off_text(colour: QColor | None, reference: QColor | None) -> str:
    """The differences of the three colours, as ``+3 −1 0``."""
    if colour is None or reference is None:
        return "–"
    pairs = ((colour.red(), reference.red()), (colour.green(), reference.green()), (colour.blue(), reference.blue()))
    return " ".join(f"{mine - other:+d}".replace("-", "\u2212") if mine != other else "0" for mine, other in pairs)
