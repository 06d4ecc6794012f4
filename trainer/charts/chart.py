"""What a chart shows, apart from how it is drawn."""

from dataclasses import dataclass
from typing import Literal

Marker = Literal["circle", "square", "diamond", "triangle"]

COLOURS = ("#1f5fa8", "#c2500a", "#2d7d3a", "#8a3fa0", "#a01830", "#0f7f86", "#7a5a10")
"""Line colours, all at least 4.5 : 1 on white."""
FAINT = "#8a8a8a"


@dataclass(frozen=True)
class Mark:
    """One point with what stands beside it; "" for nothing."""

    x: float
    y: float
    label: str = ""


@dataclass(frozen=True)
class Series:
    """Points of one colour in their order. `name` stands in the legend; "" leaves it out."""

    name: str
    marks: tuple[Mark, ...]
    colour: str = COLOURS[0]
    marker: Marker = "circle"
    has_line: bool = True
    is_faint: bool = False


@dataclass(frozen=True)
class Axis:
    """Title with the unit; `is_log` for values that are all above zero."""

    title: str
    is_log: bool = False


@dataclass(frozen=True)
class Panel:
    """One pair of axes; `note` stands in it where there is nothing to draw."""

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...] = ()
    note: str = "nothing measured yet"

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All points."""
        return tuple(mark for series in self.series for mark in series.marks)


@dataclass(frozen=True)
class Page:
    """Rows of panels under a title and a smaller line of text."""

    title: str
    rows: tuple[tuple[Panel, ...], ...]
    subtitle: str = ""
