"""Ordinary codecs beside each sample at the sample's own bits per pixel, as rows of the journal and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from ul_engine.data.pixels import Uint8Array, pictures_from_array
from ul_engine.evaluation.catalogue import METRICS
from ul_engine.evaluation.reconstruction import Reconstructed
from ul_engine.metrics.codec_rates import Measure, compare
from ul_engine.metrics.codecs import available_codecs
from ul_engine.metrics.lpips import Lpips
from ul_engine.metrics.rate_distortion import Comparison, Distortion, RatePoint
from ul_engine.metrics.scores import score
from ul_engine.pipelines import Restorer
from ul_engine.requests import CodecName

OURS = "unified-latents"
LEAST_BITS_PER_PIXEL = 1e-9  # a bound of nothing or less: every codec answers with its floor


def usable_codecs() -> tuple[CodecName, ...]:
    """Codecs that work here."""
    return tuple(codec.name for codec in available_codecs() if codec.problem is None)


def missing_codecs() -> dict[str, str]:
    """The others, with what they lack."""
    return {codec.name: codec.problem for codec in available_codecs() if codec.problem is not None}


def codec_rows(
    batch: Reconstructed, restorer: Restorer, names: Sequence[CodecName], lpips: Lpips | None, device: torch.device
) -> list[dict[str, Any]]:
    """The column ``points`` per picture: ours (first decode, bits bound by `restorer`) and every codec's, by name.

    Pictures below 11 pixels a side have None.
    """
    side = min(batch.originals[0].shape[1:3])
    if side < METRICS["codecs"].min_px:
        return [{"points": None}] * len(batch.originals)
    measure = _measure(lpips if side >= METRICS["lpips"].min_px else None, device)
    rates = batch.bits[restorer].nats.double() / torch.tensor(2.0).double().log() / batch.num_pixels
    rows = []
    for original, decode, rate in zip(batch.originals, batch.decodes[0], rates.tolist(), strict=True):
        ours = RatePoint(max(rate, LEAST_BITS_PER_PIXEL), measure(original[0], decode[0]), f"bound by the {restorer}")
        found = compare("", original[0], ours, measure, names)
        rows.append({"points": {name: asdict(point) for name, point in ({OURS: ours} | dict(found.codecs)).items()}})
    return rows


def _measure(lpips: Lpips | None, device: torch.device) -> Measure:
    def measure(original: Uint8Array, decoded: Uint8Array) -> Distortion:
        pair = [pictures_from_array(array[None]).to(device) for array in (original, decoded)]
        return score(pair[0], pair[1], lpips=lpips)[0]

    return measure


def comparison_of(name: str, points: Mapping[str, Any]) -> Comparison:
    """One row's column ``points`` as the object that `ul_engine.metrics.rate_distortion` summarises."""
    found = {codec: _point(data) for codec, data in points.items()}
    return Comparison(name, found.pop(OURS), found)


def _point(data: Mapping[str, Any]) -> RatePoint:
    distortion = Distortion(**data["distortion"] | {"psnr_db": float(data["distortion"]["psnr_db"])})
    return RatePoint(data["bits_per_pixel"], distortion, data["setting"], data["is_floor"])
