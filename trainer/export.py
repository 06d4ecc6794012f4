"""From a trained model to a model folder: weights in bf16, manifest, card."""

import os
from pathlib import Path

from trainer.config import RunConfig, ScenesData
from trainer.run_dir import require_free_space
from ul_engine.checkpoint import save_model
from ul_engine.data.scenes.grammar import grammar_description
from ul_engine.model_folder import Manifest, PromptGrammar, PromptSlot
from ul_engine.models.unified import UnifiedLatents
from ul_engine.pipelines import default_guidance
from ul_engine.requests import PRESETS, SamplingSettings
from ul_engine.whole_files import explained


def write_model(
    model: UnifiedLatents,
    config: RunConfig,
    folder: Path | str | os.PathLike[str],
    figures: dict[str, float],
    *,
    card: str | None = None,
    description: str = "",
    class_names: tuple[str, ...] = (),
    presets: dict[str, SamplingSettings] | None = None,
) -> Manifest:
    """Write `model` as a folder; `figures` go into the manifest's calibration and the card.

    `presets` None takes the program's own with the guidance interval moved to the latent's scale.
    """
    half_bytes = sum(2 * parameter.numel() for parameter in model.parameters())
    with explained(Path(folder)):
        Path(folder).parent.mkdir(parents=True, exist_ok=True)
        require_free_space(Path(folder).parent, half_bytes)
    is_text = model.config.conditioning.kind == "text" and model.base is not None
    data = config.data
    is_class = model.config.conditioning.kind == "class"
    manifest = Manifest(
        model=model.config,
        description=description or f"Trained on {data_text(config)}.",
        class_names=class_names if is_class else (),
        prompt_grammar=scenes_grammar(data) if is_text and isinstance(data, ScenesData) else None,
        calibration=figures,
        presets=presets or default_presets(float(model.latent_std)),
    )
    return save_model(folder, model, manifest, card=card or training_card(config, figures))


def default_presets(latent_std: float, guidance_weight: float = 2.0) -> dict[str, SamplingSettings]:
    """The program's presets with this guidance weight, the interval moved with the latent's scale."""
    guidance = default_guidance(latent_std, guidance_weight)
    return {name: preset.model_copy(update={"guidance": guidance}) for name, preset in PRESETS.items()}


def data_text(config: RunConfig) -> str:
    """What a model was trained on, in a few words; of a path only the last part, which says enough."""
    if isinstance(config.data, ScenesData):
        is_clips = config.data.num_frames > 1
        return f"Scenes, {'clips of ' if is_clips else ''}simple rendered objects on a floor under a sky"
    kinds = {"pictures": "pictures", "photographs": "photographs", "clips": "clips", "huggingface": "the data set"}
    return f"{kinds[config.data.kind]} of {Path(config.data.path).name}"


def scenes_grammar(data: ScenesData) -> PromptGrammar:
    """What the window suggests for a model of these scenes: of one object or of one or two, still or in motion."""
    grammar = grammar_description(
        num_objects_max=data.num_objects_max, motions=data.motions if data.num_frames > 1 else ()
    )
    return PromptGrammar(
        templates=tuple(grammar["templates"]),
        slots=tuple(PromptSlot(name=name, words=tuple(words)) for name, words in grammar["slots"].items()),
        examples=tuple(grammar["examples"]),
    )


def training_card(config: RunConfig, figures: dict[str, float]) -> str:
    """A plain card with what the run knows of itself."""
    lines = [
        f"# {config.model.name}",
        "",
        f"A Unified Latents model trained on {data_text(config)}, {config.data.size_px} pixels.",
        f"{config.stage.value}: {config.num_steps} steps of {config.batch_size}.",
        "",
        "| figure | value |",
        "|---|---|",
    ]
    lines += [f"| {name} | {value:.4g} |" for name, value in figures.items()]
    return "\n".join(lines) + "\n"
