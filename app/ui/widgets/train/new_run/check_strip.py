"""How far the look through the data is, with a way to stop it."""

from typing import Any

from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.models.new_run.new_run import NewRun
from app.models.progress import grouped
from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label

_BAR_STEPS = 1000


class CheckStrip(QFrame):
    """Hidden while nothing is looked through."""

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._line = label("")
        self._line.setFont(font(has_even_digits=True))
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress of the look through the data"))
        self.stop_button = TextButton(self.tr("Stop"), "", "stop", self)
        row = QHBoxLayout()
        row.addWidget(self._line, 1)
        row.addWidget(self.stop_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.m, SPACING.l, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addLayout(row)
        layout.addWidget(self._bar)
        self.stop_button.clicked.connect(model.stop_check)
        model.state_changed.connect(self._on_state_changed)
        self._on_state_changed(model.state)

    @property
    def line(self) -> str:
        """The words on show."""
        return self._line.text()

    def _on_state_changed(self, state: Any) -> None:
        self.setVisible(state.doing is not None)
        if state.doing is None:
            return
        share = state.doing.share
        words = self._words(state.doing.what)
        if share is None:
            self._bar.setRange(0, 0)
            self._line.setText(f"{words}…")
        else:
            self._bar.setRange(0, _BAR_STEPS)
            self._bar.setValue(round(share * _BAR_STEPS))
            self._line.setText(f"{words} · {grouped(state.doing.done)} / {grouped(state.doing.total)}")

    def _words(self, what: str) -> str:
        known = {
            "opening": self.tr("Opening"),
            "preparing": self.tr("Drawing scenes"),
            "reading files": self.tr("Reading files"),
            "reading captions": self.tr("Reading captions"),
            "comparing pictures": self.tr("Looking for duplicates"),
            "drawing the contact sheet": self.tr("Drawing what the model will see"),
        }
        return known.get(what, what[:1].upper() + what[1:])
