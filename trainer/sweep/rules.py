"""What the figures of a sweep should do, and whether they do: plain sentences with the places where not. No torch."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from trainer.sweep.paper import TABLE_6, TABLE_6_BASELINE, PaperRow
from trainer.sweep.points import ABLATION, value_text
from trainer.sweep.results import TITLES, Row

LOSS_FACTOR = "model.decoder_loss.loss_factor"
SAME_SHARE = 0.05
"""A change by less than this share counts as none."""


@dataclass(frozen=True)
class Finding:
    """One rule: its sentence, whether it holds (None: too few points), and where it does not."""

    sentence: str
    holds: bool | None
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Direction:
    """How one figure of an ablation moved, here and in the paper; "up", "down", "same", or None where unknown."""

    variant: str
    figure: str
    reference: float | None
    value: float | None
    here: str | None
    paper: str | None

    @property
    def agrees(self) -> bool | None:
        """Whether both moved alike."""
        return self.here == self.paper if self.here and self.paper else None


def findings_of(rows: Sequence[Row]) -> list[Finding]:
    """Whether the rules of the paper's Table 2 hold along every line of the sweep."""
    lines = [line for _, line in lines_of(rows)]
    bits, base = "bits_per_pixel_prior", "bits_per_pixel_base"
    found = [
        _together(lines, bits, "psnr_db", rises=True),
        _together(lines, base, "psnr_db", rises=True),
        _together(lines, bits, "rfd_small", rises=False),
    ]
    if any(LOSS_FACTOR in row.point.axes for row in rows):
        found.insert(0, _with_loss_factor(lines, bits))
    return [finding for finding in found if finding.holds is not None]


def lines_of(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """Measured points of the axes as lines: one per value of every axis but the first, ordered by the first. The name
    is that value, "" where there is one axis."""
    measured = [row for row in rows if row.is_measured and not row.point.is_variant]
    keyed = [(tuple(value_text(value) for value in list(row.point.axes.values())[1:]), row) for row in measured]
    order = list(dict.fromkeys(key for key, _ in keyed))
    keyed.sort(key=lambda pair: order.index(pair[0]))
    return [
        (", ".join(key), sorted((row for _, row in group), key=_first_value))
        for key, group in groupby(keyed, key=lambda pair: pair[0])
    ]


def _first_value(row: Row) -> tuple[bool, float]:
    value = next(iter(row.point.axes.values()), None)
    is_number = isinstance(value, int | float)
    return (not is_number, float(value) if isinstance(value, int | float) else 0.0)


def _together(lines: Sequence[Sequence[Row]], first: str, second: str, *, rises: bool) -> Finding:
    """Between neighbours by the first figure, the second must rise too (or fall)."""
    word = "rise together" if rises else "move against each other"
    pairs = [pair for line in lines for pair in pairwise(_known(line, first, second))]
    exceptions = [
        f"{low.point.name} → {high.point.name}: {_change(low, high, first)}, {_change(low, high, second)}"
        for low, high in pairs
        if (_value(high, second) > _value(low, second)) is not rises
    ]
    sentence = f"{TITLES[first]} and {TITLES[second]} {word}"
    return Finding(sentence, not exceptions if pairs else None, tuple(exceptions))


def _with_loss_factor(lines: Sequence[Sequence[Row]], figure: str) -> Finding:
    pairs = []
    for line in lines:
        known = [row for row in line if row.figures[figure] is not None]
        pairs += list(pairwise(sorted(known, key=lambda row: float(row.point.axes[LOSS_FACTOR]))))
    exceptions = [
        f"{low.point.name} → {high.point.name}: {_change(low, high, figure)}"
        for low, high in pairs
        if _value(high, figure) <= _value(low, figure)
    ]
    return Finding(f"{TITLES[figure]} rises with the loss factor", not exceptions if pairs else None, tuple(exceptions))


def _known(line: Sequence[Row], first: str, second: str) -> list[Row]:
    both = [row for row in line if row.figures[first] is not None and row.figures[second] is not None]
    return sorted(both, key=lambda row: _value(row, first))


def _value(row: Row, key: str) -> float:
    value = row.figures[key]
    assert value is not None
    return value


def _change(low: Row, high: Row, key: str) -> str:
    return f"{TITLES[key]} {_value(low, key):.4g} → {_value(high, key):.4g}"


def reference_of(variant: Row, rows: Sequence[Row]) -> Row | None:
    """The point of the axes that a variant differs from by its ablation alone; None where there is none."""
    alike = (row for row in rows if not row.point.is_variant and row.point.axes == variant.point.axes)
    return next(alike, None)


def directions_of(rows: Sequence[Row]) -> Iterator[Direction]:
    """How the ablations of Table 6 among the variants moved bits, rFD-Small and gFD-Small, beside the paper."""
    for row in rows:
        paper = TABLE_6.get(str(row.point.changes.get(ABLATION)))
        reference = reference_of(row, rows)
        if not row.point.is_variant or paper is None or reference is None:
            continue
        for key, theirs in (
            ("bits_per_pixel_prior", _paper_direction(paper, "bits_per_pixel")),
            ("rfd_small", _paper_direction(paper, "rfid")),
            ("gfd_small", _paper_direction(paper, "gfid_small")),
        ):
            before, after = reference.figures[key], row.figures[key]
            yield Direction(row.point.name, TITLES[key], before, after, direction(before, after), theirs)


def _paper_direction(paper: PaperRow, field: str) -> str | None:
    return direction(getattr(TABLE_6_BASELINE, field), getattr(paper, field))


def direction(before: float | None, after: float | None) -> str | None:
    """up, down, or same within `SAME_SHARE`; None where a figure is missing."""
    if before is None or after is None:
        return None
    if abs(after - before) <= SAME_SHARE * abs(before):
        return "same"
    return "up" if after > before else "down"
