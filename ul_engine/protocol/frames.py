"""The framing of messages on a byte stream. No torch."""

import struct
from typing import Annotated, BinaryIO

from pydantic import Field, TypeAdapter, ValidationError

from ul_engine.errors import EngineError
from ul_engine.protocol.commands import CancelJob, LoadModel, Ping, RunJob, Shutdown
from ul_engine.protocol.news import (
    CancelNoted,
    EngineReady,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobPreview,
    JobProgress,
    JobStarted,
    ModelFailed,
    ModelLoaded,
    ModelLoading,
    Pong,
)
from ul_engine.protocol.results import (
    BitMapResult,
    CodecCurveResult,
    CodecMissing,
    CodecResult,
    FileFigures,
    FileUnlike,
    ImageResult,
    LatentResult,
    OriginalResult,
    ReconstructionResult,
    SpreadResult,
)

HEADER = struct.Struct("<4sII")
MAGIC = b"ULP1"
MAX_JSON_BYTES = 16 * 2**20
MAX_PAYLOAD_BYTES = 2**30


class ProtocolError(EngineError):
    """The byte stream is not what this version of the protocol writes."""


Command = LoadModel | RunJob | CancelJob | Ping | Shutdown
Result = (
    ImageResult
    | OriginalResult
    | ReconstructionResult
    | SpreadResult
    | BitMapResult
    | LatentResult
    | CodecMissing
    | CodecResult
    | CodecCurveResult
    | FileFigures
    | FileUnlike
)
"""What a job makes, besides its progress."""
News = (
    EngineReady
    | Pong
    | ModelLoading
    | ModelLoaded
    | ModelFailed
    | JobStarted
    | JobProgress
    | JobPreview
    | Result
    | CancelNoted
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
