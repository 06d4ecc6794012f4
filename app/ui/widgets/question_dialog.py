"""One question before something is lost."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label

WIDTH_PX = 420


class QuestionDialog(QDialog):
    """A title, a sentence, and two answers; Esc and Enter mean the harmless one."""

    confirmed = Signal()

    def __init__(self, title: str, sentence: str, answers: tuple[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.sentence = sentence
        self.go_button = TextButton(answers[0], parent=self)
        self.stay_button = TextButton(answers[1], "primary", parent=self)
        self.stay_button.setDefault(True)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addStretch(1)
        row.addWidget(self.go_button)
        row.addWidget(self.stay_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.l)
        layout.setSpacing(SPACING.s)
        layout.addWidget(label(title, "strong"))
        layout.addWidget(label(sentence, is_wrapped=True))
        layout.addSpacing(SPACING.m)
        layout.addStretch(1)
        layout.addLayout(row)
        self.resize(WIDTH_PX, layout.totalHeightForWidth(WIDTH_PX))
        self.go_button.clicked.connect(self._on_go_clicked)
        self.stay_button.clicked.connect(self.reject)
        self.stay_button.setFocus()

    def _on_go_clicked(self) -> None:
        self.accept()
        self.confirmed.emit()
