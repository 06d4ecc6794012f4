"""The last step of a bundled model of Scenes: put it together, measure it, write its figures, presets and card."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from trainer.config import RunConfig, ScenesData, ValidationConfig
from trainer.data.scenes import open_scene_caches, scene_options
from trainer.export import write_model
from trainer.finishing.judge import trained_judge
from trainer.finishing.parts import (
    CHOOSING_SEED,
    PROMPT_SEED,
    assembled,
    check_seeds,
    chosen_presets,
    history,
    measured_gap,
    measured_metrics,
)
from trainer.finishing.prompting import PromptTest, PromptTrials, seconds_each
from trainer.finishing.results import Choice, Report
from trainer.finishing.samplers import unseen_scenes
from trainer.finishing.scenes_card import scenes_card
from trainer.run_dir import RunDir, write_json
from ul_engine.data.scenes.cache import SceneCache
from ul_engine.devices import describe_device
from ul_engine.errors import ConfigError
from ul_engine.evaluation import EvaluationSettings
from ul_engine.media.pictures import write_picture

METRICS = "psnr,ssim,ms-ssim,flip,bits,rfd,gfd"


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    num_prompts: int = 500
    """Prompts of each kind that the card reports."""
    num_choosing: int = 100
    """Prompts of each kind by which guidance and the base model's samplers are chosen."""
    num_choosing_scenes: int = 200
    """Scenes by which the decoder's samplers are chosen."""
    judge_steps: int = 4000
    gap: ValidationConfig = field(
        default_factory=lambda: ValidationConfig(num_images=1000, decoder_steps=24, bitrate_times=64)
    )
    bitrate_times: int = 64
    num_timed: int = 3
    """Pictures whose median time is reported, for each preset."""


WHOLE = Extent()


def check_scenes(config: RunConfig) -> None:
    """Raises ConfigError for what could not be measured once it is trained."""
    if not isinstance(config.data, ScenesData):
        raise ConfigError("only a model of Scenes can be measured by its prompts", field="data.kind")
    check_seeds(config.data)


def finish_model(folders: Mapping[str, Path], out: Path, extent: Extent = WHOLE) -> Report:
    """Put the model of a recipe's finished runs together, measure it and write it to `out`.

    `folders` are the run folders by the recipe's part: "stage1", "stage2" and, where the decoder went on by itself,
    "decoder". Samplers and guidance of the presets are those that do best on scenes and prompts that no card reports.
    Reconstruction, bits and distances: the held-out scenes, with the Balanced preset, by the program's own evaluation.
    Prompts: captions of unseen scenes for each number of objects that the model was trained on, one picture each,
    judged by a classifier trained on renders. What was measured is kept in the run folder of Stage 2.
    """
    runs = {part: RunDir(folder) for part, folder in folders.items()}
    whole = assembled(runs)
    config, data, pipeline = whole.config, whole.data, whole.pipeline
    train, valid = open_scene_caches(data)
    judge = trained_judge(train, whole.root.parent, num_steps=extent.judge_steps)
    trials = PromptTrials(pipeline, judge, whole.kept)
    choice = _chosen(trials, data, extent)
    balanced = choice.presets["Balanced"]
    kinds = range(1, data.num_objects_max + 1)
    report = Report(
        gap=measured_gap(pipeline, valid, extent.gap, whole.kept),
        metrics=measured_metrics(
            whole,
            _as_files(valid, whole.root / "held-out"),
            METRICS,
            EvaluationSettings(
                sampling=balanced, prompts=valid.captions, bitrate_times=extent.bitrate_times, batch_size=50
            ),
        ),
        accuracy={
            kind: trials.accuracy("card", balanced, PromptTest(kind, extent.num_prompts, PROMPT_SEED)) for kind in kinds
        },
        judge={kind: judge.accuracy_on(valid, num_objects=kind) for kind in kinds},
        choice=choice,
        seconds=seconds_each(pipeline, choice.presets, valid.captions[0], num_timed=extent.num_timed),
        machine=describe_device(torch.device("cpu"))[0],
    )
    write_json(whole.root / "report.json", report.plain())
    write_model(
        whole.model,
        config,
        out,
        calibration(report),
        card=scenes_card(config, data, report, {part: history(run) for part, run in runs.items()}, out.name),
        description=_description(data),
        presets=choice.presets,
    )
    return report


def _chosen(trials: PromptTrials, data: ScenesData, extent: Extent) -> Choice:
    """Presets, and what they were chosen by."""
    options = scene_options(data)
    pictures = unseen_scenes(data.size_px, seed=CHOOSING_SEED, count=extent.num_choosing_scenes, options=options)
    tests = [PromptTest(kind, extent.num_choosing, CHOOSING_SEED) for kind in range(1, data.num_objects_max + 1)]
    of = {"seed": CHOOSING_SEED, "count": extent.num_choosing_scenes, **asdict(options)}
    return chosen_presets(trials, tests, pictures, of=of)


def _description(data: ScenesData) -> str:
    things = "One or two simple objects" if data.num_objects_max > 1 else "One simple object"
    return f"{things} on a patterned floor under a coloured sky, drawn from a prompt."


def _as_files(valid: SceneCache, folder: Path) -> Path:
    """The held-out scenes as pictures in `folder`."""
    folder.mkdir(exist_ok=True)
    for index, picture in enumerate(valid.pictures):
        file = folder / f"{index:05d}.png"
        if not file.exists():
            write_picture(file, np.asarray(picture))
    return folder


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
        "guidance_weight": report.choice.guidance.best.weight,
    }
    for kind, accuracy in report.accuracy.items():
        prefix = "prompt_accuracy_" if kind == 1 else "prompt_accuracy_two_"
        figures.update({f"{prefix}{name}": value for name, value in accuracy.items()})
    figures.update({f"seconds_{name.lower()}": value for name, value in report.seconds.items()})
    return figures
