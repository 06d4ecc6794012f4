"""The left side of the page Generate: what to make, and how."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.class_field import ClassField
from app.ui.widgets.expert_section import ExpertSection
from app.ui.widgets.form_number import FormNumber, whole
from app.ui.widgets.generate_bar import GenerateBar
from app.ui.widgets.labels import line
from app.ui.widgets.model_chooser import ModelChooser
from app.ui.widgets.preset_field import PresetField
from app.ui.widgets.prompt_field import PromptField
from app.ui.widgets.seed_field import SeedField

WIDTH_PX = 352


class GeneratePanel(QFrame):
    """Basic fields, the folded expert ones, and the buttons, which never scroll away."""

    generate_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = session.form
        self.setProperty("role", "panel")
        self.setFixedWidth(WIDTH_PX)
        self.model_chooser = ModelChooser(session.form, session.library, self)
        self.prompt_field = PromptField(session.form, self)
        self.class_field = ClassField(session.form, self)
        self.count = FormNumber(session.form, "num_images", self.tr("Pictures"), whole(1, 256), self)
        self.preset = PresetField(session.form, self)
        self.seed = SeedField(session.form, self)
        self.expert = ExpertSection(session.form, self)
        self._scroll = self._make_scroll()
        self.bar = GenerateBar(session.form, session.queue, self)  # after the form in the order of the Tab key
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 1, 0)
        layout.setSpacing(0)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.bar)
        self.bar.generate_requested.connect(self.generate_requested)

    def _make_scroll(self) -> QScrollArea:
        body = QWidget()
        body.setProperty("role", "plain")
        column = QVBoxLayout(body)
        column.setContentsMargins(SPACING.l, SPACING.l, SPACING.l, SPACING.l)
        column.setSpacing(SPACING.l)
        pair = QHBoxLayout()
        pair.setSpacing(SPACING.s)
        pair.addWidget(self.count, 2)
        pair.addWidget(self.preset, 5)
        for part in (self.model_chooser, line(body), self.prompt_field, self.class_field):
            column.addWidget(part)
        column.addLayout(pair)
        column.addWidget(self.seed)
        column.addWidget(self.expert)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(body)
        return scroll

    def show_problem(self) -> None:
        """Bring the first field with an error into view, and the cursor into it."""
        errors: dict[str, Any] = self._form.errors
        expert = {"seed", "num_images", "prompt", "model", "class_label"}
        if errors and not set(errors) & expert:
            self.expert.set_open(True)
        for widget in self.findChildren(QWidget):
            if widget.property("wrong") == "true" and widget.isVisibleTo(self):
                self._scroll.ensureWidgetVisible(widget)
                widget.setFocus()
                return
