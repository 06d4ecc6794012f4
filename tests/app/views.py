"""Pictures and hands for the tests of the views."""

from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.services.difference import image_of_rgb

NO_KEYS = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


def plain(width: int, height: int, colour: str = "#ff0000") -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(QColor(colour))
    return image


def noise(width: int, height: int, seed: int = 0) -> QImage:
    return image_of_rgb(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def shown(owned: Any, widget: Any, width: int = 432, height: int = 432) -> Any:
    widget.resize(width, height)
    owned(widget).show()
    widget.activateWindow()
    assert QTest.qWaitForWindowActive(widget, 5000)
    return widget


def wheel(widget: QWidget, notches: int, at: QPointF | None = None) -> None:
    point = at or QPointF(widget.width() / 2, widget.height() / 2)
    event = QWheelEvent(
        point,
        QPointF(widget.mapToGlobal(point.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        NO_KEYS,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def drag(widget: QWidget, start: QPoint, end: QPoint) -> None:
    QTest.mousePress(widget, LEFT, NO_KEYS, start)
    QTest.mouseMove(widget, end)
    QTest.mouseRelease(widget, LEFT, NO_KEYS, end)


def painted(widget: QWidget) -> QImage:
    return widget.grab().toImage()


def colour(image: QImage, x: float, y: float) -> str:
    ratio = image.devicePixelRatio()
    return image.pixelColor(round(x * ratio), round(y * ratio)).name()
