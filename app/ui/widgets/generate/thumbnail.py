"""A small picture that fits into a square."""

from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QLabel, QWidget

SIDE_PX = 64


class Thumbnail(QLabel):
    """Hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(QSize(SIDE_PX, SIDE_PX))
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._key = 0

    def set_image(self, image: Any) -> None:
        """Show a QImage; anything else hides the place."""
        self.setVisible(isinstance(image, QImage))
        if not isinstance(image, QImage) or image.cacheKey() == self._key:
            return
        self._key = image.cacheKey()
        ratio = self.devicePixelRatioF()
        side = round(SIDE_PX * ratio)
        smooth = Qt.TransformationMode.SmoothTransformation
        pixmap = QPixmap.fromImage(image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth))
        pixmap.setDevicePixelRatio(ratio)
        self.setPixmap(pixmap)
