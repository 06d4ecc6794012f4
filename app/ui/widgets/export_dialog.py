"""Asks how and where a picture or a clip is to be exported, and shows how far it is."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.models.export_form import SCALES, ExportForm, ExportFormat
from app.ui.theme.fonts import font
from app.ui.theme.tokens import CONTROL_HEIGHT, SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.labels import Field, label
from app.ui.widgets.quiet_inputs import QuietComboBox, QuietDoubleSpinBox

WIDTH_PX = 560
_BAR_STEPS = 1000
_FPS_STEP = 0.0006


class ExportDialog(QDialog):
    """Bound to the export form; while an export runs, closing the dialog lets it go on."""

    def __init__(self, form: ExportForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Export"))
        self.format = QuietComboBox(self)
        self.quality = QSlider(Qt.Orientation.Horizontal, self)
        self.quality.setRange(1, 100)
        self.quality_text = label("", "muted")
        self.quality_text.setFont(font(has_even_digits=True))
        self.fps = _RateBox(self)
        self.scale = QuietComboBox(self)
        self.ping_pong = QCheckBox(self.tr("There and back again, so that a loop has no jump"), self)
        self.keeps = QCheckBox(self.tr("Keep in the file how it was made"), self)
        self.path = QLineEdit(self)
        self.summary = label("", "muted")
        self.warning = label("", "warning", is_wrapped=True)
        self.line = label("")
        self.line.setFont(font(has_even_digits=True))
        self.bar = QProgressBar(self)
        self.bar.setRange(0, _BAR_STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the export"))
        self.go_button = TextButton(self.tr("Export"), "primary", parent=self)
        self.go_button.setDefault(True)
        self.cancel_button = TextButton(self.tr("Cancel"), parent=self)
        self._fields: dict[str, Field] = {}
        self._fill()
        self._build()
        self._connect()
        self._show()

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        for each in self._form.formats:
            self.format.addItem(self._title(each), each)
        for scale in SCALES:
            width, height = (side * scale for side in self._form.subject.size_px)
            self.scale.addItem(
                self.tr("{scale}× · {width} × {height} px").format(scale=scale, width=width, height=height)
            )
        row = QWidget(self)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.m)
        layout.addWidget(self.quality, 1)
        layout.addWidget(self.quality_text)
        self.quality_text.setMinimumWidth(124)
        row.setFixedHeight(CONTROL_HEIGHT)
        place = QWidget(self)
        layout = QHBoxLayout(place)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        self._browse = IconButton("folder", self.tr("Choose a place…"), parent=self)
        layout.addWidget(self.path, 1)
        layout.addWidget(self._browse)
        place.setFocusProxy(self.path)
        for control, name in ((self.quality, self.tr("Quality")), (self.path, self.tr("File"))):
            control.setAccessibleName(name)
        self._fields = {
            "format": Field(self.tr("Format"), self.format, self),
            "quality": Field(self.tr("Quality"), row, self),
            "fps": Field(self.tr("Frames per second"), self.fps, self),
            "scale": Field(self.tr("Enlarged"), self.scale, self),
            "path": Field(self.tr("File"), place, self),
        }

    def _title(self, each: ExportFormat) -> str:
        is_moving = self._form.subject.is_moving
        titles = {
            ExportFormat.MP4: self.tr("MP4 (H.264) · plays everywhere"),
            ExportFormat.WEBM: self.tr("WebM (VP9) · for the web"),
            ExportFormat.GIF: self.tr("GIF · 256 colours"),
            ExportFormat.WEBP: self.tr("Animated WebP") if is_moving else self.tr("WebP · small"),
            ExportFormat.PNG: self.tr("PNG pictures in a folder · without loss")
            if is_moving
            else self.tr("PNG · without loss"),
            ExportFormat.JPEG: self.tr("JPEG · opens everywhere"),
        }
        return titles[each]

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.l)
        layout.setSpacing(SPACING.m)
        is_moving = self._form.subject.is_moving
        title = self.tr("Export the clip") if is_moving else self.tr("Export the picture")
        layout.addWidget(label(title, "title"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING.l)
        grid.setVerticalSpacing(SPACING.m)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self._fields["format"], 0, 0)
        grid.addWidget(self._fields["quality"], 0, 1)
        grid.addWidget(self._fields["scale"], 1, 0)
        grid.addWidget(self._fields["fps"], 1, 1)
        layout.addLayout(grid)
        self._fields["fps"].setVisible(is_moving)
        self.ping_pong.setVisible(is_moving and self._form.subject.num_frames > 2)
        for part in (self.ping_pong, self.keeps, self._fields["path"], self.warning, self.summary, self.line, self.bar):
            layout.addWidget(part)
        layout.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addStretch(1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.go_button)
        layout.addLayout(row)
        self.setMinimumWidth(WIDTH_PX)

    def _connect(self) -> None:
        form = self._form
        self.format.activated.connect(self._on_format_activated)
        self.quality.valueChanged.connect(self._on_quality_changed)
        self.fps.valueChanged.connect(self._on_fps_changed)
        self.scale.activated.connect(self._on_scale_activated)
        self.ping_pong.toggled.connect(self._on_ping_pong_toggled)
        self.keeps.toggled.connect(self._on_keeps_toggled)
        self.path.textEdited.connect(form.set_path)
        self._browse.clicked.connect(self._on_browse)
        self.go_button.clicked.connect(form.request)
        self.cancel_button.clicked.connect(self._on_cancel)
        form.form_changed.connect(self._show)
        form.progress_changed.connect(self._show_progress)
        form.finished.connect(self.accept)

    # ---- what it shows ---------------------------------------------------------------------------------------------

    def _show(self) -> None:
        form, settings = self._form, self._form.settings
        self.format.setCurrentIndex(form.formats.index(settings.format))
        self.quality.setValue(settings.quality)
        self.quality.setEnabled(form.has_quality)
        self.quality_text.setText(self._quality_words())
        self.fps.setValue(settings.fps)
        self.scale.setCurrentIndex(SCALES.index(settings.scale))
        self.ping_pong.setChecked(settings.is_ping_pong)
        self.keeps.setChecked(settings.keeps_request)
        if self.path.text() != form.path:
            self.path.setText(form.path)
        errors = form.errors
        for name, field in self._fields.items():
            field.set_error(errors.get(name, ""))
        self.warning.setText(form.warning)
        self.warning.setVisible(bool(form.warning))
        self.summary.setText(form.summary)
        self._show_progress(form.progress)

    def _quality_words(self) -> str:
        settings = self._form.settings
        if not self._form.has_quality:
            return self.tr("always 256 colours") if settings.format is ExportFormat.GIF else self.tr("without loss")
        if settings.format is ExportFormat.WEBP and settings.quality == 100:
            return self.tr("100, without loss")
        return str(settings.quality)

    def _show_progress(self, progress: Any) -> None:
        is_running = progress is not None
        for part in (*self._fields.values(), self.ping_pong, self.keeps):
            part.setEnabled(not is_running)
        self.line.setVisible(is_running)
        self.bar.setVisible(is_running)
        self.summary.setVisible(not is_running)
        self.go_button.setEnabled(not is_running and not self._form.errors)
        self.cancel_button.setText(self.tr("Stop the export") if is_running else self.tr("Cancel"))
        if is_running:
            self.line.setText(progress.line)
            self.bar.setValue(round(progress.fraction * _BAR_STEPS))
        else:
            self.quality.setEnabled(self._form.has_quality)
        self._fit_height()

    def _fit_height(self) -> None:
        """Words that come and go must neither be squeezed nor leave a hole."""
        layout = self.layout()
        if layout is None:
            return
        layout.activate()
        width = max(self.width(), WIDTH_PX)
        self.resize(width, layout.totalHeightForWidth(width))

    # ---- what a person does ----------------------------------------------------------------------------------------

    def _on_format_activated(self, row: int) -> None:
        self._form.update(format=self._form.formats[row])

    def _on_quality_changed(self, quality: int) -> None:
        self._form.update(quality=quality)

    def _on_fps_changed(self, fps: float) -> None:
        if abs(fps - self._form.settings.fps) > _FPS_STEP:  # the box shows 30000 / 1001 as 29.97
            self._form.update(fps=fps)

    def _on_scale_activated(self, row: int) -> None:
        self._form.update(scale=SCALES[row])

    def _on_ping_pong_toggled(self, is_on: bool) -> None:
        self._form.update(is_ping_pong=is_on)

    def _on_keeps_toggled(self, is_on: bool) -> None:
        self._form.update(keeps_request=is_on)

    def _on_cancel(self) -> None:
        if self._form.progress is not None:
            self._form.cancel()
        else:
            self.reject()

    def _on_browse(self) -> None:
        form = self._form
        dialog = QFileDialog(self, self.tr("Export to"), form.path)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)  # the dialog behind it says what will be replaced
        if not form.makes_folder:
            suffix = str(form.settings.format)
            dialog.setNameFilter(f"{Path(form.path).suffix.removeprefix('.').upper() or suffix} (*.{suffix})")
            dialog.setDefaultSuffix(suffix)
        dialog.selectFile(form.path)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(form.set_path)
        dialog.open()


class _RateBox(QuietDoubleSpinBox):
    """Frames per second, without idle zeros."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(3)
        self.setRange(0.1, 240.0)
        self.setSingleStep(1.0)

    def textFromValue(self, value: float) -> str:
        """24, 12.5, 29.97."""
        return f"{value:.3f}".rstrip("0").rstrip(".")
