"""Ctrl+K: everything that can be done, found by a few letters."""

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QListView, QWidget

from app.models.commands import Commands
from app.models.found_commands import FoundCommands
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import label, line
from app.ui.widgets.overlay.command_delegate import ROW_PX, CommandDelegate
from app.ui.widgets.overlay.overlay import Overlay

SIZE_PX = (620, 460)
_LIST_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class CommandPalette(Overlay):
    """The keyboard stays in the search field; arrows walk through the list below."""

    command_requested = Signal(object)  # str, the command's name

    def __init__(self, commands: Commands, parent: QWidget) -> None:
        super().__init__(*SIZE_PX, parent)
        self._commands = commands
        self._page = ""
        self._found = FoundCommands(self)
        self.search = QLineEdit(self.card)
        self.search.setProperty("variant", "search")
        self.search.setPlaceholderText(self.tr("What would you like to do?"))
        self.search.setAccessibleName(self.tr("Search all commands"))
        self.search.installEventFilter(self)
        self.list = QListView(self.card)
        self.list.setModel(self._found)
        self.list.setItemDelegate(CommandDelegate(self.list))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("Commands"))
        self._nothing = label(
            self.tr("Nothing is called that. Try another word, such as “stop”, “seed” or “theme”."),
            "muted",
            is_wrapped=True,
        )
        self._build()
        self.search.textChanged.connect(self._on_text_changed)
        self.list.clicked.connect(self._on_row_clicked)
        self.list.entered.connect(self.list.setCurrentIndex)

    def _build(self) -> None:
        self._nothing.setContentsMargins(SPACING.l, SPACING.l, SPACING.l, SPACING.l)
        self.list.setContentsMargins(0, 0, 0, 0)
        self.card_layout.setContentsMargins(SPACING.s, SPACING.s, SPACING.s, SPACING.s)
        self.card_layout.setSpacing(SPACING.s)
        for part in (self.search, line(self.card), self._nothing):
            self.card_layout.addWidget(part)
        self.card_layout.addWidget(self.list, 1)
        self.card_layout.addStretch(0)

    def open_for(self, page: str) -> None:
        """Open with the commands of the page in front on top."""
        self._page = page
        self.search.clear()
        self.open()
        self._refresh()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    @property
    def titles(self) -> list[str]:
        """What is listed, from top to bottom."""
        rows = (self._found.found(row) for row in range(self._found.rowCount()))
        return [found.command.title for found in rows if found is not None]

    def _on_text_changed(self, _text: str) -> None:
        self._refresh()

    def _refresh(self) -> None:
        self._found.set_found(self._commands.find(self.search.text(), self._page))
        is_empty = self._found.rowCount() == 0
        self.list.setVisible(not is_empty)
        self._nothing.setVisible(is_empty)
        self.list.setCurrentIndex(self._found.index(0))
        rows_px = max(2, self._found.rowCount()) * ROW_PX
        self.set_height(min(SIZE_PX[1], self.search.sizeHint().height() + rows_px + 5 * SPACING.s + 1))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys for the list go to the list; Enter runs what is marked."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _LIST_KEYS:
                QApplication.sendEvent(self.list, event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentIndex())
                return True
        return super().eventFilter(watched, event)

    def _on_row_clicked(self, index: QModelIndex) -> None:
        self._choose(index)

    def _choose(self, index: QModelIndex) -> None:
        found = self._found.found(index.row()) if index.isValid() else None
        if found is not None:
            self.dismiss()
            self.command_requested.emit(found.command.name)
