"""Writes what a sweep has found so far: ``sweep.json``, ``sweep.csv``, ``sweep.md`` and the chart. No torch."""

import json
from collections.abc import Sequence
from pathlib import Path

from trainer.sweep.definition import SweepConfig
from trainer.sweep.figures import sweep_chart
from trainer.sweep.points import Point
from trainer.sweep.results import Row, rows_of
from trainer.sweep.tables import sweep_csv, sweep_json, sweep_markdown
from ul_engine.whole_files import explained, write_file

CHART_NAME = "sweep-rate-distortion.svg"


def write_report(sweep: SweepConfig, points: Sequence[Point], out: Path) -> list[Row]:
    """Write all four from what is there, also of an unfinished sweep; returns the rows. Raises OutputError."""
    rows = rows_of(points)
    with explained(out):
        out.mkdir(parents=True, exist_ok=True)
    texts = {
        "sweep.json": json.dumps(sweep_json(sweep, rows), indent=1, allow_nan=False) + "\n",
        "sweep.csv": sweep_csv(sweep, rows),
        CHART_NAME: sweep_chart(sweep, rows),
        "sweep.md": sweep_markdown(sweep, rows),
    }
    for name, text in texts.items():
        write_file(out / name, text.encode())
    return rows
