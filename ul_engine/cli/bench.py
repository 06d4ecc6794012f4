"""``ul-engine bench``: how fast networks, training steps, generation and reconstruction are here."""

import argparse
import json
import sys

import torch
from pydantic import ValidationError

from ul_engine.assets import assets_dir
from ul_engine.bench.machine import Machine, machine_facts, matmul_peaks
from ul_engine.bench.run import Bench, BenchReport, Setup
from ul_engine.bench.shapes import SHAPES
from ul_engine.bench.timing import Timing
from ul_engine.cli.session import explained, model_folder
from ul_engine.devices import pick_device
from ul_engine.errors import ConfigError
from ul_engine.model_folder import read_manifest
from ul_engine.pipelines import out_of_memory
from ul_engine.presets import MODEL_PRESETS, unknown_name
from ul_engine.processor import keep_freed_memory, use_fast_products
from ul_engine.requests import PRESETS, SamplingSettings

DEFAULT_BATCH_SIZE = 16
LONG_PRESET = "Paper"


def bench(arguments: argparse.Namespace) -> int:
    """Print the table as it comes, or JSON at the end."""
    device = pick_device(arguments.device)
    setup = _setup(arguments, device)
    _set_threads(arguments)
    machine = _prepared(device)
    peaks = matmul_peaks(device)
    timings: dict[str, Timing] = {}
    try:
        run = Bench(setup, device, peaks)
        if not arguments.json:
            print("\n".join(_heading(machine, setup, run.num_parameters, peaks)), flush=True)
        for name, timing in run.timings():
            timings[name] = timing
            if not arguments.json:
                print(_row(name, timing), flush=True)
    except (RuntimeError, MemoryError) as error:
        known = out_of_memory(error)
        if known is None:
            raise
        raise known from error
    if arguments.json:
        report = BenchReport(
            machine=machine,
            setup=setup,
            num_parameters=run.num_parameters,
            matmul_flops_per_s=peaks,
            timings=timings,
        )
        json.dump(report.model_dump(mode="json"), sys.stdout, indent=1)
        print()
    return 0


def _setup(arguments: argparse.Namespace, device: torch.device) -> Setup:
    """What the options ask for; what they leave open is the shapes', the preset's or the device's."""
    chosen = _chosen(arguments)
    usual = "bf16" if device.type == "cuda" else "fp32"
    chosen["precision"] = arguments.precision or chosen.get("precision", usual)
    if arguments.batch_size is not None:
        chosen["batch_size"] = arguments.batch_size
    if arguments.parts is not None:
        chosen["parts"] = tuple(arguments.parts.split(","))
    try:
        return Setup.model_validate(chosen | {"is_compiled": arguments.compile, "repeats": arguments.repeats})
    except ValidationError as error:
        raise explained(error) from error


def _chosen(arguments: argparse.Namespace) -> dict[str, object]:
    """Configuration, batch size and presets of the shapes, the model preset or the model folder named."""
    if arguments.shapes is not None:
        if arguments.shapes not in SHAPES:
            raise unknown_name(arguments.shapes, SHAPES, "set of shapes", field="shapes")
        shapes = SHAPES[arguments.shapes]
        return {
            "source": arguments.shapes,
            "config": shapes.config,
            "batch_size": shapes.batch_size,
            "precision": shapes.precision,
            "sampling": _short(PRESETS),
        }
    if arguments.preset is not None:
        if arguments.preset not in MODEL_PRESETS:
            raise unknown_name(arguments.preset, MODEL_PRESETS, "preset", field="preset")
        preset = MODEL_PRESETS[arguments.preset]
        return {
            "source": arguments.preset,
            "config": preset.config,
            "batch_size": preset.batch_size,
            "sampling": _short(PRESETS),
        }
    folder = model_folder(arguments)
    manifest = read_manifest(folder)
    return {
        "source": str(folder.name if folder.is_relative_to(assets_dir()) else folder),
        "config": manifest.model,
        "batch_size": DEFAULT_BATCH_SIZE,
        "sampling": _short(manifest.sampling_presets()),
    }


def _short(presets: dict[str, SamplingSettings]) -> dict[str, SamplingSettings]:
    """Without the one of hundreds of steps: its time follows from the others'."""
    return {name: settings for name, settings in presets.items() if name != LONG_PRESET}


def _set_threads(arguments: argparse.Namespace) -> None:
    if arguments.threads < 0:
        raise ConfigError("must be 0 (all cores) or more", field="threads")
    usual = SHAPES[arguments.shapes].num_threads if arguments.shapes is not None else 0
    if arguments.threads or usual:
        torch.set_num_threads(arguments.threads or usual)


def _prepared(device: torch.device) -> Machine:
    """The process set up as the engine and the trainer set themselves up, and what came of it."""
    return machine_facts(
        device,
        uses_fast_products=device.type == "cpu" and use_fast_products(),
        keeps_freed_memory=device.type == "cpu" and keep_freed_memory(),
    )


def _heading(
    machine: Machine, setup: Setup, parameters: dict[str, int] | object, peaks: dict[str, float]
) -> list[str]:
    ...
