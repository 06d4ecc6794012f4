"""The model card of a bundled model of moving Scenes."""

from collections.abc import Mapping
from typing import Any

from trainer.config import RunConfig, ScenesData
from trainer.finishing.card_parts import (
    bits_rows,
    choices_section,
    mean_text,
    measured_section,
    scenes_text,
    speed_section,
    training_section,
    word_text,
)
from trainer.finishing.drift import KEPT
from trainer.finishing.prompting import guidance_words
from trainer.finishing.results import Drift, MotionReport
from ul_engine.data.scenes.grammar import MOTION_PHRASES

COLUMNS = ("motion", "shape", "color", "material", "size", "all")
"""Of the accuracies by motion; floor and sky are only given for all motions together."""


def motion_card(
    config: RunConfig,
    data: ScenesData,
    report: MotionReport,
    history: Mapping[str, Mapping[str, Any]],
    name: str,
) -> str:
    """Markdown: what it is, how it was trained, what was measured, what it cannot do. `name` is its recipe's."""
    clips = f"{scenes_text(data)}, as clips of {data.num_frames} frames at {data.fps:g} per second"
    return "\n".join(
        (
            _head(config),
            training_section(config, clips, history, name, samples="clips"),
            _measured(data, report),
            _accuracy(report),
            _drift(config, report),
            choices_section(report.choice, distance="rFD-Small-clip", kinds=""),
            speed_section(report.seconds, report.machine, sample="clip"),
            _LIMITS,
        )
    )


def _head(config: RunConfig) -> str:
    model, video = config.model, config.model.video
    assert video is not None
    return f"""---
license: apache-2.0
tags: [unified-latents, text-to-video]
---
# {model.name}

A small Unified Latents model (encoder, prior, decoder, text-conditioned base model) that makes clips of one simple
object with a motion on a patterned floor under a coloured sky, {model.image_px} x {model.image_px} pixels,
{video.num_frames} frames at {video.fps:g} per second, from a prompt such as
"a large yellow metal sphere on a blue striped floor under a pink sky, bouncing". It continues a clip from its last
{video.context_frames} frames, as often as one likes. It knows the words of that grammar and nothing else: it is an
example of the method, not a general text-to-video model.
"""


def _measured(data: ScenesData, report: MotionReport) -> str:
    metrics = report.metrics
    rows = (
        *bits_rows(metrics),
        ("PSNR", mean_text(metrics["psnr"], "{:.2f}") + " dB"),
        ("PSNR, mean over frames", mean_text(metrics["frame-psnr"], "{:.2f}") + " dB"),
        ("SSIM", mean_text(metrics["ssim"], "{:.3f}")),
        ("flicker (8-bit levels)", mean_text(metrics["flicker"], "{:.2f}")),
        ("PSNR with another clip's latent", f"{report.gap['psnr_shuffled_db']:.2f} dB"),
        ("right-versus-shuffled gap", f"{report.gap['shuffle_gap_db']:.2f} dB"),
        ("rFD-Small-clip: reconstructions against renders (not rFVD)", f"{metrics['rfd-clip']['value']:.3g}"),
        ("FD-Small-clip: clips from the same captions against renders (not FVD)", f"{metrics['fd-clip']['value']:.3g}"),
    )
    return measured_section(data, report.choice.presets["Balanced"].decoder, rows, samples="clips")


def _accuracy(report: MotionReport) -> str:
    def row(title: str, accuracy: Mapping[str, float], names: tuple[str, ...]) -> str:
        return f"| {title} | " + " | ".join(f"{accuracy[name]:.0%}" for name in names) + " |"

    by_motion = [row(MOTION_PHRASES[motion], accuracy, COLUMNS) for motion, accuracy in report.accuracy.items()]
    overall = report.mean_accuracy()
    words = "\n".join(
        f"| {word_text(name)} | {value:.1%} | {report.judge[name]:.1%} |" for name, value in overall.items()
    )
    return f"""Prompt accuracy: captions of unseen scenes, one clip each, as many for each motion (Balanced preset,
{guidance_words(report.choice.guidance.best)}), judged by a classifier of clips trained on renders; beside it the
classifier's own accuracy on held-out renders, above which nothing can be measured.

| word | generated clips | classifier on renders |
|---|---|---|
{words}

| motion asked for | {" | ".join(word_text(name) for name in COLUMNS)} |
|---|{"---|" * len(COLUMNS)}
{chr(10).join(by_motion)}
"""


def _drift(config: RunConfig, report: MotionReport) -> str:
    num_frames, context, kept = config.model.num_frames, report.drift.num_before, report.drift_by_keeping.num_before
    error = 0.5 / report.num_drifting**0.5
    return f"""Drift: {report.num_drifting} clips, continued again and again by {num_frames - context} frames from the
last {context}, the prompt still given; the last {num_frames} frames are judged. "Object kept": shape and colour are
those that the classifier saw in the first {num_frames} frames. In brackets what it sees in the same frames of the
rendered scenes, which drift by nothing. The standard error of each share is {error:.0%} at most.

{_drift_table(num_frames, report.drift)}

The other way to go on, for comparison, by {num_frames - kept} frames: none as context; the latent of the last {kept} is
kept while the rest of the clip is made.

{_drift_table(num_frames, report.drift_by_keeping)}
"""


def _drift_table(num_frames: int, drift: Drift) -> str:
    names = (KEPT, "motion", "shape", "color", "material", "size")
    rows = "\n".join(
        f"| {num_frames + link * (num_frames - drift.num_before)} | "
        + " | ".join(f"{made[name]:.0%} ({rendered[name]:.0%})" for name in names)
        + " |"
        for link, (made, rendered) in enumerate(zip(drift.made, drift.of_renders, strict=True))
    )
    return f"""| frames so far | object kept | {" | ".join(word_text(name) for name in names[1:])} |
|---|{"---|" * len(names)}
{rows}"""


_LIMITS = """## Limits

One object, one motion, no counts, no words outside the grammar. Small objects are a few pixels wide: their shape and
material are the first to go wrong.
"""
