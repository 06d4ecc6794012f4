"""Sentences and tables that the cards of all bundled models share."""

from collections.abc import Iterable, Mapping
from typing import Any

from trainer.config import RunConfig, ScenesData
from trainer.finishing.results import Choice
from trainer.finishing.samplers import DecoderTrial
from ul_engine.config import ModelConfig
from ul_engine.requests import SamplerSettings

_WORDS = {
    "motion": "motion",
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
_PARTS = {"stage1": "encoder, prior and decoder", "decoder": "decoder alone, latent fixed", "stage2": "base model"}
_PRECISIONS = {"bf16": "bf16 autocast", "fp32": "float32"}


def latent_size_text(config: ModelConfig) -> str:
    """The latent of one training sample, such as 16x8x8 (channels, height, width); clips have frames second."""
    channels, frames, height, width = config.latent_shape(config.image_px, config.image_px, config.num_frames)
    return "x".join(map(str, (channels, *((frames,) if config.video is not None else ()), height, width)))


def word_text(name: str) -> str:
    """What a name of an accuracy means."""
    for place in ("first", "second"):
        if name.startswith(f"{place}_"):
            return f"{_WORDS[name.removeprefix(f'{place}_')]} of the {place}"
    return _WORDS[name]


def mean_text(figures: Mapping[str, Any], form: str) -> str:
    """Mean and standard error."""
    error = figures["standard_error"]
    return form.format(figures["mean"]) + (f" ± {form.format(error)}" if error is not None else "")


def scenes_text(data: ScenesData) -> str:
    """What the model was trained on."""
    pairs = f", {data.two_object_share:.0%} of them of two objects" if data.num_objects_max > 1 else ""
    return f"{data.num_train:,} rendered scenes (this program's own Scenes, seed {data.train_seed}){pairs}"


def training_section(
    config: RunConfig, data: str, history: Mapping[str, Mapping[str, Any]], name: str, *, samples: str = "pictures"
) -> str:
    """How each part was trained, on what; `name` is the recipe's."""
    return f"""## Training

Data: {data}. Loss factor
{config.model.decoder_loss.loss_factor:g}, sigmoid bias {config.model.decoder_sigmoid_bias:.2f}, latents of
{latent_size_text(config.model)}. Weights are shipped in bf16. The recipe comes with the program:
`ul-train recipe run {name}`.

{training_table(history, samples=samples)}
"""


def training_table(history: Mapping[str, Mapping[str, Any]], *, samples: str = "pictures") -> str:
    """What each part's run did, a row each; `history` is by the recipe's part, as `trainer.finishing.parts.history`
    tells it."""
    rows = "\n".join(
        f"| {_PARTS[part]} | {row['num_steps']:,} x {row['batch_size']} | {row['optimizer']} | "
        f"{_PRECISIONS[row['precision']]} | {row['hours']:.1f} h | {row['machine']} |"
        for part, row in history.items()
    )
    return f"""| part | steps x {samples} | optimizer | arithmetic | time | machine |
|---|---|---|---|---|---|
{rows}"""


def bits_rows(metrics: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the prior says a latent holds, from the figures of an evaluation."""
    bits = metrics["bits"]["prior"]
    return (
        ("latent bits per pixel (upper bound, not a file size)", mean_text(bits["bits_per_pixel"], "{:.4f}")),
        ("bits per latent value", mean_text(bits["bits_per_latent_value"], "{:.3f}")),
    )


def measured_section(
    data: ScenesData, decoder: SamplerSettings, rows: Iterable[tuple[str, str]], *, samples: str
) -> str:
    """The figures on held-out `samples`, a row each, and how they came about."""
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"""## Measured

{data.num_valid:,} held-out {samples} (seed {data.valid_seed}), by `ul-engine evaluate` with the Balanced preset, one
sampled decode each ({sampler_text(decoder)}); ± is a standard error. The gap: 24 steps of 2m.

| figure | value |
|---|---|
{table}
"""


def choices_section(
    choice: Choice, *, distance: str = "rFD-Small", kinds: str = ", both kinds of prompts together"
) -> str:
    """Presets, and every trial they were chosen by."""
    guidance = "\n".join(f"| {words} | {score:.1%} |" for words, score in choice.guidance.scores.items())
    bases = "\n".join(
        f"| {base.best.num_steps} | " + " | ".join(f"{score:.1%}" for score in base.scores.values()) + " |"
        for base in choice.bases.values()
    )
    names = list(next(iter(choice.bases.values())).scores)
    presets = "\n".join(
        f"| {name} | {sampler_text(preset.base)} | {sampler_text(preset.decoder)} |"
        for name, preset in choice.presets.items()
    )
    return f"""## How its presets were chosen

On scenes and prompts that are reported nowhere above. The decoder's sampler: the best SSIM among those whose {distance}
is at most half as much again as the least, within the preset's steps. Guidance and the base model's sampler: the mean
accuracy over all words{kinds}.

| preset | base model | decoder |
|---|---|---|
{presets}

{decoder_table(choice.decoders, distance=distance)}

| guidance (Preview) | mean accuracy |
|---|---|
{guidance}

| base model's steps | {" | ".join(names)} |
|---|{"---|" * len(names)}
{bases}
"""


def decoder_table(trials: Iterable[DecoderTrial], *, distance: str = "rFD-Small") -> str:
    """The samplers that were tried for the decoder, a row each."""
    rows = "\n".join(
        f"| {trial.name.value} {trial.num_steps} | {trial.psnr_db:.2f} dB | {trial.ssim:.3f} | {trial.rfd_small:.3g} |"
        for trial in trials
    )
    return f"""| decoder | PSNR | SSIM | {distance} |
|---|---|---|---|
{rows}"""


def sampler_text(sampler: SamplerSettings) -> str:
    """Name and steps."""
    return f"{sampler.name.value}, {sampler.num_steps} steps"


def speed_section(seconds: Mapping[str, float], machine: str, *, sample: str = "picture") -> str:
    """How long one takes, by preset."""
    rows = "\n".join(f"| {name} | {value:.2f} s |" for name, value in seconds.items())
    return f"""Time of one {sample} by itself on two CPU cores, after one that warms up ({machine}, float32):

| preset | time |
|---|---|
{rows}
"""
