"""The only place where picture bytes become Qt images and back. Every conversion copies: a QImage made from a buffer
shares it, and its rows are padded to four bytes."""

from PySide6.QtGui import QImage, QImageReader

from app.pixels import Pixels

MAX_IMAGE_MB = 1024


def image_of(pixels: Pixels) -> QImage:
    """A QImage with bytes of its own."""
    stride = pixels.width_px * 3
    shared = QImage(pixels.data, pixels.width_px, pixels.height_px, stride, QImage.Format.Format_RGB888)
    return shared.copy()


def pixels_of(image: QImage) -> Pixels:
    """The RGB bytes of an image, without the padding of its rows."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    width, height, stride = rgb.width(), rgb.height(), rgb.bytesPerLine()
    bits = bytes(rgb.constBits())
    rows = (bits[y * stride : y * stride + width * 3] for y in range(height))
    return Pixels(width, height, b"".join(rows))


def load_image(path: str) -> QImage | None:
    """The picture in a file; None if it cannot be read."""
    reader = QImageReader(path)
    reader.setAllocationLimit(MAX_IMAGE_MB)
    reader.setAutoTransform(True)
    image = reader.read()
    return None if image.isNull() else image
