"""What a person can ask of the engine: the same objects for the window, the worker and the command line. No torch."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from ul_engine.requests.comparison import (
    ALL_CODECS,
    CodecName,
    CodecRequest,
    MeasureName,
    MeasureRequest,
    ReconstructRequest,
    RestorerName,
)
from ul_engine.requests.generation import (
    MAX_SEED,
    GenerateRequest,
    GridAxis,
    GridRequest,
    InterpolateRequest,
)
from ul_engine.requests.settings import (
    PRESETS,
    FrozenModel,
    GuidanceSettings,
    SamplerName,
    SamplerSettings,
    SamplingSettings,
    TilingSettings,
)

Request = GenerateRequest | ReconstructRequest | InterpolateRequest | GridRequest | CodecRequest | MeasureRequest
"""Anything a worker runs as a job."""

_REQUESTS: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])


def parse_request(data: dict[str, object]) -> Request:
    """The request that `data` (decoded JSON with its ``kind``) describes; raises pydantic's ValidationError.

    Data without a kind describe a generation.
    """
    return _REQUESTS.validate_python(data if "kind" in data else {**data, "kind": "generate"})


__all__ = [
    "ALL_CODECS",
    "MAX_SEED",
    "PRESETS",
    "CodecName",
    "CodecRequest",
    "FrozenModel",
    "GenerateRequest",
    "GridAxis",
    "GridRequest",
    "GuidanceSettings",
    "InterpolateRequest",
    "MeasureName",
    "MeasureRequest",
    "ReconstructRequest",
    "Request",
    "RestorerName",
    "SamplerName",
    "SamplerSettings",
    "SamplingSettings",
    "TilingSettings",
    "parse_request",
]
