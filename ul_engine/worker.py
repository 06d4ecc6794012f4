"""The engine as a child process: ``python -m ul_engine.worker``. Commands on standard input, news on standard output.

The main thread reads commands, so that cancelling is heard while a second thread computes. The process ends when its
input does, and on Linux also when its parent dies.
"""

import argparse
import ctypes
import os
import platform
import queue
import signal
import sys
import threading
import time
import traceback
from typing import BinaryIO

import psutil
import torch

from ul_engine import protocol
from ul_engine.devices import describe_device, pick_device, thread_count, used_device_bytes
from ul_engine.errors import Cancelled, EngineError
from ul_engine.jobs import JobContext, Workbench, run, run_without_model
from ul_engine.model_cache import ModelCache
from ul_engine.pipelines import natural_dtype, out_of_memory
from ul_engine.requests import CodecRequest, MeasureRequest

PR_SET_PDEATHSIG = 1
EXIT_GRACE_S = 2.0


class NewsWriter:
    """Writes frames to the output stream; safe to call from both threads."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: protocol.News, payload: bytes = b"") -> None:
        """Write one message at once. A closed pipe means the program is gone: so does this process."""
        frame = protocol.encode_frame(message, payload)
        with self._lock:
            try:
                self._stream.write(frame)
                self._stream.flush()
            except BrokenPipeError:
                os._exit(0)


class Worker:
    """Runs jobs one at a time; `handle` may be called while one runs."""

    def __init__(self, device: torch.device, writer: NewsWriter, *, dtype: torch.dtype) -> None:
        self.device = device
        self.writer = writer
        self.models = ModelCache(device, dtype)
        self.workbench = Workbench(device)
        self._queue: queue.SimpleQueue[protocol.Command | None] = queue.SimpleQueue()
        self._known: set[str] = set()
        self._cancelled: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="engine-jobs", daemon=True)

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def handle(self, command: protocol.Command) -> bool:
        """Take one command; False once the process should end."""
        match command:
            case protocol.Shutdown():
                return False
            case protocol.Ping():
                resident = psutil.Process().memory_info().rss
                self.writer.send(protocol.Pong(host_bytes=resident, device_bytes=used_device_bytes(self.device)))
            case protocol.CancelJob():
                if command.job_id in self._known:
                    self._cancelled.add(command.job_id)
                    self.writer.send(protocol.CancelNoted(job_id=command.job_id))
            case protocol.RunJob():
                self._known.add(command.job_id)
                self._queue.put(command)
            case _:
                self._queue.put(command)
        return True

    def stop(self) -> None:
        """Ask the running job to stop and wait a moment for it."""
        self._cancelled.add("*")
        self._queue.put(None)
        self._thread.join(EXIT_GRACE_S)

    def _is_cancelled(self, job_id: str) -> bool:
        return job_id in self._cancelled or "*" in self._cancelled

    def _work(self) -> None:
        while (command := self._queue.get()) is not None:
            match command:
                case protocol.LoadModel():
                    self._load(command.path)
                case protocol.RunJob():
                    self._run(command)
                    self._known.discard(command.job_id)
                    self._cancelled.discard(command.job_id)

    def _load(self, path: str) -> None:
        try:
            self._loaded(path)
        except EngineError as error:
            self.writer.send(protocol.ModelFailed(path=path, message=str(error)))
        except Exception as error:  # noqa: BLE001 - the request loop must outlive any one request
            memory = out_of_memory(error)
            message = str(memory) if memory is not None else f"unexpected failure: {error!r}"
            self.writer.send(protocol.ModelFailed(path=path, message=message))

    def _loaded(self, path: str) -> ModelCache.Entry:
        if path not in self.models:
            self.writer.send(protocol.ModelLoading(path=path))
        started = time.perf_counter()
        entry = self._read(path)
        if entry.is_new:
            self.writer.send(
                protocol.ModelLoaded(
                    path=path, seconds=time.perf_counter() - started, num_parameters=entry.num_parameters
                )
            )
        return entry

    def _read(self, path: str) -> ModelCache.Entry:
        """The model; where memory is short, after letting go of all that is kept of earlier jobs."""
        try:
            return self.models.get(path)
        except Exception as error:
            if out_of_memory(error) is None:
                raise
        self._let_go()
        try:
            return self.models.get(path)
        except Exception:
            self._let_go()
            raise

    def _let_go(self) -> None:
        """Give back the memory of the model and of what was kept of inputs."""
        self.workbench.shelf.clear()
        self.models.clear()

    def _run(self, command: protocol.RunJob) -> None:
        job_id = command.job_id
        if self._is_cancelled(job_id):
            self.writer.send(protocol.JobCancelled(job_id=job_id))
            return
        self.writer.send(protocol.JobStarted(job_id=job_id))
        context = JobContext(job_id, self.writer.send, lambda: self._is_cancelled(job_id), self.workbench)
        try:
            self._carry_out(command, context)
            self.writer.send(protocol.JobFinished(job_id=job_id, elapsed_s=context.elapsed_s()))
        except Cancelled:
            self.writer.send(protocol.JobCancelled(job_id=job_id))
        except Exception as error:  # noqa: BLE001 - the request loop must outlive any one request
            self._report_failure(job_id, error)

    def _carry_out(self, command: protocol.RunJob, context: JobContext) -> None:
        if isinstance(command.request, CodecRequest | MeasureRequest):
            run_without_model(command.request, context)
            return
        entry = self._loaded(command.request.model)
        run(entry.pipeline, entry.manifest, command.request, context)

    def _report_failure(self, job_id: str, error: Exception) -> None:
        memory = out_of_memory(error)
        known = memory or (error if isinstance(error, EngineError) else None)
        self.writer.send(
            protocol.JobFailed(
                job_id=job_id,
                kind=type(known).__name__ if known else "InternalError",
                message=str(known) if known else f"the engine met a fault of its own: {error!r}",
                details=traceback.format_exc(),
            )
        )
        if memory is not None:
            self._let_go()


def main(argv: list[str] | None = None) -> int:
    """Entry point of the child process."""
    started = time.perf_counter()
    parser = argparse.ArgumentParser(
        prog="ul_engine.worker", description="UL engine worker; speaks frames on its pipes."
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: all cores but one")
    arguments = parser.parse_args(argv)
    _die_with_parent()
    output = _private_output()
    device = pick_device(arguments.device)
    torch.set_num_threads(arguments.threads or thread_count())
    writer = NewsWriter(output)
    worker = Worker(device, writer, dtype=natural_dtype(device))
    worker.start()
    name, memory = describe_device(device)
    writer.send(
        protocol.EngineReady(
            pid=os.getpid(),
            device=str(device),
            device_name=name,
            num_threads=torch.get_num_threads(),
            total_memory_bytes=memory,
            startup_s=time.perf_counter() - started,
        )
    )
    _read_commands(worker)
    worker.stop()
    return 0


def _read_commands(worker: Worker) -> None:
    """Until the input ends or a Shutdown comes."""
    stream = sys.stdin.buffer
    while (frame := protocol.read_frame(stream)) is not None:
        try:
            command = protocol.decode_command(frame[0])
        except protocol.ProtocolError as error:
            print(f"a command was passed over: {error}", file=sys.stderr, flush=True)  # noqa: T201 - the worker's log
            continue
        if not worker.handle(command):
            return


def _private_output() -> BinaryIO:
    """Keep standard output for frames alone: whatever a library prints goes to standard error."""
    private = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if platform.system() == "Windows":
        import msvcrt

        msvcrt.setmode(private, os.O_BINARY)  # type: ignore[attr-defined]
        msvcrt.setmode(sys.stdin.fileno(), os.O_BINARY)  # type: ignore[attr-defined]
    return os.fdopen(private, "wb")


def _die_with_parent() -> None:
    """On Linux, ask the kernel for SIGKILL when the parent dies; elsewhere the end of the input must do."""
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
