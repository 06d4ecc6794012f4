"""Exports what results are together: the sheet of a grid, the clip of a way, a clip with its continuation."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.models.export_form import ExportSubject
from app.models.grid_axes import axis_label
from app.models.results import ResultsModel, Tile, TileState
from app.pixels import Clip, Pixels
from app.services.background import LatestTask
from app.services.sheets import Sheet, SheetCell, compose, frames, joined
from ul_engine.requests import GridRequest

WAY_FPS = 8.0


class GroupExport(QObject):
    """Puts them together off the window's thread and tells when there is something to export."""

    subject_ready = Signal(object)  # ExportSubject
    failed = Signal(object)  # str: why there is none

    def __init__(self, results: ResultsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._results = results
        self._name = ""
        self._sheets = LatestTask(self)
        self._ways = LatestTask(self)
        self._joining = LatestTask(self)
        self._joining.finished.connect(self._on_joined)
        self._sheets.finished.connect(self._on_sheet)
        self._ways.finished.connect(self._on_way)

    def make_sheet(self, tile: Tile) -> None:
        """The labelled sheet of the grid that this picture is a cell of."""
        sheet = sheet_of(tile, self._results.tiles_of(tile.job_id))
        if sheet is not None:
            self._name = f"grid-{tile.seed}"
            self._sheets.start(partial(compose, sheet))

    def make_way(self, tile: Tile) -> None:
        """The clip of the way that this picture is a step of."""
        self._name = f"between-{tile.seed}"
        self._ways.start(partial(frames, cells_of(self._results.tiles_of(tile.job_id))))

    def make_joined(self, tile: Tile) -> None:
        """A continuation together with the clip that it continues."""
        before = tile.single.continue_from if tile.single is not None else None
        if before is not None and tile.clip is not None:
            self._name = f"whole-{tile.seed}"
            self._joining.start(partial(joined, before, tile.clip))

    def _on_joined(self, found: Clip | str) -> None:
        if isinstance(found, str):
            self.failed.emit(found)
            return
        first = found.frames[0]
        size_px = first.width_px, first.height_px
        self.subject_ready.emit(ExportSubject(self._name, size_px, len(found.frames), found.fps, found))

    def _on_sheet(self, pixels: Pixels) -> None:
        size_px = pixels.width_px, pixels.height_px
        self.subject_ready.emit(ExportSubject(self._name, size_px, clip=Clip((pixels,))))

    def _on_way(self, pictures: tuple[Pixels, ...]) -> None:
        if pictures:
            size_px = pictures[0].width_px, pictures[0].height_px
            clip = Clip(pictures, WAY_FPS)
            self.subject_ready.emit(ExportSubject(self._name, size_px, len(pictures), WAY_FPS, clip))


def cells_of(tiles: list[Tile]) -> list[SheetCell]:
    """The finished ones of these pictures."""
    return [cell_of(tile) for tile in tiles if tile.state is TileState.DONE]


def cell_of(tile: Tile) -> SheetCell:
    """One picture as a cell; empty where there is none."""
    is_done = tile.state is TileState.DONE
    return SheetCell(tile.pixels if is_done else None, tile.path if is_done and not tile.is_moving else "")


def sheet_of(tile: Tile, tiles: list[Tile]) -> Sheet | None:
    """A grid's pictures with its labels; None for what is no grid."""
    request = tile.request
    if not isinstance(request, GridRequest):
        return None
    num_rows, num_columns = request.size
    columns = tuple(axis_label(request.x, index) for index in range(num_columns))
    rows = tuple(axis_label(request.y, index) for index in range(num_rows)) if request.y is not None else ()
    return Sheet(tuple(cell_of(one) for one in tiles), columns, rows, tile.size_px)
