"""The list of shortcuts: made of the same registry as the palette, by group, searchable."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.models.commands import Command, Commands
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import label
from app.ui.widgets.overlay.overlay import Overlay
from app.ui.widgets.shortcuts import native_keys

SIZE_PX = (860, 580)

Group = tuple[str, tuple[Command, ...]]


class ShortcutSheet(Overlay):
    """Two columns of groups."""

    def __init__(self, commands: Commands, parent: QWidget) -> None:
        super().__init__(*SIZE_PX, parent)
        self._commands = commands
        self.search = QLineEdit(self.card)
        self.search.setPlaceholderText(self.tr("Search keys and what they do"))
        self.search.setAccessibleName(self.tr("Search shortcuts"))
        self._area = QScrollArea(self.card)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._area.setAccessibleName(self.tr("Shortcuts"))
        self._build()
        self.search.textChanged.connect(self._refresh)

    def _build(self) -> None:
        close = IconButton("close", self.tr("Close (Esc)"), "small", self.card)
        close.clicked.connect(self.dismiss)
        head = QHBoxLayout()
        head.setSpacing(SPACING.l)
        head.addWidget(label(self.tr("Shortcuts"), "title"))
        head.addStretch(1)
        self.search.setFixedWidth(300)
        head.addWidget(self.search)
        head.addWidget(close)
        self.card_layout.setContentsMargins(SPACING.xl, SPACING.l, SPACING.l, SPACING.m)
        self.card_layout.setSpacing(SPACING.m)
        self.card_layout.addLayout(head)
        self.card_layout.addWidget(self._area, 1)

    def open_fresh(self) -> None:
        """Open with everything listed."""
        self.search.clear()
        self._refresh()
        self.open()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def _refresh(self, _text: str = "") -> None:
        body = QWidget()
        body.setProperty("role", "plain")
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, SPACING.m, 0)
        row.setSpacing(SPACING.xxl)
        groups = self._commands.explained(self.search.text())
        if not groups:
            row.addWidget(label(self.tr("No key does that."), "muted"), 0, Qt.AlignmentFlag.AlignTop)
        for column in _columns(groups):
            row.addLayout(self._column(column, body), 1)
        self._area.setWidget(body)

    def _column(self, groups: list[Group], body: QWidget) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(SPACING.xs)
        for group, commands in groups:
            column.addWidget(label(group, "emphasis", parent=body))
            column.addLayout(_table(commands, body))
            column.addSpacing(SPACING.m)
        column.addStretch(1)
        return column


def _table(commands: tuple[Command, ...], body: QWidget) -> QGridLayout:
    table = QGridLayout()
    table.setHorizontalSpacing(SPACING.m)
    table.setVerticalSpacing(SPACING.xs)
    table.setColumnStretch(0, 1)
    for row, command in enumerate(commands):
        table.addWidget(label(command.title, "muted", is_wrapped=True, parent=body), row, 0)
        keys = QHBoxLayout()
        keys.setSpacing(SPACING.xs)
        keys.addStretch(1)
        for each in command.keys:
            keys.addWidget(label(native_keys(each), "key", parent=body), 0, Qt.AlignmentFlag.AlignTop)
        table.addLayout(keys, row, 1)
    return table


def _columns(groups: tuple[Group, ...]) -> list[list[Group]]:
    """Two columns of about the same height; every group stays whole."""
    left: list[Group] = []
    right: list[Group] = []
    height = 0
    total = sum(len(commands) + 2 for _, commands in groups)
    for group in groups:
        (left if height + len(group[1]) / 2 <= total / 2 else right).append(group)
        height += len(group[1]) + 2
    return [column for column in (left, right) if column]
