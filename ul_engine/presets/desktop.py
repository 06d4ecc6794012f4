"""Models for one's own pictures on one graphics card: sizes of 64, 128 and 256 px, cards of 4, 8, 12 and 24 GB.

All are ours. The card decides widths and depths, up to the paper's own at 24 GB; the picture's size decides stages,
batch and loss factor. Stage 1 and Stage 2 fit at the stated batch by the estimate of `ul_engine.accounting` (bf16, 85 %
of the card). Without a condition as they stand.
"""

from dataclasses import dataclass

from ul_engine.config import (
    BaseConfig,
    DecoderConfig,
    DecoderLossConfig,
    EncoderConfig,
    LatentConfig,
    ModelConfig,
    PriorConfig,
)


@dataclass(frozen=True)
class Card:
    """Networks for a card: channels of the first stage, width and blocks of both transformers, the base model."""

    channels: int
    width: int
    num_blocks: int
    base: BaseConfig


@dataclass(frozen=True)
class Picture:
    """What follows from the picture's size: latent channels, growth of the stages, loss factor, samples at once."""

    latent_channels: int
    growth: tuple[int, ...]
    loss_factor: float
    batch_size: int


CARDS = {
    4: Card(48, 384, 6, BaseConfig(widths=(256, 512), num_blocks=(4, 8))),
    8: Card(96, 512, 8, BaseConfig(widths=(384, 768), num_blocks=(4, 12))),
    12: Card(112, 768, 8, BaseConfig(widths=(512, 1024), num_blocks=(4, 12))),
    24: Card(128, 1024, 8, BaseConfig(widths=(512, 1024), num_blocks=(6, 16))),
}
"""By gigabytes (10^9 bytes)."""

PICTURES = {
    64: Picture(16, (1, 2, 4), 4.0, 64),
    128: Picture(16, (1, 2, 4), 3.0, 16),
    256: Picture(32, (1, 2, 4, 4), 2.0, 8),
}
"""By pixels. 64 and 128 px are down-sampled 8x, so that 8x8 and 16x16 cells are left; 256 px 16x as in the paper. Small
pictures want larger loss factors than the paper's 1.5 at 512 px."""

STAGE1_GB = {
    64: {4: 2.6, 8: 5.3, 12: 8.3, 24: 18.3},
    128: {4: 2.6, 8: 5.3, 12: 8.3, 24: 18.3},
    256: {4: 3.1, 8: 6.5, 12: 9.4, 24: 19.7},
}
"""Estimated memory of a step of Stage 1 at the stated batch, by pixels and card. Stage 2 takes less."""


def desktop(image_px: int, card_gb: int) -> ModelConfig:
    """The model for pictures of `image_px` on a card of `card_gb`; both must be keys of the tables above."""
    card, picture = CARDS[card_gb], PICTURES[image_px]
    channels = tuple(card.channels * factor for factor in picture.growth)
    return ModelConfig(
        name=f"Desktop {image_px} for {card_gb} GB",
        image_px=image_px,
        latent=LatentConfig(channels=picture.latent_channels),
        encoder=EncoderConfig(channels=channels),
        prior=PriorConfig(width=card.width, num_blocks=card.num_blocks),
        base=card.base,
        decoder=DecoderConfig(channels=channels[:-1], width=card.width, num_blocks=card.num_blocks),
        decoder_loss=DecoderLossConfig(loss_factor=picture.loss_factor),
    )


def batch_size(image_px: int, card_gb: int) -> int:
    """Samples of a training step that fit."""
    return PICTURES[image_px].batch_size * (2 if card_gb == max(CARDS) else 1)
