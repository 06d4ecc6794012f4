"""A dialog in which a person paints what of a picture is made anew."""

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.services.background import LatestTask
from app.services.media import load_image
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.generate.form_share import QuietSlider
from app.ui.widgets.labels import label
from app.ui.widgets.mask_editor.mask_canvas import MaskCanvas
from app.ui.widgets.mask_editor.mask_painting import MaskPainting

SIZE_PX = (820, 680)
_SIZE_STEP = 1.25


class MaskEditor(QDialog):
    """E erases, [ and ] change the brush, I inverts, Ctrl+Z takes back; Esc leaves everything as it was."""

    mask_chosen = Signal(object)  # Pixels | None: nothing painted means no mask

    def __init__(self, picture: str, mask: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Paint what changes"))
        self.painting: MaskPainting | None = None
        self.canvas = MaskCanvas(self)
        self.size_slider = QuietSlider(Qt.Orientation.Horizontal, self)
        self.size_slider.setRange(1, 50)
        self.size_slider.setValue(round(self.canvas.brush.size * 100))
        self.size_slider.setMaximumWidth(160)
        self.size_slider.setAccessibleName(self.tr("Size of the brush"))
        self.size_slider.setToolTip(self.tr("Size of the brush ([ and ])"))
        self.erase = IconButton("eraser", self.tr("Erase (E)"), parent=self)
        self.erase.setCheckable(True)
        self.undo = IconButton("undo", self.tr("Undo (Ctrl+Z)"), parent=self)
        self.invert = IconButton("invert", self.tr("Invert (I)"), parent=self)
        self.clear = IconButton("trash", self.tr("Clear"), parent=self)
        self.use_button = TextButton(self.tr("Use this mask"), "primary", parent=self)
        self.use_button.setDefault(True)
        self._problem = label("", "error", is_wrapped=True)
        self._build()
        self._connect()
        self._set_ready(False)
        self._loading = LatestTask(self)
        self._loading.finished.connect(self._on_loaded)
        self._loading.start(lambda: (load_image(picture), load_image(mask) if mask else None))
        self.resize(*SIZE_PX)

    def _build(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(SPACING.s)
        tools.addWidget(label(self.tr("Brush"), "field"))
        tools.addWidget(self.size_slider)
        for button in (self.erase, self.undo, self.invert, self.clear):
            tools.addWidget(button)
        tools.addStretch(1)
        cancel = TextButton(self.tr("Cancel"), parent=self)
        cancel.clicked.connect(self.reject)
        answers = QHBoxLayout()
        answers.setSpacing(SPACING.s)
        answers.addWidget(self._problem, 1)
        answers.addWidget(cancel)
        answers.addWidget(self.use_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.l, SPACING.l, SPACING.l)
        layout.setSpacing(SPACING.s)
        layout.addWidget(label(self.tr("Paint over what is to be made anew"), "strong"))
        words = self.tr("The rest of the picture is kept. The middle mouse button moves the picture, the wheel zooms.")
        layout.addWidget(label(words, "muted", is_wrapped=True))
        layout.addLayout(tools)
        layout.addWidget(self.canvas, 1)
        layout.addLayout(answers)

    def _connect(self) -> None:
        self.size_slider.valueChanged.connect(self._on_brush_changed)
        self.erase.toggled.connect(self._on_brush_changed)
        self.undo.clicked.connect(self._on_undo)
        self.invert.clicked.connect(self._on_invert)
        self.clear.clicked.connect(self._on_clear)
        self.use_button.clicked.connect(self._on_use)
        keys = (
            ("E", self.erase.toggle),
            ("I", self._on_invert),
            ("[", self._on_smaller),
            ("]", self._on_larger),
            (QKeySequence.StandardKey.Undo, self._on_undo),
        )
        for key, slot in keys:
            QShortcut(QKeySequence(key), self).activated.connect(slot)

    def _set_ready(self, is_ready: bool) -> None:
        for widget in (self.size_slider, self.erase, self.invert, self.clear, self.use_button):
            widget.setEnabled(is_ready)
        self.undo.setEnabled(is_ready and self.painting is not None and self.painting.can_undo)

    def _on_loaded(self, images: tuple[QImage | None, QImage | None]) -> None:
        picture, mask = images
        if picture is None:
            self._problem.setText(self.tr("The picture cannot be read any more."))
            return
        self.painting = MaskPainting(picture.size(), self)
        if mask is not None:
            self.painting.load(mask)
        self.painting.mask_changed.connect(self._on_mask_changed)
        self.canvas.set_painting(picture, self.painting)
        self.canvas.setFocus()
        self._set_ready(True)

    # ---- what a person does ---------------------------------------------------------------------------------------

    def _on_brush_changed(self, _value: object = None) -> None:
        brush = replace(self.canvas.brush, size=self.size_slider.value() / 100, is_eraser=self.erase.isChecked())
        self.canvas.set_brush(brush)

    def _on_smaller(self) -> None:
        self.size_slider.setValue(min(self.size_slider.value() - 1, round(self.size_slider.value() / _SIZE_STEP)))

    def _on_larger(self) -> None:
        self.size_slider.setValue(max(self.size_slider.value() + 1, round(self.size_slider.value() * _SIZE_STEP)))

    def _on_undo(self) -> None:
        if self.painting is not None:
            self.painting.undo()

    def _on_invert(self) -> None:
        if self.painting is not None:
            self.painting.invert()

    def _on_clear(self) -> None:
        if self.painting is not None:
            self.painting.clear()

    def _on_mask_changed(self) -> None:
        self.undo.setEnabled(self.painting is not None and self.painting.can_undo)

    def _on_use(self) -> None:
        painting = self.painting
        if painting is not None:
            self.mask_chosen.emit(None if painting.is_empty else painting.pixels())
        self.accept()
