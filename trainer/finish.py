"""The last step of a bundled model: measure it on held-out scenes, write its figures, presets and card."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainer.card import model_card
from trainer.config import RunConfig, ScenesData, ValidationConfig, parse_config
from trainer.data.scenes import open_scene_caches
from trainer.events import read_events
from trainer.export import default_presets, write_model
from trainer.judge import Judge, trained_judge
from trainer.run_dir import ENVIRONMENT_NAME, RunDir, read_json, write_json
from trainer.validation import reconstruction_figures
from ul_engine.checkpoint import load_model
from ul_engine.data.pixels import pictures_from_array
from ul_engine.data.scenes.cache import SceneCache
from ul_engine.data.scenes.captions import caption
from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS
from ul_engine.data.scenes.labels import attribute_labels
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.errors import ConfigError
from ul_engine.pipelines import Pipeline
from ul_engine.requests import SamplingSettings

NUM_PROMPTS = 500
PROMPT_SEED = 3
BATCH = 50
MEASUREMENT = ValidationConfig(num_images=1000, decoder_steps=24, bitrate_times=64)


@dataclass(frozen=True)
class Report:
    """Everything measured on a finished model."""

    reconstruction: dict[str, float]
    prompt_accuracy: dict[str, float]
    judge_accuracy: dict[str, float]
    guidance_weight: float


def finish_model(stage1: Path, stage2: Path, out: Path) -> Report:
    """Measure the model of the run folder `stage2` (whose latents come from `stage1`) and write it to `out`.

    Reconstruction: 1000 held-out scenes. Prompts: 500 captions of scenes of a third seed, one picture each with the
    Balanced preset, judged by a classifier trained on renders; the guidance weight with the best mean accuracy on 100
    other prompts becomes the presets'.
    """
    run1, run2 = RunDir(stage1), RunDir(stage2)
    config = parse_config(read_json(run2.config))
    data = config.data
    if not isinstance(data, ScenesData):
        raise ConfigError("only a model of Scenes can be measured by its prompts", field="data.kind")
    model, _ = load_model(run2.model)
    pipeline = Pipeline(model, torch.device("cpu"))
    train, valid = open_scene_caches(data)
    reconstruction = measured_reconstruction(run1, valid)
    judge = trained_judge(train, valid, stage2.parent / "scenes-judge.pt")
    weight = _best_guidance(pipeline, judge)
    presets = default_presets(float(pipeline.model.latent_std), weight)
    accuracy = prompt_accuracy(pipeline, judge, presets["Balanced"], num_prompts=NUM_PROMPTS, seed=PROMPT_SEED)
    report = Report(reconstruction, accuracy, judge.accuracy, weight)
    history = {"stage1": _history(run1), "stage2": _history(run2)}
    write_model(
        model,
        config,
        out,
        _calibration(report),
        card=model_card(config, data, asdict(report), history),
        description="One simple object on a patterned floor under a coloured sky, drawn from a prompt.",
        presets=presets,
    )
    write_json(stage2 / "report.json", asdict(report))
    return report


def measured_reconstruction(run: RunDir, valid: SceneCache) -> dict[str, float]:
    """Figures of a finished Stage 1 run on the held-out scenes, measured once and kept beside its model."""
    model, manifest = load_model(run.model, networks=frozenset(("encoder", "prior", "decoder")))
    key = {name: network.sha256 for name, network in manifest.networks.items()}
    file = run.root / "reconstruction.json"
    if file.exists() and (kept := read_json(file))["networks"] == key:
        figures: dict[str, float] = kept["figures"]
        return figures
    held_out = pictures_from_array(np.asarray(valid.pictures[: MEASUREMENT.num_images]))
    figures = reconstruction_figures(Pipeline(model, torch.device("cpu")), held_out, MEASUREMENT)
    write_json(file, {"networks": key, "figures": figures})
    return figures


def prompt_accuracy(
    pipeline: Pipeline, judge: Judge, settings: SamplingSettings, *, num_prompts: int, seed: int
) -> dict[str, float]:
    """Share of generated pictures that show the asked-for word, per attribute, and of those that show all of them."""
    specs = [scene_spec(seed, index) for index in range(num_prompts)]
    words = [attribute_labels(spec) for spec in specs]
    labels = {name: torch.tensor([row[name] for row in words]) for name in ATTRIBUTE_WORDS}
    pictures = generate_for([caption(spec) for spec in specs], pipeline, settings)
    found = judge.correct(pictures, labels)
    accuracy = {name: values.double().mean().item() for name, values in found.items()}
    accuracy["all"] = torch.stack(list(found.values())).all(0).double().mean().item()
    return accuracy


def generate_for(prompts: list[str], pipeline: Pipeline, settings: SamplingSettings) -> Tensor:
    """One picture per prompt, `[N, 3, 1, H, W]`; picture i has seed i."""
    config = pipeline.model.config
    cells = config.latent_shape(config.image_px, config.image_px)[1:]
    parts = []
    for start in range(0, len(prompts), BATCH):
        chunk = prompts[start : start + BATCH]
        seeds = range(start, start + len(chunk))
        condition = pipeline.model.condition_from_prompts(chunk)
        z_0 = pipeline.sample_latents(seeds, cells, condition, settings.base, settings.guidance)
        parts.append(pipeline.decode(z_0, seeds, settings.decoder))
    return torch.cat(parts)


def _best_guidance(pipeline: Pipeline, judge: Judge) -> float:
    """The weight of 2, 3, 4, 6 with the best mean accuracy on 100 prompts that the report does not use."""
    scores = {}
    for weight in (2.0, 3.0, 4.0, 6.0):
        settings = default_presets(float(pipeline.model.latent_std), weight)["Preview"]
        found = prompt_accuracy(pipeline, judge, settings, num_prompts=100, seed=PROMPT_SEED + 1)
        scores[weight] = sum(found.values()) / len(found)
        print(f"guidance {weight}: mean accuracy {scores[weight]:.3f}", flush=True)
    return max(scores, key=lambda weight: scores[weight])


def _calibration(report: Report) -> dict[str, float]:
    figures = dict(report.reconstruction)
    figures["guidance_weight"] = report.guidance_weight
    figures.update({f"prompt_accuracy_{name}": value for name, value in report.prompt_accuracy.items()})
    return figures


def _history(run: RunDir) -> dict[str, Any]:
    """What a run did: steps, pictures seen, hours of stepping, last learning figures."""
    config: RunConfig = parse_config(read_json(run.config))
    events = read_events(run.events)
    steps = [event for event in events if event["type"] == "step"]
    seconds = sum(event["step_s"] * config.cadence.log_every for event in steps)
    return {
        "machine": read_json(run.root / ENVIRONMENT_NAME).get("machine", "an unnamed machine"),
        "num_steps": config.num_steps,
        "images_seen": config.num_steps * config.batch_size,
        "hours": seconds / 3600,
        "loss_factor": config.model.decoder_loss.loss_factor,
    }
