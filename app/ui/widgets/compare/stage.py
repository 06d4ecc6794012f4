"""The pictures themselves, in one of five ways; scrubbing only swaps pictures that are there."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.models.compare.candidates import CandidateKind, Shown, ShownState
from app.models.compare.comparison import Comparison
from app.models.compare.keeping import rung_of_shown
from app.models.compare.levels import Ladder
from app.models.compare.view import DifferenceKind, ViewMode
from app.pixels import Clip
from app.services import difference
from app.ui.widgets.compare.images import ImageStore
from app.ui.widgets.image_view import Candidate, GridView, ImageView, PairMode, PairView, ViewState

PAIR_MODES = {
    ViewMode.WIPE: PairMode.WIPE,
    ViewMode.BLINK: PairMode.BLINK,
    ViewMode.SIDE: PairMode.SIDE_BY_SIDE,
    ViewMode.DIFFERENCE: PairMode.DIFFERENCE,
}


class CompareStage(QWidget):
    """Grid and pair share zoom and place."""

    probed = Signal(object)  # Probe | None

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compare = compare
        self.images = ImageStore()
        self.state = ViewState(self)
        self.grid = GridView(self.state, self)
        self.pair = PairView(self.state, self)
        self._overlay: QImage | None = None
        self._is_blinking = False
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.grid)
        self._stack.addWidget(self.pair)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self.grid.probed.connect(self.probed)
        self.pair.probed.connect(self.probed)
        self.grid.chosen.connect(self._on_cell_chosen)
        compare.view.view_changed.connect(self.refresh)
        compare.shown_changed.connect(self.refresh)
        self.refresh()

    # ---- what it shows --------------------------------------------------------------------------------------------

    def refresh(self, _payload: Any = None) -> None:
        """Follow the comparison; pictures that did not change are left alone."""
        if self._compare.view.view.mode is ViewMode.GRID:
            self._show_grid()
        else:
            self._show_pair()
        self._apply_overlay()

    def set_overlay(self, overlay: QImage | None) -> None:
        """Lay a map over all pictures."""
        self._overlay = overlay
        self._apply_overlay()

    def set_blinking(self, is_blinking: bool) -> None:
        """Show the original (or what the candidate is held against) in place of everything, while a key is held."""
        if is_blinking != self._is_blinking:
            self._is_blinking = is_blinking
            self.refresh()

    def image_of(self, shown: Shown) -> QImage | None:
        """The picture of a candidate's frame on show."""
        return self._frame_of(shown.clip) if shown.clip else None

    def label_of(self, shown: Shown) -> str:
        """A candidate's name, and why there is no picture of it."""
        words = {
            ShownState.RUNNING: self.tr("at work…"),
            ShownState.WAITING: self.tr("waits…"),
            ShownState.FAILED: self.tr("failed"),
            ShownState.MISSING: self.tr("not made yet"),
        }
        own = shown.words if shown.candidate.kind is not CandidateKind.FILE else ""  # why it has no numbers is no label
        detail = words.get(shown.state, own or self._level_of(shown))
        return f"{shown.candidate.title} · {detail}" if detail else shown.candidate.title

    def _level_of(self, shown: Shown) -> str:
        """Where on its ladder a picture is, so that it can be told from others of its model, once it is saved too."""
        rung = rung_of_shown(self._compare, shown.candidate)
        if rung is None or rung.level is None:
            return ""
        words = self.tr("log-SNR {level}") if rung.ladder is Ladder.LATENT else self.tr("begun at log-SNR {level}")
        return words.format(level=f"{rung.level:g}")

    def _frame_of(self, clip: Clip) -> QImage:
        frame = min(self._compare.view.view.frame, len(clip.frames) - 1)
        return self.images.image(clip.frames[frame])

    def _show_grid(self) -> None:
        shown = self._compare.all_shown()
        if self._is_blinking:
            shown = (self._compare.shown(self._compare.reference),) * len(shown)
        self.grid.set_candidates([Candidate(self.image_of(each), self.label_of(each)) for each in shown])
        self._stack.setCurrentWidget(self.grid)

    def _show_pair(self) -> None:
        view = self._compare.view.view
        first, second = self._pair()
        mode = PAIR_MODES[view.mode]
        if self._is_blinking:
            self._put(first, first)
            mode = PairMode.BLINK if view.mode is not ViewMode.SIDE else mode
        elif mode is PairMode.BLINK:
            self._put(second, first, self._blink_label(second, first))
        else:
            self._put(first, second)
        self.pair.set_mode(mode)
        if mode is PairMode.DIFFERENCE:
            self._show_difference(first, second)
        self._stack.setCurrentWidget(self.pair)

    def _pair(self) -> tuple[Shown, Shown]:
        """What the candidate is held against, and the candidate; never the same twice where there are two."""
        candidates = self._compare.candidates
        reference, chosen = self._compare.reference, self._compare.candidate
        if chosen == reference:
            chosen = next((each for each in candidates if each != reference), chosen)
        return self._compare.shown(reference), self._compare.shown(chosen)

    def _blink_label(self, shown: Shown, hidden: Shown) -> str:
        words = self.tr("{name} · hold C to see {other}")
        return words.format(name=self.label_of(shown), other=hidden.candidate.title)

    def _put(self, first: Shown, second: Shown, first_label: str = "") -> None:
        pictures = (self.image_of(first), self.image_of(second))
        labels = (first_label or self.label_of(first), self.label_of(second))
        keys = tuple(image.cacheKey() if image is not None else 0 for image in pictures)
        if (keys, labels) != self.pair.property("on_show"):
            self.pair.setProperty("on_show", (keys, labels))
            self.pair.set_pair(*pictures, *labels)

    def _show_difference(self, first: Shown, second: Shown) -> None:
        view = self._compare.view.view
        kind = view.difference
        if kind is DifferenceKind.FLIP:
            if first.candidate.kind is not CandidateKind.ORIGINAL or second.flip_map is None:
                kind = DifferenceKind.ABSOLUTE
            elif not self.pair.has_flip_map:
                self.pair.set_flip_map(self._flip_map(second))
        self.pair.set_difference(difference.DifferenceKind(kind.value), view.gain)

    def _flip_map(self, shown: Shown) -> Any:
        """float32 `[H, W]` from 0 to 1 of the frame on show."""
        import numpy as np

        assert shown.flip_map is not None
        found = shown.flip_map
        values = np.frombuffer(found.data, np.uint8).reshape(found.num_frames, found.height, found.width)
        frame = min(self._compare.view.view.frame, found.num_frames - 1)
        return values[frame].astype(np.float32) / np.float32(255)

    # ---- views ----------------------------------------------------------------------------------------------------

    @property
    def views(self) -> tuple[ImageView, ...]:
        """The views on show."""
        if self._stack.currentWidget() is self.grid:
            return self.grid.views
        return (self.pair.main, self.pair.side)

    def _apply_overlay(self) -> None:
        opacity = self._compare.view.view.overlay_opacity
        overlay = None if self._is_blinking else self._overlay
        for view in self.views:
            view.set_overlay(overlay, opacity)

    def _on_cell_chosen(self, place: int) -> None:
        self._compare.choose(place)

    def fit(self) -> None:
        """Show all of the picture."""
        self.state.fit()

    def set_crisp(self, is_crisp: bool) -> None:
        """Hard pixel edges, or smooth."""
        self.state.set_crisp(is_crisp)

    def snapshot(self) -> QImage:
        """What is seen, with its labels."""
        front = self.grid if self._stack.currentWidget() is self.grid else self.pair
        return front.grab().toImage()

    def repaint_now(self) -> None:
        """Paint what is on show before this returns."""
        for view in self.views:
            if view.isVisible():
                view.repaint()
