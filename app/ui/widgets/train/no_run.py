"""What the right side says while no run is in front."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.models.runs.runs import Runs
from app.ui.theme.icons import pixmap
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.middle_column import middle_column

WIDTH_PX = 520


class NoRun(QWidget):
    """What will appear here, and how to get it."""

    new_requested = Signal()

    def __init__(self, runs: Runs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._sign = QLabel(self)
        self._title = label("", "display", is_wrapped=True)
        self._text = label("", "muted", is_wrapped=True)
        self._new = TextButton(self.tr("New run"), "primary", "plus", self)
        words = middle_column(self, WIDTH_PX)
        row = QHBoxLayout()
        row.addWidget(self._new)
        row.addStretch(1)
        for part in (self._sign, self._title, self._text):
            words.addWidget(part)
        words.addSpacing(SPACING.s)
        words.addLayout(row)
        self._new.clicked.connect(self.new_requested)
        runs.list.runs_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        self._sign.setPixmap(pixmap("train", colours().accent_text, 40))
        if self._runs.list.rowCount():
            self._title.setText(self.tr("Choose a run"))
            self._text.setText(
                self.tr("Its charts, previews and checkpoints appear here, and go on growing while it is at work.")
            )
            return
        self._title.setText(self.tr("Train a model on your own pictures"))
        self._text.setText(
            self.tr(
                "Choose a folder of pictures or clips; it is checked, and the settings say beforehand what memory and "
                "time the run takes. Then watch here how bits and quality develop. Closing the window "
                "does not end a run."
            )
        )

    def changeEvent(self, event: Any) -> None:
        """The sign follows the palette."""
        super().changeEvent(event)
        if event.type() == event.Type.StyleChange and hasattr(self, "_new"):
            self._refresh()
