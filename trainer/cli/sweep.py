"""``ul-train sweep``: the same training over several values of its settings, with one table and one chart."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer.sweep.definition import SweepConfig, read_sweep, sweep_file
from trainer.sweep.points import Point, points_of, value_text
from trainer.sweep.report import write_report
from trainer.sweep.results import TITLES, Row
from ul_engine.errors import ConfigError


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    command = commands.add_parser(
        "sweep",
        help="train over several values of settings, measure all alike, write one table and one chart",
        description="Train every point of a sweep (both stages), measure all on the same held-out samples, write one "
        "table and one chart. The same command goes on where a stopped or killed sweep was; finished points are kept.",
    )
    command.add_argument("sweep", metavar="FILE", help="YAML file of a sweep, or the name of one of the program's own")
    command.add_argument("--out", type=Path, help="folder of the sweep (default: runs/sweep-<file's name>)")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting of both stages, of one (stage1.num_steps=500), or of measure; repeatable",
    )
    command.add_argument(
        "--axis", action="append", default=[], metavar="KEY=V,V,…", help="values of a setting; repeatable"
    )
    command.add_argument("--only", action="append", default=[], metavar="POINT", help="this point alone; repeatable")
    command.add_argument("--workers", type=int, default=1, metavar="N", help="points at once (default: 1)")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps; several with commas, in turn")
    command.add_argument("--dry-run", action="store_true", help="list the points with their changes, and stop")
    command.add_argument("--report", action="store_true", help="only write table and chart from what is there")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when every point is done, 1 where one failed, 3 when stopped before the end."""
    file = sweep_file(arguments.sweep)
    sweep = read_sweep(file, arguments.set, arguments.axis)
    out: Path = arguments.out or Path("runs") / f"sweep-{file.stem}"
    points = points_of(sweep, out.resolve())
    chosen = _chosen(points, arguments.only)
    if arguments.dry_run:
        print(_listing(sweep, chosen))
        return 0
    states = {} if arguments.report else _run(sweep, chosen, out.resolve(), arguments)
    rows = write_report(sweep, points, out.resolve())
    print(_summary(rows))
    print(out / "sweep.md")
    if "failed" in states.values():
        return 1
    return 0 if set(states.values()) <= {"done"} else 3


def _run(sweep: SweepConfig, points: Sequence[Point], out: Path, arguments: argparse.Namespace) -> dict[str, str]:
    from trainer.sweep.running import RunOptions, run_sweep

    options = RunOptions(arguments.workers, tuple(arguments.device.split(",")))
    return dict(run_sweep(points, sweep.measure, out, options, _say))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _chosen(points: Sequence[Point], only: Sequence[str]) -> list[Point]:
    """All points, or those named by their name, its first word, their folder, or their values on the axes."""
    if not only:
        return list(points)
    for name in only:
        if not any(_is_called(point, name) for point in points):
            names = "; ".join(point.name for point in points)
            raise ConfigError(f"there is no point {name!r}; there are {names}", field="only")
    return [point for point in points if any(_is_called(point, name) for name in only)]


def _is_called(point: Point, name: str) -> bool:
    values = () if point.is_variant else tuple(value_text(value) for value in point.axes.values())
    return name in (point.name, point.slug, point.name.split()[0], ",".join(values))


def _listing(sweep: SweepConfig, points: Sequence[Point]) -> str:
    lines = [f"{sweep.name}: {len(points)} points"]
    for point in points:
        lines.append(f"{point.name}  [{point.slug}]")
        lines.append(f"  changes: {point.changes_text}")
        lines += [
            f"  {stage.value}: {config.num_steps} steps of {config.batch_size}"
            for stage, config in point.stages.items()
        ]
    return "\n".join(lines)


def _summary(rows: Sequence[Row]) -> str:
    """A line per point: its state and its two first figures."""
    width = max(len(row.point.name) for row in rows)
    return "\n".join(f"{row.point.name:<{width}}  {_outcome(row)}" for row in rows)


def _outcome(row: Row) -> str:
    if not row.is_measured:
        return f"{row.state}{f': {row.reason}' if row.reason else ''}"
    known = ((key, row.figures[key]) for key in ("bits_per_pixel_prior", "psnr_db", "rfd_small", "gfd_small"))
    return "  ".join(f"{TITLES[key]} {value:.4g}" for key, value in known if value is not None)
