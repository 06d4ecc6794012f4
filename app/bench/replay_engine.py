"""A stand-in for the engine that answers at once, with plain pictures: what it measures is the window."""

import os
import sys

from ul_engine import protocol
from ul_engine.requests import GenerateRequest


def main() -> int:
    """Serve requests on the standard streams until they end."""
    side = int(sys.argv[1])
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")

    def send(message: protocol.News, payload: bytes = b"") -> None:
        output.write(protocol.encode_frame(message, payload))
        output.flush()

    send(
        protocol.EngineReady(
            protocol_version=protocol.PROTOCOL_VERSION,
            pid=os.getpid(),
            device="cpu",
            device_name="Replay",
            num_threads=1,
            total_memory_bytes=0,
            startup_s=0.0,
        )
    )
    while (frame := protocol.read_frame(sys.stdin.buffer)) is not None:
        command = protocol.decode_command(frame[0])
        if isinstance(command, protocol.Shutdown):
            break
        if isinstance(command, protocol.Ping):
            send(protocol.Pong(host_bytes=0, device_bytes=0))
        if isinstance(command, protocol.RunJob) and isinstance(command.request, GenerateRequest):
            _answer(send, command.job_id, command.request, side)
    return 0


def _answer(send: object, job_id: str, request: GenerateRequest, side: int) -> None:
    assert callable(send)
    send(protocol.JobStarted(job_id=job_id))
    for index in range(request.num_images):
        seed = request.seed_of(index)
        payload = bytes((seed * 53 % 256, seed * 97 % 256, seed * 31 % 256)) * (side * side)
        shape = (1, side, side, 3)
        send(protocol.ImageResult(job_id=job_id, index=index, seed=seed, shape=shape, elapsed_s=0.0), payload)
    send(protocol.JobFinished(job_id=job_id, elapsed_s=0.0))


if __name__ == "__main__":
    sys.exit(main())
