"""Draws a contact sheet: sections of pictures in rows, with a few words below each. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from ul_engine.assets import assets_dir

Uint8Array = npt.NDArray[np.uint8]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

GROUND, INK, FAINT, LINE = (250, 250, 250), (28, 28, 30), (118, 118, 122), (222, 222, 226)
MARGIN_PX, GAP_PX, LINE_PX = 24, 10, 17
MAX_LINES = 3
"""Lines of words below a cell."""


@dataclass(frozen=True)
class Cell:
    """A picture uint8 `[H, W, 3]` and what stands below it."""

    picture: Uint8Array
    title: str = ""
    words: str = ""


@dataclass(frozen=True)
class Row:
    """Cells side by side; `name` stands above them."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """Rows under a heading, with `facts` beneath the heading."""

    heading: str
    facts: str
    rows: tuple[Row, ...]


def draw_sheet(title: str, facts: Sequence[str], sections: Sequence[Section], *, enlarge: int = 1) -> Image.Image:
    """The whole sheet. Every pixel of a picture becomes `enlarge` x `enlarge` pixels, nothing else is scaled."""
    cell_px = max(_cell_px(cell, enlarge) for section in sections for row in section.rows for cell in row.cells)
    width = max(_width(title, facts, sections, cell_px), 720)
    page = _Page(Image.new("RGB", (width, _height(facts, sections, enlarge, cell_px)), GROUND), enlarge, cell_px)
    page.write(title, font=_font("SemiBold", 20), line_px=30)
    for fact in facts:
        page.write(fact, fill=FAINT)
    for section in sections:
        page.section(section)
    return page.image


class _Page:
    """A sheet being written from top to bottom."""

    def __init__(self, image: Image.Image, enlarge: int, cell_px: int) -> None:
        self.image = image
        self._draw = ImageDraw.Draw(image)
        self._enlarge = enlarge
        self._cell_px = cell_px
        self._top = MARGIN_PX

    def write(
        self, text: str, *, font: Font | None = None, fill: tuple[int, int, int] = INK, line_px: int = LINE_PX
    ) -> None:
        """One line, and down."""
        self._draw.text((MARGIN_PX, self._top), text, fill, font or _font("Regular", 13))
        self._top += line_px

    def section(self, section: Section) -> None:
        """A rule, the heading, all rows."""
        self._top += GAP_PX
        right = self.image.width - MARGIN_PX
        self._draw.line([(MARGIN_PX, self._top), (right, self._top)], LINE)
        self._top += GAP_PX + 4
        self.write(section.heading, font=_font("SemiBold", 15), line_px=22)
        self.write(section.facts, fill=FAINT, line_px=LINE_PX + 4)
        for row in section.rows:
            self._row(row)

    def _row(self, row: Row) -> None:
        if row.name:
            self.write(row.name, font=_font("Medium", 12), line_px=LINE_PX + 2)
        for number, cell in enumerate(row.cells):
            self._cell(cell, MARGIN_PX + number * (self._cell_px + GAP_PX))
        self._top += _row_px(row, self._enlarge, self._cell_px)

    def _cell(self, cell: Cell, left: int) -> None:
        height, width = (side * self._enlarge for side in cell.picture.shape[:2])
        picture = Image.fromarray(cell.picture).resize((width, height), Image.Resampling.NEAREST)
        self.image.paste(picture, (left, self._top))
        top = self._top + height + 4
        for text, font, fill in _lines(cell, self._cell_px):
            self._draw.text((left, top), text, fill, font)
            top += LINE_PX - 2


def _width(title: str, facts: Sequence[str], sections: Sequence[Section], cell_px: int) -> int:
    columns = max(len(row.cells) for section in sections for row in section.rows)
    texts = [*facts, *(section.facts for section in sections), *(row.name for s in sections for row in s.rows)]
    widest = max(_font("SemiBold", 20).getlength(title), *(_font("Regular", 13).getlength(text) for text in texts))
    return 2 * MARGIN_PX + max(columns * (cell_px + GAP_PX) - GAP_PX, int(widest) + 1)


def _height(facts: Sequence[str], sections: Sequence[Section], enlarge: int, cell_px: int) -> int:
    height = 2 * MARGIN_PX + 30 + LINE_PX * len(facts)
    for section in sections:
        height += 2 * GAP_PX + 4 + 22 + LINE_PX + 4
        height += sum(_row_px(row, enlarge, cell_px) + (LINE_PX + 2 if row.name else 0) for row in section.rows)
    return height


def _row_px(row: Row, enlarge: int, cell_px: int) -> int:
    return max(
        int(cell.picture.shape[0]) * enlarge + 4 + (LINE_PX - 2) * len(_lines(cell, cell_px)) + GAP_PX
        for cell in row.cells
    )


def _cell_px(cell: Cell, enlarge: int) -> int:
    return int(cell.picture.shape[1]) * enlarge


def _lines(cell: Cell, width_px: int) -> list[tuple[str, Font, tuple[int, int, int]]]:
    """Text, font and colour of the lines below a cell."""
    bold, plain = _font("Medium", 12), _font("Regular", 12)
    lines = [(text, bold, INK) for text in _wrapped(cell.title, width_px, bold, max_lines=1)]
    return lines + [(text, plain, FAINT) for text in _wrapped(cell.words, width_px, plain, max_lines=MAX_LINES)]


def _wrapped(text: str, width_px: int, font: Font, *, max_lines: int) -> list[str]:
    """Lines that fit, broken at spaces; what is left over ends in an ellipsis."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < max_lines:
        line = words.pop(0)
        is_last = len(lines) == max_lines - 1
        while words and (is_last or font.getlength(f"{line} {words[0]}") <= width_px):
            line += f" {words.pop(0)}"
        lines.append(_shortened(line, width_px, font))
    return lines


def _shortened(line: str, width_px: int, font: Font) -> str:
    if font.getlength(line) <= width_px:
        return line
    while line and font.getlength(line + "…") > width_px:
        line = line[:-1]
    return line.rstrip() + "…"


@cache
def _font(weight: str, size_px: int) -> Font:
    """The program's own font, so that sheets look alike everywhere."""
    path = assets_dir() / "fonts" / f"Inter-{weight}.ttf"
    return ImageFont.truetype(path, size_px) if path.is_file() else ImageFont.load_default(size_px)
