"""Requests carried out: a loaded model, one request, and news of what happens while it runs.

The worker and the command line both run their requests through here.
"""

from ul_engine.jobs.context import JobContext, Send
from ul_engine.jobs.generate import run_generate
from ul_engine.jobs.interpolate import run_grid, run_interpolate
from ul_engine.jobs.reconstruct import Reconstruction, open_frames, reconstructions, run_reconstruct
from ul_engine.model_folder import Manifest
from ul_engine.pipelines import Pipeline
from ul_engine.requests import GenerateRequest, GridRequest, InterpolateRequest, Request

__all__ = [
    "JobContext",
    "Reconstruction",
    "Send",
    "open_frames",
    "reconstructions",
    "run",
    "run_generate",
    "run_grid",
    "run_interpolate",
    "run_reconstruct",
]


def run(pipeline: Pipeline, manifest: Manifest, request: Request, context: JobContext) -> None:
    """Carry out any request. Raises Cancelled, EngineError."""
    if isinstance(request, GenerateRequest):
        run_generate(pipeline, manifest, request, context)
    elif isinstance(request, InterpolateRequest):
        run_interpolate(pipeline, manifest, request, context)
    elif isinstance(request, GridRequest):
        run_grid(pipeline, manifest, request, context)
    else:
        run_reconstruct(pipeline, manifest, request, context)
