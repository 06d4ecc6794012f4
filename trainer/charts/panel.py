"""Draws one panel: axes, grid, lines, markers, labels."""

from dataclasses import dataclass

from trainer.charts import svg
from trainer.charts.chart import FAINT, Panel, Series
from trainer.charts.labels import SIZE, Box, LabelPlacer, around
from trainer.charts.scales import Scale, scale_for, tick_texts

WIDTH, HEIGHT = 360.0, 290.0
LEFT, RIGHT, TOP, BOTTOM = 66.0, 14.0, 34.0, 50.0


@dataclass(frozen=True)
class Frame:
    """Where values lie on the page; the panel's upper left corner is at (`x`, `y`)."""

    x: float
    y: float
    horizontal: Scale
    vertical: Scale

    @property
    def area(self) -> Box:
        """The rectangle inside the axes."""
        return Box(self.x + LEFT, self.y + TOP, self.x + WIDTH - RIGHT, self.y + HEIGHT - BOTTOM)

    def across(self, value: float) -> float:
        """Horizontal place of a value."""
        area = self.area
        return area.left + self.horizontal.share(value) * (area.right - area.left)

    def up(self, value: float) -> float:
        """Vertical place of a value."""
        area = self.area
        return area.bottom - self.vertical.share(value) * (area.bottom - area.top)

    def points(self, series: Series) -> list[tuple[float, float]]:
        """Places of all points."""
        return [(self.across(mark.x), self.up(mark.y)) for mark in series.marks]


def panel_svg(panel: Panel, x: float, y: float) -> list[str]:
    """The elements of a panel of `WIDTH` by `HEIGHT` at (`x`, `y`)."""
    frame = Frame(
        x,
        y,
        scale_for((mark.x for mark in panel.marks), is_log=panel.x.is_log),
        scale_for((mark.y for mark in panel.marks), is_log=panel.y.is_log),
    )
    if not panel.marks:
        return [*_titles(panel, frame), _border(frame), _note(panel, frame)]
    drawn = [element for series in panel.series for element in _series(series, frame)]
    return [*_grid(frame), *_titles(panel, frame), *drawn, *_labels(panel, frame)]


def _grid(frame: Frame) -> list[str]:
    area = frame.area
    elements = []
    for tick, words in zip(frame.horizontal.ticks, tick_texts(frame.horizontal), strict=True):
        at = frame.across(tick)
        elements.append(svg.line((at, area.top), (at, area.bottom)))
        elements.append(svg.text(at, area.bottom + 16, words, size=11, anchor="middle", fill=svg.QUIET))
    for tick, words in zip(frame.vertical.ticks, tick_texts(frame.vertical), strict=True):
        at = frame.up(tick)
        elements.append(svg.line((area.left, at), (area.right, at)))
        elements.append(svg.text(area.left - 7, at + 4, words, size=11, anchor="end", fill=svg.QUIET))
    return [*elements, _border(frame)]


def _border(frame: Frame) -> str:
    area = frame.area
    size = f'width="{area.right - area.left:.1f}" height="{area.bottom - area.top:.1f}"'
    return f'<rect x="{area.left:.1f}" y="{area.top:.1f}" {size} fill="none" stroke="#9a9a9a"/>'


def _titles(panel: Panel, frame: Frame) -> list[str]:
    area = frame.area
    middle = (area.top + area.bottom) / 2
    turn = f"rotate(-90 {frame.x + 16:.1f} {middle:.1f})"
    return [
        svg.text(area.left, area.top - 12, panel.title, size=13, font_weight="bold"),
        svg.text((area.left + area.right) / 2, area.bottom + 38, panel.x.title, anchor="middle"),
        svg.text(frame.x + 16, middle, panel.y.title, anchor="middle", transform=turn),
    ]


def _note(panel: Panel, frame: Frame) -> str:
    area = frame.area
    middle = ((area.left + area.right) / 2, (area.top + area.bottom) / 2)
    return svg.text(*middle, panel.note, anchor="middle", fill=svg.QUIET, font_style="italic")


def _series(series: Series, frame: Frame) -> list[str]:
    points = frame.points(series)
    colour = FAINT if series.is_faint else series.colour
    line = [svg.polyline(points, colour=colour, is_dashed=series.is_faint)] if series.has_line and points else []
    return line + [
        svg.marker(*point, series.marker, colour=colour, is_filled=series.has_line and not series.is_faint)
        for point in points
    ]


def _labels(panel: Panel, frame: Frame) -> list[str]:
    taken = [box for series in panel.series for box in around(frame.points(series), has_line=series.has_line)]
    placer = LabelPlacer(frame.area, taken)
    elements = []
    for series in panel.series:
        for mark, (x, y) in zip(series.marks, frame.points(series), strict=True):
            if mark.label:
                label = placer.place(x, y, mark.label)
                colour = svg.QUIET if series.is_faint else series.colour
                elements.append(svg.text(label.x, label.y, label.content, size=SIZE, fill=colour))
    return elements
