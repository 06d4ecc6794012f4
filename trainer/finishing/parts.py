"""What the last steps of the bundled models share: one model of all parts, its presets, its figures, its history."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.config import RunConfig, ScenesData, ValidationConfig, parse_config
from trainer.events import read_events
from trainer.export import default_presets, write_model
from trainer.finishing.kept import Kept
from trainer.finishing.prompting import Captions, PromptTrials, chosen_base_sampler, chosen_guidance
from trainer.finishing.results import Choice
from trainer.finishing.samplers import best_decoder, decoder_trials
from trainer.run_dir import ENVIRONMENT_NAME, RunDir, read_json
from trainer.validation import reconstruction_figures
from ul_engine.checkpoint import load_model
from ul_engine.data.pixels import clips_from_frames
from ul_engine.data.scenes.cache import SceneCache
from ul_engine.errors import ConfigError
from ul_engine.evaluation import Evaluation, EvaluationSettings, Task, evaluate, parse_metrics
from ul_engine.model_folder import Manifest
from ul_engine.models.unified import UnifiedLatents
from ul_engine.pipelines import Pipeline

PROMPT_SEED, CHOOSING_SEED, DRIFT_SEED, JUDGE_SEED = 3, 4, 5, 6
"""Of the scenes that figures and choices are made on; no model may train on them."""


def check_seeds(data: ScenesData) -> None:
    """Raises ConfigError where training or held-out scenes would be those that prompts are made of."""
    for name in ("train_seed", "valid_seed"):
        if getattr(data, name) in (PROMPT_SEED, CHOOSING_SEED, DRIFT_SEED, JUDGE_SEED):
            raise ConfigError("scenes of the seeds 3 to 6 are kept for measuring", field=f"data.{name}")


@dataclass(frozen=True)
class Assembled:
    """A recipe's finished runs as one model. whole: its folder, weights as they are shipped; root: the run folder of
    the base model, where measurements are kept."""

    config: RunConfig
    data: ScenesData
    model: UnifiedLatents
    pipeline: Pipeline
    manifest: Manifest
    whole: Path
    root: Path
    kept: Kept


def assembled(runs: Mapping[str, RunDir]) -> Assembled:
    """The runs put together, measured on the CPU. Raises ConfigError for a model of other data than Scenes, and for
    parts of different latents."""
    config = parse_config(read_json(runs["stage2"].config))
    if not isinstance(config.data, ScenesData):
        raise ConfigError("only a model of Scenes can be measured by its prompts", field="data.kind")
    root = runs["stage2"].root
    model = combined_model(runs)
    manifest = write_model(model, config, root / "whole", {})
    kept = Kept(root / "finishing", {name: network.sha256 for name, network in manifest.networks.items()})
    pipeline = Pipeline(load_model(root / "whole")[0], torch.device("cpu"))
    return Assembled(config, config.data, model, pipeline, manifest, root / "whole", root, kept)


def combined_model(runs: Mapping[str, RunDir]) -> UnifiedLatents:
    """The model of Stage 2, with the decoder of a run of the decoder alone in its place; raises ConfigError where that
    run had another latent."""
    model, manifest = load_model(runs["stage2"].model)
    if "decoder" in runs:
        other, theirs = load_model(runs["decoder"].model, networks=frozenset(("decoder",)))
        same = {name: (manifest.networks[name].sha256, theirs.networks[name].sha256) for name in ("encoder", "prior")}
        if any(ours != others for ours, others in same.values()) or manifest.latent_std != theirs.latent_std:
            raise ConfigError(f"{runs['decoder'].root} and {runs['stage2'].root} were not trained on the same latent")
        model.decoder = other.decoder
    return model


def chosen_presets(trials: PromptTrials, tests: Sequence[Captions], x: Tensor, *, of: object) -> Choice:
    """The model's presets, and what they were chosen by: the decoder's samplers on the samples `x`, guidance and the
    base model's samplers on the prompts of `tests`. `of` says which samples `x` are."""
    pipeline = trials.pipeline
    decoders = decoder_trials(pipeline, x, trials.kept, of=of)
    presets = default_presets(float(pipeline.model.latent_std))
    for name in ("Preview", "Balanced"):
        decoder = best_decoder(decoders, steps_max=presets[name].decoder.num_steps)
        presets[name] = presets[name].model_copy(update={"decoder": decoder})
    guidance = chosen_guidance(trials, presets["Preview"], tests)
    presets = {name: preset.model_copy(update={"guidance": guidance.best}) for name, preset in presets.items()}
    bases = {}
    for name in ("Preview", "Balanced"):
        bases[name] = chosen_base_sampler(trials, presets[name], tests)
        presets[name] = presets[name].model_copy(update={"base": bases[name].best})
    return Choice(presets=presets, guidance=guidance, bases=bases, decoders=tuple(decoders))


def measured_gap(pipeline: Pipeline, valid: SceneCache, extent: ValidationConfig, kept: Kept) -> dict[str, float]:
    """What the latent carries, on the held-out scenes."""
    frames = torch.from_numpy(valid.pictures[: extent.num_images].copy())
    held_out = clips_from_frames(frames.reshape(len(frames), -1, *frames.shape[-3:]))
    figures: dict[str, float] = kept.get(
        "gap",
        ("encoder", "prior", "decoder"),
        [extent.model_dump(), valid.plan.fingerprint()],
        lambda: reconstruction_figures(pipeline, held_out, extent),
    )
    return figures


def measured_metrics(whole: Assembled, data: Path, metrics: str, settings: EvaluationSettings) -> dict[str, Any]:
    """The figures of `ul-engine evaluate` for the model on the files below `data`."""
    task = Task(
        pipeline=whole.pipeline,
        manifest=whole.manifest,
        folder=whole.whole,
        data=(data,),
        choice=parse_metrics(metrics),
        settings=settings,
    )
    figures: dict[str, Any] = evaluated(task, whole.root).report["metrics"]
    return figures


def evaluated(task: Task, root: Path) -> Evaluation:
    """An evaluation in a folder of its own below `root`: the same task goes on where it was stopped, and
    other weights, data or settings never meet its figures."""
    networks = {name: network.sha256 for name, network in task.manifest.networks.items()}
    identity = (networks, [str(path.resolve()) for path in task.data], task.settings.identity())
    digest = blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=4).hexdigest()
    return evaluate(task, root / "evaluation" / digest)


def history(run: RunDir) -> dict[str, Any]:
    """What a run did: steps, pictures seen, hours of stepping, last learning figures."""
    config: RunConfig = parse_config(read_json(run.config))
    events = read_events(run.events)
    steps = [event for event in events if event["type"] == "step"]
    seconds = sum(event["step_s"] * config.cadence.log_every for event in steps)
    return {
        "machine": read_json(run.root / ENVIRONMENT_NAME).get("machine", "an unnamed machine"),
        "precision": config.precision,
        "optimizer": config.optimizer.kind,
        "num_steps": config.num_steps,
        "batch_size": config.batch_size,
        "images_seen": config.num_steps * config.batch_size,
        "hours": seconds / 3600,
        "loss_factor": config.model.decoder_loss.loss_factor,
    }
