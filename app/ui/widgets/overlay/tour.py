"""A first look around: the window stays as it is, one part of it is lit, and a card says what it is for."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.ui.theme.theme import colours
from app.ui.theme.tokens import RADIUS_LARGE, SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.overlay.overlay import VEIL_ALPHA, Overlay

CARD_PX = 400
_HALO_PX = 6


@dataclass(frozen=True)
class TourStep:
    """One part of the window."""

    page: str
    """The page to be in front."""
    target: QWidget
    title: str
    sentence: str


class Tour(Overlay):
    """Next, Back, Skip; Enter goes on, Esc skips."""

    page_requested = Signal(object)  # str

    def __init__(self, steps: Sequence[TourStep], parent: QWidget) -> None:
        super().__init__(CARD_PX, 200, parent)
        self._steps = tuple(steps)
        self.step = 0
        self._title = label("", "strong", is_wrapped=True)
        self._sentence = label("", is_wrapped=True)
        self._count = label("", "caption")
        self.skip_button = TextButton(self.tr("Skip the tour"), "link", parent=self.card)
        self.back_button = TextButton(self.tr("Back"), parent=self.card)
        self.next_button = TextButton("", "primary", parent=self.card)
        self.next_button.setDefault(True)
        self._build()
        self.skip_button.clicked.connect(self.dismiss)
        self.back_button.clicked.connect(self._on_back)
        self.next_button.clicked.connect(self._on_next)

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(self.skip_button)
        row.addStretch(1)
        for button in (self.back_button, self.next_button):
            row.addWidget(button)
        self.card_layout.setContentsMargins(SPACING.l, SPACING.l, SPACING.l, SPACING.m)
        self.card_layout.setSpacing(SPACING.s)
        self.card_layout.addWidget(self._count)
        self.card_layout.addWidget(self._title)
        self.card_layout.addWidget(self._sentence)
        self.card_layout.addStretch(1)
        self.card_layout.addLayout(row)

    def begin(self) -> None:
        """From the first step."""
        self.step = 0
        self.open()
        self._show_step()

    def _show_step(self) -> None:
        step = self._steps[self.step]
        self.page_requested.emit(step.page)
        is_last = self.step == len(self._steps) - 1
        self._title.setText(step.title)
        self._sentence.setText(step.sentence)
        self._count.setText(self.tr("{step} of {count}").format(step=self.step + 1, count=len(self._steps)))
        self.next_button.setText(self.tr("Done") if is_last else self.tr("Next"))
        self.back_button.setEnabled(self.step > 0)
        self.skip_button.setVisible(not is_last)
        self.card.setAccessibleName(f"{step.title}. {step.sentence}")
        self._cover()
        self.next_button.setFocus(Qt.FocusReason.PopupFocusReason)
        self.update()

    def _on_next(self) -> None:
        if self.step == len(self._steps) - 1:
            self.dismiss()
        else:
            self.step += 1
            self._show_step()

    def _on_back(self) -> None:
        self.step = max(0, self.step - 1)
        self._show_step()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the card does nothing: it is easily made, and the tour comes only once."""

    def _lit(self) -> QRect:
        """The part of the window that the step is about, in the tour's coordinates."""
        target = self._steps[self.step].target
        window = self.parentWidget()
        assert window is not None
        place = QRect(target.mapTo(window, QPoint(0, 0)), target.size())
        halo = place.adjusted(-_HALO_PX, -_HALO_PX, _HALO_PX, _HALO_PX)
        return halo.intersected(self.rect())

    def _cover(self) -> None:
        """The card stands beside the lit part, right of it or left, and inside the window."""
        super()._cover()
        lit, width = self._lit(), min(CARD_PX, self.width() - 2 * SPACING.l)
        self.card_layout.activate()
        height = max(self.card_layout.totalHeightForWidth(width), 130)
        left = lit.right() + SPACING.l
        if left + width > self.width() - SPACING.s:
            left = max(SPACING.s, lit.left() - SPACING.l - width)
        top = min(max(SPACING.s, lit.top()), self.height() - height - SPACING.s)
        self.card.setGeometry(QRect(QPoint(left, top), QSize(width, height)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The veil with a hole in it, and a ring around the hole."""
        c, lit = colours(), QRectF(self._lit())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addRect(QRectF(self.rect()))
        path.addRoundedRect(lit, RADIUS_LARGE, RADIUS_LARGE)
        veil = QColor(c.shadow)
        veil.setAlpha(VEIL_ALPHA if c.name == "dark" else VEIL_ALPHA // 2)
        painter.fillPath(path, veil)
        painter.setPen(QPen(QColor(c.focus), 2.0))
        painter.drawRoundedRect(lit, RADIUS_LARGE, RADIUS_LARGE)
        painter.end()
