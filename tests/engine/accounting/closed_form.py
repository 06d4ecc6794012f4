"""Multiply-adds of every network written down from the configuration alone, without looking at any module."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ul_engine.config import ModelConfig

NOISE_FEATURES = 64


@dataclass
class Count:
    """Multiply-adds by kind."""

    linear: int = 0
    attention: int = 0
    convolution: int = 0

    def __iadd__(self, other: "Count") -> "Count":
        self.linear += other.linear
        self.attention += other.attention
        self.convolution += other.convolution
        return self

    def as_tuple(self) -> tuple[int, int, int]:
        return self.linear, self.attention, self.convolution


def _frames_at(config: ModelConfig, halvings: int, level: int) -> int:
    """Frames after `level` of `halvings` halvings of the picture: the last ones halve the frames as well."""
    time_halvings = int(math.log2(config.temporal_downsampling))
    return config.num_frames // 2 ** max(0, level - (halvings - time_halvings))


def _cells(config: ModelConfig) -> int:
    _, frames, height, width = config.latent_shape(config.image_px, config.image_px, config.num_frames)
    return frames * height * width


def _noise_level(width: int) -> int:
    return NOISE_FEATURES * width + width * width


def _blocks(count: int, num_tokens: int, width: int, context: tuple[int, int] = (0, 0)) -> Count:
    """Queries, keys, values and output (4 D^2), MLP of ratio 4 (8 D^2), scores and mixture (2 N D each key), keys and
    values of `context`, (tokens, width)."""
    extra, extra_width = context
    return Count(
        linear=count * (12 * num_tokens * width**2 + extra * 2 * width * extra_width),
        attention=count * 2 * num_tokens * (num_tokens + extra) * width,
    )


def encoder(config: ModelConfig) -> Count:
    channels, latent = config.encoder.channels, config.latent.channels
    halvings = len(channels) - 1
    side = config.image_px // config.patch_px
    count = Count(linear=config.image_channels * config.patch_px**2 * channels[0] * side**2 * config.num_frames)
    for level, width in enumerate(channels):
        places = (side >> level) ** 2
        frames = _frames_at(config, halvings, level)
        blocks = config.encoder.blocks_last_stage if level == halvings else config.encoder.blocks_per_stage
        count.convolution += blocks * 2 * 9 * width**2 * places * frames
        count.convolution += blocks * 3 * width**2 * places * frames if config.video else 0
        if level < halvings:
            after = _frames_at(config, halvings, level + 1)
            count.linear += 2 * width * width * places * after if after < frames else 0
            count.linear += 4 * width * channels[level + 1] * (places // 4) * after
    heads = 2 if config.encoder.variance == "learned" else 1
    count.linear += heads * channels[-1] * latent * _cells(config)
    return count


def prior(config: ModelConfig) -> Count:
    width, latent, tokens = config.prior.width, config.latent.channels, _cells(config)
    ends = 2 * latent * width * tokens + 2 * width * width
    count = Count(linear=ends + _noise_level(width) + 6 * width**2)
    count += _blocks(config.prior.num_blocks, tokens, width)
    return count


def decoder(config: ModelConfig) -> Count:
    channels, width, latent = config.decoder.channels, config.decoder.width, config.latent.channels
    tokens = _cells(config)
    count = Count()
    for stage in _decoder_stages(config):
        count += stage
    levels = 2 if config.training == "single-weighted" else 1
    count.linear += levels * _noise_level(width) + 6 * width**2 + latent * width * tokens
    count += _blocks(config.decoder.num_blocks, tokens, width)
    patches = (config.image_px // config.patch_px) ** 2 * config.num_frames
    count.linear += 2 * config.image_channels * config.patch_px**2 * channels[0] * patches
    return count


def _decoder_stages(config: ModelConfig) -> Iterator[Count]:
    channels, embedding = config.decoder.channels, config.decoder.width
    halvings, side = len(channels), config.image_px // config.patch_px
    for level, width in enumerate(channels):
        places = (side >> level) ** 2
        frames, after = _frames_at(config, halvings, level), _frames_at(config, halvings, level + 1)
        below = (*channels, embedding)[level + 1]
        blocks = 2 * config.decoder.blocks_per_stage  # down and up
        modulation = blocks * embedding * 2 * width * frames
        resampling = 2 * 4 * width * below * (places // 4) * after
        time = 2 * 2 * width * width * places * after if after < frames else 0
        latent = config.latent.channels * width * _cells(config)
        convolution = blocks * (2 * 9 + (3 if config.video else 0)) * width**2 * places * frames
        yield Count(linear=modulation + resampling + time + latent, convolution=convolution)


def base(config: ModelConfig) -> Count:
    (outer, inner), (outer_blocks, inner_blocks) = config.base.widths, config.base.num_blocks
    latent, target = config.latent.channels, _cells(config)
    cells_per_frame = target // (config.num_frames // config.temporal_downsampling)
    tokens = target + math.ceil(config.context_frames / config.temporal_downsampling) * cells_per_frame
    count = Count(linear=latent * outer * tokens + 2 * inner * outer + target * outer * latent)
    count.linear += _noise_level(inner) + 6 * inner * outer + 6 * inner * inner
    count.linear += 2 * outer * inner * tokens  # 4 outer x inner for each of tokens / 4, down and up
    text = config.conditioning.text
    context = (text.max_tokens, text.width) if text is not None else (0, 0)
    count += _blocks(outer_blocks, tokens, outer, context)
    count += _blocks(inner_blocks, tokens // 4, inner, context)
    if text is not None:
        count += _blocks(text.num_blocks, text.max_tokens, text.width)
        count.linear += text.width * inner
    return count


NETWORKS = {"encoder": encoder, "prior": prior, "decoder": decoder, "base": base}
