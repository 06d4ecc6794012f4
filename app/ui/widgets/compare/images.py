"""Pictures of findings, made once for the screen and kept while they are used, so that scrubbing converts nothing."""

from collections import OrderedDict

from PySide6.QtGui import QImage

from app.pixels import Pixels
from app.services.media import image_of

BUDGET_BYTES = 1024 * 2**20


class ImageStore:
    """The least recently used go first when memory runs short."""

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget_bytes = budget_bytes
        self._images: OrderedDict[int, tuple[Pixels, QImage]] = OrderedDict()
        self._num_bytes = 0

    @property
    def num_bytes(self) -> int:
        """Memory of all pictures."""
        return self._num_bytes

    def image(self, pixels: Pixels) -> QImage:
        """The picture of these pixels; always the same object, so that views see that nothing changed."""
        key = id(pixels)  # the pixels are kept beside the picture, so no other object can have this number
        if key not in self._images:
            self._images[key] = (pixels, image_of(pixels))
            self._num_bytes += len(pixels.data)
            self._keep_budget()
        self._images.move_to_end(key)
        return self._images[key][1]

    def _keep_budget(self) -> None:
        while self._num_bytes > self._budget_bytes and len(self._images) > 1:
            _, (pixels, _image) = self._images.popitem(last=False)
            self._num_bytes -= len(pixels.data)
