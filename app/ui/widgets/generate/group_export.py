"""Exports what results are together: the sheet of a grid, the clip of a way, a clip with its continuation."""

from functools import partial

from PySide6.QtCore import QCoreApplication, QObject, Signal

from app.models.export_form import ExportSubject
from app.models.grid_axes import axis_label
from app.models.results import ResultsModel, Tile, TileState
from app.pixels import Clip
from app.services.background import LatestTask
from app.services.sheets import Sheet, SheetCell, compose, frames, joined
from ul_engine.metadata import EmbeddedRequest, embed_continued, embed_sheet, embed_way
from ul_engine.requests import GenerateRequest, GridRequest, InterpolateRequest

WAY_FPS = 8.0


class GroupExport(QObject):
    """Puts them together off the window's thread and tells when there is something to export."""

    subject_ready = Signal(object)  # ExportSubject
    failed = Signal(object)  # str: why there is none

    def __init__(self, results: ResultsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._results = results
        self._making = LatestTask(self)
        self._making.finished.connect(self._on_made)

    def make_sheet(self, tile: Tile) -> None:
        """The labelled sheet of the grid that this picture is a cell of."""
        sheet = sheet_of(tile, self._results.tiles_of(tile.job_id))
        if sheet is not None:
            self._making.start(partial(_sheet_subject, tile, sheet))

    def make_way(self, tile: Tile) -> None:
        """The clip of the way that this picture is a step of."""
        self._making.start(partial(_way_subject, tile, cells_of(self._results.tiles_of(tile.job_id))))

    def make_joined(self, tile: Tile) -> None:
        """A continuation together with the clip that it continues."""
        if tile.single is not None and tile.single.continue_from is not None and tile.clip is not None:
            self._making.start(partial(_joined_subject, tile.single, tile.clip, tile.model_name))

    def _on_made(self, made: ExportSubject | str) -> None:
        if isinstance(made, ExportSubject):
            self.subject_ready.emit(made)
        else:
            self.failed.emit(made)


# ---- in the thread ------------------------------------------------------------------------------------------------


def _sheet_subject(tile: Tile, sheet: Sheet) -> ExportSubject:
    assert isinstance(tile.request, GridRequest)
    embedded = embed_sheet(tile.request, model_name=tile.model_name)
    return _subject(f"grid-{tile.seed}", Clip((compose(sheet),)), embedded)


def _way_subject(tile: Tile, cells: list[SheetCell]) -> ExportSubject | str:
    assert isinstance(tile.request, InterpolateRequest)
    pictures = frames(cells)
    if not pictures:
        return QCoreApplication.translate("GroupExport", "None of its pictures can be read any more.")
    embedded = embed_way(tile.request, model_name=tile.model_name)
    return _subject(f"between-{tile.seed}", Clip(pictures, WAY_FPS), embedded)


def _joined_subject(request: GenerateRequest, clip: Clip, model_name: str) -> ExportSubject | str:
    assert request.continue_from is not None
    whole = joined(request.continue_from, clip)
    if isinstance(whole, str):
        return whole
    embedded = embed_continued(request, whole.before, model_name=model_name)
    return _subject(f"whole-{request.seed}", whole.clip, embedded)


def _subject(name: str, clip: Clip, embedded: EmbeddedRequest) -> ExportSubject:
    size_px = clip.poster.width_px, clip.poster.height_px
    return ExportSubject(name, size_px, len(clip.frames), clip.fps, clip, embedded=embedded)


# ---- of the results -----------------------------------------------------------------------------------------------


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
