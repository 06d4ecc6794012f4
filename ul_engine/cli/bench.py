"""``ul-engine bench``: how fast networks, training steps, generation and reconstruction are here."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from pydantic import ValidationError

from ul_engine.bench.machine import Machine, machine_facts, matmul_peaks
from ul_engine.bench.run import Bench, BenchReport, Setup
from ul_engine.bench.shapes import SHAPES
from ul_engine.bench.table import heading, row
from ul_engine.bench.timing import Timing
from ul_engine.cli.session import explained, model_folder
from ul_engine.devices import pick_device
from ul_engine.errors import ConfigError
from ul_engine.model_folder import read_manifest
from ul_engine.pipelines import out_of_memory
from ul_engine.presets import MODEL_PRESETS, unknown_name
from ul_engine.processor import keep_freed_memory, use_fast_products
from ul_engine.requests import PRESETS, SamplingSettings

LONG_PRESET = "Paper"


def bench(arguments: argparse.Namespace) -> int:
    """Print a table line by line as it comes, or JSON at the end."""
    device = pick_device(arguments.device)
    setup = _setup(arguments, device)
    _set_threads(arguments)
    machine, peaks = _prepared(device), matmul_peaks(device)
    timings: dict[str, Timing] = {}
    with _memory_explained():
        run = Bench(setup, device, peaks)
        if not arguments.json:
            print(heading(machine, setup, peaks), flush=True)
        for name, timing in run.timings():
            timings[name] = timing
            if not arguments.json:
                print(row(name, timing), flush=True)
    if arguments.json:
        report = BenchReport(
            machine=machine,
            setup=setup,
            num_parameters=run.num_parameters,
            matmul_flops_per_s=peaks,
            timings=timings,
        )
        print(json.dumps(report.model_dump(mode="json"), indent=1))
    return 0


def _setup(arguments: argparse.Namespace, device: torch.device) -> Setup:
    """What the options ask for; what they leave open is the shapes', the preset's or the device's."""
    asked = {
        "precision": arguments.precision,
        "batch_size": arguments.batch_size,
        "parts": arguments.parts.split(",") if arguments.parts is not None else None,
        "is_compiled": arguments.compile,
        "repeats": arguments.repeats,
    }
    usual = {"precision": "bf16" if device.type == "cuda" else "fp32"}
    given = {name: value for name, value in asked.items() if value is not None}
    try:
        return Setup.model_validate(usual | _subject(arguments) | given)
    except ValidationError as error:
        raise explained(error) from error


def _subject(arguments: argparse.Namespace) -> dict[str, object]:
    """Source, configuration, presets and, where it states them, batch and precision of what was named."""
    if arguments.shapes is not None:
        if arguments.shapes not in SHAPES:
            raise unknown_name(arguments.shapes, SHAPES, "set of shapes", field="shapes")
        shapes = SHAPES[arguments.shapes]
        stated = shapes.model_dump(include={"batch_size", "precision"})
        return {"source": arguments.shapes, "config": shapes.config, "sampling": _short(PRESETS)} | stated
    if arguments.preset is not None:
        if arguments.preset not in MODEL_PRESETS:
            raise unknown_name(arguments.preset, MODEL_PRESETS, "preset", field="preset")
        preset = MODEL_PRESETS[arguments.preset]
        stated = {"batch_size": preset.batch_size}
        return {"source": arguments.preset, "config": preset.config, "sampling": _short(PRESETS)} | stated
    folder = model_folder(arguments)
    manifest = read_manifest(folder)
    return {"source": folder.name, "config": manifest.model, "sampling": _short(manifest.sampling_presets())}


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
    """The process set up as for work on this device, and what came of it."""
    is_cpu = device.type == "cpu"
    return machine_facts(
        device,
        uses_fast_products=is_cpu and use_fast_products(),
        keeps_freed_memory=is_cpu and keep_freed_memory(),
    )


@contextmanager
def _memory_explained() -> Iterator[None]:
    """Torch's out-of-memory as the plain error."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        known = out_of_memory(error)
        if known is None:
            raise
        raise known from error
