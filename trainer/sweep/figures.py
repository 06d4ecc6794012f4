"""The chart of a sweep: bits per pixel against PSNR, rFD-Small and gFD-Small, with the paper's Table 2 below. No
torch."""

from collections.abc import Sequence

from trainer.charts import Axis, Mark, Page, Panel, Series, page_svg
from trainer.charts.chart import COLOURS, Marker
from trainer.sweep.definition import SweepConfig
from trainer.sweep.paper import TABLE_2, PaperRow
from trainer.sweep.points import axis_title, value_text
from trainer.sweep.results import Row
from trainer.sweep.rules import lines_of

BITS = "bits_per_pixel_prior"
QUALITIES = (("psnr_db", "PSNR (dB)"), ("rfd_small", "rFD-Small"), ("gfd_small", "gFD-Small"))
PAPER_QUALITIES = (("psnr_db", "PSNR (dB)"), ("rfid", "rFID"), ("gfid_small", "gFID, small base model"))
MARKERS: tuple[Marker, ...] = ("circle", "square", "triangle")
WIDE = 20.0
"""Values that spread over more than this factor are drawn on a logarithmic axis."""


def sweep_chart(sweep: SweepConfig, rows: Sequence[Row]) -> str:
    """The page as SVG text; panels without figures say so."""
    ours = tuple(_panel(sweep, rows, *quality) for quality in QUALITIES)
    paper = tuple(_paper_panel(*quality) for quality in PAPER_QUALITIES)
    labels = f"Labels: {', '.join(axis_title(key) for key in list(sweep.axes)[:1]) or 'names of the points'}. "
    return page_svg(Page(sweep.name, (ours, paper), labels + _measured_on(rows)))


def _measured_on(rows: Sequence[Row]) -> str:
    figures = next((row.figures for row in rows if row.is_measured), None)
    if figures is None:
        return "Nothing is measured yet."
    generated = figures["num_generated"]
    more = f"; gFD-Small: {generated:.0f} generated" if generated is not None else ""
    return f"Ours: {figures['num_samples']:.0f} held-out samples{more}."


def _panel(sweep: SweepConfig, rows: Sequence[Row], key: str, title: str) -> Panel:
    lines = lines_of(rows)
    second = ", ".join(axis_title(axis) for axis in list(sweep.axes)[1:])
    series = [_line(name, line, key, second, number) for number, (name, line) in enumerate(lines)]
    variants = [row for row in rows if row.point.is_variant]
    series += [_variant(row, key, len(lines) + number) for number, row in enumerate(variants)]
    drawn = tuple(each for each in series if each.marks)
    marks = [mark for each in drawn for mark in each.marks]
    x = _axis("latent bits per pixel (prior)", [mark.x for mark in marks])
    y = _axis(title, [mark.y for mark in marks] if key != "psnr_db" else [])
    return Panel(f"Bits against {title.removesuffix(' (dB)')}", x, y, drawn)


def _line(name: str, line: Sequence[Row], key: str, second: str, number: int) -> Series:
    legend = f"{second} {name}" if name else "this sweep"
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    return Series(legend, _marks(line, key), colour, marker)


def _marks(line: Sequence[Row], key: str) -> tuple[Mark, ...]:
    found = []
    for row in line:
        bits, value = row.figures[BITS], row.figures[key]
        if bits is not None and value is not None:
            found.append(Mark(bits, value, value_text(next(iter(row.point.axes.values()), row.point.name))))
    return tuple(found)


def _variant(row: Row, key: str, number: int) -> Series:
    bits, value = row.figures[BITS], row.figures[key]
    is_there = bits is not None and value is not None
    marks = (Mark(float(bits or 0.0), float(value or 0.0), row.point.name.split()[0]),) if is_there else ()
    return Series(row.point.name, marks, COLOURS[number % len(COLOURS)], "diamond", has_line=False)


def _paper_panel(key: str, title: str) -> Panel:
    marks = tuple(Mark(row.bits_per_pixel, value, row.name) for row in TABLE_2 if (value := _of(row, key)) is not None)
    series = Series("the paper's Table 2 (ImageNet, 512 px; axes of its own)", marks, is_faint=True)
    name = title.removesuffix(" (dB)").partition(",")[0]
    return Panel(f"Paper: bits against {name}", Axis("latent bits per pixel"), Axis(title), (series,))


def _of(row: PaperRow, key: str) -> float | None:
    value: float | None = getattr(row, key)
    return value


def _axis(title: str, values: Sequence[float]) -> Axis:
    is_wide = bool(values) and min(values) > 0.0 and max(values) / min(values) > WIDE
    return Axis(f"{title}, logarithmic" if is_wide else title, is_log=is_wide)
