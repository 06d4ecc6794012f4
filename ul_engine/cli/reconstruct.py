"""``ul-engine reconstruct``."""

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from ul_engine.cli.session import Session, TerminalProgress, explained, model_folder, open_session, preset
from ul_engine.comparison import Spread
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import ConfigError
from ul_engine.jobs import JobContext, Reconstruction, Workbench, reconstructions
from ul_engine.model_folder import read_manifest
from ul_engine.outputs import explained as explained_output
from ul_engine.outputs import write_file
from ul_engine.requests import ReconstructRequest, TilingSettings


def reconstruct(arguments: argparse.Namespace) -> int:
    """Write a picture (or clip) per input and level, the original beside them, and ``metrics.json``, which grows with
    every result, so that a later failure loses nothing."""
    folder = model_folder(arguments)
    request = _request(arguments, folder)
    with explained_output(arguments.out):
        arguments.out.mkdir(parents=True, exist_ok=True)
    session = open_session(arguments)
    progress, workbench = TerminalProgress(), Workbench(session.pipeline.device)
    context = JobContext("cli", lambda news, payload: progress.show(news), lambda: False, workbench)
    metrics = arguments.out / "metrics.json"
    report = _report(session, request)
    for result in reconstructions(session.pipeline, session.manifest, request, context):
        if result.number == len(report["inputs"]):
            cell_px = session.manifest.model.downsampling
            report["inputs"].append(_write_input(result, arguments.out, cell_px=cell_px))
        report["results"].append(_write(result, arguments.out))
        progress.clear()
        print(_line(report["results"][-1]))
        write_file(metrics, json.dumps(report, indent=1).encode())
    print(metrics)
    return 0


def _report(session: Session, request: ReconstructRequest) -> dict[str, Any]:
    return {
        "model": session.manifest.model.name,
        "native_logsnr": session.manifest.model.latent.logsnr_max,
        "bits_are": "an upper bound on the information in z_0, not a file size",
        "restorer": request.restorer,
        "sampling": request.sampling.model_dump(mode="json"),
        "inputs": [],
        "results": [],
    }


def _write_input(result: Reconstruction, out: Path, *, cell_px: int) -> dict[str, Any]:
    """The original, and where its bits went: a grey picture of the bits per latent cell, and bits per band."""
    stem = _stem(result)
    original = _write_frames(out / f"{stem}-original.png", result.original)
    most = float(result.bit_map.max())
    grey = np.rint(255.0 * np.clip(result.bit_map / max(most, 1e-9), 0.0, 1.0)).astype(np.uint8)
    height, width = result.original.shape[1:3]
    pixels = np.repeat(np.repeat(grey, cell_px, axis=1), cell_px, axis=2)[:, :height, :width, None]
    bits = _write_frames(out / f"{stem}-bits.png", np.repeat(pixels, 3, axis=-1))
    return {
        "input": result.source,
        "original_file": original,
        "bits_per_pixel": result.bits_per_pixel,
        "bit_map_file": bits,
        "bits_of_a_white_cell": most,
        "band_bits": [{"logsnr_low": low, "logsnr_high": high, "bits": bits} for low, high, bits in result.band_bits],
    }


def _stem(result: Reconstruction) -> str:
    return f"{result.number:02d}-{Path(result.source).stem}"


def _request(arguments: argparse.Namespace, folder: Path) -> ReconstructRequest:
    try:
        return ReconstructRequest(
            model=str(folder),
            inputs=tuple(arguments.inputs),
            latent_logsnrs=_native(folder)
            if arguments.latent_logsnr is None
            else _levels(arguments.latent_logsnr, "latent-logsnr"),
            decoder_logsnrs=_levels(arguments.decoder_logsnr, "decoder-logsnr"),
            restorer=arguments.restorer,
            num_decodes=arguments.decodes,
            seed=arguments.seed,
            sampling=preset(folder, arguments.preset),
            tiling=TilingSettings(mode=arguments.tiles, tile_px=arguments.tile_px),
            max_frames=arguments.max_frames,
        )
    except ValidationError as error:
        raise explained(error) from error


def _native(folder: Path) -> tuple[float, ...]:
    return (read_manifest(folder).model.latent.logsnr_max,)


def _levels(text: str, field: str) -> tuple[float, ...]:
    try:
        levels = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ConfigError("write numbers separated by commas, such as 5,3,1,-1", field=field) from None
    if not all(map(math.isfinite, levels)):
        raise ConfigError("every level must be a finite number", field=field)
    return levels


def _write(result: Reconstruction, out: Path) -> dict[str, Any]:
    stem = _stem(result)
    level = f"logsnr{result.rung.latent_logsnr:+g}"
    if result.rung.decoder_logsnr is not None:
        level += f"-decoder{result.rung.decoder_logsnr:+g}"
    name = _write_frames(out / f"{stem}-{level}.png", result.picture)
    row = {
        "input": result.source,
        "file": name,
        "latent_logsnr": result.rung.latent_logsnr,
        "decoder_logsnr": result.rung.decoder_logsnr,
        "is_trained_level": result.is_trained_level,
        "psnr_db": _finite(result.psnr_db),
        "ssim": _finite(result.ssim),
        "bits_per_pixel": result.bits_per_pixel,
        "bits_per_dim": result.bits_per_dim,
    }
    if result.spread is not None:
        row |= _write_spread(result.spread, out, f"{stem}-{level}")
        row["mean_psnr_db"] = _finite(result.mean_psnr_db)
    return row


def _finite(figure: float | None) -> float | None:
    """JSON has no infinity (equal pictures) and no NaN (SSIM of a small one)."""
    return figure if figure is not None and math.isfinite(figure) else None


def _write_spread(spread: Spread, out: Path, stem: str) -> dict[str, Any]:
    """The mean of the decodes, and their deviation as a grey picture, ten times as bright."""
    mean = _write_frames(out / f"{stem}-mean.png", spread.mean)
    grey = np.clip(np.rint(10.0 * spread.deviation), 0, 255).astype(np.uint8)
    deviation = _write_frames(out / f"{stem}-deviation-x10.png", np.repeat(grey[..., None], 3, axis=-1))
    return {
        "num_decodes": spread.num_decodes,
        "mean_file": mean,
        "deviation_file": deviation,
        "mean_deviation_levels": spread.mean_deviation,
    }


def _write_frames(path: Path, frames: Uint8Array) -> str:
    """A picture at `path`, or of a clip a folder of numbered pictures in its place; returns its name."""
    if len(frames) == 1:
        write_picture(path, frames[0])
        return path.name
    folder = path.with_suffix("")
    for index, frame in enumerate(frames):
        write_picture(folder / f"{index:05d}.png", frame)
    return folder.name


def _line(row: dict[str, Any]) -> str:
    mark = "" if row["is_trained_level"] else "  (above the native level: untrained)"
    psnr = "inf" if row["psnr_db"] is None else f"{row['psnr_db']:.2f}"
    spread = ""
    if "num_decodes" in row:
        spread = f", {row['num_decodes']} decodes differ by {row['mean_deviation_levels']:.1f} levels of 255"
    return f"{row['file']}: PSNR {psnr} dB, at most {row['bits_per_pixel']:.4f} bits/pixel{spread}{mark}"
