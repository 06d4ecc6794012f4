"""A sweep's figures as JSON, CSV and Markdown. No torch."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from trainer.config import Stage
from trainer.sweep.definition import SweepConfig
from trainer.sweep.paper import TABLE_2, TABLE_6, TABLE_6_BASELINE, PaperRow
from trainer.sweep.points import axis_title, value_text
from trainer.sweep.results import ALL_KEYS, COLUMNS, Row
from trainer.sweep.rules import Direction, Finding, directions_of, findings_of

FORMAT = "ul-sweep-1"
STATES = {True: "yes", False: "no", None: "–"}


def sweep_json(sweep: SweepConfig, rows: Sequence[Row]) -> dict[str, Any]:
    """Everything as plain JSON."""
    return {
        "format": FORMAT,
        "name": sweep.name,
        "description": sweep.description,
        "measure": sweep.measure.model_dump(mode="json"),
        "points": [_point_json(row) for row in rows],
        "findings": [asdict(finding) for finding in findings_of(rows)],
        "ablations": [asdict(found) | {"agrees": found.agrees} for found in directions_of(rows)],
    }


def _point_json(row: Row) -> dict[str, Any]:
    point = row.point
    about = {"name": point.name, "folder": point.slug, "is_variant": point.is_variant, "changes": dict(point.changes)}
    return about | {"axes": dict(point.axes), "state": row.state, "reason": row.reason, "figures": dict(row.figures)}


def sweep_csv(sweep: SweepConfig, rows: Sequence[Row]) -> str:
    """One line per point, unrounded; empty where nothing was measured."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["point", "is_variant", *sweep.axes, "state", "reason", *ALL_KEYS])
    for row in rows:
        figures = ["" if row.figures[key] is None else row.figures[key] for key in ALL_KEYS]
        axes = [row.point.axes[key] for key in sweep.axes]
        writer.writerow([row.point.name, row.point.is_variant, *axes, row.state, row.reason, *figures])
    return stream.getvalue()


def sweep_markdown(sweep: SweepConfig, rows: Sequence[Row]) -> str:
    """The report: our table, what holds of the rules, the ablations' directions, and the paper's own figures."""
    parts = [f"# {sweep.name}", sweep.description, _how(sweep, rows), _points_table(sweep, rows)]
    parts += [_states(rows), _findings(findings_of(rows)), _directions(list(directions_of(rows)))]
    parts += ["![Bits per pixel against quality](sweep-rate-distortion.svg)", _paper_table()]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def number(value: float | None, digits: int) -> str:
    """A rounded figure; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def _points_table(sweep: SweepConfig, rows: Sequence[Row]) -> str:
    """Axes and figures of the points, variants below by their names."""
    axes = [axis_title(key) for key in sweep.axes]
    head = [*axes, *(column.title for column in COLUMNS), "minutes"]
    ordinary = [[value_text(value) for value in row.point.axes.values()] for row in rows if not row.point.is_variant]
    named = [_variant_cells(row, len(axes)) for row in rows if row.point.is_variant]
    ordered = [row for row in rows if not row.point.is_variant] + [row for row in rows if row.point.is_variant]
    body = [
        [*cells, *(number(row.figures[column.key], column.digits) for column in COLUMNS), _minutes(row)]
        for cells, row in zip([*ordinary, *named], ordered, strict=True)
    ]
    return table(head if axes else ["point", *head], body)


def _variant_cells(row: Row, num_axes: int) -> list[str]:
    values = [value_text(value) for value in row.point.axes.values()]
    return [f"{row.point.name} ({values[0]})", *values[1:]] if num_axes else [row.point.name]


def _minutes(row: Row) -> str:
    return number(row.figures["minutes"], 1)


def _how(sweep: SweepConfig, rows: Sequence[Row]) -> str:
    """What was trained and how it was measured."""
    point, measure = rows[0].point, sweep.measure
    runs = [f"{stage.value}: {config.num_steps} steps of {config.batch_size}" for stage, config in point.stages.items()]
    first = point.stages[Stage.STAGE1]
    figures = next((row.figures for row in rows if row.is_measured), None)
    size = f", {figures['num_parameters'] / 1e6:.2f} M parameters" if figures and figures["num_parameters"] else ""
    lines = [f"Data: {first.data.kind} at {first.data.size_px} px. Training: {'; '.join(runs)}{size}."]
    lines.append(
        f"Measured on {_count(figures, 'num_samples')} held-out samples: PSNR, SSIM and rFD-Small of one decode with "
        f"{measure.decoder_steps} steps ({measure.sampler.value}), bits as the unweighted bound over "
        f"{measure.bitrate_times} noise levels, of the prior and of the base model without a condition."
    )
    if Stage.STAGE2 in point.stages:
        guidance = _guidance(first.model.conditioning.kind, measure.guidance)
        lines.append(
            f"gFD-Small and KD-Small: {_count(figures, 'num_generated')} generated samples ({measure.base_steps} steps "
            f"of the base model, {measure.decoder_steps} of the decoder, {guidance}) against those held-out samples."
        )
    lines.append(
        "FD-Small is a Fréchet distance on the features of the small network that comes with the program, not an FID: "
        "compare it only with itself, at equal numbers of samples."
    )
    return "\n".join(lines)


def _guidance(kind: str, weight: float) -> str:
    if kind == "none":
        return "no condition"
    return f"conditions of the held-out samples, guidance {weight:g}"


def _count(figures: Any, key: str) -> str:
    return f"{figures[key]:.0f}" if figures and figures[key] is not None else "the"


def _states(rows: Sequence[Row]) -> str:
    """Points that are not done, with their reason."""
    open_rows = [row for row in rows if row.state != "done"]
    if not open_rows:
        return ""
    return "\n".join(
        ["Not finished:", "", *(f"- {row.point.name}: {row.state}{_because(row.reason)}" for row in open_rows)]
    )


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    lines = ["## What holds", ""]
    for finding in findings:
        lines.append(f"- {finding.sentence}: **{STATES[finding.holds]}**")
        lines += [f"  - not from {exception}" for exception in finding.exceptions]
    return "\n".join(lines)


def _directions(found: Sequence[Direction]) -> str:
    """Ablations against the point with the same axes, beside the paper's Table 6."""
    if not found:
        return ""
    head = ["ablation", "figure", "without it", "with it", "here", "paper", "alike"]
    body = [[each.variant, each.figure, *_movement(each)] for each in found]
    note = "Changes within 5 % count as none. The paper's rFID and gFID stand beside rFD-Small and gFD-Small."
    return f"## Ablations of Table 6\n\n{note}\n\n{table(head, body)}"


def _movement(each: Direction) -> list[str]:
    values = [number(each.reference, 3), number(each.value, 3)]
    return [*values, each.here or "–", each.paper or "–", STATES[each.agrees]]


def _paper_table() -> str:
    rows = [[row.name, *_paper_cells(row)] for row in TABLE_2]
    ablations = [
        [f"{row.name} ({name})", number(row.bits_per_pixel, 3), number(row.rfid, 2), number(row.gfid_small, 2)]
        for name, row in {"baseline": TABLE_6_BASELINE, **TABLE_6}.items()
    ]
    return (
        "## The paper's own figures\n\nImageNet at 512 px, FID on 50 000 samples (arXiv 2602.17270, Table 2): only the "
        "shape compares.\n\n"
        + table(["loss factor", "bits/pixel", "rFID", "PSNR (dB)", "gFID small", "gFID medium"], rows)
        + "\n\nTable 6:\n\n"
        + table(["ablation", "bits/pixel", "rFID", "gFID"], ablations)
    )


def _paper_cells(row: PaperRow) -> list[str]:
    bits, psnr = number(row.bits_per_pixel, 3), number(row.psnr_db, 1)
    return [bits, number(row.rfid, 2), psnr, number(row.gfid_small, 2), number(row.gfid_medium, 2)]
