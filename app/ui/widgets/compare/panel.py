"""The left side of the page Compare: what is compared, and how."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.compare.codec_list import CodecList
from app.ui.widgets.compare.input_strip import InputStrip
from app.ui.widgets.compare.model_list import ModelList
from app.ui.widgets.compare.run_bar import RunBar
from app.ui.widgets.compare.settings_form import SettingsForm
from app.ui.widgets.labels import line
from app.ui.widgets.scrolling import scrolling

WIDTH_PX = 272


class ComparePanel(QFrame):
    """Pictures, models, codecs, settings, and the buttons below."""

    files_requested = Signal()
    run_requested = Signal()
    all_requested = Signal()
    stop_requested = Signal()
    report_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setFixedWidth(WIDTH_PX)
        compare = session.compare
        self.inputs = InputStrip(compare.inputs, self)
        self.models = ModelList(compare.form, self)
        self.codecs = CodecList(compare, self)
        self.settings = SettingsForm(compare.form, self)
        self.report_button = Chip(self.tr("Measure a whole folder…"), variant="link", parent=self)
        self.report_button.clicked.connect(self.report_requested)
        scroll = self._make_scroll()
        self.bar = RunBar(session, self)  # after the form in the order of the Tab key
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 1, 0)
        layout.setSpacing(0)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.bar)
        self.inputs.files_requested.connect(self.files_requested)
        self.bar.run_requested.connect(self.run_requested)
        self.bar.all_requested.connect(self.all_requested)
        self.bar.stop_requested.connect(self.stop_requested)

    def _make_scroll(self) -> QScrollArea:
        body = QWidget()
        body.setProperty("role", "plain")
        column = QVBoxLayout(body)
        column.setContentsMargins(SPACING.l, SPACING.l, SPACING.l, SPACING.l)
        column.setSpacing(SPACING.l)
        for part in (self.inputs, line(body), self.models, self.settings, self.codecs):
            column.addWidget(part)
        column.addWidget(self.report_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        return scrolling(body, self)
