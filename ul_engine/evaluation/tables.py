"""Results for people: CSV files, and the table of the terminal."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ul_engine.evaluation.codec_points import OURS
from ul_engine.evaluation.plan import Plan
from ul_engine.metrics.codecs import CODECS
from ul_engine.metrics.rate_distortion import METRICS as MEASURES

Row = Mapping[str, Any]
PLACE = ("index", "file", "start", "width", "height", "frames", "seed")
NUM_WORST = 5


def per_sample_csv(plan: Plan, rows: Sequence[Row]) -> str:
    """One line per sample: its file and size, every metric that is one number, bits, and each codec's point."""
    columns = [*PLACE]
    for metric in plan.per_sample:
        columns += [metric.key, "ms_ssim_scales"] if metric.name == "ms-ssim" else [metric.key]
    for kind in ("bits_per_pixel", "bits_per_latent_value", "terminal_bits_per_pixel"):
        columns += [f"{kind}_{name}" for name in plan.restorers]
    codecs = dict.fromkeys(name for row in rows for name in row.get("points") or {} if name != OURS)
    point = ("bits_per_pixel", "is_floor", *MEASURES)
    columns += [f"{codec}_{key}" for codec in codecs for key in point]
    return _csv(columns, [{**row, **_flat_points(row)} for row in rows])


def _flat_points(row: Row) -> dict[str, Any]:
    points = row.get("points") or {}
    return {f"{codec}_{key}": value for codec, point in points.items() for key, value in _flat(point).items()}


def _flat(point: Row) -> dict[str, Any]:
    return {**{key: value for key, value in point.items() if key != "distortion"}, **point["distortion"]}


def rate_distortion_csv(rows: Sequence[Row]) -> str:
    """One line per picture and codec, ours first."""
    columns = ["index", "file", "codec", "bits_per_pixel", "is_floor", "setting", *MEASURES, "ms_ssim_scales"]
    lines = [
        {"index": row["index"], "file": row["file"], "codec": codec} | _flat(point)
        for row in rows
        for codec, point in (row.get("points") or {}).items()
    ]
    return _csv(columns, lines)


def per_frame_csv(rows: Sequence[Row]) -> str:
    """One line per frame of every clip."""
    lines = [
        {"index": row["index"], "file": row["file"], "start": row["start"], "frame": frame, "psnr_db": value}
        for row in rows
        for frame, value in enumerate(row["psnr_db_per_frame"])
    ]
    return _csv(["index", "file", "start", "frame", "psnr_db"], lines)


def _csv(columns: Sequence[str], lines: Iterable[Row]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()


# ---- the terminal -------------------------------------------------------------------------------------------------


def summary_text(report: Row) -> str:
    """The table: every figure with its standard error and number of samples, codecs, and what was not computed."""
    lines = [_headline(report), "", _cells("", "mean", "± s.e.", "samples")]
    for figures in report["metrics"].values():
        lines += _metric_lines(figures)
    lines += list(_codec_lines(report["metrics"].get("codecs", {})))
    missing = list(_missing_lines(report))
    lines += ["", "Not computed:", *missing] if missing else []
    if {"bits", "codecs"} & report["metrics"].keys():
        lines += ["", report["bits_are"]]
    return "\n".join(lines)


def _headline(report: Row) -> str:
    data, decoder = report["data"], report["settings"]["sampling"]["decoder"]
    broken = f", {len(data['broken'])} broken ones left out" if data["broken"] else ""
    return (
        f"{report['model']['name']}: {data['num_samples']} samples{broken}; "
        f"one sampled decode of {decoder['num_steps']} steps ({decoder['name']}), {report['settings']['precision']}"
    )


def _metric_lines(figures: Row) -> list[str]:
    title = f"{figures['title']}, {figures['unit']}" if figures.get("unit") else figures["title"]
    if "value" in figures:
        lines = [_cells(title, number_text(figures["value"]), number_text(figures["standard_error"]), _sides(figures))]
    elif "mean" in figures:
        lines = [_figure(title, figures)]
    else:
        lines = list(_bits_lines(figures))
    return lines + [f"    {warning}" for warning in figures.get("warnings", ())]


def _sides(figures: Row) -> str:
    return " / ".join(map(str, dict.fromkeys(figures["num_samples"])))


def _bits_lines(figures: Row) -> Iterator[str]:
    for name, title in (("prior", "prior"), ("base", "base model")):
        found = figures.get(name, {})
        if "bits_per_pixel" in found:
            yield _figure(f"Bits per pixel, {title} (bound)", found["bits_per_pixel"])
            yield _figure(f"Bits per latent value, {title} (bound)", found["bits_per_latent_value"])


def _codec_lines(codecs: Row) -> Iterator[str]:
    found = {name: codecs[name] for name in CODECS if "at_floor" in codecs.get(name, {})}
    if found:
        yield ""
        yield "Ours less the codec's, at equal bits; at its floor the codec needs more bits than ours:"
        yield f"{'':<24}{'pictures':>9}{'bits: ours':>12}{'codec':>9}" + "".join(f"{m:>10}" for m in MEASURES)
    for name, summary in found.items():
        for place in ("at_equal_bits", "at_floor"):
            if summary[place] is not None:
                yield _gain_line(f"{CODECS[name].label}, {place.replace('_', ' ')}", summary[place])


def _gain_line(title: str, gain: Row) -> str:
    differences = (gain["difference"].get(measure) for measure in MEASURES)
    cells = "".join(f"{'-' if value is None else f'{value:+.3f}':>10}" for value in differences)
    bits = f"{gain['our_bits_per_pixel']:>12.4f}{gain['codec_bits_per_pixel']:>9.4f}"
    return f"{title:<24}{gain['num_pictures']:>9}{bits}{cells}"


def _missing_lines(report: Row) -> Iterator[str]:
    """Each reason once, with all that it keeps from being computed."""
    names: dict[str, list[str]] = {}
    for name, figures in report["metrics"].items():
        if "unavailable" in figures:
            names.setdefault(figures["unavailable"], []).append(f"{name} ({figures['title']})")
        for part, inner in figures.items():
            if isinstance(inner, Mapping) and "unavailable" in inner:
                names.setdefault(inner["unavailable"], []).append(f"{name}: {part}")
    for reason, missing in names.items():
        yield f"  {', '.join(missing)}: {reason}"


def _figure(title: str, figures: Row) -> str:
    return _cells(
        title, number_text(figures["mean"]), number_text(figures["standard_error"]), str(figures["num_samples"])
    )


def _cells(title: str, mean: str, error: str, count: str) -> str:
    return f"{title:<44}{mean:>10}{error:>10}{count:>14}"


def number_text(value: float | None) -> str:
    """A figure as tables show it; a dash where there is none."""
    return "-" if value is None else f"{value:.4g}" if abs(value) < 1 else f"{value:.2f}"


def worst_text(rows: Sequence[Row], key: str) -> str:
    """The worst samples by one column."""
    lines = [f"Worst first ({key}):"]
    lines += [f"  {float(row[key]):>10.4g}  {row['file']}{_at(row)}" for row in rows[:NUM_WORST]]
    return "\n".join(lines)


def _at(row: Row) -> str:
    return "" if row["start"] is None else f" from frame {row['start']}"
