"""The channels of a latent as small pictures in rows; one of them is chosen."""

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.models.compare.findings import Latent
from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING, TYPE
from app.ui.widgets.image_view.colour_maps import DIVERGING, coloured

CELL_PX = 72
LABEL_PX = 16
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class ChannelSheet(QWidget):
    """Blue is below zero, orange above; all channels share one scale, so that a dull one is a quiet one."""

    chosen = Signal(object)  # int

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: list[QImage] = []
        self._stds: tuple[float, ...] = ()
        self._channel = 0
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Channels of the latent"))

    @property
    def channel(self) -> int:
        """The chosen one."""
        return self._channel

    def set_latent(self, latent: Latent, frame: int = 0) -> None:
        """Other channels."""
        shape = (latent.num_channels, latent.num_frames, latent.height, latent.width)
        values = np.frombuffer(latent.clean, "<f4").reshape(shape)[:, min(frame, latent.num_frames - 1)]
        limit = max(float(np.percentile(np.abs(values), 99.5)), 1e-6)
        self._images = [coloured(channel, -limit, limit, DIVERGING) for channel in values]
        self._stds = latent.channel_stds
        self._channel = min(self._channel, len(self._images) - 1)
        self._describe()
        self.updateGeometry()
        self.update()

    # ---- geometry -------------------------------------------------------------------------------------------------

    def _columns(self, width: int) -> int:
        return max(1, (width + SPACING.xs) // (CELL_PX + SPACING.xs))

    def heightForWidth(self, width: int) -> int:
        """As many rows as the channels need."""
        rows = -(-max(1, len(self._images)) // self._columns(width))
        return rows * (CELL_PX + LABEL_PX + SPACING.xs)

    def sizeHint(self) -> QSize:
        """At its present width."""
        width = self.width() if self.width() > CELL_PX else 4 * CELL_PX
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """One column; its height is asked for by width."""
        return QSize(CELL_PX, self.heightForWidth(max(self.width(), CELL_PX)))

    def _place(self, channel: int) -> QRect:
        row, column = divmod(channel, self._columns(self.width()))
        corner = QPoint(column * (CELL_PX + SPACING.xs), row * (CELL_PX + LABEL_PX + SPACING.xs))
        return QRect(corner, QSize(CELL_PX, CELL_PX))

    # ---- paint and hands ------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """See the class."""
        painter = QPainter(self)
        painter.setFont(font(TYPE.caption - 1, has_even_digits=True))
        c = colours()
        for channel, image in enumerate(self._images):
            place = self._place(channel)
            painter.drawImage(place, image)
            is_chosen = channel == self._channel
            if is_chosen:
                painter.setPen(QPen(QColor(c.focus if self.hasFocus() else c.accent_text), 2))
                painter.drawRect(place.adjusted(1, 1, -1, -1))
            painter.setPen(QColor(c.text if is_chosen else c.muted))
            words = QRect(place.left(), place.bottom() + 1, CELL_PX, LABEL_PX)
            painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter), f"{channel + 1}: σ {self._stds[channel]:.2f}")
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose what is under the pointer."""
        point = event.position().toPoint()
        for channel in range(len(self._images)):
            if self._place(channel).contains(point):
                self.choose(channel)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows choose."""
        columns = self._columns(self.width())
        steps = {**_STEPS, Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns}
        if event.key() in steps and self._images:
            self.choose(min(max(self._channel + steps[Qt.Key(event.key())], 0), len(self._images) - 1))
        else:
            super().keyPressEvent(event)

    def choose(self, channel: int) -> None:
        """Look at a channel."""
        if channel != self._channel:
            self._channel = channel
            self._describe()
            self.update()
            self.chosen.emit(channel)

    def _describe(self) -> None:
        if self._stds:
            words = self.tr("channel {number} of {count}, standard deviation {std}")
            self.setAccessibleDescription(
                words.format(number=self._channel + 1, count=len(self._stds), std=f"{self._stds[self._channel]:.2f}")
            )
