"""What a chart shows, as plain data: series, axes, reference marks and the part of the plane in sight."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = Sequence[float] | NDArray[np.floating[Any]]


class Style(Enum):
    """How a series is drawn."""

    LINE = "line"
    SCATTER = "scatter"
    BARS = "bars"


class AxisKind(Enum):
    """What the numbers of an axis are."""

    NUMBER = "number"
    DURATION = "duration"
    """Seconds since something began."""
    DATE = "date"
    """Seconds since 1970, shown in local time."""
    NAMES = "names"
    """0, 1, 2 … with the names of `Axis.names`."""


@dataclass(frozen=True)
class Axis:
    """One axis. `low` and `high` hold the limits of the whole view; None: as the data asks."""

    title: str = ""
    unit: str = ""
    is_log: bool = False
    kind: AxisKind = AxisKind.NUMBER
    low: float | None = None
    high: float | None = None
    names: tuple[str, ...] = ()
    is_reversed: bool = False
    """Whether small values are on the right; of the horizontal axis only."""


@dataclass(frozen=True, eq=False)
class Series:
    """One curve, cloud or row of bars. Values that are not finite are gaps.

    `x` and `y` are sequences or numpy arrays of the same length; a series handed over again as the same object is
    recognised, so that nothing is computed anew. `low` and `high` are a band (an error range) around it, `shade` a
    number per point that colours it from pale (smallest) to full (largest), `labels` a text per point for the hover.
    """

    name: str
    x: Values
    y: Values
    colour: str = ""
    """#rrggbb; empty: the next one of the palette."""
    style: Style = Style.LINE
    low: Values | None = None
    high: Values | None = None
    shade: Values | None = None
    labels: Sequence[str] = ()
    is_dashed: bool = False
    is_smoothed: bool = True
    """Whether the chart's smoothing applies."""
    has_dots: bool = False
    """Dots on the points of a line, for few measured values."""


@dataclass(frozen=True)
class Mark:
    """A reference: a point (`x` and `y`), a vertical line (`x`), a horizontal line (`y`), or with an end a stripe."""

    label: str
    x: float | None = None
    y: float | None = None
    x_end: float | None = None
    y_end: float | None = None
    colour: str = ""
    """#rrggbb; empty: the palette's for references."""
    is_fitted: bool = True
    """Whether the view makes room for it."""


@dataclass(frozen=True)
class View:
    """The part of the plane in sight, in values of the axes."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
