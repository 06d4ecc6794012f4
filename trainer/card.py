"""The model card of a bundled model."""

from typing import Any

from trainer.config import RunConfig, ScenesData
from ul_engine.config import ModelConfig

NAMES = {
    "shape": "shape",
    "color": "colour",
    "material": "material",
    "size": "size",
    "floor_color": "floor colour",
    "floor_pattern": "floor pattern",
    "sky": "sky",
    "all": "all seven at once",
}


def latent_size_text(config: ModelConfig) -> str:
    """The latent of one training sample, such as 16x8x8 (channels, height, width); clips have frames second."""
    channels, frames, height, width = config.latent_shape(config.image_px, config.image_px, config.num_frames)
    return "x".join(map(str, (channels, *((frames,) if config.video is not None else ()), height, width)))


def model_card(config: RunConfig, data: ScenesData, report: dict[str, Any], history: dict[str, dict[str, Any]]) -> str:
    """Markdown: what it is, how it was trained, what was measured, what it cannot do."""
    figures = report["reconstruction"]
    judged = report["judge_accuracy"]
    accuracy = "\n".join(
        f"| {NAMES[name]} | {value:.1%} | {f'{judged[name]:.1%}' if name in judged else ''} |"
        for name, value in report["prompt_accuracy"].items()
    )
    stages = "\n".join(
        f"| {name} | {row['num_steps']} | {row['images_seen']:,} | {row['hours']:.1f} h |"
        for name, row in history.items()
    )
    return f"""---
license: apache-2.0
tags: [unified-latents, text-to-image]
---
# {config.model.name}

A small Unified Latents model (encoder, prior, decoder, text-conditioned base model) that draws one simple object on a
patterned floor under a coloured sky, {config.model.image_px} x {config.model.image_px} pixels, from a prompt such as
"a small purple metal torus on a green checkered floor under an orange sky". It knows the words of that grammar and
nothing else: it is an example of the method, not a general text-to-image model.

## Training

Data: {data.num_train:,} rendered scenes (this program's own Scenes, seed {data.train_seed}). Loss factor
{config.model.decoder_loss.loss_factor:g}, sigmoid bias {config.model.decoder_sigmoid_bias:.2f}, latents of
{latent_size_text(config.model)}. bf16 autocast on
{history["stage1"]["machine"]}; weights are shipped in bf16. The recipe comes with the program:
`ul-train recipe run scenes-64`.

| stage | steps | pictures seen | time |
|---|---|---|---|
{stages}

## Measured

1 000 held-out scenes (seed {data.valid_seed}), one sampled decode each with 24 steps of DPM-Solver++(2M):

| figure | value |
|---|---|
| latent bits per pixel (upper bound, not a file size) | {figures["bits_per_pixel"]:.4f} |
| bits per latent value | {figures["bits_per_dim"]:.3f} |
| PSNR | {figures["psnr_db"]:.2f} dB |
| SSIM | {figures["ssim"]:.3f} |
| PSNR with another picture's latent | {figures["psnr_shuffled_db"]:.2f} dB |
| right-versus-shuffled gap | {figures["shuffle_gap_db"]:.2f} dB |

Prompt accuracy: 500 captions of unseen scenes, one picture each (Balanced preset, guidance
{report["guidance_weight"]:g}), judged by a classifier trained on renders; beside it the classifier's own accuracy on
held-out renders, above which nothing can be measured:

| attribute | generated pictures | classifier on renders |
|---|---|---|
{accuracy}

## Limits

One object; no relations, no counts, no words outside the grammar. Write the articles: "a pink octahedron", not "pink
octahedron", which the training captions never said. Small objects are lumpy; fine floor patterns near the horizon and
mirror images in metal are soft or invented.
"""
