"""Which measures could not be taken: their names in one line, the reasons when a person asks for them."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.models.compare.figures import metrics
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label


class MissingMeasures(QWidget):
    """Hidden while every measure could be taken."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = label("", "caption", is_wrapped=True)
        self._reasons = label("", "caption", is_wrapped=True)
        self.why_button = TextButton(self.tr("Why?"), "link", parent=self)
        self.why_button.setCheckable(True)
        row = QHBoxLayout()
        row.setSpacing(SPACING.xs)
        row.addWidget(self._line, 1)
        row.addWidget(self.why_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addLayout(row)
        layout.addWidget(self._reasons)
        for words in (self._line, self._reasons):
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._reasons.hide()
        self.why_button.toggled.connect(self._reasons.setVisible)
        self.hide()

    def show_missing(self, missing: Mapping[str, str]) -> None:
        """Name these; each comes with the sentence that tells the reason."""
        titles = {metric.key: metric.title for metric in metrics()}
        names = [titles.get(key.replace("-", "_"), key) for key in missing]
        self._line.setText(self.tr("Not measured: {names}.").format(names=", ".join(names)))
        reasons = [f"{name}: {reason.rstrip('.')}." for name, reason in zip(names, missing.values(), strict=True)]
        self._reasons.setText("\n".join(reasons))
        self.setVisible(bool(missing))
