"""``ul-engine codecs``."""

import argparse
import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from ul_engine import protocol
from ul_engine.cli.lists import names_in, numbers_in
from ul_engine.cli.session import TerminalProgress, explained
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import Uint8Array
from ul_engine.jobs import JobContext, run_codecs
from ul_engine.outputs import explained as explained_output
from ul_engine.outputs import write_file
from ul_engine.requests import CodecRequest

FIGURES = ("psnr_db", "ssim", "ms_ssim", "ms_ssim_scales", "flip", "lpips")
COLUMNS = ("input", "codec", "asked_bits_per_pixel", "is_floor", "bits_per_pixel", "num_bytes", "quality", *FIGURES)


def codecs(arguments: argparse.Namespace) -> int:
    """Write every decoded picture, ``codecs.json`` and ``codecs.csv``, and print a line per result."""
    request = _request(arguments)
    with explained_output(arguments.out):
        arguments.out.mkdir(parents=True, exist_ok=True)
    report = _Report(arguments.out, request)
    progress = TerminalProgress()

    def receive(news: protocol.News, payload: bytes) -> None:
        progress.show(news)
        if not isinstance(news, protocol.JobProgress):
            progress.clear()
            report.take(news, payload)

    run_codecs(request, JobContext("cli", receive, lambda: False))
    report.write()
    print(arguments.out / "codecs.json")
    return 0


def _request(arguments: argparse.Namespace) -> CodecRequest:
    try:
        return CodecRequest.model_validate(
            {
                "inputs": tuple(arguments.inputs),
                "frame": arguments.frame,
                "codecs": names_in(arguments.codecs),
                "bits_per_pixel": numbers_in(arguments.bits_per_pixel, "bits-per-pixel"),
                "want_curve": arguments.curve,
                "measures": names_in(arguments.measures),
                "want_flip_map": arguments.flip_map,
            }
        )
    except ValidationError as error:
        raise explained(error) from error


class _Report:
    """Results as they come, on the disk and as rows."""

    def __init__(self, out: Path, request: CodecRequest) -> None:
        self.out = out
        self.request = request
        self.missing: dict[str, str] = {}
        self.rows: list[dict[str, Any]] = []

    def take(self, news: protocol.News, payload: bytes) -> None:
        """Write and note one result."""
        match news:
            case protocol.CodecMissing():
                self.missing[news.codec] = news.reason
                print(f"{news.label}: left out; {news.reason}")
            case protocol.OriginalResult():
                for name, reason in news.missing_measures.items():
                    print(f"{news.input}: no {name}; {reason}")
            case protocol.CodecResult():
                self._take_result(news, payload)
            case protocol.CodecCurveResult():
                common = {"input": news.input, "codec": news.codec, "asked_bits_per_pixel": None, "is_floor": False}
                self.rows += [common | _figures(point) for point in news.points]
                print(f"{news.input}: {news.label}, {len(news.points)} qualities")

    def _take_result(self, news: protocol.CodecResult, payload: bytes) -> None:
        stem = f"{news.number:02d}-{Path(news.input).stem}-{news.codec}-{news.asked_bits_per_pixel:g}bpp"
        size = int(np.prod(news.shape))
        write_picture(self.out / f"{stem}.png", _pixels(payload[:size], news.shape)[0])
        if news.has_flip_map:
            grey = _pixels(payload[size:], news.shape[:3])[0]
            write_picture(self.out / f"{stem}-flip.png", np.repeat(grey[..., None], 3, axis=-1))
        row = {
            "input": news.input,
            "file": f"{stem}.png",
            "codec": news.codec,
            "asked_bits_per_pixel": news.asked_bits_per_pixel,
            "is_floor": news.is_floor,
        }
        self.rows.append(row | _figures(news))
        floor = "  (its floor: it cannot go as low)" if news.is_floor else ""
        print(f"{stem}.png: PSNR {news.psnr_db:.2f} dB, {news.bits_per_pixel:.4f} bits/pixel{floor}")

    def write(self) -> None:
        """The files for other programs."""
        found = {"request": self.request.model_dump(mode="json"), "missing": self.missing, "results": self.rows}
        write_file(self.out / "codecs.json", json.dumps(found, indent=1, allow_nan=False).encode())
        stream = io.StringIO()
        writer = csv.DictWriter(stream, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_file(self.out / "codecs.csv", stream.getvalue().encode(errors="surrogateescape"))


def _figures(point: protocol.CodecPoint) -> dict[str, Any]:
    """Rate and figures; JSON has no infinity, so that equal pictures have no PSNR."""
    figures = {name: getattr(point, name) for name in ("bits_per_pixel", "num_bytes", "quality", "setting", *FIGURES)}
    return figures | {"psnr_db": point.psnr_db if np.isfinite(point.psnr_db) else None}


def _pixels(payload: bytes, shape: tuple[int, ...]) -> Uint8Array:
    return np.frombuffer(payload, np.uint8).reshape(shape)
