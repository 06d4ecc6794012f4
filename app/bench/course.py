"""All stations in their order, each measured even if another could not be."""

import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from app.bench.comparing import scrubbing
from app.bench.driving import BenchFailed, until
from app.bench.gallery import browsing
from app.bench.generating import first_picture, generating, stopping
from app.bench.memory import growth
from app.bench.report import Report
from app.bench.training import watching
from app.first_paint import process_age_s
from app.shell import Shell

Station = Callable[[Shell], Awaitable[dict[str, Any]]]
STATIONS: tuple[tuple[str, Station], ...] = (
    ("generate", generating),
    ("stop", stopping),
    ("compare", scrubbing),
    ("train", watching),
    ("memory", growth),
    ("library", browsing),
)


async def measure(shell: Shell, path: Path, only: str, *, first_paint_s: float) -> int:
    """Run all stations, or those whose names are in `only`, on a window that stands, and write the figures; 0 only if
    all could be measured."""
    report = Report()
    start = {"first_paint_s": round(first_paint_s, 3), "window_cpu_s": round(time.process_time(), 3)}
    try:
        await until(lambda: shell.program.client.is_ready, "the engine did not start")
        report.add("start", {**start, "engine_ready_s": round(process_age_s(), 3), **await first_picture(shell)})
        for name, station in STATIONS:
            if only and name not in only.split(","):
                continue
            await _measure(report, name, station, shell)
    except BenchFailed as failure:
        report.add_problem("start", str(failure))
    report.write(path)
    _say(report, path)
    return 1 if report.problems else 0


async def _measure(report: Report, name: str, station: Station, shell: Shell) -> None:
    sys.stdout.write(f"{name} …\n")
    sys.stdout.flush()
    try:
        report.add(name, await station(shell))
    except BenchFailed as failure:
        report.add_problem(name, str(failure))


def _say(report: Report, path: Path) -> None:
    for name, value, aim in report.verdicts():
        sys.stdout.write(f"{'ok  ' if value <= aim else 'MISS'} {name:28} {value:10.2f}   aim {aim:g}\n")
    for name, words in report.problems.items():
        sys.stdout.write(f"FAIL {name}: {words}\n")
    sys.stdout.write(f"{path}\n")
