"""``ul-engine reconstruct``."""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ul_engine.cli.session import TerminalProgress, explained, model_folder, open_session, preset
from ul_engine.data.image_files import write_picture
from ul_engine.errors import ConfigError
from ul_engine.jobs import JobContext, Reconstruction, reconstructions
from ul_engine.outputs import explained as explained_output
from ul_engine.outputs import write_file
from ul_engine.requests import ReconstructRequest


def reconstruct(arguments: argparse.Namespace) -> int:
    """Write a picture per input and level, the original beside them, and ``metrics.json``."""
    folder = model_folder(arguments)
    request = _request(arguments, folder)
    with explained_output(arguments.out):
        arguments.out.mkdir(parents=True, exist_ok=True)
    session = open_session(arguments)
    progress = TerminalProgress()
    context = JobContext("cli", lambda news, payload: progress.show(news), lambda: False)
    rows = []
    for result in reconstructions(session.pipeline, session.manifest, request, context):
        rows.append(_write(result, arguments.out, number=request.inputs.index(result.source)))
        progress.clear()
        print(_line(rows[-1]))
    report = {
        "model": session.manifest.model.name,
        "native_logsnr": session.manifest.model.latent.logsnr_max,
        "bits_are": "an upper bound on the information in z_0, not a file size",
        "sampling": request.sampling.model_dump(mode="json"),
        "results": rows,
    }
    metrics = arguments.out / "metrics.json"
    write_file(metrics, json.dumps(report, indent=1).encode())
    print(metrics)
    return 0


def _request(arguments: argparse.Namespace, folder: Path) -> ReconstructRequest:
    try:
        levels = tuple(float(text) for text in arguments.latent_logsnr.split(","))
    except ValueError:
        raise ConfigError("write numbers separated by commas, such as 5,3,1,-1", field="latent-logsnr") from None
    if not all(map(math.isfinite, levels)):
        raise ConfigError("every level must be a finite number", field="latent-logsnr")
    try:
        return ReconstructRequest(
            model=str(folder),
            inputs=tuple(arguments.inputs),
            latent_logsnrs=levels,
            seed=arguments.seed,
            sampling=preset(folder, arguments.preset),
        )
    except ValidationError as error:
        raise explained(error) from error


def _write(result: Reconstruction, out: Path, *, number: int) -> dict[str, Any]:
    stem = f"{number:02d}-{Path(result.source).stem}"
    name = f"{stem}-logsnr{result.latent_logsnr:+g}.png"
    write_picture(out / f"{stem}-original.png", result.original)
    write_picture(out / name, result.picture)
    return {
        "input": result.source,
        "file": name,
        "latent_logsnr": result.latent_logsnr,
        "is_trained_level": result.is_trained_level,
        "psnr_db": result.psnr_db if math.isfinite(result.psnr_db) else None,
        "ssim": result.ssim if math.isfinite(result.ssim) else None,
        "bits_per_pixel": result.bits_per_pixel,
        "bits_per_dim": result.bits_per_dim,
    }


def _line(row: dict[str, Any]) -> str:
    mark = "" if row["is_trained_level"] else "  (above the native level: untrained)"
    psnr = "inf" if row["psnr_db"] is None else f"{row['psnr_db']:.2f}"
    return f"{row['file']}: PSNR {psnr} dB, at most {row['bits_per_pixel']:.4f} bits/pixel{mark}"
