"""The model card of a bundled model of Scenes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.config import RunConfig, ScenesData
from trainer.judge import Accuracy
from trainer.prompting import GuidanceChoice, guidance_words
from ul_engine.config import ModelConfig

_WORDS = {
    "num_objects": "number of objects",
    "relation": "relation",
    "shape": "shape",
    "color": "colour",
    "material": "material",
    "size": "size",
    "floor_color": "floor colour",
    "floor_pattern": "floor pattern",
    "sky": "sky",
    "all": "all of these at once",
}
_KINDS = {1: "One object", 2: "Two objects with a relation"}


@dataclass(frozen=True)
class Report:
    """Everything measured on a finished model. Accuracies by the number of objects in the prompt."""

    gap: dict[str, float]
    """Reconstructions from the right and from another picture's latent."""
    metrics: dict[str, Any]
    """As `ul-engine evaluate` reports them."""
    accuracy: dict[int, Accuracy]
    judge: dict[int, Accuracy]
    """Of the classifier itself, on held-out renders."""
    guidance: GuidanceChoice
    seconds: dict[str, float]


def latent_size_text(config: ModelConfig) -> str:
    """The latent of one training sample, such as 16x8x8 (channels, height, width); clips have frames second."""
    channels, frames, height, width = config.latent_shape(config.image_px, config.image_px, config.num_frames)
    return "x".join(map(str, (channels, *((frames,) if config.video is not None else ()), height, width)))


def model_card(
    config: RunConfig, data: ScenesData, report: Report, history: Mapping[str, Mapping[str, Any]], name: str
) -> str:
    """Markdown: what it is, how it was trained, what was measured, what it cannot do. `name` is its recipe's."""
    return "\n".join(
        (
            _head(config, data),
            _training(config, data, history, name),
            _measured(data, report),
            *(_accuracy(kind, report) for kind in report.accuracy),
            _speed(report, history),
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


def _training(config: RunConfig, data: ScenesData, history: Mapping[str, Mapping[str, Any]], name: str) -> str:
    stages = "\n".join(
        f"| {stage} | {row['num_steps']} | {row['images_seen']:,} | {row['hours']:.1f} h | {row['machine']} |"
        for stage, row in history.items()
    )
    pairs = f", {data.two_object_share:.0%} of them of two objects" if data.num_objects_max > 1 else ""
    return f"""## Training

Data: {data.num_train:,} rendered scenes (this program's own Scenes, seed {data.train_seed}){pairs}. Loss factor
{config.model.decoder_loss.loss_factor:g}, sigmoid bias {config.model.decoder_sigmoid_bias:.2f}, latents of
{latent_size_text(config.model)}. Weights are shipped in bf16. The recipe comes with the program:
`ul-train recipe run {name}`.

| stage | steps | pictures seen | time | machine |
|---|---|---|---|---|
{stages}
"""


def _measured(data: ScenesData, report: Report) -> str:
    metrics = report.metrics
    bits = metrics["bits"]["prior"]
    rows = (
        ("latent bits per pixel (upper bound, not a file size)", _mean(bits["bits_per_pixel"], "{:.4f}")),
        ("bits per latent value", _mean(bits["bits_per_latent_value"], "{:.3f}")),
        ("PSNR", _mean(metrics["psnr"], "{:.2f}") + " dB"),
        ("SSIM", _mean(metrics["ssim"], "{:.3f}")),
        ("MS-SSIM", _mean(metrics["ms-ssim"], "{:.3f}")),
        ("FLIP", _mean(metrics["flip"], "{:.3f}")),
        ("PSNR with another picture's latent", f"{report.gap['psnr_shuffled_db']:.2f} dB"),
        ("right-versus-shuffled gap", f"{report.gap['shuffle_gap_db']:.2f} dB"),
        ("rFD-Small: reconstructions against renders (not rFID)", f"{metrics['rfd']['value']:.3g}"),
        ("gFD-Small: pictures from the same captions against renders (not gFID)", f"{metrics['gfd']['value']:.3g}"),
    )
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"""## Measured

{data.num_valid:,} held-out scenes (seed {data.valid_seed}), by `ul-engine evaluate` with the Balanced preset, one
sampled decode each; ± is a standard error. The gap: 24 steps of DPM-Solver++(2M).

| figure | value |
|---|---|
{table}

Prompt accuracy: captions of unseen scenes, one picture each (Balanced preset, {guidance_words(report.guidance.best)}),
judged by a classifier trained on renders; beside it the classifier's own accuracy on held-out renders, above which
nothing can be measured.
"""


def _mean(figures: Mapping[str, Any], form: str) -> str:
    error = figures["standard_error"]
    return form.format(figures["mean"]) + (f" ± {form.format(error)}" if error is not None else "")


def _accuracy(kind: int, report: Report) -> str:
    judged = report.judge[kind]
    rows = "\n".join(
        f"| {_word(name)} | {value:.1%} | {judged[name]:.1%} |" for name, value in report.accuracy[kind].items()
    )
    return f"""| {_KINDS[kind]} | generated pictures | classifier on renders |
|---|---|---|
{rows}
"""


def _word(name: str) -> str:
    for place in ("first", "second"):
        if name.startswith(f"{place}_"):
            return f"{_WORDS[name.removeprefix(f'{place}_')]} of the {place}"
    return _WORDS[name]


def _speed(report: Report, history: Mapping[str, Mapping[str, Any]]) -> str:
    rows = "\n".join(f"| {name} | {seconds:.2f} s |" for name, seconds in report.seconds.items())
    return f"""Time of one picture by itself on two CPU cores, after one that warms up ({history["stage2"]["machine"]}):

| preset | time |
|---|---|
{rows}
"""


def _limits(data: ScenesData) -> str:
    things = "One or two objects" if data.num_objects_max > 1 else "One object; no relations"
    return f"""## Limits

{things}, no counts, no words outside the grammar. Fine floor patterns near the horizon and mirror images in metal are
soft or invented; of two objects, the smaller and farther one comes out worse.
"""
