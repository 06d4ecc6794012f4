"""Codecs at a wanted number of bits per pixel, whole rate-distortion curves of them, and ours beside them."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from ul_engine.errors import ConfigError
from ul_engine.metrics.codecs import (
    EncodedPicture,
    Picture,
    Subsampling,
    available_codecs,
    check_picture,
    encode,
    usable_codec,
)
from ul_engine.metrics.rate_distortion import Comparison, Distortion, RatePoint
from ul_engine.requests import CodecName

Measure = Callable[[Picture, Picture], Distortion]
"""Original and decoded pixels to their measures. Pixels become tensors in `ul_engine.data.pixels` only, so it is handed
in: `lambda a, b: score(pictures_from_array(a[None]), pictures_from_array(b[None]))[0]`."""


def encode_at_bits(
    name: CodecName, picture: Picture, bits_per_pixel: float, *, observe: Callable[[], None] = lambda: None
) -> EncodedPicture:
    """The best a codec does with at most so many bits per pixel; its smallest file, marked as floor, if it needs more.

    For each subsampling of colour the codec is used with, quality is bisected for the largest file within the bits; of
    these the one nearer to the original (squared error) is kept. About 7 encodings for each, 10 for WebP. Raises as
    `encode` does, and ConfigError unless `bits_per_pixel` is above 0. `observe` is called before each encoding; it may
    raise Cancelled.
    """
    codec = usable_codec(name)
    check_picture(picture)
    if not bits_per_pixel > 0:
        raise ConfigError(f"must be above 0, got {bits_per_pixel}", field="bits_per_pixel")
    num_bytes = int(bits_per_pixel * picture[..., 0].size / 8)
    found = [_within(name, picture, num_bytes, subsampling, observe=observe) for subsampling in codec.subsamplings]
    fitting = [each for each in found if not each.is_floor]
    if fitting:
        return min(fitting, key=lambda each: _squared_error(picture, each.decoded))
    return min(found, key=lambda each: each.num_bytes)


def codec_curve(
    name: CodecName, picture: Picture, measure: Measure, qualities: Sequence[float] | None = None
) -> list[RatePoint]:
    """A codec's rate-distortion curve on one picture; None takes the codec's ladder, which begins at its worst.

    Colour is 4:2:0 wherever the codec has it, so that rungs are alike over pictures (see `mean_curve`).
    """
    rungs = [encode(name, picture, quality) for quality in qualities or usable_codec(name).ladder]
    return [rate_point(encoded, measure(picture, encoded.decoded)) for encoded in rungs]


def compare(
    title: str, picture: Picture, ours: RatePoint, measure: Measure, names: Sequence[CodecName] | None = None
) -> Comparison:
    """Our point of a picture beside every codec at the same bits per pixel; `names` None takes all usable codecs."""
    if names is None:
        names = [codec.name for codec in available_codecs() if codec.problem is None]
    found = {name: encode_at_bits(name, picture, ours.bits_per_pixel) for name in names}
    points: dict[str, RatePoint] = {
        name: rate_point(encoded, measure(picture, encoded.decoded)) for name, encoded in found.items()
    }
    return Comparison(title, ours, points)


def rate_point(encoded: EncodedPicture, distortion: Distortion) -> RatePoint:
    """An encoded picture and its measures as a point of a chart."""
    return RatePoint(encoded.bits_per_pixel, distortion, encoded.setting, encoded.is_floor)


def _within(
    name: CodecName, picture: Picture, num_bytes: int, subsampling: Subsampling, *, observe: Callable[[], None]
) -> EncodedPicture:
    """The largest file of at most `num_bytes`, or the one of the worst quality, marked as floor.

    File size grows with quality, nearly always; where it does not, the one found still fits.
    """

    @cache
    def encoded(quality: float) -> EncodedPicture:
        observe()
        return encode(name, picture, quality, subsampling=subsampling)

    qualities = usable_codec(name).qualities
    num_fitting = bisect_right(qualities, num_bytes, key=lambda quality: encoded(quality).num_bytes)
    best = encoded(qualities[max(num_fitting - 1, 0)])
    return replace(best, is_floor=num_fitting == 0)


def _squared_error(picture: Picture, decoded: Picture) -> float:
    return float(np.square(picture.astype(np.float32) - decoded).mean(dtype=np.float64))
