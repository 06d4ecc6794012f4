"""Messages between a program and its engine worker, and their framing on a byte stream. No torch.

One frame is a 12-byte header (magic ``ULP1``, uint32 length of the JSON part, uint32 length of the payload, little
endian), the JSON of one message, and an optional payload: the bytes of uint8 pictures ``[N, H, W, 3]``, whose shape
the message states, or what the message's docstring says. The program writes commands to the worker's standard input
and reads news from its standard output; the worker ends when its input ends.
"""

from ul_engine.protocol.commands import CancelJob, LoadModel, Ping, RunJob, Shutdown
from ul_engine.protocol.frames import (
    HEADER,
    MAGIC,
    MAX_JSON_BYTES,
    MAX_PAYLOAD_BYTES,
    Command,
    News,
    ProtocolError,
    Result,
    decode_command,
    decode_header,
    decode_news,
    encode_frame,
    read_frame,
)
from ul_engine.protocol.message import Message
from ul_engine.protocol.news import (
    PROTOCOL_VERSION,
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
    CodecPoint,
    CodecResult,
    Figures,
    ImageResult,
    LatentResult,
    OriginalResult,
    ReconstructionResult,
    SpreadResult,
)

__all__ = [
    "HEADER",
    "MAGIC",
    "MAX_JSON_BYTES",
    "MAX_PAYLOAD_BYTES",
    "PROTOCOL_VERSION",
    "BitMapResult",
    "CancelJob",
    "CancelNoted",
    "CodecCurveResult",
    "CodecMissing",
    "CodecPoint",
    "CodecResult",
    "Command",
    "EngineReady",
    "Figures",
    "ImageResult",
    "JobCancelled",
    "JobFailed",
    "JobFinished",
    "JobPreview",
    "JobProgress",
    "JobStarted",
    "LatentResult",
    "LoadModel",
    "Message",
    "ModelFailed",
    "ModelLoaded",
    "ModelLoading",
    "News",
    "OriginalResult",
    "Ping",
    "Pong",
    "ProtocolError",
    "ReconstructionResult",
    "Result",
    "RunJob",
    "Shutdown",
    "SpreadResult",
    "decode_command",
    "decode_header",
    "decode_news",
    "encode_frame",
    "read_frame",
]
