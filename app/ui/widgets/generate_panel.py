"""The left side of the page Generate: what to make, and how."""

from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.models.form_state import Mode
from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.class_field import ClassField
from app.ui.widgets.expert_section import EXPERT_FIELDS, ExpertSection
from app.ui.widgets.form_number import FormNumber, whole
from app.ui.widgets.generate.between_field import BetweenField
from app.ui.widgets.generate.continue_field import ContinueField
from app.ui.widgets.generate.frames_field import FramesField
from app.ui.widgets.generate.grid_field import GridAxesField
from app.ui.widgets.generate.late_field import LateField
from app.ui.widgets.generate.mode_tabs import ModeTabs
from app.ui.widgets.generate.prompt_list_line import PromptListLine
from app.ui.widgets.generate.prompt_tools import PromptTools
from app.ui.widgets.generate.start_picture_field import StartPictureField
from app.ui.widgets.generate_bar import GenerateBar
from app.ui.widgets.labels import line
from app.ui.widgets.model_chooser import ModelChooser
from app.ui.widgets.preset_field import PresetField
from app.ui.widgets.prompt_field import PromptField
from app.ui.widgets.scrolling import scrolling
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
        self.modes = ModeTabs(session.form, self)
        self.model_chooser = ModelChooser(session.form, session.library, self)
        self.prompt_field = PromptField(session.form, self)
        self.prompt_tools = PromptTools(session.form, session.history, self)
        self.prompt_field.add_tools(self.prompt_tools)
        self.prompt_list = PromptListLine(session.form, self)
        self.class_field = ClassField(session.form, self)
        self.continuing = ContinueField(session, self)
        self.between = LateField(session.form, Mode.BETWEEN, partial(BetweenField, session.form), self)
        self.axes = LateField(session.form, Mode.GRID, partial(GridAxesField, session.form), self)
        self.count = FormNumber(session.form, "num_images", self.tr("Pictures"), whole(1, 256), self)
        self.frames = FramesField(session.form, self)
        self.preset = PresetField(session.form, self)
        self.seed = SeedField(session.form, self)
        self.start_picture = StartPictureField(session, self)
        self.expert = ExpertSection(session.form, self)
        self._scroll = self._make_scroll()
        self.bar = GenerateBar(session.form, session.queue, self)  # after the form in the order of the Tab key
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 1, 0)
        layout.setSpacing(0)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.bar)
        self.bar.generate_requested.connect(self.generate_requested)
        session.form.form_changed.connect(self._fit_mode)
        session.form.model_changed.connect(self._fit_mode)
        self._fit_mode()

    def _fit_mode(self, _payload: Any = None) -> None:
        """A grid and a way have as many pictures as their values and steps say."""
        is_counted = self.modes.mode in (Mode.PICTURES, Mode.CONTINUE)
        self.count.setVisible(is_counted)
        is_alone = not is_counted or self._form.offers.makes_clips
        self._numbers.removeWidget(self.preset)
        self._numbers.addWidget(self.preset, *((1, 0, 1, 3) if is_alone else (0, 1, 1, 2)))
        self.frames.setVisible(self._form.offers.makes_clips and self.modes.mode is not Mode.BETWEEN)
        self.count.set_title(self.tr("Clips") if self._form.offers.makes_clips else self.tr("Pictures"))

    def _make_scroll(self) -> QScrollArea:
        body = QWidget()
        body.setProperty("role", "plain")
        column = QVBoxLayout(body)
        column.setContentsMargins(SPACING.l, SPACING.l, SPACING.l, SPACING.l)
        column.setSpacing(SPACING.l)
        self._numbers = QGridLayout()
        self._numbers.setHorizontalSpacing(SPACING.s)
        self._numbers.setVerticalSpacing(SPACING.l)
        self._numbers.addWidget(self.count, 0, 0)
        self._numbers.addWidget(self.frames, 0, 1)
        self._numbers.addWidget(self.preset, 0, 1, 1, 2)  # now, for the order of the Tab key
        for place, stretch in enumerate((2, 2, 3)):
            self._numbers.setColumnStretch(place, stretch)
        beginning = (self.modes, self.model_chooser, line(body), self.prompt_field, self.prompt_list)
        for part in (*beginning, self.class_field, self.continuing, self.between, self.axes):
            column.addWidget(part)
        column.addLayout(self._numbers)
        column.addWidget(self.seed)
        column.addWidget(self.start_picture)
        column.addWidget(self.expert)
        column.addStretch(1)
        return scrolling(body, self)

    def show_problem(self) -> None:
        """Bring the first field with an error into view, and the cursor into it."""
        errors: dict[str, Any] = self._form.errors
        if set(errors) & EXPERT_FIELDS and not set(errors) - EXPERT_FIELDS:
            self.expert.set_open(True)
        if "continue_from" in errors:
            self._scroll.ensureWidgetVisible(self.continuing)
            self.continuing.choose.setFocus()
            return
        for widget in self.findChildren(QWidget):
            if widget.property("wrong") == "true" and widget.isVisibleTo(self):
                self._scroll.ensureWidgetVisible(widget)
                widget.setFocus()
                return
