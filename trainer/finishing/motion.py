"""The last step of a bundled model of moving Scenes: put it together, measure it, write figures, presets and card."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.config import RunConfig, ScenesData, ValidationConfig
from trainer.data.scenes import open_scene_caches, scene_options
from trainer.export import write_model
from trainer.finishing.drift import MotionTest, drift, drift_by_keeping, drift_of_renders, kept_frames
from trainer.finishing.judge import Accuracy
from trainer.finishing.motion_card import motion_card
from trainer.finishing.motion_judge import trained_motion_judge
from trainer.finishing.parts import (
    CHOOSING_SEED,
    DRIFT_SEED,
    JUDGE_SEED,
    PROMPT_SEED,
    assembled,
    check_seeds,
    chosen_presets,
    history,
    measured_gap,
    measured_metrics,
)
from trainer.finishing.prompting import PromptTrials, seconds_each
from trainer.finishing.results import Choice, Drift, MotionReport
from trainer.finishing.samplers import unseen_scenes
from trainer.run_dir import RunDir, write_json
from ul_engine.config import ModelConfig
from ul_engine.data.scenes.cache import ClipTiming, SceneCache, build_planned
from ul_engine.devices import describe_device
from ul_engine.errors import ConfigError
from ul_engine.evaluation import EvaluationSettings
from ul_engine.media.write_sequence import write_sequence

METRICS = "psnr,ssim,frame-psnr,flicker,bits,rfd-clip,fd-clip"


@dataclass(frozen=True)
class MotionExtent:
    """How much is measured."""

    num_prompts: int = 100
    """Prompts of each motion that the card reports."""
    num_choosing: int = 150
    """Prompts, motions mixed, by which guidance and the base model's samplers are chosen."""
    num_choosing_clips: int = 60
    """Clips by which the decoder's samplers are chosen."""
    num_drifting: int = 100
    """Clips that are continued, motions mixed."""
    num_links: int = 3
    """Continuations of each."""
    judge_steps: int = 1200
    num_long: int = 4000
    """Clips as long as those that are continued, which the judge sees stretches of."""
    gap: ValidationConfig = field(
        default_factory=lambda: ValidationConfig(num_images=250, decoder_steps=24, bitrate_times=64)
    )
    bitrate_times: int = 64
    num_timed: int = 3
    """Clips whose median time is reported, for each preset."""


WHOLE = MotionExtent()


def check_motion(config: RunConfig) -> None:
    """Raises ConfigError for what could not be measured once it is trained."""
    if not isinstance(config.data, ScenesData) or config.data.num_objects_max > 1:
        raise ConfigError("a model of clips is measured on clips of Scenes of one object", field="data")
    if not config.model.context_frames:
        raise ConfigError("a model that continues no clips has no drift to measure", field="model.video.context_frames")
    check_seeds(config.data)


def finish_motion(folders: Mapping[str, Path], out: Path, extent: MotionExtent = WHOLE) -> MotionReport:
    """As `trainer.finishing.scenes.finish_model`, for clips of one moving object.

    Reconstruction, flicker, bits and distances: the held-out clips, by the program's own evaluation. Motions and words:
    captions of unseen scenes, as many for each motion, one clip each, judged by a classifier trained on renders. Drift:
    the same classifier on clips that were continued again and again, from frames as context and, for comparison, from
    kept latent frames, beside the same stretches of renders. Raises ConfigError as `check_motion` does.
    """
    runs = {part: RunDir(folder) for part, folder in folders.items()}
    whole = assembled(runs)
    check_motion(whole.config)
    data, pipeline, model = whole.data, whole.pipeline, whole.config.model
    train, valid = open_scene_caches(data)
    longer = _longer(train, model, extent)
    judge = trained_motion_judge(train, whole.root.parent, num_steps=extent.judge_steps, longer=longer)
    trials = PromptTrials(pipeline, judge, whole.kept)
    choice = _chosen(trials, data, extent)
    balanced = choice.presets["Balanced"]
    test = MotionTest(data.motions, extent.num_drifting, DRIFT_SEED)

    def drifting(name: str, measure: Callable[..., list[Accuracy]], num_before: int) -> Drift:
        made: list[Accuracy] = whole.kept.get(
            name,
            ("encoder", "decoder", "base"),
            [asdict(test), extent.num_links, judge.digest, balanced.model_dump(mode="json")],
            lambda: measure(pipeline, judge, balanced, test, num_links=extent.num_links),
        )
        rendered = drift_of_renders(model, judge, test, num_before=num_before, num_links=extent.num_links)
        return Drift(num_before, made, rendered)

    report = MotionReport(
        gap=measured_gap(pipeline, valid, extent.gap, whole.kept),
        metrics=measured_metrics(
            whole,
            _as_files(valid, whole.root / "held-out"),
            METRICS,
            EvaluationSettings(
                sampling=balanced, prompts=valid.captions, bitrate_times=extent.bitrate_times, batch_size=25
            ),
        ),
        accuracy={
            motion: trials.accuracy("card", balanced, MotionTest((motion,), extent.num_prompts, PROMPT_SEED))
            for motion in data.motions
        },
        drift=drifting("drift", drift, model.context_frames),
        drift_by_keeping=drifting("drift by keeping", drift_by_keeping, kept_frames(model)),
        num_drifting=extent.num_drifting,
        judge=judge.accuracy_on(valid),
        choice=choice,
        seconds=seconds_each(pipeline, choice.presets, valid.captions[0], num_timed=extent.num_timed),
        machine=describe_device(torch.device("cpu"))[0],
    )
    write_json(whole.root / "report.json", report.plain())
    write_model(
        whole.model,
        whole.config,
        out,
        calibration(report),
        card=motion_card(whole.config, data, report, {part: history(run) for part, run in runs.items()}, out.name),
        description="Small clips of one simple object with a motion; they can be continued.",
        presets=choice.presets,
    )
    return report


def _longer(train: SceneCache, model: ModelConfig, extent: MotionExtent) -> SceneCache:
    """Clips as long as those that are continued, beside the training clips."""
    plan = train.plan
    assert plan.clip is not None
    num_before = min(model.context_frames, kept_frames(model))
    num_frames = plan.clip.num_frames + extent.num_links * (model.num_frames - num_before)
    longer = replace(plan, seed=JUDGE_SEED, count=extent.num_long, clip=ClipTiming(num_frames, plan.clip.fps))
    folder = train.path.with_name(f"{train.path.name}-{extent.num_long}-of-{num_frames}-frames")
    return build_planned(folder, longer, num_processes=max(1, (os.cpu_count() or 1) - 1))


def _chosen(trials: PromptTrials, data: ScenesData, extent: MotionExtent) -> Choice:
    """Presets, and what they were chosen by."""
    options, count = scene_options(data), extent.num_choosing_clips
    clips = unseen_scenes(
        data.size_px, seed=CHOOSING_SEED, count=count, options=options, num_frames=data.num_frames, fps=data.fps
    )
    of = {"seed": CHOOSING_SEED, "count": count, "frames": data.num_frames, "fps": data.fps, **asdict(options)}
    return chosen_presets(trials, [MotionTest(data.motions, extent.num_choosing, CHOOSING_SEED)], clips, of=of)


def _as_files(valid: SceneCache, root: Path) -> Path:
    """The held-out clips below `root`, each a folder of its frames."""
    assert valid.plan.clip is not None
    fps = Fraction(valid.plan.clip.fps).limit_denominator(1001)
    for index, frames in enumerate(valid.pictures):
        folder, partial = root / f"{index:05d}", root / f".{index:05d}"
        if folder.is_dir():
            continue
        if partial.exists():
            shutil.rmtree(partial)  # of a step that was stopped
        partial.mkdir(parents=True)
        write_sequence(partial, "%03d.png", list(np.asarray(frames)), fps, texts={})
        partial.replace(folder)
    return root


def calibration(report: MotionReport) -> dict[str, float]:
    """The figures of a model folder."""
    metrics = report.metrics
    figures: dict[str, Any] = {
        "bits_per_pixel": metrics["bits"]["prior"]["bits_per_pixel"]["mean"],
        "bits_per_dim": metrics["bits"]["prior"]["bits_per_latent_value"]["mean"],
        "psnr_db": metrics["psnr"]["mean"],
        "ssim": metrics["ssim"]["mean"],
        "frame_psnr_db": metrics["frame-psnr"]["mean"],
        "flicker_levels": metrics["flicker"]["mean"],
        "psnr_shuffled_db": report.gap["psnr_shuffled_db"],
        "shuffle_gap_db": report.gap["shuffle_gap_db"],
        "latent_std": report.gap["latent_std"],
        "rfd_small_clip": metrics["rfd-clip"]["value"],
        "fd_small_clip": metrics["fd-clip"]["value"],
        "guidance_weight": report.choice.guidance.best.weight,
        **{f"prompt_accuracy_{name}": value for name, value in report.mean_accuracy().items()},
        **{f"drift_{name}": value for name, value in report.drift.made[-1].items()},
        **{f"seconds_{name.lower()}": value for name, value in report.seconds.items()},
    }
    return figures
