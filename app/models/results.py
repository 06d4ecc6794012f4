"""The pictures of this session as one list: each job a heading followed by its pictures, the newest job first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.models.asking import is_variations
from app.models.grid_axes import axis_label
from app.models.job_queue import Job, JobState
from app.models.requested import singles, title
from app.pixels import Clip, Pixels
from ul_engine.metadata import EmbeddedRequest, embed, embed_step
from ul_engine.requests import GenerateRequest, GridRequest, InterpolateRequest, Request

MEMORY_BUDGET_BYTES = 256 * 2**20
"""Pixels beyond this are dropped, oldest first, where a file holds them."""

EntryRole = int(Qt.ItemDataRole.UserRole)
AnyIndex = QModelIndex | QPersistentModelIndex


class TileState(Enum):
    """What a tile shows."""

    MISSING = "missing"
    """A cell of a grid that was not made; its place stays, so that the labels still fit."""
    WAITING = "waiting"
    PREVIEW = "preview"
    DONE = "done"


@dataclass(frozen=True)
class Heading:
    """The row above a job's pictures."""

    job: Job


@dataclass(frozen=True)
class GridLabels:
    """A row of labels in a grid: one for each column below, or one for the row that follows."""

    job_id: str
    labels: tuple[str, ...]
    num_columns: int
    is_head: bool


@dataclass(frozen=True)
class Tile:
    """One picture or clip, from its empty place to the finished file."""

    job_id: str
    index: int
    request: Request
    """What the whole job asks for."""
    single: GenerateRequest | None
    """What makes this one alone; None for a step between prompts or pictures."""
    model_name: str
    size_px: tuple[int, int]
    """Width and height, known before there is a picture."""
    state: TileState = TileState.WAITING
    preview: Pixels | None = None
    clip: Clip | None = None
    """The result while it is kept in memory; later its file holds it."""
    is_moving: bool = False
    """Whether the result is a clip; stays true when the frames are only in the file."""
    path: str = ""
    problem: str = ""
    num_columns: int = 0
    """Columns of the grid that it is a cell of; 0: it is none."""
    is_starred: bool = False

    @property
    def pixels(self) -> Pixels | None:
        """What to show in one picture."""
        return self.clip.poster if self.clip is not None else self.preview

    @property
    def seed(self) -> int:
        """The seed that makes this picture alone."""
        return self.single.seed if self.single is not None else int(getattr(self.request, "seed", 0))

    @property
    def embedded(self) -> EmbeddedRequest:
        """What its file says about its making."""
        if isinstance(self.request, InterpolateRequest):
            return embed_step(self.request, self.index, model_name=self.model_name)
        assert self.single is not None  # of everything else each result can be made alone
        return embed(self.single, 0, model_name=self.model_name)

    @property
    def title(self) -> str:
        """What was asked for."""
        return title(self.single or self.request)


Entry = Heading | GridLabels | Tile


class ResultsModel(QAbstractListModel):
    """Item model for the grid; each row's entry is under `EntryRole`."""

    count_changed = Signal(object)  # int: finished pictures

    def __init__(self, parent: QObject | None = None, budget_bytes: int = MEMORY_BUDGET_BYTES) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._budget_bytes = budget_bytes
        self._num_done = 0

    # ---- Qt's side ------------------------------------------------------------------------------------------------

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Rows of the flat list."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: AnyIndex, role: int = EntryRole) -> Any:
        """The entry, or its text for screen readers."""
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        if role == EntryRole:
            return entry
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._words(entry)
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        """Only pictures can be chosen."""
        if index.isValid() and isinstance(self._entries[index.row()], Tile):
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return Qt.ItemFlag.NoItemFlags

    def _words(self, entry: Entry) -> str:
        if isinstance(entry, GridLabels):
            return ", ".join(entry.labels)
        return self._text(entry) if isinstance(entry, Tile) else title(entry.job.request)

    def _text(self, tile: Tile) -> str:
        parts = [tile.title, self.tr("seed {seed}").format(seed=tile.seed), tile.problem]
        return "\n".join(part for part in parts if part)

    # ---- what it holds --------------------------------------------------------------------------------------------

    @property
    def num_done(self) -> int:
        """Finished pictures."""
        return self._num_done

    def entry(self, row: int) -> Entry:
        """The entry of a row."""
        return self._entries[row]

    def done_tiles(self) -> list[Tile]:
        """All finished pictures in the order of the list."""
        return [entry for entry in self._entries if isinstance(entry, Tile) and entry.state is TileState.DONE]

    def row_of(self, job_id: str, index: int) -> int | None:
        """The row of a picture."""
        for row, entry in enumerate(self._entries):
            if isinstance(entry, Tile) and entry.job_id == job_id and entry.index == index:
                return row
        return None

    # ---- what changes it ------------------------------------------------------------------------------------------

    def add_job(self, job: Job) -> None:
        """Make room for a job's pictures at the top; jobs of other pages have none here."""
        if job.page != "generate":
            return
        tiles = [
            Tile(job.job_id, index, job.request, single, job.model_name, job.size_px)
            for index, single in enumerate(singles(job.request))
        ]
        rows = sheet_rows(job.job_id, job.request, tiles)
        self.beginInsertRows(QModelIndex(), 0, len(rows))
        self._entries[:0] = [Heading(job), *rows]
        self.endInsertRows()

    def set_previews(self, job_id: str, first_index: int, pictures: Sequence[Pixels]) -> None:
        """Show what the pictures in work look like so far."""
        row = self.row_of(job_id, first_index)
        if row is None:
            return
        for offset, pixels in enumerate(pictures):
            place = self.row_of(job_id, first_index + offset)
            tile = self._entries[place] if place is not None else None
            if place is not None and isinstance(tile, Tile) and tile.state is not TileState.DONE:
                self._entries[place] = replace(tile, state=TileState.PREVIEW, preview=pixels)
                self._tell(place, place)

    def finish_picture(self, job_id: str, index: int, clip: Clip) -> None:
        """A picture or clip is done."""
        is_moving = clip.is_moving
        if self._replace(job_id, index, state=TileState.DONE, preview=None, clip=clip, is_moving=is_moving):
            self._num_done += 1
            self._keep_budget()
            self.count_changed.emit(self._num_done)

    def set_path(self, job_id: str, index: int, path: str) -> None:
        """A picture is on the disk."""
        self._replace(job_id, index, path=path, problem="")

    def set_starred(self, paths: Collection[str], is_starred: bool) -> None:
        """The stars of these files changed."""
        for row, entry in enumerate(self._entries):
            if isinstance(entry, Tile) and entry.path in paths and entry.is_starred != is_starred:
                self._entries[row] = replace(entry, is_starred=is_starred)
                self._tell(row, row)

    def tiles_of(self, job_id: str) -> list[Tile]:
        """All places of a job in their order."""
        return [entry for entry in self._entries if isinstance(entry, Tile) and entry.job_id == job_id]

    def set_problem(self, job_id: str, index: int, problem: str) -> None:
        """A picture could not be saved."""
        self._replace(job_id, index, problem=problem)

    def end_job(self, job: Job) -> None:
        """Close a job: its heading tells how it went, places without a finished picture disappear."""
        rows = [row for row, entry in enumerate(self._entries) if _job_id(entry) == job.job_id]
        if not rows:
            return
        is_empty = job.num_done == 0
        for row in reversed(rows):
            entry = self._entries[row]
            if isinstance(entry, GridLabels) and is_empty:
                self._remove(row)
            elif isinstance(entry, Tile) and entry.state is not TileState.DONE:
                if entry.num_columns and not is_empty:
                    self._entries[row] = replace(entry, state=TileState.MISSING, preview=None)
                    self._tell(row, row)
                else:
                    self._remove(row)
        if is_empty and job.state is JobState.STOPPED:
            self._remove(rows[0])
        else:
            self._entries[rows[0]] = Heading(job)
            self._tell(rows[0], rows[0])

    def clear(self) -> None:
        """Empty the list; the files stay."""
        self.beginResetModel()
        self._entries = []
        self._num_done = 0
        self.endResetModel()
        self.count_changed.emit(0)

    def _remove(self, row: int) -> None:
        self.beginRemoveRows(QModelIndex(), row, row)
        del self._entries[row]
        self.endRemoveRows()

    def _replace(self, job_id: str, index: int, **changes: Any) -> bool:
        row = self.row_of(job_id, index)
        if row is None:
            return False
        tile = self._entries[row]
        assert isinstance(tile, Tile)
        self._entries[row] = replace(tile, **changes)
        self._tell(row, row)
        return True

    def _tell(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first), self.index(last))

    def _keep_budget(self) -> None:
        total = 0
        for row, entry in enumerate(self._entries):
            if isinstance(entry, Tile) and entry.clip is not None:
                total += entry.clip.num_bytes
                if total > self._budget_bytes and entry.path:
                    preview = entry.clip.poster if entry.is_moving else None  # nothing else decodes it at once
                    self._entries[row] = replace(entry, clip=None, preview=preview)


def sheet_rows(job_id: str, request: Request, tiles: list[Tile]) -> list[GridLabels | Tile]:
    """The tiles of a job; those of a grid with their labels: above all columns once, and before each row."""
    if not isinstance(request, GridRequest) or is_variations(request):
        return list(tiles)
    num_rows, num_columns = request.size
    rows: list[GridLabels | Tile] = [
        GridLabels(job_id, tuple(axis_label(request.x, i) for i in range(num_columns)), num_columns, is_head=True)
    ]
    for number in range(num_rows):
        if request.y is not None:
            rows.append(GridLabels(job_id, (axis_label(request.y, number),), num_columns, is_head=False))
        cells = tiles[number * num_columns : (number + 1) * num_columns]
        rows += [replace(tile, num_columns=num_columns) for tile in cells]
    return rows


def _job_id(entry: Entry) -> str:
    return entry.job.job_id if isinstance(entry, Heading) else entry.job_id
