"""What can be drawn over a picture: frames around places, and the lines between the cells of a grid."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Probe:
    """A pixel of the picture that somebody points at."""

    x: int
    y: int


@dataclass(frozen=True)
class MarkedRectangle:
    """A frame around a part of the picture, in picture pixels, with a few words beside it."""

    x: float
    y: float
    width: float
    height: float
    label: str = ""


@dataclass(frozen=True)
class CellGrid:
    """The picture cut into equal cells, as the latent sees it."""

    columns: int
    rows: int


@dataclass(frozen=True)
class Marks:
    """Everything drawn over one picture."""

    rectangles: tuple[MarkedRectangle, ...] = ()
    grid: CellGrid | None = None


NO_MARKS = Marks()
