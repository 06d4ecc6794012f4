"""The models that can be trained, in plain words: what each is for, what it needs, whether this computer has that."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from ul_engine.presets import MODEL_PRESETS, ModelPreset

_CARD_SHARE = 0.97
"""A card states a little less than the gigabytes it is sold by."""
PAPER_GB = 80


@dataclass(frozen=True)
class RecipeCard:
    """One model to choose."""

    name: str
    """Of the preset."""
    title: str
    sentence: str
    needs: str
    image_px: int
    fits: bool = True
    """Whether the computer's graphics card is large enough; without a card only what needs none fits."""
    is_recommended: bool = False


def recipe_cards(*, is_clips: bool | None, device_bytes: int | None, suggested: str = "") -> tuple[RecipeCard, ...]:
    """All models for pictures or for clips, or for both (None): the recommended one first, then what fits, then what
    does not."""
    cards = [
        _card(preset, device_bytes, suggested)
        for preset in MODEL_PRESETS.values()
        if is_clips is None or (preset.config.video is not None) == is_clips
    ]
    return tuple(sorted(cards, key=lambda card: (not card.is_recommended, not card.fits, card.image_px)))


def fits(preset: ModelPreset, device_bytes: int | None) -> bool:
    """Whether a card of so many bytes is what the preset is meant for; None: there is no card."""
    if preset.memory_gb is None:
        return True
    return device_bytes is not None and device_bytes >= preset.memory_gb * 1e9 * _CARD_SHARE


def _card(preset: ModelPreset, device_bytes: int | None, suggested: str) -> RecipeCard:
    does_fit = fits(preset, device_bytes)
    return RecipeCard(
        preset.name,
        _title(preset),
        _sentence(preset),
        _needs(preset),
        preset.config.image_px,
        fits=does_fit,
        is_recommended=does_fit and preset.name == suggested,
    )


def _title(preset: ModelPreset) -> str:
    titles = {
        "tiny": _tr("Small pictures, any computer"),
        "scenes": _tr("Small pictures, like the bundled model"),
        "scenes-motion": _tr("Tiny clips, any computer"),
        "motion-64": _tr("Small clips, any computer"),
        "imagenet-512": _tr("The paper's ImageNet model"),
        "imagenet-512-small": _tr("The paper's ImageNet model, small"),
        "imagenet-512-medium": _tr("The paper's ImageNet model, medium"),
        "kinetics-600": _tr("The paper's model of clips"),
        "text-to-image-512": _tr("The paper's networks, with words"),
    }
    if preset.name in titles:
        return titles[preset.name]
    words = _tr("Pictures at {side} px, card of {memory} GB")
    return words.format(side=preset.config.image_px, memory=preset.memory_gb)


def _sentence(preset: ModelPreset) -> str:
    sentences = {
        "tiny": _tr(
            "64 px. A small model that learns within an hour or two without a graphics card. Shapes and colours come "
            "out right, detail stays soft."
        ),
        "scenes": _tr("64 px. Twice the networks of the smallest; wants a night without a graphics card."),
        "scenes-motion": _tr("16 frames of 32 px. The quickest model of clips; some hours without a graphics card."),
        "motion-64": _tr("16 frames of 64 px. For trying clips; wants a night without a graphics card."),
    }
    if preset.name in sentences:
        return sentences[preset.name]
    return preset.sentence


def _needs(preset: ModelPreset) -> str:
    if preset.memory_gb is None:
        return _tr("needs no graphics card")
    if preset.memory_gb >= PAPER_GB:
        return _tr("needs accelerators of {memory} GB, and days").format(memory=preset.memory_gb)
    return _tr("needs a graphics card of {memory} GB").format(memory=preset.memory_gb)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Recipes", text)
