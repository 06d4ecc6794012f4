"""Labelled sheets of pictures: columns named above, rows named at the left."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ul_engine.assets import assets_dir
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import ShapeError

GAP_PX = 4
FONT_PX = 13
GROUND, INK = (255, 255, 255), (32, 32, 32)


def labelled_sheet(pictures: Sequence[Uint8Array], *, columns: Sequence[str], rows: Sequence[str]) -> Uint8Array:
    """uint8 `[H, W, 3]` of `len(rows) x len(columns)` pictures `[h, w, 3]` of one size, row by row, on white.

    Labels wider than their column are broken into lines at spaces. Raises ShapeError for another number of pictures or
    for different sizes.
    """
    if len(pictures) != len(rows) * len(columns) or len({picture.shape for picture in pictures}) != 1:
        raise ShapeError(f"{len(rows)} x {len(columns)} pictures of one size were expected")
    height, width = pictures[0].shape[:2]
    font = _font()
    heads = [_broken(text, width, font) for text in columns]
    head_px = (FONT_PX + 3) * max(len(lines) for lines in heads) + GAP_PX
    side_px = max((round(font.getlength(text)) for text in rows if text), default=0)
    side_px += 2 * GAP_PX if side_px else 0
    size = (side_px + len(columns) * (width + GAP_PX), head_px + len(rows) * (height + GAP_PX))
    sheet = Image.new("RGB", size, GROUND)
    draw = ImageDraw.Draw(sheet)
    for column, lines in enumerate(heads):
        draw.multiline_text((side_px + column * (width + GAP_PX), 0), "\n".join(lines), INK, font, spacing=2)
    for row, text in enumerate(rows):
        middle = head_px + row * (height + GAP_PX) + height / 2
        draw.text((GAP_PX, middle), text, INK, font, anchor="lm")
    for index, picture in enumerate(pictures):
        row, column = divmod(index, len(columns))
        place = (side_px + column * (width + GAP_PX), head_px + row * (height + GAP_PX))
        sheet.paste(Image.fromarray(picture), place)
    return np.asarray(sheet)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The program's own font, so that sheets look alike everywhere."""
    fonts = sorted((assets_dir() / "fonts").glob("*.ttf"))
    return ImageFont.truetype(fonts[0], FONT_PX) if fonts else ImageFont.load_default(FONT_PX)


def _broken(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    """`text` in lines that fit `width`, broken at spaces; a longer word stands alone."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
