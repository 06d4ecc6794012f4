"""Messages between a program and its engine worker, and their framing on a byte stream. No torch.

One frame is a 12-byte header (magic ``ULP1``, uint32 length of the JSON part, uint32 length of the payload, little
endian), the JSON of one message, and an optional payload: the bytes of uint8 pictures ``[N, H, W, 3]``, whose shape
the message states, or what the message's docstring says. The program writes commands to the worker's standard input
and reads news from its standard output; the worker ends when its input ends.
"""

import struct
from typing import Annotated, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ul_engine.errors import EngineError
from ul_engine.requests import Request

PROTOCOL_VERSION = 1
HEADER = struct.Struct("<4sII")
MAGIC = b"ULP1"
MAX_JSON_BYTES = 16 * 2**20
MAX_PAYLOAD_BYTES = 2**30


class ProtocolError(EngineError):
    """The byte stream is not what this version of the protocol writes."""


class Message(BaseModel):
    """Base of all messages."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")


# ---- commands: program -> worker ----------------------------------------------------------------------------------


class LoadModel(Message):
    """Read a model into memory ahead of its first use."""

    type: Literal["load_model"] = "load_model"
    path: str


class RunJob(Message):
    """Queue one request; jobs run one at a time in the order they came."""

    type: Literal["run_job"] = "run_job"
    job_id: str
    request: Annotated[Request, Field(discriminator="kind")]


class CancelJob(Message):
    """Stop a running job within one denoising step, or drop a queued one."""

    type: Literal["cancel_job"] = "cancel_job"
    job_id: str


class Ping(Message):
    """Ask for a `Pong`; answered also while a job runs."""

    type: Literal["ping"] = "ping"


class Shutdown(Message):
    """Cancel whatever runs and end the process."""

    type: Literal["shutdown"] = "shutdown"


# ---- news: worker -> program --------------------------------------------------------------------------------------


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
    phase: Literal["base", "decoder", "encoder", "bitrate"]
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


class ImageResult(Message):
    """One finished picture or clip of a generation; the payload is uint8 ``shape`` [T, H, W, 3]."""

    type: Literal["image_result"] = "image_result"
    job_id: str
    index: int
    seed: int
    shape: tuple[int, int, int, int]
    fps: float | None = Field(None, description="Frames per second of a clip; None for a picture.")
    elapsed_s: float = Field(description="Time since the job began.")


class ReconstructionResult(Message):
    """One reconstruction; the payload holds all frames of the original, then of the reconstruction, uint8 ``shape``
    [2 T, H, W, 3]."""

    type: Literal["reconstruction_result"] = "reconstruction_result"
    job_id: str
    input: str
    latent_logsnr: float
    decoder_logsnr: float | None = Field(None, description="Level the decoder started from; None: pure noise.")
    psnr_db: float
    ssim: float
    bits_per_pixel: float = Field(description="Upper bound on the information in z_0, not a file size.")
    bits_per_dim: float
    shape: tuple[int, int, int, int]


class SpreadResult(Message):
    """Several decodes of one latent; the payload is their mean, uint8 ``shape`` [T, H, W, 3], then their standard
    deviation in 8-bit levels, float32 [T, H, W]."""

    type: Literal["spread_result"] = "spread_result"
    job_id: str
    input: str
    latent_logsnr: float
    decoder_logsnr: float | None = None
    num_decodes: int
    mean_psnr_db: float = Field(description="PSNR of the mean; no less than what the decodes reach on average.")
    mean_deviation: float = Field(description="Root mean square of the deviation, in 8-bit levels.")
    shape: tuple[int, int, int, int]


class BitMapResult(Message):
    """Where the bits of one input went; the payload is bits per latent cell, float32 ``shape`` [T, h, w]."""

    type: Literal["bit_map_result"] = "bit_map_result"
    job_id: str
    input: str
    shape: tuple[int, int, int]
    bands: tuple[tuple[float, float, float], ...] = Field(description="(low, high, bits) per band of log-SNR, rising.")
    bits_per_pixel: float


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


Command = LoadModel | RunJob | CancelJob | Ping | Shutdown
News = (
    EngineReady
    | Pong
    | ModelLoading
    | ModelLoaded
    | ModelFailed
    | JobStarted
    | JobProgress
    | JobPreview
    | ImageResult
    | ReconstructionResult
    | SpreadResult
    | BitMapResult
    | JobFinished
    | JobCancelled
    | JobFailed
)

_COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])
_NEWS: TypeAdapter[News] = TypeAdapter(Annotated[News, Field(discriminator="type")])


def encode_frame(message: Command | News, payload: bytes | memoryview = b"") -> bytes:
    """The bytes of one frame: header, JSON, payload. Raises ProtocolError for more bytes than a reader takes."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ProtocolError(
            f"a result of {len(payload) / 2**20:.0f} MiB is more than the {MAX_PAYLOAD_BYTES // 2**20} MiB the window "
            "takes at once; ask for fewer frames or a smaller size"
        )
    text = message.model_dump_json().encode()
    return b"".join((HEADER.pack(MAGIC, len(text), len(payload)), text, payload))


def decode_header(header: bytes) -> tuple[int, int]:
    """Lengths in bytes of the JSON part and the payload; raises ProtocolError for anything that is no frame."""
    magic, json_bytes, payload_bytes = HEADER.unpack(header)
    if magic != MAGIC:
        raise ProtocolError("the stream holds something that is no message of the engine")
    if json_bytes > MAX_JSON_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
        raise ProtocolError(f"a message claims {json_bytes} + {payload_bytes} bytes, more than any message has")
    return json_bytes, payload_bytes


def decode_command(text: bytes) -> Command:
    """The command in the JSON part of a frame; raises ProtocolError."""
    try:
        return _COMMANDS.validate_json(text)
    except ValidationError as error:
        raise ProtocolError(f"unknown or malformed command: {error}") from error


def decode_news(text: bytes) -> News:
    """The news in the JSON part of a frame; raises ProtocolError."""
    try:
        return _NEWS.validate_json(text)
    except ValidationError as error:
        raise ProtocolError(f"unknown or malformed message from the engine: {error}") from error


def read_frame(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """JSON part and payload of the next frame of a blocking stream; None at its end.

    Raises ProtocolError when the stream ends inside a frame or holds something else.
    """
    header = stream.read(HEADER.size)
    if not header:
        return None
    if len(header) < HEADER.size:
        raise ProtocolError("the stream ended inside a message")
    json_bytes, payload_bytes = decode_header(header)
    text = stream.read(json_bytes)
    payload = stream.read(payload_bytes) if payload_bytes else b""
    if len(text) < json_bytes or len(payload) < payload_bytes:
        raise ProtocolError("the stream ended inside a message")
    return text, payload
