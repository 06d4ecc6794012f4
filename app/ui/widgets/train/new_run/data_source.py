"""Where the data comes from: a place to drop it on, two buttons, and the built-in scenes."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from app.models.new_run.new_run import NewRun
from app.models.new_run.state import SCENES_CHOICE
from app.ui.theme.theme import colours
from app.ui.theme.tokens import RADIUS_LARGE, SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.labels import label

ARCHIVES = "*.zip *.tar *.tar.gz *.tgz"


class DataSource(QWidget):
    """Large while nothing is chosen, one line afterwards."""

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._is_hovered = False
        self.setAcceptDrops(True)
        self._title = label(self.tr("Drop a folder or an archive here"), "emphasis")
        self._words = label(
            self.tr(
                "Pictures (PNG, JPEG, WebP …) or videos, in a folder, a zip file or tar shards. Folders inside become "
                "classes; a text file beside a picture becomes its caption."
            ),
            "muted",
            is_wrapped=True,
        )
        self._chosen = ElidedLabel("", "emphasis", self)
        self._chosen.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.folder_button = TextButton(self.tr("Choose a folder…"), "", "folder", self)
        self.archive_button = TextButton(self.tr("Choose an archive…"), parent=self)
        self.scenes_button = TextButton(self.tr("Use the built-in scenes"), parent=self)
        self.scenes_button.setToolTip(
            self.tr(
                "Small pictures or clips of shapes that the program draws by itself, with captions: nothing to download"
            )
        )
        self._build()
        self.folder_button.clicked.connect(self._on_folder_clicked)
        self.archive_button.clicked.connect(self._on_archive_clicked)
        self.scenes_button.clicked.connect(self._on_scenes_clicked)
        model.state_changed.connect(self._on_state_changed)
        self._on_state_changed(model.state)

    def _build(self) -> None:
        row = QWidget(self)
        buttons = FlowLayout(SPACING.s, row)
        for button in (self.folder_button, self.archive_button, self.scenes_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.l, SPACING.l, SPACING.l)
        layout.setSpacing(SPACING.s)
        for part in (self._title, self._chosen, self._words):
            layout.addWidget(part)
        layout.addSpacing(SPACING.xs)
        layout.addWidget(row)

    def _on_state_changed(self, state: Any) -> None:
        is_chosen = bool(state.data)
        self._title.setVisible(not is_chosen)
        self._words.setVisible(not is_chosen)
        self._chosen.setVisible(is_chosen)
        if is_chosen:
            self._chosen.set_text(self.tr("Built-in scenes") if state.data == SCENES_CHOICE else state.data)
        self.folder_button.setText(self.tr("Another folder…") if is_chosen else self.tr("Choose a folder…"))
        self.archive_button.setText(self.tr("Another archive…") if is_chosen else self.tr("Choose an archive…"))

    # ---- choosing -------------------------------------------------------------------------------------------------

    def _on_folder_clicked(self) -> None:
        dialog = self._dialog(self.tr("Folder of pictures or videos"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.open()

    def _on_archive_clicked(self) -> None:
        dialog = self._dialog(self.tr("Archive of pictures or videos"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Archives ({kinds})").format(kinds=ARCHIVES), self.tr("All files (*)")])
        dialog.open()

    def _dialog(self, title: str) -> QFileDialog:
        now = self._model.state.data
        start = str(Path(now).parent) if now and now != SCENES_CHOICE else str(Path.home())
        dialog = QFileDialog(self, title, start)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._model.choose_data)
        return dialog

    def _on_scenes_clicked(self) -> None:
        self._model.choose_data(SCENES_CHOICE)

    # ---- dropping -------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """One place on this computer may come in."""
        if _dropped(event):
            event.acceptProposedAction()
            self._hover(is_on=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It went away again."""
        self._hover(is_on=False)

    def dropEvent(self, event: QDropEvent) -> None:
        """That is the data."""
        self._hover(is_on=False)
        path = _dropped(event)
        if path:
            event.acceptProposedAction()
            self._model.choose_data(path)

    def _hover(self, *, is_on: bool) -> None:
        self._is_hovered = is_on
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A dashed frame, as places to drop on have."""
        c = colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(c.accent_tint if self._is_hovered else c.panel))
        is_empty = not self._model.state.data
        style = Qt.PenStyle.DashLine if is_empty or self._is_hovered else Qt.PenStyle.SolidLine
        colour = c.accent_text if self._is_hovered else c.field_line if is_empty else c.line
        painter.setPen(QPen(QColor(colour), 1.5 if is_empty else 1.0, style))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS_LARGE, RADIUS_LARGE)
        painter.end()


def _dropped(event: QDropEvent) -> str:
    """The path, if exactly one local file or folder is dropped."""
    urls = event.mimeData().urls()
    return urls[0].toLocalFile().rstrip("/") if len(urls) == 1 and urls[0].isLocalFile() else ""
