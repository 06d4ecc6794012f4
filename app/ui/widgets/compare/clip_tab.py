"""Clips over time: PSNR of every frame, and flicker between frames."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.models.compare.candidates import Candidate, CandidateKind
from app.models.compare.comparison import Comparison
from app.models.compare.findings import Reconstruction
from app.ui.widgets.chart import Axis, Chart, Mark, Series
from app.ui.widgets.compare.tab_frame import TabFrame

CHART_PX = 200


class ClipTab(TabFrame):
    """A click into a chart goes to the frame."""

    frame_chosen = Signal(object)  # int

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._compare = compare
        self.explanation.setText(
            self.tr(
                "How close each frame is, and how much changes between frames that does not change in the original. "
                "Click into a chart to go to a frame."
            )
        )
        self.psnr = Chart(self.tr("PSNR by frame"), self)
        self.flicker = Chart(self.tr("Flicker by frame"), self)
        for chart in (self.psnr, self.flicker):
            chart.setMinimumHeight(CHART_PX)
            chart.set_wheel_shared(True)
            chart.picked.connect(self._on_picked)
            self.column.addWidget(chart)
        self.follow(compare)

    def refresh(self) -> None:
        """Follow the comparison."""
        found = [(each.title, clip) for each in self._compare.candidates if (clip := self._found(each)) is not None]
        moving = [(title, clip) for title, clip in found if clip.frame_psnr_db]
        self.show_state(self._note(is_moving=bool(moving)), has_body=bool(moving), has_button=False)
        mark = [Mark("", x=float(self._compare.view.view.frame + 1))]
        self.psnr.set_marks(mark)
        self.flicker.set_marks(mark)
        key = tuple(id(clip) for _, clip in moving)
        if key == self.property("on_show"):
            return
        self.setProperty("on_show", key)
        self.psnr.set_axes(Axis(self.tr("frame")), Axis(self.tr("PSNR"), "dB"))
        self.flicker.set_axes(Axis(self.tr("frame")), Axis(self.tr("flicker, levels of 255"), low=0.0))
        self.psnr.set_series([_over_time(title, clip.frame_psnr_db, 1) for title, clip in moving])
        self.flicker.set_series([_over_time(title, clip.frame_flicker, 2) for title, clip in moving])

    def _found(self, candidate: Candidate) -> Reconstruction | None:
        key = self._compare.key_of(candidate) if candidate.kind is not CandidateKind.ORIGINAL else None
        return self._compare.results.get(key, Reconstruction) if key else None

    def _note(self, *, is_moving: bool) -> str:
        current = self._compare.inputs.current
        if is_moving:
            return ""
        if current is None or not current.fps:
            return self.tr("This is for videos: add one, and its curves appear here.")
        return self.tr(
            "No curves yet. A model of pictures takes only the first frame of a video; a model of clips takes all."
        )

    def _on_picked(self, readout: Any) -> None:
        self.frame_chosen.emit(max(0, round(readout.x) - 1))


def _over_time(title: str, values: tuple[float, ...], first: int) -> Series:
    """Frames are counted from 1; flicker at a frame is against the one before it."""
    return Series(title, [float(first + frame) for frame in range(len(values))], values, has_dots=True)
