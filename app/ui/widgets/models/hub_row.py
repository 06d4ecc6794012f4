"""One repository of the Hub, or a download of one that is not finished."""

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.desk.facts import HubModel, Unfinished
from app.models.desk.words import task_kind_words
from app.models.progress import grouped
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.labels import label, selectable
from ul_engine.hub.wording import size_text


class HubRow(QFrame):
    """One repository."""

    fetch_requested = Signal(object)  # str
    forget_requested = Signal(object)  # str

    def __init__(self, repo: str, words: str, *, unfinished: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.repo = repo
        self.setProperty("role", "card")
        self.fetch_button = TextButton(self.tr("Go on") if unfinished else self.tr("Fetch"), "", "download", self)
        self.forget_button = IconButton("trash", self.tr("Remove what came so far"), parent=self)
        self.forget_button.setVisible(unfinished)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(selectable(label(repo, "emphasis")))
        self._words = selectable(label(words, "caption", is_wrapped=True))
        text.addWidget(self._words)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACING.l, SPACING.s, SPACING.m, SPACING.s)
        row.setSpacing(SPACING.s)
        row.addLayout(text, 1)
        row.addWidget(self.forget_button, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.fetch_button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.fetch_button.clicked.connect(self._on_fetch_clicked)
        self.forget_button.clicked.connect(self._on_forget_clicked)

    def set_state(self, *, is_here: bool, is_busy: bool) -> None:
        """Whether it is here already, or being fetched."""
        self.fetch_button.setEnabled(not is_here and not is_busy)
        if is_busy:
            self.fetch_button.setText(self.tr("Being fetched"))
        elif is_here:
            self.fetch_button.setText(self.tr("Is here"))

    def _on_fetch_clicked(self) -> None:
        self.fetch_requested.emit(self.repo)

    def _on_forget_clicked(self) -> None:
        self.forget_requested.emit(self.repo)


def unfinished_words(unfinished: Unfinished) -> str:
    """What is said of a download that is not finished."""
    words = QCoreApplication.translate("HubRow", "Not finished: {size} came so far and are kept")
    return words.format(size=size_text(unfinished.done_bytes))


def found_words(model: HubModel) -> str:
    """What is said of a repository."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("HubRow", text)

    parts = [
        task_kind_words(model.task),
        tr("{n} downloads").format(n=grouped(model.downloads)),
        tr("{n} likes").format(n=grouped(model.likes)),
        tr("changed {day}").format(day=model.updated) if model.updated else "",
        tr("has terms to accept") if model.is_gated else "",
        tr("private") if model.is_private else "",
    ]
    return " · ".join(part for part in parts if part)
