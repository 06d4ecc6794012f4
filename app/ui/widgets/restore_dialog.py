"""Asks which settings of a picture to take over; shows what would change, changes nothing by itself."""

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QCheckBox, QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.models.restore import Change, RestoreOffer
from app.services.media import load_image
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label, line
from app.ui.widgets.picture_cache import fit

PICTURE_PX = 128
WIDTH_PX = 640


class RestoreDialog(QDialog):
    """One row per difference: tick, name, now, then."""

    changes_chosen = Signal(object)  # tuple[Change, ...]

    def __init__(self, offer: RestoreOffer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offer = offer
        self._ticks: list[tuple[QCheckBox, Change]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Use a picture's settings"))
        self.setMinimumWidth(WIDTH_PX)
        self._apply = TextButton(self.tr("Use these settings"), "primary", parent=self)
        self._apply.setDefault(True)
        self._build()
        self._apply.clicked.connect(self._on_apply_clicked)
        self._on_ticked()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.l)
        layout.setSpacing(SPACING.l)
        layout.addLayout(self._head())
        layout.addWidget(line(self))
        layout.addLayout(self._table())
        if self._offer.num_equal:
            layout.addWidget(label(self._equal_words(), "caption"))
        layout.addStretch(1)
        layout.addLayout(self._buttons())
        self.resize(WIDTH_PX, layout.totalHeightForWidth(WIDTH_PX))

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(SPACING.l)
        image = load_image(self._offer.path) if self._offer.path else None
        if image is not None:
            ratio = self.devicePixelRatioF()
            side = round(PICTURE_PX * ratio)
            pixmap = QPixmap.fromImage(fit(image, QSize(side, side), is_crisp=True))
            pixmap.setDevicePixelRatio(ratio)
            picture = QLabel(self)
            picture.setPixmap(pixmap)
            head.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(SPACING.xs)
        words.addWidget(label(self.tr("Use this picture's settings?"), "title"))
        words.addWidget(label(Path(self._offer.path).name, "muted"))
        if self._offer.note:
            words.addWidget(label(self._offer.note, is_wrapped=True))
        words.addWidget(label(self.tr("Untick what should stay as it is."), "muted"))
        head.addLayout(words, 1)
        head.setAlignment(words, Qt.AlignmentFlag.AlignVCenter)
        return head

    def _table(self) -> QGridLayout:
        table = QGridLayout()
        table.setHorizontalSpacing(SPACING.l)
        table.setVerticalSpacing(SPACING.s)
        table.setColumnStretch(1, 1)
        table.setColumnStretch(2, 1)
        for column, text in enumerate((self.tr("Setting"), self.tr("Now"), self.tr("In the picture"))):
            table.addWidget(label(text, "field"), 0, column)
        for row, change in enumerate(self._offer.changes, start=1):
            self._add_row(table, row, change)
        return table

    def _add_row(self, table: QGridLayout, row: int, change: Change) -> None:
        tick = QCheckBox(change.label, self)
        tick.setChecked(not change.problem)
        tick.setEnabled(not change.problem)
        tick.setAccessibleDescription(f"{change.now} → {change.new} {change.problem}")
        tick.toggled.connect(self._on_ticked)
        self._ticks.append((tick, change))
        top = Qt.AlignmentFlag.AlignTop
        table.addWidget(tick, row, 0, top)
        table.addWidget(_cell(change.now, "muted"), row, 1)
        if not change.problem:
            table.addWidget(_cell(change.new), row, 2)
            return
        cell = QVBoxLayout()
        cell.setSpacing(0)
        cell.addWidget(_cell(change.new))
        cell.addWidget(_cell(change.problem, "warning"))
        table.addLayout(cell, row, 2)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        cancel = TextButton(self.tr("Cancel"), parent=self)
        cancel.clicked.connect(self.reject)
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self._apply)
        return row

    def _equal_words(self) -> str:
        count = self._offer.num_equal
        if count == 1:
            return self.tr("1 other setting is the same already.")
        return self.tr("{count} other settings are the same already.").format(count=count)

    def _chosen(self) -> tuple[Change, ...]:
        return tuple(change for tick, change in self._ticks if tick.isChecked())

    def _on_ticked(self) -> None:
        self._apply.setEnabled(bool(self._chosen()))

    def _on_apply_clicked(self) -> None:
        self.changes_chosen.emit(self._chosen())
        self.accept()


def _cell(text: str, role: str = "") -> QLabel:
    result = label(text, role, is_wrapped=True)
    result.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    result.setContentsMargins(0, 4, 0, 4)
    return result
