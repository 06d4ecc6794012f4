"""Fixed shapes to compare machines and versions by. No torch."""

from ul_engine.config import BaseConfig, DecoderConfig, EncoderConfig, LatentConfig, ModelConfig, PriorConfig
from ul_engine.requests import FrozenModel


class Shapes(FrozenModel):
    """A configuration with the batch, threads and arithmetic it is timed with."""

    config: ModelConfig
    batch_size: int
    num_threads: int
    precision: str


def _s64() -> Shapes:
    """Small networks on 64-pixel pictures with a latent of 16x8x8, in float32 on one thread."""
    config = ModelConfig(
        name="S64",
        image_px=64,
        latent=LatentConfig(channels=16),
        encoder=EncoderConfig(channels=(32, 64, 128)),
        prior=PriorConfig(width=256, num_blocks=4),
        base=BaseConfig(widths=(128, 256), num_blocks=(2, 4)),
        decoder=DecoderConfig(channels=(32, 64), width=256, num_blocks=4),
    )
    return Shapes(config=config, batch_size=8, num_threads=1, precision="fp32")


SHAPES = {"S64": _s64()}
"""Never changed once published: a new set gets a new name."""
