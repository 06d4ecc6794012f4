"""One picture large, with its neighbours a key away."""

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.play_state import LoopMode
from app.models.results import ResultsModel, Tile
from app.pixels import Pixels
from app.services.background import LatestTask
from app.services.frame_sources import FrameSource, MemoryFrames
from app.services.media import image_of, load_image
from app.services.sheets import frames
from app.services.video_frames import VideoFrames
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.clip_player import ClipPlayer
from app.ui.widgets.generate.group_export import WAY_FPS, cells_of
from app.ui.widgets.image_view import ZoomBar
from app.ui.widgets.labels import label
from app.ui.widgets.picture_facts import PictureFacts
from app.ui.widgets.picture_menu import PictureMenu, PictureVerbs
from ul_engine.requests import InterpolateRequest

_PREVIOUS = (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_PageUp)
_NEXT = (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_Space)


class SingleView(QFrame):
    """Arrows walk (and pan while it is zoomed), plus and minus zoom, 0 fits, 1 shows pixel for pixel, Esc goes back.

    Clips play: Space stops and goes on, A and D step.
    """

    close_requested = Signal()

    def __init__(self, results: ResultsModel, verbs: PictureVerbs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._results = results
        self._verbs = verbs
        self._tile: Tile | None = None
        self.player = ClipPlayer(parent=self)
        self.canvas = self.player.view
        self.setFocusProxy(self.canvas)
        self._loading = LatestTask(self)
        self._facts = PictureFacts(self)
        self._place = label("", "muted")
        self._previous = IconButton("chevron-left", self.tr("Previous picture (←)"), parent=self)
        self._next = IconButton("chevron-right", self.tr("Next picture (→)"), parent=self)
        self._folder = IconButton("folder", self.tr("Show in folder"), parent=self)
        self._star = IconButton("star", self.tr("Star (S)"), parent=self)
        self._way = IconButton("play", self.tr("Play the whole way"), parent=self)
        self._way.setCheckable(True)
        self._begin = IconButton("picture", self.tr("Start from this picture"), parent=self)
        self._ways = LatestTask(self)
        self._ways.finished.connect(self._on_way_ready)
        self._build()
        self._loading.finished.connect(self.canvas.set_image)
        results.dataChanged.connect(self._on_data_changed)
        results.count_changed.connect(self._on_data_changed)

    def _build(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(SPACING.m, SPACING.s, SPACING.m, SPACING.s)
        bar.setSpacing(SPACING.xs)
        back = TextButton(self.tr("All pictures"), "", "back", self)
        back.setToolTip(self.tr("Back to all pictures (Esc)"))
        back.clicked.connect(self.close_requested)
        for part in (back, self._previous, self._place, self._next):
            bar.addWidget(part)
        bar.addStretch(1)
        bar.addWidget(ZoomBar(self.canvas.state, self))
        bar.addSpacing(SPACING.l)
        for button in (self._way, self._star, self._begin):
            bar.addWidget(button)
        self._add(bar, "copy", self.tr("Copy picture (Ctrl+C)"), self._on_copy)
        self._add(bar, "save", self.tr("Save as… (Ctrl+S)"), self._on_save)
        bar.addWidget(self._folder)
        reuse = TextButton(self.tr("Use these settings"), "", "reuse", self)
        reuse.clicked.connect(self._on_reuse)
        bar.addSpacing(SPACING.s)
        bar.addWidget(reuse)
        self._previous.clicked.connect(self._on_previous)
        self._next.clicked.connect(self._on_next)
        self._folder.clicked.connect(self._on_folder)
        self._star.clicked.connect(self._on_star)
        self._begin.clicked.connect(self._on_begin)
        self._way.toggled.connect(self._on_way_toggled)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.player, 1)
        middle.addWidget(self._facts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addLayout(middle, 1)

    def _add(self, bar: QHBoxLayout, icon_name: str, name: str, slot: object) -> None:
        button = IconButton(icon_name, name, parent=self)
        button.clicked.connect(slot)
        bar.addWidget(button)

    # ---- what it shows --------------------------------------------------------------------------------------------

    @property
    def tile(self) -> Tile | None:
        """The picture on show."""
        return self._tile

    def show_tile(self, tile: Tile) -> None:
        """Show a picture."""
        is_other = self._tile is None or (self._tile.job_id, self._tile.index) != (tile.job_id, tile.index)
        self._tile = tile
        if is_other:
            self._way.setChecked(False)
            self._show_content(tile)
        self._facts.set_tile(tile)
        self._folder.setEnabled(bool(tile.path))
        self._star.setEnabled(bool(tile.path))
        self._star.set_icon("star-full" if tile.is_starred else "star")
        self._star.set_name(self.tr("Take the star (S)") if tile.is_starred else self.tr("Star (S)"))
        self._begin.set_icon("film" if tile.is_moving else "picture")
        self._begin.set_name(self.tr("Continue this clip") if tile.is_moving else self.tr("Start from this picture"))
        self._way.setVisible(isinstance(tile.request, InterpolateRequest) and not tile.is_moving)
        self._show_place()

    def _show_content(self, tile: Tile) -> None:
        """A picture, or a clip that begins to play."""
        self._loading.drop()
        self.player.bar.setVisible(tile.is_moving)
        self.player.play.seek(0)
        self.player.set_source(frames_of(tile) if tile.is_moving else None, plays=True)
        if tile.is_moving:
            return
        if tile.pixels is not None:
            self.canvas.set_image(image_of(tile.pixels))
        elif tile.path:
            self._loading.start(partial(load_image, tile.path))

    def _on_way_toggled(self, is_on: bool) -> None:
        """All pictures of the way as a clip, there and back; or this one again."""
        tile = self._tile
        if tile is None:
            return
        if is_on:
            self._ways.start(partial(frames, cells_of(self._results.tiles_of(tile.job_id))))
        else:
            self._ways.drop()
            self._show_content(tile)

    def _on_way_ready(self, pictures: tuple[Pixels, ...]) -> None:
        if self._way.isChecked() and len(pictures) > 1:
            self._loading.drop()
            self.player.bar.show()
            self.player.play.set_loop(LoopMode.PING_PONG)
            self.player.play.seek(0)
            self.player.set_source(MemoryFrames(pictures, WAY_FPS), plays=True)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with a picture, as in the grid."""
        if self._tile is not None:
            PictureMenu(self._tile, self._verbs, self).popup(event.globalPos())

    def set_crisp(self, is_crisp: bool) -> None:
        """Hard pixel edges, or smooth."""
        self.canvas.set_crisp(is_crisp)

    def _neighbours(self) -> tuple[list[Tile], int]:
        tiles = self._results.done_tiles()
        keys = [(tile.job_id, tile.index) for tile in tiles]
        here = (self._tile.job_id, self._tile.index) if self._tile else None
        return tiles, keys.index(here) if here in keys else -1

    def _show_place(self) -> None:
        tiles, place = self._neighbours()
        self._place.setText(self.tr("{place} of {count}").format(place=place + 1, count=len(tiles)))
        self._previous.setEnabled(place > 0)
        self._next.setEnabled(0 <= place < len(tiles) - 1)

    def _step(self, offset: int) -> None:
        tiles, place = self._neighbours()
        if 0 <= place + offset < len(tiles):
            self.show_tile(tiles[place + offset])

    def _on_data_changed(self, *_payload: Any) -> None:
        """The picture on show may have been saved by now, and there may be more."""
        if self._tile is None or not self.isVisible():
            return
        tiles, place = self._neighbours()
        if place >= 0:
            self.show_tile(tiles[place])

    # ---- what a person does ---------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.close_requested.emit()
        elif self.player.take_key(event):
            event.accept()
        elif key in _PREVIOUS:
            self._step(-1)
        elif key in _NEXT:
            self._step(1)
        elif key == Qt.Key.Key_1:
            self.canvas.zoom_to(1.0)
        elif self.canvas.take_key(event):
            event.accept()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self._on_copy()
        elif self._tile is None or not self._verbs.on_key(event, self._tile):
            super().keyPressEvent(event)

    def _on_previous(self) -> None:
        self._step(-1)

    def _on_next(self) -> None:
        self._step(1)

    def _on_copy(self) -> None:
        """Of a clip the frame on show, of a picture all of it."""
        if self._tile is None:
            return
        if self._tile.is_moving and self.canvas.image is not None:
            QGuiApplication.clipboard().setImage(self.canvas.image)
        else:
            self._verbs.copy_requested.emit(self._tile)

    def _on_save(self) -> None:
        self._verbs.save_requested.emit(self._tile)

    def _on_folder(self) -> None:
        self._verbs.folder_requested.emit(self._tile)

    def _on_star(self) -> None:
        self._verbs.star_requested.emit(self._tile)

    def _on_begin(self) -> None:
        self._verbs.begin_requested.emit(self._tile)

    def _on_reuse(self) -> None:
        self._verbs.reuse_requested.emit(self._tile)


def frames_of(tile: Tile) -> FrameSource | None:
    """The frames of a clip, from memory or from its file."""
    if tile.clip is not None:
        return MemoryFrames(tile.clip.frames, tile.clip.fps)
    return VideoFrames(tile.path) if tile.path else None
