"""The previews of a run as a table: rows by step, columns by probe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.run_news import Happening

ORIGINAL, RECONSTRUCTION = "original", "reconstruction"


@dataclass(frozen=True)
class PreviewSheet:
    """One preview picture: rows of cells of one size."""

    step: int
    kind: str
    path: str
    row_names: tuple[str, ...]
    columns: int
    cell_px: tuple[int, int]
    """Width and height."""


@dataclass(frozen=True)
class PreviewCell:
    """One cell: where it is in its sheet."""

    sheet: PreviewSheet
    row: int
    column: int

    @property
    def rect(self) -> tuple[int, int, int, int]:
        """Left, top, width and height in the sheet, in pixels."""
        width, height = self.sheet.cell_px
        return self.column * width, self.row * height, width, height

    @property
    def title(self) -> str:
        """What it is called, also as a file name."""
        name = self.sheet.row_names[self.row] if self.row < len(self.sheet.row_names) else self.sheet.kind
        return f"{name} {self.column + 1}, step {self.sheet.step}"


@dataclass(frozen=True)
class PreviewRow:
    """One row of the table: `is_original` for the pictures that the others are to come near to."""

    title: str
    step: int
    cells: tuple[PreviewCell, ...]
    is_original: bool = False


@dataclass(frozen=True)
class Strand:
    """Rows that belong together: reconstructions, one clip's frames, or one prompt's samples."""

    title: str
    rows: tuple[PreviewRow, ...]


def sheet_of(event: Happening, folder: str) -> PreviewSheet | None:
    """The sheet that a preview event tells of; None for one that makes no sense."""
    values: Mapping[str, Any] = event.values
    try:
        sheet = PreviewSheet(
            event.step,
            str(values["kind"]),
            f"{folder}/previews/{values['file']}",
            tuple(str(name) for name in values["row_names"]),
            int(values["columns"]),
            (int(values["cell_width_px"]), int(values["cell_height_px"])),
        )
    except (KeyError, TypeError, ValueError):
        return None
    is_plain = "/" not in str(values["file"]) and "\\" not in str(values["file"])
    return sheet if is_plain and sheet.row_names and min(sheet.columns, *sheet.cell_px) > 0 else None


def strands_of(sheets: Sequence[PreviewSheet]) -> tuple[Strand, ...]:
    """All rows of all sheets, by what they show; steps ascending, originals first."""
    if not sheets:
        return ()
    newest = sheets[-1]
    alike = [sheet for sheet in sheets if sheet.kind == newest.kind and sheet.row_names == newest.row_names]
    strands = []
    for place, name in enumerate(newest.row_names):
        if name.startswith(ORIGINAL):
            continue
        original = _original_of(newest, name)
        rows = [_row(newest, original, is_original=True)] if original is not None else []
        rows += [_row(sheet, place) for sheet in alike]
        strands.append(Strand(name, tuple(rows)))
    return tuple(strands)


def _original_of(sheet: PreviewSheet, name: str) -> int | None:
    """The row that a reconstruction is of."""
    wanted = name.replace(RECONSTRUCTION, ORIGINAL, 1)
    return sheet.row_names.index(wanted) if wanted != name and wanted in sheet.row_names else None


def _row(sheet: PreviewSheet, row: int, *, is_original: bool = False) -> PreviewRow:
    cells = tuple(PreviewCell(sheet, row, column) for column in range(sheet.columns))
    return PreviewRow(sheet.row_names[row], sheet.step, cells, is_original)
