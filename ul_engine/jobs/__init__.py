"""Requests carried out: a loaded model, one request, and news of what happens while it runs.

The worker and the command line both run their requests through here.
"""

from ul_engine.jobs.codecs import run_codecs
from ul_engine.jobs.context import JobContext, Send, Workbench
from ul_engine.jobs.figures import measures_of
from ul_engine.jobs.generate import run_generate
from ul_engine.jobs.inputs import open_frames
from ul_engine.jobs.interpolate import run_grid, run_interpolate
from ul_engine.jobs.measure import run_measure
from ul_engine.jobs.reconstruct import (
    Reconstruction,
    StudiedInput,
    reconstructions,
    rungs_of_one,
    studied_inputs,
)
from ul_engine.jobs.reconstruct_news import run_reconstruct
from ul_engine.model_folder import Manifest
from ul_engine.pipelines import Pipeline
from ul_engine.requests import (
    CodecRequest,
    GenerateRequest,
    GridRequest,
    InterpolateRequest,
    MeasureRequest,
    ReconstructRequest,
)

__all__ = [
    "JobContext",
    "ModelRequest",
    "Reconstruction",
    "Send",
    "StudiedInput",
    "Workbench",
    "measures_of",
    "open_frames",
    "reconstructions",
    "run",
    "run_codecs",
    "run_generate",
    "run_grid",
    "run_interpolate",
    "run_measure",
    "run_reconstruct",
    "run_without_model",
    "rungs_of_one",
    "studied_inputs",
]

ModelRequest = GenerateRequest | ReconstructRequest | InterpolateRequest | GridRequest


def run(pipeline: Pipeline, manifest: Manifest, request: ModelRequest, context: JobContext) -> None:
    """Carry out any request that takes a model; `run_without_model` is for the others. Raises Cancelled,
    EngineError."""
    if isinstance(request, GenerateRequest):
        run_generate(pipeline, manifest, request, context)
    elif isinstance(request, InterpolateRequest):
        run_interpolate(pipeline, manifest, request, context)
    elif isinstance(request, GridRequest):
        run_grid(pipeline, manifest, request, context)
    else:
        run_reconstruct(pipeline, manifest, request, context)


def run_without_model(request: CodecRequest | MeasureRequest, context: JobContext) -> None:
    """Carry out a request that takes no model. Raises Cancelled, EngineError."""
    if isinstance(request, CodecRequest):
        run_codecs(request, context)
    else:
        run_measure(request, context)
