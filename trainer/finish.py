"""The last step of a bundled model: measure it on held-out scenes, write its figures, presets and card."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.card import Report, model_card
from trainer.config import RunConfig, ScenesData, ValidationConfig, parse_config
from trainer.data.scenes import open_scene_caches
from trainer.events import read_events
from trainer.export import default_presets, write_model
from trainer.judge import trained_judge
from trainer.prompting import PromptTest, chosen_guidance, prompt_accuracy, seconds_per_picture
from trainer.run_dir import ENVIRONMENT_NAME, RunDir, read_json, write_json
from trainer.validation import reconstruction_figures
from ul_engine.checkpoint import load_model
from ul_engine.data.pixels import pictures_from_array
from ul_engine.data.scenes.cache import SceneCache
from ul_engine.errors import ConfigError
from ul_engine.evaluation import EvaluationSettings, Task, evaluate, parse_metrics
from ul_engine.media.pictures import write_picture
from ul_engine.model_folder import read_manifest
from ul_engine.pipelines import Pipeline
from ul_engine.requests import SamplingSettings

PROMPT_SEED, CHOOSING_SEED = 3, 4
METRICS = "psnr,ssim,ms-ssim,flip,bits,rfd,gfd"


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    num_prompts: int = 500
    """Prompts of each kind that the card reports."""
    num_choosing: int = 100
    """Prompts of each kind by which guidance is chosen."""
    judge_steps: int = 4000
    gap: ValidationConfig = field(
        default_factory=lambda: ValidationConfig(num_images=1000, decoder_steps=24, bitrate_times=64)
    )
    bitrate_times: int = 64


WHOLE = Extent()


def finish_model(stage1: Path, stage2: Path, out: Path, extent: Extent = WHOLE) -> Report:
    """Measure the model of the run folder `stage2` (whose latents come from `stage1`) and write it to `out`.

    Reconstruction, bits and distances: the held-out scenes, with the Balanced preset, by the program's own evaluation.
    Prompts: captions of unseen scenes for each number of objects that the model was trained on, one picture each,
    judged by a classifier trained on renders. The guidance that does best on other prompts becomes the presets'.
    """
    run1, run2 = RunDir(stage1), RunDir(stage2)
    config = parse_config(read_json(run2.config))
    data = config.data
    if not isinstance(data, ScenesData):
        raise ConfigError("only a model of Scenes can be measured by its prompts", field="data.kind")
    model, _ = load_model(run2.model)
    pipeline = Pipeline(model, torch.device("cpu"))
    train, valid = open_scene_caches(data)
    judge = trained_judge(train, stage2.parent / f"{stage2.name}-judge.pt", num_steps=extent.judge_steps)
    kinds = range(1, data.num_objects_max + 1)
    usual = default_presets(float(model.latent_std))
    choosing = [PromptTest(kind, extent.num_choosing, CHOOSING_SEED) for kind in kinds]
    choice = chosen_guidance(pipeline, judge, usual["Preview"], choosing)
    presets = {name: preset.model_copy(update={"guidance": choice.best}) for name, preset in usual.items()}
    balanced = presets["Balanced"]
    report = Report(
        gap=measured_gap(run1, valid, extent.gap),
        metrics=measured_metrics(run2, pipeline, valid, balanced, bitrate_times=extent.bitrate_times),
        accuracy={
            kind: prompt_accuracy(pipeline, judge, balanced, PromptTest(kind, extent.num_prompts, PROMPT_SEED))
            for kind in kinds
        },
        judge={kind: judge.accuracy_on(valid, num_objects=kind) for kind in kinds},
        guidance=choice,
        seconds=seconds_per_picture(pipeline, presets, valid.captions[0]),
    )
    guidance = {"best": choice.best.model_dump(mode="json"), "scores": choice.scores}
    write_json(stage2 / "report.json", asdict(report) | {"guidance": guidance})
    history = {"stage1": _history(run1), "stage2": _history(run2)}
    write_model(
        model,
        config,
        out,
        calibration(report),
        card=model_card(config, data, report, history, out.name),
        description=_description(data),
        presets=presets,
    )
    return report


def _description(data: ScenesData) -> str:
    things = "One or two simple objects" if data.num_objects_max > 1 else "One simple object"
    return f"{things} on a patterned floor under a coloured sky, drawn from a prompt."


def measured_gap(run: RunDir, valid: SceneCache, extent: ValidationConfig) -> dict[str, float]:
    """What the latent carries, of a finished Stage 1 run on the held-out scenes; measured once and kept beside its
    model."""
    model, manifest = load_model(run.model, networks=frozenset(("encoder", "prior", "decoder")))
    key = {name: network.sha256 for name, network in manifest.networks.items()} | extent.model_dump()
    file = run.root / "reconstruction.json"
    if file.exists() and (kept := read_json(file))["of"] == key:
        figures: dict[str, float] = kept["figures"]
        return figures
    held_out = pictures_from_array(np.asarray(valid.pictures[: extent.num_images]))
    figures = reconstruction_figures(Pipeline(model, torch.device("cpu")), held_out, extent)
    write_json(file, {"of": key, "figures": figures})
    return figures


def measured_metrics(
    run: RunDir, pipeline: Pipeline, valid: SceneCache, settings: SamplingSettings, *, bitrate_times: int
) -> dict[str, Any]:
    """The figures of `ul-engine evaluate` over the held-out scenes as picture files, prompts being their captions.

    Files, tables and the page stay in the run's folder; an evaluation that was stopped goes on.
    """
    pictures = run.root / "held-out"
    pictures.mkdir(exist_ok=True)
    for index, picture in enumerate(valid.pictures):
        file = pictures / f"{index:05d}.png"
        if not file.exists():
            write_picture(file, np.asarray(picture))
    task = Task(
        pipeline=pipeline,
        manifest=read_manifest(run.model),
        folder=run.model,
        data=(pictures,),
        choice=parse_metrics(METRICS),
        settings=EvaluationSettings(
            sampling=settings, prompts=valid.captions, bitrate_times=bitrate_times, batch_size=50
        ),
    )
    metrics: dict[str, Any] = evaluated(task, run.root)["metrics"]
    return metrics


def evaluated(task: Task, root: Path) -> dict[str, Any]:
    """The report of an evaluation in a folder of its own below `root`: the same task goes on where it was stopped, and
    other weights, data or settings never meet its figures."""
    networks = {name: network.sha256 for name, network in task.manifest.networks.items()}
    identity = (networks, [str(path.resolve()) for path in task.data], task.settings.identity())
    digest = blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=4).hexdigest()
    report: dict[str, Any] = evaluate(task, root / "evaluation" / digest).report
    return report


def calibration(report: Report) -> dict[str, float]:
    """The figures of a model folder."""
    metrics = report.metrics
    figures = {
        "bits_per_pixel": metrics["bits"]["prior"]["bits_per_pixel"]["mean"],
        "bits_per_dim": metrics["bits"]["prior"]["bits_per_latent_value"]["mean"],
        "psnr_db": metrics["psnr"]["mean"],
        "ssim": metrics["ssim"]["mean"],
        "psnr_shuffled_db": report.gap["psnr_shuffled_db"],
        "shuffle_gap_db": report.gap["shuffle_gap_db"],
        "latent_std": report.gap["latent_std"],
        "rfd_small": metrics["rfd"]["value"],
        "gfd_small": metrics["gfd"]["value"],
        "guidance_weight": report.guidance.best.weight,
    }
    for kind, accuracy in report.accuracy.items():
        prefix = "prompt_accuracy_" if kind == 1 else "prompt_accuracy_two_"
        figures.update({f"{prefix}{name}": value for name, value in accuracy.items()})
    figures.update({f"seconds_{name.lower()}": value for name, value in report.seconds.items()})
    return figures


def _history(run: RunDir) -> dict[str, Any]:
    """What a run did: steps, pictures seen, hours of stepping, last learning figures."""
    config: RunConfig = parse_config(read_json(run.config))
    events = read_events(run.events)
    steps = [event for event in events if event["type"] == "step"]
    seconds = sum(event["step_s"] * config.cadence.log_every for event in steps)
    return {
        "machine": read_json(run.root / ENVIRONMENT_NAME).get("machine", "an unnamed machine"),
        "precision": config.precision,
        "num_steps": config.num_steps,
        "images_seen": config.num_steps * config.batch_size,
        "hours": seconds / 3600,
        "loss_factor": config.model.decoder_loss.loss_factor,
    }
