"""What was found to be wrong, gravest first, each with the files on demand."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.models.new_run.problem_words import problem_words
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from trainer.data.check.report import Level, Problem

_LOOKS = {Level.BLOCKS: "error", Level.WARNS: "warning", Level.INFORMS: "info"}
DETAILS_PX = 120


class ProblemList(QWidget):
    """Empty for perfect data."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: list[ProblemCard] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACING.xs)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show these."""
        if [card.problem for card in self.cards] == list(problems):
            return
        for card in self.cards:
            card.hide()
            card.deleteLater()
        self.cards = [ProblemCard(problem, self) for problem in problems]
        for card in self.cards:
            self._layout.addWidget(card)
        self.setVisible(bool(self.cards))


class ProblemCard(QFrame):
    """One problem."""

    def __init__(self, problem: Problem, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.problem = problem
        self.setProperty("notice", _LOOKS[problem.level])
        words = label(problem_words(problem), is_wrapped=True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout()
        row.addWidget(words, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.m, SPACING.s, SPACING.m, SPACING.s)
        layout.setSpacing(SPACING.xs)
        layout.addLayout(row)
        listing = _listing(problem)
        if listing:
            self.fold = TextButton(self.tr("Show the files"), "link", parent=self)
            self.fold.setCheckable(True)
            self.details = QPlainTextEdit(listing, self)
            self.details.setReadOnly(True)
            self.details.setFixedHeight(DETAILS_PX)
            self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
            self.details.setAccessibleName(self.tr("Files"))
            self.details.hide()
            self.fold.toggled.connect(self.details.setVisible)
            row.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignTop)
            layout.addWidget(self.details)


def _listing(problem: Problem) -> str:
    lines = [f"{file.name}: {file.note}" if file.note else file.name for file in problem.files]
    lines += ["\n".join(group) + "\n" for group in problem.groups]
    left = problem.count - len(problem.files) - len(problem.groups)
    if lines and left > 0:
        lines.append(f"… + {left}")
    return "\n".join(lines).rstrip()
