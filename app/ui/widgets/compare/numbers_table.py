"""The table of numbers: to read, to copy from."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex
from PySide6.QtGui import QColor, QFont, QGuiApplication, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.models.compare.numbers import BestRole, NumbersModel
from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import TYPE

AnyIndex = QModelIndex | QPersistentModelIndex
ROW_PX = 26


class NumbersDelegate(QStyledItemDelegate):
    """The best of a column is bold, not only coloured; screen readers hear it too."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """See the class."""
        super().initStyleOption(option, index)
        if index.data(BestRole):
            option.font = font(TYPE.caption, QFont.Weight.Bold, has_even_digits=True)
            option.palette.setColor(QPalette.ColorRole.Text, QColor(colours().accent_text))


class NumbersTable(QTableView):
    """Ctrl+C copies the chosen cells, tabs between them."""

    def __init__(self, model: NumbersModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._numbers = model
        self.setModel(model)
        self.setItemDelegate(NumbersDelegate(self))
        self.setProperty("role", "numbers")
        self.setAccessibleName(self.tr("Numbers of all candidates"))
        self.setFont(font(TYPE.caption, has_even_digits=True))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(36)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def copy(self) -> None:
        """Chosen cells, or all of the table."""
        chosen = self.selectionModel().selectedIndexes()
        text = self._numbers.tab_text(chosen) if chosen else self._numbers.csv_text()
        QGuiApplication.clipboard().setText(text)
