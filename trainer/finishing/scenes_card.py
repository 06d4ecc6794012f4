"""The model card of a bundled model of Scenes."""

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
from trainer.finishing.prompting import guidance_words
from trainer.finishing.results import Report

_KINDS = {1: "One object", 2: "Two objects with a relation"}


def scenes_card(
    config: RunConfig, data: ScenesData, report: Report, history: Mapping[str, Mapping[str, Any]], name: str
) -> str:
    """Markdown: what it is, how it was trained, what was measured, what it cannot do. `name` is its recipe's."""
    return "\n".join(
        (
            _head(config, data),
            training_section(config, scenes_text(data), history, name),
            _measured(data, report),
            *(_accuracy(kind, report) for kind in report.accuracy),
            choices_section(report.choice),
            speed_section(report.seconds, report.machine),
            _limits(data),
        )
    )


def _head(config: RunConfig, data: ScenesData) -> str:
    size = config.model.image_px
    things, example = (
        (
            "one or two simple objects",
            "a large red metal sphere left of a small green matte torus on a blue checkered floor",
        )
        if data.num_objects_max > 1
        else ("one simple object", "a small purple metal torus on a green checkered floor under an orange sky")
    )
    return f"""---
license: apache-2.0
tags: [unified-latents, text-to-image]
---
# {config.model.name}

A small Unified Latents model (encoder, prior, decoder, text-conditioned base model) that draws {things} on a patterned
floor under a coloured sky, {size} x {size} pixels, from a prompt such as
"{example}". It knows the words of that grammar and nothing else: it is an example of the method, not a general
text-to-image model.
"""


def _measured(data: ScenesData, report: Report) -> str:
    metrics = report.metrics
    rows = (
        *bits_rows(metrics),
        ("PSNR", mean_text(metrics["psnr"], "{:.2f}") + " dB"),
        ("SSIM", mean_text(metrics["ssim"], "{:.3f}")),
        ("MS-SSIM", mean_text(metrics["ms-ssim"], "{:.3f}")),
        ("FLIP", mean_text(metrics["flip"], "{:.3f}")),
        ("PSNR with another picture's latent", f"{report.gap['psnr_shuffled_db']:.2f} dB"),
        ("right-versus-shuffled gap", f"{report.gap['shuffle_gap_db']:.2f} dB"),
        ("rFD-Small: reconstructions against renders (not rFID)", f"{metrics['rfd']['value']:.3g}"),
        ("gFD-Small: pictures from the same captions against renders (not gFID)", f"{metrics['gfd']['value']:.3g}"),
    )
    measured = measured_section(data, report.choice.presets["Balanced"].decoder, rows, samples="scenes")
    return f"""{measured}
Prompt accuracy: captions of unseen scenes, one picture each (Balanced preset,
{guidance_words(report.choice.guidance.best)}), judged by a classifier trained on renders; beside it the classifier's
own accuracy on held-out renders, above which nothing can be measured.
"""


def _accuracy(kind: int, report: Report) -> str:
    judged = report.judge[kind]
    rows = "\n".join(
        f"| {word_text(name)} | {value:.1%} | {judged[name]:.1%} |" for name, value in report.accuracy[kind].items()
    )
    return f"""| {_KINDS[kind]} | generated pictures | classifier on renders |
|---|---|---|
{rows}
"""


def _limits(data: ScenesData) -> str:
    things = "One or two objects" if data.num_objects_max > 1 else "One object; no relations"
    return f"""## Limits

{things}, no counts, no words outside the grammar. Fine floor patterns near the horizon and mirror images in metal are
soft or invented; of two objects, the smaller and farther one comes out worse.
"""
