"""The line at the bottom: engine, device, memory, theme."""

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.models.engine_state import EnginePhase, EngineState, EngineStatus
from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING, TYPE
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import label

HEIGHT_PX = 30
_GIB = 2**30


class StatusStrip(QFrame):
    """Never a colour without words."""

    theme_toggle_requested = Signal()

    def __init__(self, engine: EngineState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "status")
        self.setFixedHeight(HEIGHT_PX)
        self._dot = Dot(self)
        self._state = label("", "caption")
        self._device = label("", "caption")
        self._memory = label("", "caption")
        self._memory.setFont(font(TYPE.caption, has_even_digits=True))
        self._theme = IconButton("sun", self.tr("Dark or light"), "status", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACING.l, 0, SPACING.s, 0)
        row.setSpacing(SPACING.s)
        row.addWidget(self._dot)
        row.addWidget(self._state)
        row.addStretch(1)
        row.addWidget(self._device)
        row.addSpacing(SPACING.l)
        row.addWidget(self._memory)
        row.addSpacing(SPACING.s)
        row.addWidget(self._theme)
        self._theme.clicked.connect(self.theme_toggle_requested)
        engine.status_changed.connect(self._on_status_changed)
        self._on_status_changed(engine.status)

    @property
    def words(self) -> str:
        """What it says of the engine."""
        return self._state.text()

    def _on_status_changed(self, status: EngineStatus) -> None:
        self._dot.set_phase(status.phase)
        self._state.setText(self._phase_words(status.phase))
        self._device.setText(self._device_words(status))
        self._memory.setText(self._memory_words(status))

    def _phase_words(self, phase: EnginePhase) -> str:
        words = {
            EnginePhase.STARTING: self.tr("Engine is warming up"),
            EnginePhase.READY: self.tr("Engine ready"),
            EnginePhase.LOADING: self.tr("Engine reads a model"),
            EnginePhase.BUSY: self.tr("Engine at work"),
            EnginePhase.RESTARTING: self.tr("Engine is being restarted"),
            EnginePhase.DOWN: self.tr("Engine stopped"),
            EnginePhase.RELEASED: self.tr("Engine at rest; the next job starts it"),
        }
        return words[phase]

    def _device_words(self, status: EngineStatus) -> str:
        if not status.device_name:
            return ""
        if status.device != "cpu":
            return f"{status.device_name} ({status.device})"
        if status.num_threads == 1:
            return self.tr("{name}, 1 thread").format(name=status.device_name)
        return self.tr("{name}, {count} threads").format(name=status.device_name, count=status.num_threads)

    def _memory_words(self, status: EngineStatus) -> str:
        if not status.memory_bytes:
            return ""
        used = f"{status.memory_bytes / _GIB:.1f}"
        if not status.total_memory_bytes:
            return self.tr("{used} GB").format(used=used)
        return self.tr("{used} of {total} GB").format(used=used, total=f"{status.total_memory_bytes / _GIB:.0f}")

    def changeEvent(self, event: Any) -> None:
        """The sign of the other palette."""
        super().changeEvent(event)
        if event.type() == event.Type.StyleChange and hasattr(self, "_theme"):
            self._theme.set_icon("sun" if colours().name == "dark" else "moon")


class Dot(QWidget):
    """A small disc in the engine's colour; the words stand beside it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._phase = EnginePhase.STARTING
        self.setFixedSize(QSize(10, 10))

    def set_phase(self, phase: EnginePhase) -> None:
        """Another colour."""
        self._phase = phase
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The disc."""
        c = colours()
        tints = {
            EnginePhase.READY: c.good,
            EnginePhase.BUSY: c.accent_text,
            EnginePhase.LOADING: c.accent_text,
            EnginePhase.DOWN: c.error,
            EnginePhase.RELEASED: c.muted,
        }
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tints.get(self._phase, c.warning)))
        painter.drawEllipse(1, 1, 8, 8)
        painter.end()
