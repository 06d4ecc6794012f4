"""Publishing a model: first what would be sent and under which card, then the sending."""

from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.models.desk.desk import ModelDesk
from app.models.desk.facts import PublishPlan, PublishWish
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import Field, label
from app.ui.widgets.quiet_inputs import QuietComboBox
from ul_engine.hub.wording import size_text

SIZE_PX = (720, 620)
DEBOUNCE_MS = 400
LICENCES = ("", "apache-2.0", "mit", "cc-by-4.0", "cc-by-nc-4.0", "cc0-1.0", "openrail")


class PublishDialog(QDialog):
    """Nothing leaves this computer before the last button."""

    plan_requested = Signal(object)  # PublishWish
    publish_requested = Signal(object)  # PublishWish

    def __init__(self, desk: ModelDesk, folder: str, repo: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._num_asked = 0
        """Plans that were asked for and have not come."""
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Publish a model"))
        self.resize(*SIZE_PX)
        self.repo = QLineEdit(repo, self)
        self.repo.setPlaceholderText(self.tr("your-name/name-of-the-model"))
        self.field = Field(self.tr("Repository"), self.repo, self)
        self.licence = QuietComboBox(self)
        for name in LICENCES:
            self.licence.addItem(name or self.tr("As its card says"), name)
        self.is_private = QCheckBox(self.tr("Only I can see it"), self)
        self.card = QPlainTextEdit(self)
        self.card.setReadOnly(True)
        self.card.setAccessibleName(self.tr("The card"))
        self.files = label("", "muted", is_wrapped=True)
        self.go_button = TextButton(self.tr("Publish"), "primary", "upload", self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._build()
        self.repo.textChanged.connect(self._on_changed)
        self.licence.activated.connect(self._on_changed)
        self._timer.timeout.connect(self._on_settled)
        self.go_button.clicked.connect(self._on_go)
        desk.plan_made.connect(self._on_plan)
        desk.plan_failed.connect(self._on_plan_failed)
        self._on_changed()

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING.m)
        grid.addWidget(self.field, 0, 0)
        grid.addWidget(Field(self.tr("Licence"), self.licence, self), 0, 1)
        grid.addWidget(self.is_private, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        self.licence.setMinimumWidth(230)
        cancel = TextButton(self.tr("Cancel"), parent=self)
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.go_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.l)
        layout.setSpacing(SPACING.m)
        layout.addWidget(label(self.windowTitle(), "title"))
        words = self.tr(
            "It goes to the Hugging Face Hub, into a repository of your account. Nothing leaves this computer before "
            "you press Publish."
        )
        layout.addWidget(label(words, "muted", is_wrapped=True))
        layout.addLayout(grid)
        layout.addWidget(self.files)
        layout.addWidget(label(self.tr("The card that others will read"), "field"))
        layout.addWidget(self.card, 1)
        layout.addLayout(row)

    def wish(self) -> PublishWish:
        """What stands in the fields."""
        return PublishWish(
            self._folder, self.repo.text().strip(), self.licence.currentData() or "", self.is_private.isChecked()
        )

    def _on_changed(self, _payload: Any = None) -> None:
        self.go_button.setEnabled(False)
        self.field.set_error("")
        self._timer.start()

    def _on_settled(self) -> None:
        if not self.repo.text().strip():
            self.files.setText(self.tr("Write where it should go, then you see what would be sent."))
            self.card.clear()
            return
        self.files.setText(self.tr("Every file is being read…"))
        self._num_asked += 1
        self.plan_requested.emit(self.wish())

    def _is_answered(self) -> bool:
        """Whether what has just come answers what stands in the fields now."""
        self._num_asked = max(0, self._num_asked - 1)
        return not self._num_asked and not self._timer.isActive()

    def _on_plan(self, plan: PublishPlan) -> None:
        if not self._is_answered() or plan.repo != self.repo.text().strip():
            return
        total = size_text(sum(size for _, size in plan.uploads))
        names = ", ".join(name for name, _ in plan.uploads)
        words = self.tr("{n} files, {total}: {names}. The card is {note}.").format(
            n=len(plan.uploads), total=total, names=names, note=plan.card_note
        )
        words += " " + (
            self.tr("Licence: {name}.").format(name=plan.licence)
            if plan.licence
            else self.tr("No licence is stated, so nobody else may use it.")
        )
        if plan.left_out:
            words += " " + self.tr("Left out, for they belong to no model: {names}.").format(
                names=", ".join(plan.left_out)
            )
        self.files.setText(words)
        self.card.setPlainText(plan.card)
        self.go_button.setEnabled(True)

    def _on_plan_failed(self, sentence: str) -> None:
        if not self._is_answered():
            return
        self.files.setText("")
        self.card.clear()
        self.field.set_error(sentence)

    def _on_go(self) -> None:
        self.publish_requested.emit(self.wish())
        self.accept()
