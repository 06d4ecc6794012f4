"""Paints the rows of the results: headings of jobs, and pictures in every state."""

from PySide6.QtCore import (
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.models.job_queue import Job, JobState
from app.models.progress import duration
from app.models.requested import sampling_of
from app.models.results import EntryRole, GridLabels, Heading, Tile, TileState
from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import RADIUS, SPACING, TYPE
from app.ui.widgets.generate.tile_marks import paint_film_mark, paint_star
from app.ui.widgets.picture_cache import PictureCache
from app.ui.widgets.queue_list import job_title, pictures_text
from ul_engine.requests import InterpolateRequest

AnyIndex = QModelIndex | QPersistentModelIndex

GAP = SPACING.m
CAPTION_PX = 26
HEADING_PX = 54
LABELS_PX = 24
INSET = 4
"""Room for the ring of focus."""
_CORNER = 4


class PictureDelegate(QStyledItemDelegate):
    """The view tells it the width of a cell and of a whole row."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cell_px = 208
        self.row_px = 800
        self.is_crisp = True
        self.ratio = 1.0
        self.cache = PictureCache()
        self.playing: tuple[str, int] | None = None
        self.playing_frame = 0

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        """A heading takes a row of its own."""
        entry = index.data(EntryRole)
        if isinstance(entry, Tile):
            cell_px = self.cell_of(entry.num_columns)
            height_px = self.picture_size(entry.size_px, cell_px).height()
            return QSize(cell_px, height_px + (SPACING.s if entry.num_columns else CAPTION_PX + SPACING.s) + INSET)
        if isinstance(entry, GridLabels):
            return QSize(self.row_px, LABELS_PX)
        return QSize(self.row_px, HEADING_PX)

    def cell_of(self, num_columns: int) -> int:
        """Width of a cell; those of a grid shrink until all its columns stand side by side."""
        return max(GAP * 3, min(self.cell_px, self.row_px // num_columns)) if num_columns else self.cell_px

    def picture_size(self, size_px: tuple[int, int], cell_px: int = 0) -> QSize:
        """Logical size of a picture in its cell; crisp enlarging goes by whole device pixels."""
        room = (cell_px or self.cell_px) - GAP
        factor = room * self.ratio / max(size_px)
        if self.is_crisp and factor >= 1.0:
            factor = int(factor)
        return QSize(round(size_px[0] * factor / self.ratio), round(size_px[1] * factor / self.ratio))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """One row."""
        entry = index.data(EntryRole)
        painter.save()
        if isinstance(entry, Tile):
            self._paint_tile(painter, option, entry)
        elif isinstance(entry, GridLabels):
            self._paint_labels(painter, option.rect.adjusted(INSET, 0, 0, 0), entry)
        elif isinstance(entry, Heading):
            _paint_heading(painter, option.rect.adjusted(INSET, 0, 0, 0), entry.job)
        painter.restore()

    def _paint_tile(self, painter: QPainter, option: QStyleOptionViewItem, tile: Tile) -> None:
        cell: QRect = option.rect
        state: QStyle.StateFlag = option.state
        size = self.picture_size(tile.size_px, self.cell_of(tile.num_columns))
        place = QRect(cell.topLeft() + QPoint(INSET, INSET), size)
        self._paint_picture(painter, place, tile)
        if tile.is_moving:
            paint_film_mark(painter, place, tile)
        if tile.is_starred:
            paint_star(painter, place)
        is_current = bool(state & QStyle.StateFlag.State_HasFocus)
        if is_current or state & QStyle.StateFlag.State_MouseOver:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours().focus if is_current else colours().muted), 2.0))
            painter.drawRoundedRect(QRectF(place).adjusted(-2, -2, 2, 2), RADIUS, RADIUS)
        if tile.num_columns and not tile.problem:
            return
        caption = QRect(place.left(), place.bottom() + 1, cell.width() - GAP, CAPTION_PX)
        _paint_caption(painter, caption, self._caption(tile), is_problem=bool(tile.problem))

    def _paint_picture(self, painter: QPainter, place: QRect, tile: Tile) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(place), _CORNER, _CORNER)
        frame = self.playing_frame if (tile.job_id, tile.index) == self.playing else None
        pixmap = self.cache.scaled(tile, place.size(), self.ratio, is_crisp=self.is_crisp, frame=frame)
        if tile.state is TileState.MISSING:
            painter.setPen(QPen(QColor(colours().line), 1.0))
            painter.drawPath(outline)
            return
        if pixmap is None:
            painter.fillPath(outline, QColor(colours().raised))
            return
        painter.setClipPath(outline)
        painter.drawPixmap(place.topLeft(), pixmap)
        painter.setClipping(False)

    def _paint_labels(self, painter: QPainter, place: QRect, entry: GridLabels) -> None:
        """Column labels above their columns; a row's label on a line of its own."""
        painter.setFont(font(TYPE.caption, weight=font().Weight.Medium, has_even_digits=True))
        painter.setPen(QColor(colours().muted))
        cell_px = self.cell_of(entry.num_columns) if entry.is_head else place.width()
        for column, text in enumerate(entry.labels):
            room = QRect(place.left() + column * cell_px, place.top(), cell_px - GAP, place.height())
            short = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), short)

    def _caption(self, tile: Tile) -> str:
        seed = self.tr("Seed {seed}").format(seed=tile.seed)
        if isinstance(tile.request, InterpolateRequest):
            seed = self.tr("Step {step} · {share} %").format(
                step=tile.index + 1, share=round(100 * tile.request.share_of(tile.index))
            )
        elif tile.single is not None and tile.single.variation_seed is not None:
            seed = self.tr("Variation {seed}").format(seed=tile.single.variation_seed)
        if tile.problem:
            return f"{seed} · {tile.problem}"
        if tile.state is TileState.PREVIEW:
            return self.tr("taking shape…")
        return seed


def _paint_caption(painter: QPainter, place: QRect, text: str, *, is_problem: bool) -> None:
    painter.setFont(font(TYPE.caption, has_even_digits=True))
    painter.setPen(QColor(colours().error if is_problem else colours().muted))
    short = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), short)


def _paint_heading(painter: QPainter, place: QRect, job: Job) -> None:
    width = place.width() - GAP
    painter.setFont(font(TYPE.body, weight=font().Weight.DemiBold))
    painter.setPen(QColor(colours().text))
    metrics = painter.fontMetrics()
    title = metrics.elidedText(job_title(job), Qt.TextElideMode.ElideRight, width)
    painter.drawText(QPoint(place.left(), place.top() + 6 + metrics.ascent()), title)
    painter.setFont(font(TYPE.caption, has_even_digits=True))
    is_bad = job.state is JobState.FAILED
    painter.setPen(QColor(colours().error if is_bad else colours().muted))
    line = painter.fontMetrics().elidedText(heading_line(job), Qt.TextElideMode.ElideRight, width)
    painter.drawText(QPoint(place.left(), place.top() + 26 + painter.fontMetrics().ascent()), line)


def heading_line(job: Job) -> str:
    """The second line of a heading: what was asked, and how it went."""
    sampling = sampling_of(job.request)
    steps = _steps(f"{sampling.base.num_steps} + {sampling.decoder.num_steps}") if sampling else ""
    made = job.num_done if job.is_over else job.num_results
    parts = [
        pictures_text(made, is_clips=job.makes_clips) if made else "",
        job.model_name,
        job.preset,
        steps,
        _ending(job),
    ]
    return " · ".join(part for part in parts if part)


def _steps(steps: str) -> str:
    return _tr("{steps} steps").format(steps=steps)


def _ending(job: Job) -> str:
    match job.state:
        case JobState.FINISHED:
            return duration(job.elapsed_s)
        case JobState.STOPPED:
            return _tr("stopped after {duration}").format(duration=duration(job.elapsed_s))
        case JobState.FAILED:
            return _tr("failed: {reason}").format(reason=job.message)
    return ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("PictureDelegate", text)
