"""Measure a whole folder: what, with which model, how far, and the report."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from app.models.compare.comparison import Comparison
from app.models.compare.report import ReportPhase, ReportWish
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.form_number import whole
from app.ui.widgets.labels import Field, label
from app.ui.widgets.quiet_inputs import QuietComboBox

WIDTH_PX = 560
BAR_STEPS = 1000


class ReportDialog(QDialog):
    """It may be closed while the work goes on; a notice tells of the end."""

    open_requested = Signal(object)  # str: a file for the system's own program
    folder_requested = Signal(object)  # str: a file whose folder is to be shown

    def __init__(self, compare: Comparison, folder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Report on a folder"))
        self._compare = compare
        self.folder = QLineEdit(folder, self)
        self.folder.setPlaceholderText(self.tr("A folder with pictures"))
        self.folder_field = Field(self.tr("Folder"), self.folder, self)
        self.model = QuietComboBox(self)
        self.preset = QuietComboBox(self)
        self.limit = whole(0, 1_000_000, 10)
        self.limit.setSpecialValueText(self.tr("all"))
        self.start_button = TextButton(self.tr("Measure"), "primary", parent=self)
        self.stop_button = TextButton(self.tr("Stop"), "", "stop", self)
        self.page_button = TextButton(self.tr("Open the report"), "primary", parent=self)
        self.place_button = TextButton(self.tr("Show in folder"), "", "folder", self)
        self.worst_button = TextButton(self.tr("Compare the worst"), "", "compare", self)
        self._line = label("", is_wrapped=True)
        self._bar = QProgressBar(self)
        self._bar.setRange(0, BAR_STEPS)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress of the report"))
        self._build()
        self._connect()
        self._fill()
        self._refresh()

    def _build(self) -> None:
        choose = TextButton(self.tr("Choose…"), "", "folder", self)
        choose.clicked.connect(self._on_choose)
        place = QHBoxLayout()
        place.setSpacing(SPACING.s)
        place.addWidget(self.folder_field, 1)
        place.addWidget(choose, 0, Qt.AlignmentFlag.AlignBottom)
        close = TextButton(self.tr("Close"), parent=self)
        close.clicked.connect(self.reject)
        choices = QHBoxLayout()
        choices.setSpacing(SPACING.s)
        choices.addWidget(Field(self.tr("Model"), self.model, self), 3)
        choices.addWidget(Field(self.tr("Quality"), self.preset, self), 2)
        choices.addWidget(Field(self.tr("How many"), self.limit, self), 2)
        deeds = QHBoxLayout()
        deeds.setSpacing(SPACING.s)
        found = QHBoxLayout()
        found.setSpacing(SPACING.s)
        for button in (self.page_button, self.place_button, self.worst_button):
            found.addWidget(button)
        found.addStretch(1)
        deeds.addStretch(1)
        for button in (close, self.stop_button, self.start_button):
            deeds.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.l)
        layout.setSpacing(SPACING.m)
        layout.addWidget(label(self.windowTitle(), "title"))
        words = self.tr(
            "Every picture is reconstructed and measured, in a process of its own. The report is a web page and a "
            "table, the worst pictures first. Stopped, it goes on where it was."
        )
        layout.addWidget(label(words, "muted", is_wrapped=True))
        layout.addLayout(place)
        layout.addLayout(choices)
        layout.addWidget(self._line)
        layout.addWidget(self._bar)
        layout.addLayout(found)
        layout.addStretch(1)
        layout.addLayout(deeds)
        self._line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setMinimumWidth(WIDTH_PX)

    def _connect(self) -> None:
        self._compare.report.view_changed.connect(self._refresh)
        self.start_button.clicked.connect(self._on_start)
        self.stop_button.clicked.connect(self._compare.report.stop)
        self.page_button.clicked.connect(self._on_page)
        self.place_button.clicked.connect(self._on_place)
        self.worst_button.clicked.connect(self._on_worst)
        self.folder.textEdited.connect(self._on_folder_edited)

    def _fill(self) -> None:
        form = self._compare.form
        for entry in form.offered:
            self.model.addItem(entry.name, entry.path)
        chosen = form.chosen[0].path if form.chosen else ""
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        for name in form.presets:
            self.preset.addItem(name, name)
        self.preset.setCurrentIndex(max(0, self.preset.findData(form.state.preset)))

    # ---- what it shows --------------------------------------------------------------------------------------------

    def _refresh(self, _payload: Any = None) -> None:
        view = self._compare.report.view
        self._bar.setVisible(view.is_busy)
        self._bar.setValue(round(view.fraction * BAR_STEPS))
        self._line.setText(self._words())
        self._line.setVisible(bool(self._line.text()))
        self.stop_button.setVisible(view.is_busy)
        self.stop_button.setEnabled(view.phase is ReportPhase.RUNNING)
        self.start_button.setVisible(not view.is_busy)
        self.start_button.setEnabled(bool(self._compare.form.offered))
        anew, again = self.tr("Begin anew"), self.tr("Go on")
        words = {ReportPhase.STOPPED: again, ReportPhase.FAILED: anew if view.can_begin_anew else ""}
        self.start_button.setText(words.get(view.phase) or self.tr("Measure"))
        is_done = view.phase is ReportPhase.FINISHED
        for button in (self.page_button, self.place_button, self.worst_button):
            button.setVisible(is_done)
        self.worst_button.setEnabled(bool(view.worst))

    def _words(self) -> str:
        view = self._compare.report.view
        match view.phase:
            case ReportPhase.RUNNING:
                return view.line or self.tr("Starting; the model is read first…")
            case ReportPhase.STOPPING:
                return self.tr("Stopping…")
            case ReportPhase.STOPPED:
                return self.tr("Stopped. What is measured is kept.")
            case ReportPhase.FAILED:
                return view.problem
            case ReportPhase.FINISHED:
                return self.tr("{count} pictures measured.").format(count=view.num_samples)
        return ""

    # ---- what a person does ---------------------------------------------------------------------------------------

    def _on_choose(self) -> None:
        dialog = QFileDialog(self, self.tr("Folder to measure"), self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.set_folder)
        dialog.open()

    def set_folder(self, folder: str) -> None:
        """Measure this one."""
        self.folder.setText(folder)
        self._on_folder_edited()

    def _on_folder_edited(self, _text: str = "") -> None:
        self.folder_field.set_error("")

    def _on_start(self) -> None:
        folder = self.folder.text().strip()
        if not folder or not Path(folder).is_dir():
            self.folder_field.set_error(self.tr("Choose a folder that is there."))
            self.folder.setFocus()
            return
        is_anew = self._compare.report.view.can_begin_anew
        wish = ReportWish(folder, self.model.currentData(), self.preset.currentData(), self.limit.value(), is_anew)
        self._compare.report.start(wish)

    def _on_page(self) -> None:
        self.open_requested.emit(self._compare.report.view.page)

    def _on_place(self) -> None:
        self.folder_requested.emit(self._compare.report.view.page)

    def _on_worst(self) -> None:
        self._compare.add_files(self._compare.report.view.worst)
        self.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter starts."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.start_button.isVisible():
            self._on_start()
        else:
            super().keyPressEvent(event)
