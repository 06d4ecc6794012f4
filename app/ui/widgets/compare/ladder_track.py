"""The scrubber of a noise ladder: rungs on a line of log-SNR, small curves above it, the trained range shaded."""

from math import isfinite
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QWidget

from app.models.compare.candidates import ShownState
from app.models.compare.ladder_curve import RungMark
from app.models.compare.levels import Ladder, Rung, Track
from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import TYPE

CURVE_PX = 40
LINE_Y = CURVE_PX + 12
HEIGHT_PX = LINE_Y + 34
SIDE_PX = 30
_DOT = 4.5


class LadderTrack(QAbstractSlider):
    """Arrows, Home, End and the mouse move it; it stands on rungs only."""

    rung_chosen = Signal(object)  # Rung

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks: tuple[RungMark, ...] = ()
        self._track: Track | None = None
        self._ladder = Ladder.LATENT
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT_PX)
        self.setPageStep(1)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Noise level"))
        self.valueChanged.connect(self._on_value_changed)

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(400, HEIGHT_PX)

    @property
    def marks(self) -> tuple[RungMark, ...]:
        """The rungs on show."""
        return self._marks

    def set_ladder(self, ladder: Ladder, track: Track | None, marks: tuple[RungMark, ...], current: Rung) -> None:
        """Other rungs, or other states of them."""
        self._ladder, self._track, self._marks = ladder, track, marks
        place = next((place for place, mark in enumerate(marks) if mark.rung == current), 0)
        self.blockSignals(True)
        self.setRange(0, max(0, len(marks) - 1))
        self.setValue(place)
        self.blockSignals(False)
        self.setAccessibleDescription(level_words(marks[place].rung, track) if marks and track else "")
        self.update()

    def _on_value_changed(self, place: int) -> None:
        if place < len(self._marks):
            self.rung_chosen.emit(self._marks[place].rung)

    # ---- hands ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the nearest rung."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._go_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pull along; elsewhere tell what is under the pointer."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event.position().x())
        elif self._marks and self._track:
            self.setToolTip(self._tip(self._marks[self._nearest(event.position().x())]))

    def wheelEvent(self, event: Any) -> None:
        """Not for us: scrolling past must not change what is shown."""
        event.ignore()

    def _go_to(self, x: float) -> None:
        if self._marks:
            self.setValue(self._nearest(x))

    def _nearest(self, x: float) -> int:
        return min(range(len(self._marks)), key=lambda place: abs(self._x(self._marks[place].share) - x))

    def _tip(self, mark: RungMark) -> str:
        assert self._track is not None
        parts = [level_words(mark.rung, self._track)]
        if not mark.is_trained:
            parts.append(self.tr("the decoder was never trained on latents with so little noise"))
        if mark.psnr_db is not None:
            parts.append(self.tr("PSNR {value} dB").format(value=f"{mark.psnr_db:.2f}"))
        if mark.bits_per_pixel is not None:
            parts.append(self.tr("at most {value} bits per pixel are left").format(value=f"{mark.bits_per_pixel:.4f}"))
        return "\n".join(parts)

    # ---- paint ----------------------------------------------------------------------------------------------------

    def _x(self, share: float) -> float:
        return SIDE_PX + share * (self.width() - 2 * SIDE_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, curves, line, rungs."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._track is not None:
            self._paint_ground(painter, self._track)
            c = colours()
            bits, psnr = [mark.bits_per_pixel for mark in self._marks], [mark.psnr_db for mark in self._marks]
            self._paint_curve(painter, bits, c.good)
            self._paint_curve(painter, psnr, c.accent_text)
            self._paint_names(painter, has_bits=_is_curve(bits), has_psnr=_is_curve(psnr))
            self._paint_rungs(painter)
        painter.end()

    def _paint_ground(self, painter: QPainter, track: Track) -> None:
        c = colours()
        ends = sorted(self._share(level, track) for level in (track.trained_low, track.trained_high))
        trained = QRectF(self._x(ends[0]), 0, self._x(ends[1]) - self._x(ends[0]), LINE_Y)
        painter.fillRect(trained, QColor(c.raised))
        whole = QRectF(self._x(0), 0, self._x(1) - self._x(0), LINE_Y)
        for part in (
            QRectF(whole.topLeft(), QPointF(trained.left(), LINE_Y)),
            QRectF(QPointF(trained.right(), 0), whole.bottomRight()),
        ):
            if part.width() > 1:
                painter.fillRect(part, QBrush(QColor(c.field_line), Qt.BrushStyle.BDiagPattern))
                self._paint_untrained(painter, part)
        painter.setPen(QPen(QColor(c.field_line), 2))
        painter.drawLine(QPointF(whole.left(), LINE_Y), QPointF(whole.right(), LINE_Y))

    def _paint_untrained(self, painter: QPainter, place: QRectF) -> None:
        painter.setFont(font(TYPE.caption - 1))
        text = self.tr("untrained")
        metrics = painter.fontMetrics()
        size = QSize(metrics.horizontalAdvance(text) + 6, metrics.height())
        if size.width() > place.width():
            return
        box = QRectF(place.center().x() - size.width() / 2, 3, size.width(), size.height())
        painter.fillRect(box, QColor(colours().window))
        painter.setPen(QColor(colours().muted))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)

    def _share(self, level: float, track: Track) -> float:
        share = track.share(level)
        return 1.0 - share if self._ladder is Ladder.LATENT else share

    def _paint_curve(self, painter: QPainter, values: list[float | None], colour: str) -> None:
        """Each curve fills the height by itself: its shape is what matters, its numbers stand beside it."""
        if not _is_curve(values):
            return
        known = [(mark.share, value) for mark, value in zip(self._marks, values, strict=True) if value is not None]
        finite = [(share, value) for share, value in known if isfinite(value)]
        low, high = min(value for _, value in finite), max(value for _, value in finite)
        span = max(high - low, 1e-9)
        points = [QPointF(self._x(share), CURVE_PX - (value - low) / span * (CURVE_PX - 8)) for share, value in finite]
        painter.setPen(QPen(QColor(colour), 1.8))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))
        painter.setBrush(QColor(colour))
        painter.setPen(Qt.PenStyle.NoPen)
        for point in points:
            painter.drawEllipse(point, 2.2, 2.2)

    def _paint_names(self, painter: QPainter, *, has_bits: bool, has_psnr: bool) -> None:
        """What the curves are, at the end where they are low."""
        c, values = colours(), [mark.psnr_db for mark in self._marks if mark.psnr_db is not None]
        is_falling = not values or values[-1] <= values[0]
        side = Qt.AlignmentFlag.AlignRight if is_falling else Qt.AlignmentFlag.AlignLeft
        painter.setFont(font(TYPE.caption - 1))
        height = painter.fontMetrics().height()
        area = QRectF(self._x(0) + 4, 2, self._x(1) - self._x(0) - 8, height)
        for is_there, text, colour in ((has_psnr, self.tr("PSNR"), c.accent_text), (has_bits, self.tr("bits"), c.good)):
            if is_there:
                painter.setPen(QColor(colour))
                painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), text)
                area.translate(0, height)

    def _paint_rungs(self, painter: QPainter) -> None:
        right = -1.0
        painter.setFont(font(TYPE.caption, has_even_digits=True))
        metrics = painter.fontMetrics()
        for place, mark in enumerate(self._marks):
            x = self._x(mark.share)
            is_current = place == self.value()
            self._paint_dot(painter, QPointF(x, LINE_Y), mark, is_current=is_current)
            text = self._label(mark)
            width = metrics.horizontalAdvance(text)
            if is_current or x - width / 2 > right + 6:
                painter.setPen(QColor(colours().text if is_current else colours().muted))
                box = QRectF(x - width / 2 - 2, LINE_Y + 11, width + 4, 18)
                painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
                right = x + width / 2

    def _paint_dot(self, painter: QPainter, at: QPointF, mark: RungMark, *, is_current: bool) -> None:
        c = colours()
        if is_current:
            painter.setPen(QPen(QColor(c.focus if self.hasFocus() else c.accent_text), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, _DOT + 4, _DOT + 4)
        ring = {ShownState.FAILED: c.error, ShownState.RUNNING: c.accent_text}.get(ShownState(mark.state), c.muted)
        painter.setPen(QPen(QColor(ring), 1.6))
        painter.setBrush(QColor(c.text if mark.state == ShownState.READY else c.window))
        painter.drawEllipse(at, _DOT, _DOT)
        if mark.state == ShownState.RUNNING:
            painter.setBrush(QColor(c.accent_text))
            painter.drawPie(QRectF(at.x() - _DOT, at.y() - _DOT, 2 * _DOT, 2 * _DOT), 90 * 16, -180 * 16)

    def _label(self, mark: RungMark) -> str:
        if mark.rung.level is None:
            native = self._track.native if self._track else 0.0
            return f"{native:g}" if self._ladder is Ladder.LATENT else self.tr("noise")
        return f"{mark.rung.level:g}".replace("-", "\u2212")

    def changeEvent(self, event: QEvent) -> None:
        """Another palette, other colours."""
        super().changeEvent(event)
        self.update()


def _is_curve(values: list[float | None]) -> bool:
    """Two points make a line."""
    return sum(value is not None and isfinite(value) for value in values) > 1


def level_words(rung: Rung, track: Track) -> str:
    """A rung in words, for tool tips and screen readers."""
    if rung.level is None:
        if rung.ladder is Ladder.DECODER or track.native == track.low:
            return _tr("from pure noise, as usual")
        return _tr("log-SNR {level}, as trained").format(level=f"{track.native:g}")
    return _tr("log-SNR {level}").format(level=f"{rung.level:g}")


def _tr(text: str) -> str:
    return QCoreApplication.translate("LadderTrack", text)
