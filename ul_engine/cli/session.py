"""What every command shares: the model to use, the pipeline, progress on the terminal."""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError

from ul_engine import protocol
from ul_engine.assets import assets_dir
from ul_engine.checkpoint import load_model
from ul_engine.devices import pick_device
from ul_engine.errors import CheckpointError, ConfigError
from ul_engine.hub.local import find_model
from ul_engine.model_folder import Manifest, list_models, read_manifest
from ul_engine.pipelines import Pipeline, natural_dtype, ready_pipeline
from ul_engine.requests import SamplingSettings


@dataclass(frozen=True)
class Session:
    """A loaded model with its folder and manifest."""

    folder: Path
    manifest: Manifest
    pipeline: Pipeline


def model_folder(arguments: argparse.Namespace) -> Path:
    """The model asked for, by its folder or its name, or the first bundled one; raises CheckpointError where there is
    none."""
    if arguments.model is not None:
        return find_model(arguments.model)
    usable = [entry for entry in list_models([assets_dir() / "models"]) if entry.manifest is not None]
    if not usable:
        raise CheckpointError("no bundled model was found; name one with --model", path=assets_dir() / "models")
    return Path(usable[0].path)


def open_session(arguments: argparse.Namespace) -> Session:
    """Load the model on the device asked for."""
    device = pick_device(arguments.device)
    if arguments.threads < 0:
        raise ConfigError("must be 0 (all cores) or more", field="threads")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    folder = model_folder(arguments)
    model, manifest = load_model(folder, device=device)
    return Session(folder, manifest, ready_pipeline(model, device, _dtype(arguments, device)))


def _dtype(arguments: argparse.Namespace, device: torch.device) -> torch.dtype:
    """The networks' arithmetic: as asked, where the command has that option."""
    asked = {"bf16": torch.bfloat16, "fp32": torch.float32}
    return asked.get(getattr(arguments, "precision", "auto"), natural_dtype(device))


def preset(folder: Path, name: str) -> SamplingSettings:
    """A sampling preset of the model by name, in any case; raises ConfigError that lists them."""
    presets = read_manifest(folder).sampling_presets()
    for known, settings in presets.items():
        if known.lower() == name.lower():
            return settings
    raise ConfigError(f"{name!r} is no preset of this model; it has {', '.join(presets)}", field="preset")


def explained(error: ValidationError) -> ConfigError:
    """The first problem of a request as our own error."""
    first = error.errors()[0]
    return ConfigError(
        first["msg"].removeprefix("Value error, "), field=".".join(str(part) for part in first["loc"]) or None
    )


def mention_unknown_words(session: Session, *prompts: str) -> None:
    """Say on standard error, once, which words of the prompts the model was never shown."""
    tokenizer = session.pipeline.model.tokenizer
    if tokenizer is None:
        return
    unknown = dict.fromkeys(word for prompt in prompts for word in tokenizer.unknown_words(prompt))
    if unknown:
        print(f"note: this model was never shown {', '.join(map(repr, unknown))}", file=sys.stderr)


class TerminalProgress:
    """One line on standard error that is rewritten; silent where standard error is no terminal."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty() and "TERM" in os.environ

    def show(self, news: protocol.News) -> None:
        """Show progress messages; others are not for this line."""
        if self._is_live and isinstance(news, protocol.JobProgress):
            text = f"{news.phase} · step {news.step} / {news.num_steps} · {news.fraction:.0%}"
            print(f"\r{text:<60}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the line."""
        if self._is_live:
            print(f"\r{'':<60}\r", end="", file=sys.stderr, flush=True)
