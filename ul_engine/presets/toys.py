"""Small models of the program's own scenes, for a computer without a graphics card."""

from ul_engine.config import (
    BaseConfig,
    ConditioningConfig,
    DecoderConfig,
    DecoderLossConfig,
    EncoderConfig,
    LatentConfig,
    ModelConfig,
    PriorConfig,
    TextConfig,
    VideoConfig,
)
from ul_engine.presets.words import MOTION_WORDS, MOVING_WORDS, PAIR_WORDS, SCENE_WORDS

_HEAD = 32


def _text(words: tuple[str, ...], max_tokens: int) -> ConditioningConfig:
    text = TextConfig(vocabulary=words, max_tokens=max_tokens, width=128, num_blocks=1, head_channels=_HEAD)
    return ConditioningConfig(kind="text", text=text)


def tiny() -> ModelConfig:
    """Two fifths of the bundled model, for trying settings within minutes on one CPU core."""
    return ModelConfig(
        name="Scenes tiny",
        image_px=64,
        latent=LatentConfig(channels=16),
        encoder=EncoderConfig(channels=(32, 64, 96), blocks_per_stage=1, blocks_last_stage=1),
        prior=PriorConfig(width=128, num_blocks=2, head_channels=_HEAD),
        base=BaseConfig(widths=(128, 192), num_blocks=(2, 2), head_channels=_HEAD, dropout=0.0),
        decoder=DecoderConfig(
            channels=(32, 64), blocks_per_stage=1, width=128, num_blocks=2, head_channels=_HEAD, dropout=0.0
        ),
        decoder_loss=DecoderLossConfig(loss_factor=4.0),
        conditioning=_text(SCENE_WORDS, 24),
    )


def scenes() -> ModelConfig:
    """The bundled model: one and two objects with a relation."""
    return ModelConfig(
        name="Scenes",
        image_px=64,
        latent=LatentConfig(channels=16),
        encoder=EncoderConfig(channels=(48, 80, 128), blocks_per_stage=1, blocks_last_stage=2),
        prior=PriorConfig(width=160, num_blocks=3, head_channels=_HEAD),
        base=BaseConfig(widths=(192, 256), num_blocks=(4, 2), head_channels=_HEAD, dropout=0.0),
        decoder=DecoderConfig(
            channels=(64, 96), blocks_per_stage=1, width=192, num_blocks=3, head_channels=_HEAD, dropout=0.0
        ),
        decoder_loss=DecoderLossConfig(loss_factor=5.0),
        conditioning=_text(PAIR_WORDS, 32),
    )


def scenes_motion() -> ModelConfig:
    """Clips of 16 frames of 32x32 with a motion, which may continue 5 frames: latents of 4x4x4, 8 frames per second."""
    return ModelConfig(
        name="Scenes in motion",
        image_px=32,
        video=VideoConfig(num_frames=16, temporal_downsampling=4, context_frames=5, fps=8.0),
        latent=LatentConfig(channels=32),
        encoder=EncoderConfig(channels=(32, 64, 112), blocks_per_stage=1, blocks_last_stage=2),
        prior=PriorConfig(width=160, num_blocks=3, head_channels=_HEAD),
        base=BaseConfig(widths=(192, 224), num_blocks=(4, 2), head_channels=_HEAD, dropout=0.0),
        decoder=DecoderConfig(
            channels=(40, 80), blocks_per_stage=1, width=160, num_blocks=3, head_channels=_HEAD, dropout=0.0
        ),
        decoder_loss=DecoderLossConfig(loss_factor=4.0),
        conditioning=_text(MOVING_WORDS, 24),
    )


def motion_64() -> ModelConfig:
    """Clips of 16 frames of 64x64 that may continue 5 frames: latents of 4x8x8, 8 frames per second."""
    return ModelConfig(
        name="Motion 64",
        image_px=64,
        video=VideoConfig(num_frames=16, temporal_downsampling=4, context_frames=5, fps=8.0),
        latent=LatentConfig(channels=16),
        encoder=EncoderConfig(channels=(32, 64, 96), blocks_per_stage=1, blocks_last_stage=1),
        prior=PriorConfig(width=160, num_blocks=3, head_channels=_HEAD),
        base=BaseConfig(widths=(160, 256), num_blocks=(4, 2), head_channels=_HEAD, dropout=0.0),
        decoder=DecoderConfig(
            channels=(32, 64), blocks_per_stage=1, width=192, num_blocks=3, head_channels=_HEAD, dropout=0.0
        ),
        decoder_loss=DecoderLossConfig(loss_factor=4.0),
        conditioning=_text(MOTION_WORDS, 40),
    )
