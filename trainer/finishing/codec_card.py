"""The model card of a bundled codec of photographs."""

from collections.abc import Mapping
from typing import Any

from trainer.config import RunConfig
from trainer.finishing.card_parts import decoder_table, latent_size_text, sampler_text, training_table
from trainer.finishing.codec_report import CodecReport, family_table, point_of


def codec_card(
    config: RunConfig, report: CodecReport, history: Mapping[str, Mapping[str, Any]], *, credit: str, recipe: str
) -> str:
    """Markdown: what it is, what it was trained on, what was measured, what it cannot do. `credit` says what the
    photographs are, whose, and under what licence; `recipe` is the recipe's name."""
    return "\n".join(
        (_head(config), _training(config, history, credit, recipe), _measured(report), _choice(report), _LIMITS)
    )


def _head(config: RunConfig) -> str:
    factor = config.model.downsampling
    return f"""---
license: apache-2.0
tags: [unified-latents, image-to-image]
---
# {config.model.name}

A small Unified Latents model (encoder, prior, decoder) for photographs of any size: it takes a picture apart into a
latent of {config.model.latent.channels} channels at an {factor}th of its sides, counts the bits in it, and paints the
picture anew from it. It has no base model and does not generate.
"""


def _training(config: RunConfig, history: Mapping[str, Mapping[str, Any]], credit: str, recipe: str) -> str:
    data = config.data.model_dump()
    return f"""## Training

Photographs: {credit.strip()}

Square crops of {data["crop_sides"][0]:.0%} to {data["crop_sides"][1]:.0%} of the shorter side, brought to
{config.data.size_px} px. {data["texture_share"]:.0%} of the samples are synthetic textures and
{data["scene_share"]:.0%} rendered Scenes, both this program's own. Loss factor
{config.model.decoder_loss.loss_factor:g}, sigmoid bias {config.model.decoder_sigmoid_bias:.2f}; a crop's latent is
{latent_size_text(config.model)}. Weights are shipped in bf16. The recipe comes with the program:
`ul-train recipe run {recipe}`.

{training_table(history)}
"""


def _measured(report: CodecReport) -> str:
    gap, (height, width) = report.gap, report.timed_size
    return f"""## Measured

{len(report.rows)} pictures that were not trained on, by `ul-engine evaluate`: one sampled decode each
({sampler_text(report.presets["Balanced"].decoder)}), ordinary codecs at the same bits.

{family_table(report, [point_of(report.plain())])}
On held-out photographs of the training, {gap["psnr_db"]:.2f} dB from the right latent and
{gap["psnr_shuffled_db"]:.2f} dB from another picture's: a gap of {gap["shuffle_gap_db"]:.2f} dB.

A picture of {width} x {height} on the processor ({report.machine}, float32): {report.seconds["encode"]:.1f} s to
encode, {report.seconds["decode"]:.1f} s to decode in tiles with 8 steps.
"""


def _choice(report: CodecReport) -> str:
    presets = "\n".join(f"| {name} | {sampler_text(preset.decoder)} |" for name, preset in report.presets.items())
    return f"""## How its presets were chosen

On held-out photographs of the training: the best SSIM among the samplers whose rFD-Small is at most half as much again
as the least, within the preset's steps.

| preset | decoder |
|---|---|
{presets}

{decoder_table(report.trials)}
"""


_LIMITS = """## Limits

**Details may be invented.** The decoder paints what the latent does not hold: letters, faces, leaves and fabric may
look right and be wrong, and another seed paints them otherwise. Nothing that has to be true may be read off a decoded
picture.

**Bits are a bound, not a file.** They are an upper bound on the information in the latent, from the prior; no file of
that size is written.

It is small, saw few kinds of photographs, and was trained on crops; large pictures are decoded in overlapping tiles.
"""
