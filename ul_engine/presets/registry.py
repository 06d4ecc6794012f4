"""All presets by name."""

from collections.abc import Mapping

from pydantic import Field

from ul_engine.config import ModelConfig
from ul_engine.presets.base_sizes import BASE_SIZES
from ul_engine.presets.changes import unknown_name
from ul_engine.presets.desktop import CARDS, PICTURES, STAGE1_GB, batch_size, desktop
from ul_engine.presets.paper import imagenet_512, kinetics_600, text_to_image_512
from ul_engine.presets.toys import motion_64, scenes, scenes_motion, tiny
from ul_engine.requests import FrozenModel

ACCELERATOR_GB = 80
PAPER_STAGE1_GB = 60.2
CLIPS_STAGE1_GB = 60.6


class ModelPreset(FrozenModel):
    """A model configuration with a name, and the training step it is meant for."""

    name: str = Field(description="What it is called on the command line.")
    sentence: str = Field(description="What it is, in one sentence.")
    config: ModelConfig
    batch_size: int = Field(ge=1, description="Samples of a training step on one device.")
    memory_gb: int | None = Field(
        None, description="Memory, in 10^9 bytes, of the device that both stages fit by estimate; None: any will do."
    )
    stage1_gb: float | None = Field(
        None, description="That estimate for Stage 1 at `batch_size`, in 10^9 bytes; None: not stated."
    )


def _paper() -> list[ModelPreset]:
    def preset(name: str, sentence: str, config: ModelConfig) -> ModelPreset:
        return ModelPreset(
            name=name,
            sentence=sentence,
            config=config,
            batch_size=16,
            memory_gb=ACCELERATOR_GB,
            stage1_gb=CLIPS_STAGE1_GB if config.video is not None else PAPER_STAGE1_GB,
        )

    return [
        preset("imagenet-512", "The paper's model of ImageNet at 512 px, as published.", imagenet_512()),
        preset(
            "imagenet-512-small",
            "The same: the published base model is nearest in cost to the paper's small one.",
            imagenet_512("ImageNet 512 small", BASE_SIZES["small"]),
        ),
        preset(
            "imagenet-512-medium",
            "ImageNet at 512 px with a base model of 300 G multiply-adds, as the paper's medium.",
            imagenet_512("ImageNet 512 medium", BASE_SIZES["medium"]),
        ),
        preset(
            "kinetics-600",
            "Clips of 16 frames at 128 px that continue 5 frames; the paper's shapes, networks ours.",
            kinetics_600(),
        ),
        preset(
            "text-to-image-512",
            "The paper's networks at 512 px with a text condition of ours: a closed vocabulary of words.",
            text_to_image_512(),
        ),
    ]


def _desktop() -> list[ModelPreset]:
    return [_desktop_preset(image_px, card_gb) for image_px in PICTURES for card_gb in CARDS]


def _desktop_preset(image_px: int, card_gb: int) -> ModelPreset:
    batch, estimate = batch_size(image_px, card_gb), STAGE1_GB[image_px][card_gb]
    return ModelPreset(
        name=f"desktop-{image_px}-{card_gb}gb",
        sentence=f"Your own pictures at {image_px} px, on a card of {card_gb} GB: batch {batch} takes {estimate} GB.",
        config=desktop(image_px, card_gb),
        batch_size=batch,
        memory_gb=card_gb,
        stage1_gb=estimate,
    )


def _toys() -> list[ModelPreset]:
    rows = (
        ("tiny", "Two fifths of the bundled model, for trying settings within minutes on a CPU.", tiny(), 32),
        (
            "scenes",
            "The bundled model: one and two objects with a relation, drawn from a prompt, at 64 px.",
            scenes(),
            32,
        ),
        (
            "scenes-motion",
            "Clips of one object with a motion, drawn from a prompt: 16 frames at 32 px, continued from 5.",
            scenes_motion(),
            16,
        ),
        ("motion-64", "A toy model of clips: 16 frames of moving scenes at 64 px, continued from 5.", motion_64(), 16),
    )
    return [ModelPreset(name=name, sentence=text, config=config, batch_size=size) for name, text, config, size in rows]


MODEL_PRESETS: Mapping[str, ModelPreset] = {preset.name: preset for preset in (*_paper(), *_desktop(), *_toys())}
"""By name: the paper's, those for one graphics card, toys."""


def model_preset(name: str) -> ModelPreset:
    """The preset of that name; raises ConfigError that names the nearest and lists all."""
    if name not in MODEL_PRESETS:
        raise unknown_name(name, MODEL_PRESETS, "preset", field="preset")
    return MODEL_PRESETS[name]
