"""Puts the pictures of a grid on one labelled sheet, and those of a way into one row of frames. For threads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter

from app.pixels import Clip, Pixels
from app.services.media import image_of, load_image, pixels_of
from ul_engine.errors import DataError, EngineError
from ul_engine.metadata import EmbeddedRequest, read_request

GAP_PX = 8
GROUND, INK, EMPTY = "#ffffff", "#191c21", "#e6e8ec"
_FONT_SHARE = 0.09
_FONT_PX = (12, 40)
MAX_SIDE_PX = 16_000


@dataclass(frozen=True)
class SheetCell:
    """One picture: in memory, in its file, or not there."""

    pixels: Pixels | None = None
    path: str = ""

    def image(self) -> QImage | None:
        """The picture."""
        if self.pixels is not None:
            return image_of(self.pixels)
        return load_image(self.path) if self.path else None


@dataclass(frozen=True)
class Sheet:
    """A grid with its labels; `rows` may be empty."""

    cells: tuple[SheetCell, ...]
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    cell_px: tuple[int, int]


def compose(sheet: Sheet) -> Pixels:
    """The sheet as one picture. Cells become smaller where it would be too large for a picture."""
    num_columns = len(sheet.columns)
    num_rows = -(-len(sheet.cells) // num_columns)
    scale = min(1.0, MAX_SIDE_PX / (max(num_columns, num_rows) * (max(sheet.cell_px) + GAP_PX)))
    width, height = (max(1, round(side * scale)) for side in sheet.cell_px)
    font = QFont("Inter")
    font.setPixelSize(round(min(max(max(width, height) * _FONT_SHARE, _FONT_PX[0]), _FONT_PX[1])))
    metrics = QFontMetrics(font)
    head = metrics.height() + GAP_PX
    side = max((metrics.horizontalAdvance(text) for text in sheet.rows), default=0)
    side = min(side, 3 * width) + GAP_PX if any(sheet.rows) else 0
    step_x, step_y = width + GAP_PX, height + GAP_PX
    size = (GAP_PX + side + num_columns * step_x, GAP_PX + head + num_rows * step_y)
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(QColor(GROUND))
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(QColor(INK))
    for column, text in enumerate(sheet.columns):
        place = QRect(GAP_PX + side + column * step_x, GAP_PX, width, head)
        _write(painter, place, text, Qt.AlignmentFlag.AlignHCenter)
    for row, text in enumerate(sheet.rows):
        _write(painter, QRect(GAP_PX, GAP_PX + head + row * step_y, side, height), text, Qt.AlignmentFlag.AlignLeft)
    for number, cell in enumerate(sheet.cells):
        row, column = divmod(number, num_columns)
        corner = QPoint(GAP_PX + side + column * step_x, GAP_PX + head + row * step_y)
        _paint(painter, QRect(corner.x(), corner.y(), width, height), cell)
    painter.end()
    return pixels_of(image)


def frames(cells: Sequence[SheetCell]) -> tuple[Pixels, ...]:
    """The pictures one after the other; those that cannot be read are left out."""
    found = (cell.pixels if cell.pixels is not None else _read(cell) for cell in cells)
    return tuple(pixels for pixels in found if pixels is not None)


@dataclass(frozen=True)
class Joined:
    """A clip and its continuation as one."""

    clip: Clip
    before: EmbeddedRequest | None
    """What made the first part, if its file says so."""


def joined(before: str, clip: Clip) -> Joined | str:
    """The clip in a file, and a clip that continues it, as one; or the reason why that cannot be.

    The file's frames are taken at the rate of the other and cut to its size, as the engine saw them.
    """
    from ul_engine.media.rates import as_rate
    from ul_engine.media.reading import open_clip

    assert clip.fps is not None
    size = clip.frames[0].width_px, clip.frames[0].height_px
    try:
        with open_clip(before) as file:
            numbers = file.timeline.numbers_at(as_rate(clip.fps)).tolist()
            first = tuple(_cut(file.frame(number), size) for number in numbers)
    except EngineError as error:
        return str(error)
    return Joined(Clip((*first, *clip.frames), clip.fps), _made_by(before))


def _made_by(path: str) -> EmbeddedRequest | None:
    """How a file was made; None of one by another program."""
    try:
        return read_request(path)
    except DataError:
        return None


def _cut(frame: Any, size_px: tuple[int, int]) -> Pixels:
    height, width = frame.shape[:2]
    pixels = Pixels(width, height, frame.tobytes())
    if (width, height) == size_px:
        return pixels
    expand, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    image = image_of(pixels).scaled(*size_px, expand, smooth)
    left, top = (image.width() - size_px[0]) // 2, (image.height() - size_px[1]) // 2
    return pixels_of(image.copy(left, top, *size_px))


def _read(cell: SheetCell) -> Pixels | None:
    image = cell.image()
    return pixels_of(image) if image is not None else None


def _write(painter: QPainter, place: QRect, text: str, flag: Qt.AlignmentFlag) -> None:
    short = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    painter.drawText(place, int(flag | Qt.AlignmentFlag.AlignVCenter), short)


def _paint(painter: QPainter, place: QRect, cell: SheetCell) -> None:
    image = cell.image()
    if image is None:
        painter.fillRect(place, QColor(EMPTY))
        return
    smooth = Qt.TransformationMode.SmoothTransformation
    fitted = image if image.size() == place.size() else image.scaled(place.size(), mode=smooth)
    painter.drawImage(place.topLeft(), fitted)
