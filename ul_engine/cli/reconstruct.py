"""``ul-engine reconstruct``."""

import argparse
import json
import sys
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ul_engine.cli.lists import names_in, numbers_in
from ul_engine.cli.reconstruction_files import write_input, write_rung
from ul_engine.cli.session import Session, TerminalProgress, explained, model_folder, open_session, preset
from ul_engine.jobs import JobContext, Workbench, measures_of, rungs_of_one, studied_inputs
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
    for studied in studied_inputs(session.pipeline, session.manifest, request, context):
        size = (studied.study.original.shape[1], studied.study.original.shape[2])
        for name, reason in workbench.meter.problems(measures_of(request), size).items():
            print(f"note: {studied.source}: no {name}; {reason}", file=sys.stderr)
        rungs = rungs_of_one(studied, context)
        first = list(islice(rungs, 1))  # bits are counted, under an eye that can stop it, before the first rung
        report["inputs"].append(write_input(studied, arguments.out))
        write_file(metrics, json.dumps(report, indent=1).encode())
        for result in chain(first, rungs):
            report["results"].append(write_rung(result, request, arguments.out))
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


def _request(arguments: argparse.Namespace, folder: Path) -> ReconstructRequest:
    try:
        return ReconstructRequest(
            model=str(folder),
            inputs=tuple(arguments.inputs),
            latent_logsnrs=_native(folder)
            if arguments.latent_logsnr is None
            else numbers_in(arguments.latent_logsnr, "latent-logsnr"),
            decoder_logsnrs=numbers_in(arguments.decoder_logsnr, "decoder-logsnr"),
            restorer=arguments.restorer,
            num_decodes=arguments.decodes,
            measures=names_in(arguments.measures),
            want_flip_map=arguments.flip_map,
            want_latent=arguments.latent,
            bitrate_draws=arguments.bit_draws,
            bits_under=arguments.bits_under,
            seed=arguments.seed,
            sampling=preset(folder, arguments.preset),
            tiling=TilingSettings(mode=arguments.tiles, tile_px=arguments.tile_px),
            max_frames=arguments.max_frames,
        )
    except ValidationError as error:
        raise explained(error) from error


def _native(folder: Path) -> tuple[float, ...]:
    return (read_manifest(folder).model.latent.logsnr_max,)


def _line(row: dict[str, Any]) -> str:
    mark = "" if row["is_trained_level"] else "  (above the native level: untrained)"
    psnr = "inf" if row["psnr_db"] is None else f"{row['psnr_db']:.2f}"
    spread = ""
    if "num_decodes" in row:
        spread = f", {row['num_decodes']} decodes differ by {row['mean_deviation_levels']:.1f} levels of 255"
    return f"{row['file']}: PSNR {psnr} dB, at most {row['bits_per_pixel']:.4f} bits/pixel{spread}{mark}"
