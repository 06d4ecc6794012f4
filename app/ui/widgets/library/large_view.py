"""One result large, with its neighbours a key away; clips play."""

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.gallery import GalleryItem, GalleryKind
from app.models.progress import grouped
from app.services.background import LatestTask
from app.services.gallery.records import pattern_of
from app.services.media import load_image
from app.services.video_frames import VideoFrames
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.clip_player import ClipPlayer
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.image_view import ImageView
from app.ui.widgets.labels import label
from app.ui.widgets.library.cell_painter import caption_of

_PREVIOUS = (Qt.Key.Key_Left, Qt.Key.Key_PageUp)
_NEXT = (Qt.Key.Key_Right, Qt.Key.Key_PageDown)


class LargeView(QFrame):
    """Arrows walk, plus and minus zoom, Esc goes back, Space plays a clip."""

    close_requested = Signal()
    step_requested = Signal(object)  # int: -1 or 1

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._item: GalleryItem | None = None
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_loaded)
        self.view = ImageView(parent=self)
        self.player = ClipPlayer(parent=self)
        self._problem = label("", "warning", is_wrapped=True)
        self._problem.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget(self)
        self._place = label("", "muted")
        self._title = ElidedLabel("", "muted", self)
        self._previous = IconButton("chevron-left", self.tr("Previous (←)"), parent=self)
        self._next = IconButton("chevron-right", self.tr("Next (→)"), parent=self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Result"))
        self._build()
        self._previous.clicked.connect(self._on_previous)
        self._next.clicked.connect(self._on_next)
        self.player.failed.connect(self._show_problem)

    def _build(self) -> None:
        back = TextButton(self.tr("All results"), "", "back", self)
        back.setToolTip(self.tr("Back to all results (Esc)"))
        back.clicked.connect(self.close_requested)
        bar = QHBoxLayout()
        bar.setContentsMargins(SPACING.m, SPACING.s, SPACING.m, SPACING.s)
        bar.setSpacing(SPACING.xs)
        for part in (back, self._previous, self._place, self._next):
            bar.addWidget(part)
        bar.addSpacing(SPACING.m)
        bar.addWidget(self._title, 1)
        for icon_name, name, slot in (
            ("minus", self.tr("Smaller (−)"), self._on_smaller),
            ("plus", self.tr("Larger (+)"), self._on_larger),
            ("fit", self.tr("Fit (0)"), self._on_fit),
        ):
            button = IconButton(icon_name, name, parent=self)
            button.clicked.connect(slot)
            bar.addWidget(button)
        for page in (self.view, self.player, self._problem):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self._pages, 1)

    @property
    def item(self) -> GalleryItem | None:
        """The result on show."""
        return self._item

    def show_item(self, item: GalleryItem, place: int, count: int) -> None:
        """Show a result; its file is read in a thread."""
        is_other = self._item is None or (self._item.path, self._item.modified_s) != (item.path, item.modified_s)
        self._item = item
        self._place.setText(self.tr("{place} of {count}").format(place=grouped(place + 1), count=grouped(count)))
        self._title.set_text(caption_of(item))
        self._previous.setEnabled(place > 0)
        self._next.setEnabled(place < count - 1)
        if is_other and item.kind is GalleryKind.CLIP:
            self._task.drop()
            self.view.set_image(None)
            self.player.set_source(VideoFrames(pattern_of(Path(item.path))))
            self._pages.setCurrentWidget(self.player)
        elif is_other:
            self._task.start(partial(load_result, item.path))

    def clear(self) -> None:
        """Let go of what it holds."""
        self._item = None
        self._task.drop()
        self.view.set_image(None)
        self.player.set_source(None)

    def _on_loaded(self, result: "QImage | str") -> None:
        self.player.set_source(None)
        if isinstance(result, QImage):
            self.view.set_image(result)
            self._pages.setCurrentWidget(self.view)
        else:
            self._show_problem(result)

    def _show_problem(self, sentence: Any) -> None:
        self._problem.setText(str(sentence))
        self._pages.setCurrentWidget(self._problem)

    # ---- what a person does ---------------------------------------------------------------------------------------

    @property
    def _picture(self) -> ImageView:
        return self.player.view if self._pages.currentWidget() is self.player else self.view

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        if event.key() in _PREVIOUS:
            self.step_requested.emit(-1)
        elif event.key() in _NEXT:
            self.step_requested.emit(1)
        elif self._pages.currentWidget() is self.player and event.key() in (
            Qt.Key.Key_Space,
            Qt.Key.Key_A,
            Qt.Key.Key_D,
            Qt.Key.Key_L,
        ):
            self.player.keyPressEvent(event)
        elif not self._picture.take_key(event):
            super().keyPressEvent(event)

    def _on_previous(self) -> None:
        self.step_requested.emit(-1)

    def _on_next(self) -> None:
        self.step_requested.emit(1)

    def _on_smaller(self) -> None:
        self._picture.zoom_by(-1)

    def _on_larger(self) -> None:
        self._picture.zoom_by(1)

    def _on_fit(self) -> None:
        self._picture.fit()


def load_result(path: str) -> "QImage | str":
    """The picture in a file, or a sentence why there is none. Called in a thread."""
    image = load_image(path)
    words = QCoreApplication.translate("LargeView", "{name} cannot be read as a picture.")
    return image if image is not None else words.format(name=Path(path).name)
