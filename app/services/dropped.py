"""What hangs on the mouse or lies in the clipboard: files of this computer, a picture, or nothing of use."""

from dataclasses import dataclass

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage


@dataclass(frozen=True)
class Dropped:
    """Files, or a picture without a file, or why it is neither."""

    paths: tuple[str, ...] = ()
    image: QImage | None = None
    problem: str = ""

    @property
    def is_welcome(self) -> bool:
        """Whether there is something in it to work with."""
        return bool(self.paths) or self.image is not None


def may_be_dropped(data: QMimeData) -> bool:
    """Whether `dropped` will find something; quick, for it is asked while the mouse moves."""
    return data.hasImage() or any(url.isLocalFile() for url in data.urls())


def dropped(data: QMimeData | None) -> Dropped:
    """Files come first; a browser hands over a picture and its address, of which the picture counts."""
    if data is None:
        return Dropped(problem=_NOTHING)
    paths = tuple(url.toLocalFile() for url in data.urls() if url.isLocalFile())
    if paths:
        return Dropped(paths)
    if data.hasImage():
        image = data.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return Dropped(image=image)
    if data.hasUrls() or (data.hasText() and data.text().strip().startswith(("http://", "https://"))):
        return Dropped(problem="This is an address on the web. Save the picture to this computer first, then open it.")
    return Dropped(problem=_NOTHING)


_NOTHING = "There is no picture or file in it."
