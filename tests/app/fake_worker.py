"""A stand-in for the engine worker: speaks the real protocol on real pipes, but paints gradients instead of computing.

    python fake_worker.py MODE [KEY=VALUE ...]

Modes: normal, dies (in the middle of a job), garbage (on its output), never_ready, hangs (ignores cancelling),
oom, fails, instant_death, stubborn (ignores Shutdown and SIGTERM), old (another version of the protocol).
"""

import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # it runs as a script

from tests.app import fake_comparison
from ul_engine import protocol
from ul_engine.errors import Cancelled
from ul_engine.requests import (
    CodecRequest,
    GenerateRequest,
    GridRequest,
    InterpolateRequest,
    MeasureRequest,
    ReconstructRequest,
    Request,
)

STEPS_PER_PREVIEW = 2


class FakeWorker:
    """Reads commands in one thread, runs jobs in another, as the real one does."""

    def __init__(self, mode: str, options: dict[str, str]) -> None:
        self.mode = mode
        self.step_s = float(options.get("step_s", "0.002"))
        self.start_s = float(options.get("start_s", "0"))
        self.side = int(options.get("side", "16"))
        self.frames = int(options.get("frames", "1"))
        self.die_once = options.get("die_once", "")
        self.output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        self.lock = threading.Lock()
        self.jobs: queue.SimpleQueue[protocol.RunJob | None] = queue.SimpleQueue()
        self.cancelled: set[str] = set()

    def send(self, message: protocol.News, payload: bytes = b"") -> None:
        with self.lock:
            self.output.write(protocol.encode_frame(message, payload))
            self.output.flush()

    def run(self) -> int:
        print("fake worker: hello", file=sys.stderr, flush=True)
        if self.mode == "instant_death":
            print("fake worker: cannot find its brain", file=sys.stderr, flush=True)
            return 3
        if self.mode == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(self.start_s)
        if self.mode != "never_ready":
            self.send(self.ready())
        threading.Thread(target=self.work, daemon=True).start()
        while (frame := protocol.read_frame(sys.stdin.buffer)) is not None:
            if not self.handle(protocol.decode_command(frame[0])):
                return 0
        if self.mode == "stubborn":
            time.sleep(60)
        return 0

    def ready(self) -> protocol.EngineReady:
        return protocol.EngineReady(
            protocol_version=0 if self.mode == "old" else protocol.PROTOCOL_VERSION,
            pid=os.getpid(),
            device="cpu",
            device_name="Fake processor",
            num_threads=1,
            total_memory_bytes=24 * 2**30,
            startup_s=self.start_s,
        )

    def handle(self, command: protocol.Command) -> bool:
        match command:
            case protocol.Shutdown():
                return self.mode == "stubborn"
            case protocol.Ping():
                self.send(protocol.Pong(host_bytes=700 * 2**20, device_bytes=0))
            case protocol.CancelJob():
                self.cancelled.add(command.job_id)
                self.send(protocol.CancelNoted(job_id=command.job_id))
            case protocol.LoadModel():
                self.send(protocol.ModelLoading(path=command.path))
                self.send(protocol.ModelLoaded(path=command.path, seconds=0.0, num_parameters=1000))
            case protocol.RunJob():
                self.jobs.put(command)
        return True

    def work(self) -> None:
        while (job := self.jobs.get()) is not None:
            self.send(protocol.JobStarted(job_id=job.job_id))
            try:
                self.carry_out(job.job_id, job.request)
                self.send(protocol.JobFinished(job_id=job.job_id, elapsed_s=1.0))
            except Cancelled:
                self.send(protocol.JobCancelled(job_id=job.job_id))
            except RuntimeError as error:
                kind, _, message = str(error).partition(": ")
                details = "Traceback (most recent call last): made up"
                self.send(protocol.JobFailed(job_id=job.job_id, kind=kind, message=message, details=details))

    def carry_out(self, job_id: str, request: Request) -> None:
        match request:
            case GenerateRequest():
                self.make(job_id, request, [request.seed_of(index) for index in range(request.num_images)])
            case InterpolateRequest():
                self.make(job_id, request, [request.seed + index for index in range(request.num_steps)])
            case GridRequest():
                self.make(job_id, request.request, [cell.seed for cell in request.cells()])
            case ReconstructRequest():
                fake_comparison.reconstruct(self, job_id, request)
            case CodecRequest():
                fake_comparison.codecs(self, job_id, request)
            case MeasureRequest():
                fake_comparison.measure(self, job_id, request)

    def make(self, job_id: str, request: GenerateRequest | InterpolateRequest, seeds: list[int]) -> None:
        """One result per seed; clips where the fake is told to make clips of `frames` frames."""
        frames = getattr(request, "num_frames", None) or self.frames
        for first in range(0, len(seeds), request.batch_size):
            batch = seeds[first : first + request.batch_size]
            self.denoise(job_id, request, seeds, range(first, first + len(batch)))
            for index, seed in enumerate(batch, first):
                self.send(
                    protocol.ImageResult(
                        job_id=job_id,
                        index=index,
                        seed=seed,
                        shape=(frames, self.side, self.side, 3),
                        fps=8.0 if self.frames > 1 else None,
                        elapsed_s=0.1,
                    ),
                    b"".join(self.picture(seed + 10 * frame, 1.0) for frame in range(frames)),
                )

    def denoise(
        self, job_id: str, request: GenerateRequest | InterpolateRequest, seeds: list[int], batch: range
    ) -> None:
        sampling = request.sampling
        first, count = batch.start, len(batch)
        per_batch = sampling.base.num_steps + sampling.decoder.num_steps
        done = 0
        for phase, num_steps in (("base", sampling.base.num_steps), ("decoder", sampling.decoder.num_steps)):
            for step in range(1, num_steps + 1):
                time.sleep(self.step_s)
                done += 1
                self.misbehave(done)
                if job_id in self.cancelled and self.mode != "hangs":
                    raise Cancelled
                self.send(
                    protocol.JobProgress(
                        job_id=job_id,
                        phase=phase,
                        step=step,
                        num_steps=num_steps,
                        first_index=first,
                        batch_size=count,
                        fraction=(first + count * done / per_batch) / len(seeds),
                    )
                )
                if getattr(request, "preview", False) and step % STEPS_PER_PREVIEW == 0:
                    self.preview(job_id, seeds, batch, done / per_batch)

    def preview(self, job_id: str, seeds: list[int], batch: range, share: float) -> None:
        payload = b"".join(self.picture(seeds[index], share) for index in batch)
        shape = (len(batch), self.side, self.side, 3)
        self.send(protocol.JobPreview(job_id=job_id, first_index=batch.start, shape=shape), payload)

    def misbehave(self, done: int) -> None:
        if done != 4:
            return
        if self.mode == "dies" and not (self.die_once and os.path.exists(self.die_once)):
            if self.die_once:
                open(self.die_once, "w").close()
            print("fake worker: a fault in the fake driver", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mode == "garbage":
            self.output.write(b"Downloading shards: 100%\n")
            self.output.flush()
        if self.mode == "oom":
            raise RuntimeError("DeviceMemoryError: the device ran out of memory; make fewer pictures at once")
        if self.mode == "fails":
            raise RuntimeError("NumericsError: a sample is not finite at step 4 of the base model")

    def picture(self, seed: int, share: float) -> bytes:
        """A gradient whose colours depend on the seed; `share` 1 is the finished one."""
        side, level = self.side, 255 * share
        rows = bytearray()
        for y in range(side):
            for x in range(side):
                rows += bytes((int(level * x / side), int(level * y / side), (seed * 53) % 256))
        return bytes(rows)


def main() -> int:
    mode = sys.argv[1] if len(sys.argv) > 1 else "normal"
    options = dict(part.split("=", 1) for part in sys.argv[2:])
    return FakeWorker(mode, options).run()


if __name__ == "__main__":
    sys.exit(main())
