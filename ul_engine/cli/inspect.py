"""``ul-engine models``."""

import argparse

from ul_engine.assets import assets_dir
from ul_engine.checkpoint import load_model
from ul_engine.model_folder import ModelEntry, list_models, user_models_dir


def models(arguments: argparse.Namespace) -> int:
    """List the models, or verify one; 1 if a listed model cannot be used."""
    if arguments.verify is not None:
        _, manifest = load_model(arguments.verify, is_verified=True)
        total = sum(entry.num_parameters for entry in manifest.networks.values())
        print(f"{arguments.verify}: {manifest.model.name}, {total:,} parameters, every file as published")
        return 0
    entries = list_models([assets_dir() / "models", user_models_dir()])
    for entry in entries:
        print(_line(entry))
    if not entries:
        print("no models were found")
    return 1 if any(entry.problem for entry in entries) else 0


def _line(entry: ModelEntry) -> str:
    if entry.manifest is None:
        return f"{entry.name}: cannot be used: {entry.problem}"
    manifest = entry.manifest
    size = sum(network.num_parameters for network in manifest.networks.values()) / 1e6
    kind = manifest.model.conditioning.kind
    return f"{entry.name}: {manifest.model.image_px} px, {kind} condition, {size:.1f} M parameters, {entry.path}"
