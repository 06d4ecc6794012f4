"""The controls under a clip."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from app.models.play_state import LoopMode, PlayState
from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import label
from app.ui.widgets.quiet_inputs import QuietComboBox

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
_SPEED_PX = 84
_LOOPS = {LoopMode.LOOP: "loop", LoopMode.PING_PONG: "ping-pong", LoopMode.ONCE: "play-once"}


class PlayBar(QWidget):
    """Step, play, scrub, loop and speed."""

    def __init__(self, play: PlayState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._play = play
        self.back_button = IconButton("step-back", self.tr("One frame back (A)"), parent=self)
        self.play_button = IconButton("play", "", parent=self)
        self.forward_button = IconButton("step-forward", self.tr("One frame on (D)"), parent=self)
        self.loop_button = IconButton("loop", "", parent=self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName(self.tr("Frame"))
        self.speed = QuietComboBox(self)
        self.speed.setAccessibleName(self.tr("Speed"))
        self.speed.setToolTip(self.tr("Speed"))
        self.speed.setMinimumWidth(_SPEED_PX)
        self.speed.setMaximumWidth(_SPEED_PX)
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g}×", speed)
        self.place = label("", "muted")
        self.place.setFont(font(has_even_digits=True))
        self.place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.note = label("", "warning", is_wrapped=True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.note.hide()
        self._build()
        play.frame_changed.connect(self._show)
        play.playing_changed.connect(self._show)
        play.settings_changed.connect(self._show)
        self._show()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.m, SPACING.xs, SPACING.m, SPACING.xs)
        layout.setSpacing(SPACING.xs)
        row = QHBoxLayout()
        layout.addLayout(row)
        layout.addWidget(self.note)
        row.setSpacing(SPACING.xs)
        for part in (self.back_button, self.play_button, self.forward_button):
            row.addWidget(part)
        row.addSpacing(SPACING.s)
        row.addWidget(self.slider, 1)
        row.addSpacing(SPACING.s)
        row.addWidget(self.place)
        row.addSpacing(SPACING.s)
        row.addWidget(self.loop_button)
        row.addWidget(self.speed)
        self.back_button.clicked.connect(self._on_back)
        self.play_button.clicked.connect(self._play.toggle)
        self.forward_button.clicked.connect(self._on_forward)
        self.loop_button.clicked.connect(self.next_loop)
        self.slider.valueChanged.connect(self._on_slider_changed)
        self.speed.activated.connect(self._on_speed_activated)

    def set_note(self, sentence: str) -> None:
        """What is wrong with the clip; empty: nothing."""
        self.note.setText(sentence)
        self.note.setVisible(bool(sentence))

    def next_loop(self) -> None:
        """Loop, back and forth, once: the next of the three."""
        modes = list(_LOOPS)
        self._play.set_loop(modes[(modes.index(self._play.loop) + 1) % len(modes)])

    def _show(self, _payload: Any = None) -> None:
        play = self._play
        self.play_button.set_icon("pause" if play.is_playing else "play")
        self.play_button.set_name(self.tr("Pause (Space)") if play.is_playing else self.tr("Play (Space)"))
        self.loop_button.set_icon(_LOOPS[play.loop])
        self.loop_button.set_name(self._loop_name())
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(0, play.count - 1))
        self.slider.setValue(play.frame)
        self.slider.blockSignals(False)
        self.speed.setCurrentIndex(min(range(len(SPEEDS)), key=lambda k: abs(SPEEDS[k] - play.speed)))
        self.place.setText(self._place_text())
        for part in (self.back_button, self.play_button, self.forward_button, self.slider):
            part.setEnabled(play.count > 1)

    def _place_text(self) -> str:
        play = self._play
        if not play.count:
            return ""
        text = self.tr("frame {frame} / {count} · {seconds} s")
        return text.format(frame=play.frame + 1, count=play.count, seconds=f"{play.seconds:.2f}")

    def _loop_name(self) -> str:
        names = {
            LoopMode.LOOP: self.tr("Begins anew at the end; click for back and forth (L)"),
            LoopMode.PING_PONG: self.tr("Plays back and forth; click for once (L)"),
            LoopMode.ONCE: self.tr("Stops at the end; click for beginning anew (L)"),
        }
        return names[self._play.loop]

    def _on_back(self) -> None:
        self._play.step(-1)

    def _on_forward(self) -> None:
        self._play.step(1)

    def _on_slider_changed(self, frame: int) -> None:
        self._play.seek(frame)

    def _on_speed_activated(self, row: int) -> None:
        self._play.set_speed(SPEEDS[row])
