"""``ul-engine measure``."""

import argparse
import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from ul_engine import protocol
from ul_engine.cli.lists import names_in
from ul_engine.cli.session import TerminalProgress, explained
from ul_engine.data.image_files import write_picture
from ul_engine.devices import pick_device
from ul_engine.errors import ConfigError
from ul_engine.jobs import JobContext, Workbench, run_measure
from ul_engine.metrics.ms_ssim import label as ms_ssim_label
from ul_engine.outputs import explained as explained_output
from ul_engine.outputs import write_file
from ul_engine.requests import MeasureRequest

FIGURES = ("psnr_db", "ssim", "ms_ssim", "ms_ssim_scales", "flip", "lpips", "flicker_levels")
COLUMNS = ("input", *FIGURES, "problem")


def measure(arguments: argparse.Namespace) -> int:
    """Print a line per file, and write the tables and error maps where a folder is named."""
    request = _request(arguments)
    if arguments.out is not None:
        with explained_output(arguments.out):
            arguments.out.mkdir(parents=True, exist_ok=True)
    report, progress = _Report(arguments.out, request), TerminalProgress()

    def receive(news: protocol.News, payload: bytes) -> None:
        progress.show(news)
        if not isinstance(news, protocol.JobProgress):
            progress.clear()
            report.take(news, payload)

    workbench = Workbench(pick_device(arguments.device))
    run_measure(request, JobContext("cli", receive, lambda: False, workbench))
    if arguments.out is not None:
        report.write(arguments.out)
        print(arguments.out / "measures.json")
    return 0


def _request(arguments: argparse.Namespace) -> MeasureRequest:
    if arguments.flip_map and arguments.out is None:
        raise ConfigError("error maps need a folder: name one with --out", field="flip-map")
    try:
        return MeasureRequest.model_validate(
            {
                "reference": arguments.reference,
                "inputs": tuple(arguments.inputs),
                "measures": names_in(arguments.measures),
                "want_flip_map": arguments.flip_map,
                "max_frames": arguments.max_frames,
            }
        )
    except ValidationError as error:
        raise explained(error) from error


class _Report:
    """Results as they come, printed, and as rows."""

    def __init__(self, out: Path | None, request: MeasureRequest) -> None:
        self.out = out
        self.request = request
        self.rows: list[dict[str, Any]] = []

    def take(self, news: protocol.News, payload: bytes) -> None:
        """Print and note one result."""
        if isinstance(news, protocol.FileUnlike):
            print(f"{news.input}: not measured; {news.reason}")
            self.rows.append({"input": news.input, "problem": news.reason})
        elif isinstance(news, protocol.FileFigures):
            for name, reason in news.missing_measures.items():
                print(f"{news.input}: no {name}; {reason}")
            print(f"{news.input}: {_line(news)}")
            self.rows.append({"input": news.input} | _row(news))
            if news.has_flip_map:
                self._write_map(news, payload)

    def _write_map(self, news: protocol.FileFigures, payload: bytes) -> None:
        assert self.out is not None
        grey = np.frombuffer(payload, np.uint8).reshape(news.shape)
        for frame, errors in enumerate(grey):
            place = f"-{frame:04d}" if len(grey) > 1 else ""
            path = self.out / f"{news.number:02d}-{Path(news.input).stem}-flip{place}.png"
            write_picture(path, np.repeat(errors[..., None], 3, axis=-1))

    def write(self, out: Path) -> None:
        """The files for other programs."""
        found = {"request": self.request.model_dump(mode="json"), "results": self.rows}
        write_file(out / "measures.json", json.dumps(found, indent=1, allow_nan=False).encode())
        stream = io.StringIO()
        writer = csv.DictWriter(stream, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_file(out / "measures.csv", stream.getvalue().encode(errors="surrogateescape"))


def _row(news: protocol.FileFigures) -> dict[str, Any]:
    """JSON has no infinity, so that equal pictures have no PSNR."""
    figures = {name: getattr(news, name) for name in FIGURES}
    frames = [_finite(value) for value in news.psnr_db_per_frame]
    return figures | {"psnr_db": _finite(news.psnr_db), "psnr_db_per_frame": frames}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _line(news: protocol.FileFigures) -> str:
    parts = [f"PSNR {news.psnr_db:.2f} dB" if math.isfinite(news.psnr_db) else "equal, to the bit"]
    named = (
        ("SSIM", news.ssim),
        (ms_ssim_label(news.ms_ssim_scales), news.ms_ssim),
        ("FLIP", news.flip),
        ("LPIPS", news.lpips),
    )
    parts += [f"{name} {value:.4f}" for name, value in named if value is not None]
    return ", ".join(parts)
