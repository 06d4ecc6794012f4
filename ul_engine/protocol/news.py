"""News of the engine, its models and its jobs: worker -> program. No torch."""

from typing import Literal

from pydantic import Field

from ul_engine.protocol.message import Message

PROTOCOL_VERSION = 2


class EngineReady(Message):
    """First message: torch is imported and the device is known."""

    type: Literal["engine_ready"] = "engine_ready"
    protocol_version: int = PROTOCOL_VERSION
    pid: int
    device: str = Field(description="Torch name: cpu, cuda:0, mps.")
    device_name: str = Field(description="What a person calls it.")
    num_threads: int
    total_memory_bytes: int
    startup_s: float


class Pong(Message):
    """Answer to `Ping`, with the memory in use."""

    type: Literal["pong"] = "pong"
    host_bytes: int = Field(description="Resident memory of the worker.")
    device_bytes: int = Field(description="Memory in use on the device; 0 on a CPU.")


class ModelLoading(Message):
    """A model is being read."""

    type: Literal["model_loading"] = "model_loading"
    path: str


class ModelLoaded(Message):
    """A model is in memory."""

    type: Literal["model_loaded"] = "model_loaded"
    path: str
    seconds: float
    num_parameters: int


class ModelFailed(Message):
    """A model could not be read (outside any job)."""

    type: Literal["model_failed"] = "model_failed"
    path: str
    message: str


class JobStarted(Message):
    """The worker acknowledged a job and begins it now."""

    type: Literal["job_started"] = "job_started"
    job_id: str


class JobProgress(Message):
    """One denoising step (or file) is done. Fractions rise over the whole job."""

    type: Literal["job_progress"] = "job_progress"
    job_id: str
    phase: Literal["base", "decoder", "encoder", "bitrate", "measures", "codecs"]
    step: int = Field(description="Steps done in this phase of this batch.")
    num_steps: int
    first_index: int = Field(description="Index of the first picture of the running batch.")
    batch_size: int
    fraction: float = Field(description="Share of the whole job that is done, 0 to 1.")


class JobPreview(Message):
    """Clean estimate of the pictures in work; the payload is uint8 ``shape`` [N, H, W, 3]."""

    type: Literal["job_preview"] = "job_preview"
    job_id: str
    first_index: int
    shape: tuple[int, int, int, int]


class CancelNoted(Message):
    """The worker heard that a job is to stop, sent at once, also while it computes; `JobCancelled` follows when it has
    stopped (or `JobFinished`, where it was just done)."""

    type: Literal["cancel_noted"] = "cancel_noted"
    job_id: str


class JobFinished(Message):
    """All results of a job were sent."""

    type: Literal["job_finished"] = "job_finished"
    job_id: str
    elapsed_s: float


class JobCancelled(Message):
    """A job ended because it was cancelled; results sent before stay valid."""

    type: Literal["job_cancelled"] = "job_cancelled"
    job_id: str


class JobFailed(Message):
    """A job ended with an error."""

    type: Literal["job_failed"] = "job_failed"
    job_id: str
    kind: str = Field(description="Class name of the error, such as CheckpointError or DeviceMemoryError.")
    message: str = Field(description="What happened, where, and what to do, in plain words.")
    details: str = Field("", description="Traceback for a report; never shown unasked.")
