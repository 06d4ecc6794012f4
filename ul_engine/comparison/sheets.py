"""Labelled sheets of pictures: columns named above, rows named at the left."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ul_engine.assets import assets_dir
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import ShapeError

GAP_PX = 4
FONT_PX = 13
LINE_PX = FONT_PX + 3
LABEL_PX = 96
"""Room that a label has at least, however small the pictures are."""
GROUND, INK = (255, 255, 255), (32, 32, 32)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def labelled_sheet(pictures: Sequence[Uint8Array], *, columns: Sequence[str], rows: Sequence[str]) -> Uint8Array:
    """uint8 `[H, W, 3]` of `len(rows) x len(columns)` pictures `[h, w, 3]`, row by row, on white.

    Every cell is as large as the largest picture, which stands at its upper left. Labels wider than a cell (or than
    `LABEL_PX`) are broken into lines. Raises ShapeError for another number of pictures.
    """
    if not pictures or len(pictures) != len(rows) * len(columns):
        raise ShapeError(f"{len(rows)} x {len(columns)} pictures were expected, not {len(pictures)}")
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    font = _font()
    heads, sides = ([_broken(text, max(width, LABEL_PX), font) for text in texts] for texts in (columns, rows))
    head_px = LINE_PX * max(map(len, heads)) + GAP_PX
    side_px = _width(sides, font) + 2 * GAP_PX if any(rows) else 0
    cell_width = max(width, _width(heads, font) + 2 * GAP_PX) + GAP_PX
    cell_height = max(height, LINE_PX * max(map(len, sides))) + GAP_PX
    size = (side_px + len(columns) * cell_width, head_px + len(rows) * cell_height)
    sheet = Image.new("RGB", size, GROUND)
    draw = ImageDraw.Draw(sheet)
    for column, lines in enumerate(heads):
        _write(draw, lines, (side_px + column * cell_width, 0), font)
    for row, lines in enumerate(sides):
        _write(draw, lines, (GAP_PX, head_px + row * cell_height + max(0, height - LINE_PX * len(lines)) // 2), font)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, len(columns))
        sheet.paste(Image.fromarray(picture), (side_px + column * cell_width, head_px + row * cell_height))
    return np.asarray(sheet)


def _font() -> Font:
    """The program's own font, so that sheets look alike everywhere."""
    path = assets_dir() / "fonts" / "Inter-Regular.ttf"
    return ImageFont.truetype(path, FONT_PX) if path.is_file() else ImageFont.load_default(FONT_PX)


def _write(draw: ImageDraw.ImageDraw, lines: Sequence[str], place: tuple[int, int], font: Font) -> None:
    left, top = place
    for number, line in enumerate(lines):
        draw.text((left, top + number * LINE_PX), line, INK, font)


def _width(labels: Sequence[Sequence[str]], font: Font) -> int:
    """Pixels of the widest line of all labels."""
    return max(math.ceil(font.getlength(line)) for lines in labels for line in lines)


def _broken(text: str, width: int, font: Font) -> list[str]:
    """`text` in lines that fit `width` pixels, broken at spaces, and within a word that is longer than a line."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        lines += _pieces(word, width, font)
    return [line for line in lines if line] or [""]


def _pieces(word: str, width: int, font: Font) -> list[str]:
    """`word` cut into pieces that fit, each of at least one letter."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and font.getlength(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
