"""Where the words beside points go, so that they lie neither on each other nor on points and lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from trainer.charts.svg import text_width

SIZE = 11.0
GAP = 7.0


@dataclass(frozen=True)
class Box:
    """A rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "Box") -> float:
        """Area in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    @property
    def area(self) -> float:
        """Width times height."""
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True)
class PlacedLabel:
    """Words at the left end of their baseline."""

    x: float
    y: float
    content: str


class LabelPlacer:
    """Places one label after another inside `area`; `taken` is what they must not cover."""

    def __init__(self, area: Box, taken: Iterable[Box]) -> None:
        self._area = area
        self._taken = list(taken)

    def place(self, x: float, y: float, content: str) -> PlacedLabel:
        """The first free of eight places around the point, else the one that covers least."""
        box = min(self._candidates(x, y, text_width(content, SIZE)), key=self._cost)
        self._taken.append(box)
        return PlacedLabel(box.left, box.bottom - 0.2 * SIZE, content)

    def _candidates(self, x: float, y: float, width: float) -> list[Box]:
        near, half = GAP * 0.7, SIZE / 2
        corners = (
            (x - width / 2, y - GAP - SIZE),
            (x - width / 2, y + GAP),
            (x + GAP, y - half),
            (x - GAP - width, y - half),
            (x + near, y - near - SIZE),
            (x - near - width, y - near - SIZE),
            (x + near, y + near),
            (x - near - width, y + near),
        )
        return [Box(left, top, left + width, top + SIZE) for left, top in corners]

    def _cost(self, box: Box) -> float:
        outside = box.area - box.overlap(self._area)
        return 4.0 * outside + sum(box.overlap(other) for other in self._taken)


def around(points: list[tuple[float, float]], *, has_line: bool) -> list[Box]:
    """Boxes over the markers, and along the pieces of the line between them."""
    boxes = [Box(x - 5.0, y - 5.0, x + 5.0, y + 5.0) for x, y in points]
    if has_line:
        for (x0, y0), (x1, y1) in pairwise(points):
            count = max(2, int((abs(x1 - x0) + abs(y1 - y0)) / 5.0))
            shares = (number / count for number in range(1, count))
            places = [(x0 + share * (x1 - x0), y0 + share * (y1 - y0)) for share in shares]
            boxes += [Box(x - 2.0, y - 2.0, x + 2.0, y + 2.0) for x, y in places]
    return boxes
