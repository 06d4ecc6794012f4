"""What is found out about a finished codec, and its table and chart for the documentation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from trainer.charts import Axis, Mark, Page, Panel, Series, page_svg
from trainer.charts.chart import COLOURS, Marker
from trainer.finishing.samplers import DecoderTrial
from ul_engine.metrics.codecs import CODECS
from ul_engine.metrics.rate_distortion import BITS_ARE_A_BOUND
from ul_engine.requests import CodecName, SamplingSettings

MEASURES = (("psnr_db", "PSNR", "dB"), ("ssim", "SSIM", ""), ("ms_ssim", "MS-SSIM", ""), ("flip", "FLIP", ""))
OURS = "unified-latents"
_SHOWN: tuple[CodecName, ...] = ("jpeg", "webp", "avif", "jpegxl")
_MARKERS: tuple[Marker, ...] = ("square", "diamond", "triangle", "circle")


@dataclass(frozen=True)
class CodecReport:
    """Everything measured on a finished codec. `metrics`, `data` and `rows` (one per picture) are those of
    `ul-engine evaluate`; `gap` and `trials` are of held-out photographs."""

    name: str
    data: dict[str, Any]
    metrics: dict[str, Any]
    rows: tuple[dict[str, Any], ...]
    gap: dict[str, float]
    """Reconstructions from the right and from another picture's latent."""
    trials: tuple[DecoderTrial, ...]
    """What the presets' decoder was chosen by."""
    presets: dict[str, SamplingSettings]
    seconds: dict[str, float]
    """Of one picture of `timed_size` (height, width), to encode and to decode."""
    timed_size: tuple[int, int]
    machine: str
    """Where that was timed."""

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            **vars(self),
            "trials": [asdict(trial) | {"name": trial.name.value} for trial in self.trials],
            "presets": {name: preset.model_dump(mode="json") for name, preset in self.presets.items()},
        }


@dataclass(frozen=True)
class Mean:
    """Means over some pictures."""

    bits_per_pixel: float
    figures: dict[str, float]
    num_pictures: int


@dataclass(frozen=True)
class Beside:
    """An ordinary codec beside a model. everywhere: over all pictures, at the model's bits or, where it cannot go as
    low (`num_floors` pictures), at its floor, which has more; equal: over those where it can, the codec's means and the
    model's over the same pictures. None: there are none."""

    everywhere: Mean
    num_floors: int
    equal: tuple[Mean, Mean] | None


@dataclass(frozen=True)
class FamilyPoint:
    """The means of one model of a family, and what stands beside it."""

    name: str
    ours: Mean
    codecs: dict[CodecName, Beside]


def point_of(plain: Mapping[str, Any]) -> FamilyPoint:
    """From the report as JSON has it. Pictures without a point of every codec are left out of all means."""
    names = [name for name in _SHOWN if any(name in (row["points"] or {}) for row in plain["rows"])]
    rows = [row["points"] for row in plain["rows"] if row["points"] and all(name in row["points"] for name in names)]
    codecs: dict[CodecName, Beside] = {}
    for name in names:
        equal = [points for points in rows if not points[name]["is_floor"]]
        codecs[name] = Beside(
            _mean([points[name] for points in rows]),
            len(rows) - len(equal),
            (_mean([points[name] for points in equal]), _mean([points[OURS] for points in equal])) if equal else None,
        )
    return FamilyPoint(plain["name"], _mean([points[OURS] for points in rows]), codecs)


def _mean(points: Sequence[Mapping[str, Any]]) -> Mean:
    figures = {key: fmean(float(point["distortion"][key]) for point in points) for key, _, _ in MEASURES}
    return Mean(fmean(float(point["bits_per_pixel"]) for point in points), figures, len(points))


def family_table(report: CodecReport, family: Sequence[FamilyPoint]) -> str:
    """Markdown: the means of the family beside ordinary codecs, then `report`'s pictures one by one."""
    head = ("", "bits/pixel", *(f"{title} ({unit})" if unit else title for _, title, unit in MEASURES), "pictures")
    lines = [_row(head), _row(["---"] * len(head)), *(_row(cells) for point in family for cells in _lines(point))]
    names = [name for name in _SHOWN if any(name in row["points"] for row in report.rows if row["points"])]
    head = ("picture", *head[1:-1], *(f"{CODECS[name].label}: PSNR (dB)" for name in names))
    lines += ["", f"{report.name}, picture by picture:", "", _row(head), _row(["---"] * len(head))]
    for row in report.rows:
        if not row["points"]:
            continue
        ours = row["points"][OURS]
        others = [_codec_psnr(row["points"].get(name)) for name in names]
        lines.append(_row([row["file"], *_figures(ours["bits_per_pixel"], ours["distortion"]), *others]))
    return "\n".join([*lines, "", f"{BITS_ARE_A_BOUND} A star: the codec's floor, which has more bits.", ""])


def _lines(point: FamilyPoint) -> Iterator[list[object]]:
    """The rows of a model and of what stands beside it, always over the same pictures as the row of ours above."""

    def cells(title: str, mean: Mean) -> list[object]:
        return [title, *_figures(mean.bits_per_pixel, mean.figures), mean.num_pictures]

    yield cells(f"**{point.name}**", point.ours)
    for name, beside in point.codecs.items():
        floors = f", its floor for {beside.num_floors}" if beside.num_floors else ""
        yield cells(f"{CODECS[name].label}{floors}", beside.everywhere)
    for name, beside in point.codecs.items():
        if beside.num_floors and beside.equal is not None:
            theirs, ours = beside.equal
            label = CODECS[name].label
            yield cells(f"{point.name}, where {label} has no more bits", ours)
            yield cells(f"{label} there", theirs)


def _figures(bits_per_pixel: float, figures: Mapping[str, Any]) -> list[str]:
    values = [float(figures[key]) for key, _, _ in MEASURES]
    return [f"{bits_per_pixel:.3f}", f"{values[0]:.2f}", *(f"{value:.3f}" for value in values[1:])]


def _codec_psnr(point: Mapping[str, Any] | None) -> str:
    return "-" if point is None else f"{float(point['distortion']['psnr_db']):.2f}{'*' if point['is_floor'] else ''}"


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def family_chart(family: Sequence[FamilyPoint]) -> str:
    """SVG text: every measure over bits per pixel, all over the same pictures; the family's points joined, codecs at
    the same bits, or at their floor, beside them."""
    panels = [_panel(family, key, title, unit) for key, title, unit in MEASURES]
    return page_svg(
        Page(
            "Photographs at equal bits",
            (tuple(panels[:2]), tuple(panels[2:])),
            f"Means over {family[0].ours.num_pictures} pictures. Our bits are a bound, a codec's are its file's.",
        )
    )


def _panel(family: Sequence[FamilyPoint], key: str, title: str, unit: str) -> Panel:
    ours = tuple(Mark(point.ours.bits_per_pixel, point.ours.figures[key], point.name) for point in family)
    series = [Series("Unified Latents", ours)]
    for place, name in enumerate(name for name in _SHOWN if any(name in point.codecs for point in family)):
        besides = [point.codecs[name] for point in family if name in point.codecs]
        marks = tuple(
            Mark(
                beside.everywhere.bits_per_pixel,
                beside.everywhere.figures[key],
                f"floor for {beside.num_floors}" if beside.num_floors else "",
            )
            for beside in sorted(besides, key=lambda beside: beside.everywhere.bits_per_pixel)
        )
        label = CODECS[name].label
        series.append(Series(label, marks, COLOURS[1 + place], _MARKERS[place], has_line=False))
    better = "lower is better" if key == "flip" else "higher is better"
    return Panel(
        f"{title}: {better}", Axis("bits per pixel"), Axis(f"{title} ({unit})" if unit else title), tuple(series)
    )
