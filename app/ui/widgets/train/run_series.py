"""From a run's figures to a chart's series, axes and marks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication

from app.models.progress import grouped
from app.models.runs.chart_specs import BITS, PSNR, TABLE_2, TOTAL, ChartKind, ChartSpec, Line, Reference
from app.models.runs.run_view import RunView
from app.models.runs.runs import ChartOptions
from app.run_news import Block
from app.ui.widgets.chart.palette import ramp_colour, series_colour
from app.ui.widgets.chart.scale import Floats
from app.ui.widgets.chart.series import Axis, AxisKind, Mark, Series


@dataclass(frozen=True)
class Drawn:
    """One run in a chart: `place` is its place among those overlaid, of `count`, and `name` what it is called there."""

    view: RunView
    place: int
    count: int
    name: str

    @property
    def is_alone(self) -> bool:
        """Whether colours tell figures apart rather than runs."""
        return self.count == 1


def drawn_together(views: Sequence[RunView]) -> list[Drawn]:
    """Runs that lie over each other; what all their names end in is left out of them."""
    names = [view.name for view in views]
    if len(names) > 1:
        for suffix in ("/stage1", "/stage2"):
            if all(name.endswith(suffix) for name in names):
                names = [name.removesuffix(suffix) for name in names]
    return [Drawn(view, place, len(views), name) for place, (view, name) in enumerate(zip(views, names, strict=True))]


def title_of(spec: ChartSpec, drawn: Sequence[Drawn]) -> str:
    """The chart's title; while runs lie over each other with the one line that is shown of each."""
    line = spec.lines[spec.main]
    if len(drawn) < 2 or spec.kind is not ChartKind.LINES or len(spec.lines) < 2 or not line.title:
        return spec.title
    return f"{spec.title}: {line.title}"


def _main_line(spec: ChartSpec, view: RunView) -> Line:
    """The line that stands for the chart: the first with values where the chosen one has none."""
    lines = (spec.lines[spec.main], *spec.lines)
    return next((line for line in lines if (block := _block(view, line.figure)) is not None and len(block)), lines[0])


def axes_of(spec: ChartSpec, options: ChartOptions, *, is_log_y: bool) -> tuple[Axis, Axis]:
    """The axes of a chart."""
    y = Axis("", spec.unit, is_log=is_log_y)
    if spec.kind is ChartKind.TRAIL:
        return Axis(_tr("Latent"), _tr("bits/pixel"), is_log=True), Axis(_tr("PSNR"), "dB", is_log=is_log_y)
    if options.x == "time":
        return Axis(_tr("Time"), kind=AxisKind.DURATION), y
    title = _tr("Samples seen") if options.x == "images" else _tr("Step")
    return Axis(title, is_log=options.is_log_x), y


def series_of(spec: ChartSpec, options: ChartOptions, drawn: Drawn) -> list[Series]:
    """The series of one run."""
    if spec.kind is ChartKind.TRAIL:
        trail = _trail(drawn)
        return [trail] if trail is not None else []
    if spec.kind is ChartKind.BANDS:
        return _bands(spec, options, drawn.view) if drawn.place == 0 else []
    found = []
    for place, line in enumerate(spec.lines if drawn.is_alone else (_main_line(spec, drawn.view),)):
        block = _block(drawn.view, line.figure)
        if block is None or not len(block):
            continue
        name = line.title if drawn.is_alone else drawn.name
        found.append(
            Series(
                name,
                _x_of(block, drawn.view, options),
                np.array(block.values) * spec.scale,
                colour=series_colour(place if drawn.is_alone else drawn.place),
                is_dashed=line.is_dashed and drawn.is_alone,
                is_smoothed=not (line.is_measured or line.is_exact),
                has_dots=line.is_measured and len(block) < 200,
            )
        )
    return found


def _block(view: RunView, figure: str) -> Block | None:
    """A figure; the total is the sum of both terms, which are logged together."""
    if figure != TOTAL:
        return view.figures.get(figure)
    prior, decoder = view.figures.get("step/prior_bits_per_pixel"), view.figures.get("step/decoder_bits_per_pixel")
    if prior is None or decoder is None or len(prior) != len(decoder):
        return None
    total = Block(prior.steps, prior.times)
    total.values.extend(map(sum, zip(prior.values, decoder.values, strict=True)))
    return total


def _x_of(block: Block, view: RunView, options: ChartOptions) -> Floats:
    if options.x == "time":
        return np.array(block.times) - first_time(view)
    steps = np.array(block.steps)
    return steps * max(view.images_per_step, 1) if options.x == "images" else steps


def first_time(view: RunView) -> float:
    """When the first figure was written, seconds since 1970."""
    return min((block.times[0] for block in view.figures.values() if len(block)), default=0.0)


def _trail(drawn: Drawn) -> Series | None:
    bits, psnr = drawn.view.figures.get(BITS), drawn.view.figures.get(PSNR)
    if bits is None or psnr is None or len(bits) != len(psnr) or not len(bits):
        return None
    steps = np.array(bits.steps)
    return Series(
        drawn.name,
        np.array(bits.values),
        np.array(psnr.values),
        colour=series_colour(drawn.place),
        shade=steps,
        labels=[_tr("step {step}").format(step=grouped(int(step))) for step in bits.steps],
    )


def _bands(spec: ChartSpec, options: ChartOptions, view: RunView) -> list[Series]:
    names = view.band_names(spec.lines[0].figure)
    is_decoder = spec.name == "decoder-bands"
    edges = view.facts.decoder_band_edges if is_decoder else view.facts.prior_band_edges
    found = []
    for place, name in enumerate(names):
        block = view.figures[name]
        title = _band_title(edges[place], edges[place + 1]) if place + 1 < len(edges) else _band(place)
        y = np.array(block.values) * spec.scale
        found.append(Series(title, _x_of(block, view, options), y, colour=ramp_colour(place, len(names))))
    return found


def _band_title(low: float, high: float) -> str:
    return f"{low:.0f} … {high:.0f}".replace("-0 ", "0 ").replace("-", "−")


def _band(place: int) -> str:
    return _tr("Band {number}").format(number=place + 1)


def marks_of(spec: ChartSpec, options: ChartOptions) -> list[Mark]:
    """The paper's Table 2, where it belongs."""
    if not options.has_references or spec.reference is Reference.NONE:
        return []
    first = _tr("paper, loss factor {factor}")
    rows = [
        (first.format(factor=factor) if place in (0, len(TABLE_2) - 1) else f"{factor}", bits, psnr)
        for place, (factor, bits, psnr) in enumerate(TABLE_2)
    ]
    if spec.reference is Reference.BOTH:
        return [Mark(name, bits, psnr) for name, bits, psnr in rows]
    ends = (rows[0], rows[-1])
    if spec.reference is Reference.BITS:
        return [Mark(name, y=bits, is_fitted=False) for name, bits, _ in ends]
    return [Mark(name, y=psnr, is_fitted=False) for name, _, psnr in ends]


def _tr(text: str) -> str:
    return QCoreApplication.translate("RunCharts", text)
