"""Trainer workers in a moment: a process that has loaded torch and the trainer, and forks one for each rank.

``python -m tests.helpers.nursery`` reads requests as JSON lines and answers each with one. `Nursery` is the other side.
A worker is what ``python -m trainer.worker RUN --device cpu`` is, only without the seconds of loading: real processes,
which can be killed, limited, and joined to ranks. The nursery itself never trains: a process that has cannot be forked.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PR_SET_PDEATHSIG = 1
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Worker:
    """A forked worker; `wait` gives its exit code, minus the signal where one ended it."""

    nursery: "Nursery"
    pid: int

    def poll(self) -> int | None:
        """Exit code; None while it runs."""
        code = self.nursery.ask({"poll": self.pid})["code"]
        return None if code is None else int(code)

    def wait(self, timeout_s: float = 60.0) -> int:
        deadline = time.monotonic() + timeout_s
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                os.kill(self.pid, 9)
                pytest.fail(f"the worker did not end within {timeout_s} s")
            time.sleep(0.005)
        return code

    def kill(self) -> None:
        """SIGKILL, and reap it."""
        os.kill(self.pid, 9)
        self.wait()


class Nursery:
    """Starts workers."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def start(
        self, run: Path, *, environment: Mapping[str, str] | None = None, limits: Mapping[str, int] | None = None
    ) -> Worker:
        """A worker on a run folder that holds its settings. `limits` in bytes are those of `resource`: DATA is what it
        may hold beyond what it holds at its start, FSIZE the size of a file."""
        request = {"run": str(run), "environment": dict(environment or {}), "limits": dict(limits or {})}
        return Worker(self, int(self.ask(request)["pid"]))

    def start_ranks(self, run: Path, size: int, *, environment: Mapping[str, str] | None = None) -> list[Worker]:
        """As many workers joined by gloo."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(size)}
        ranks = [{"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(size)]
        return [self.start(run, environment={**shared, **rank, **(environment or {})}) for rank in ranks]


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A running one."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.nursery"],
        cwd=ROOT,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"},  # tensors that are freed no longer count against DATA
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        yield Nursery(process)
        process.stdin.close()


def main() -> None:
    """Serve until standard input ends."""
    import torch
    import torch._dynamo
    import torch.distributed.fsdp
    import torch.utils.tensorboard.writer

    import trainer.train
    import trainer.worker  # noqa: F401 - loaded once, for all workers

    torch.set_num_threads(1)
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"pid": _fork(request)} if "run" in request else {"code": _poll(request["poll"])}
        print(json.dumps(answer), flush=True)


def _poll(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _fork(request: Mapping[str, Any]) -> int:
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no worker outlives the nursery
    code = 1
    try:
        code = _work(request)
    except BaseException:  # noqa: BLE001 - the end of a child: nothing may reach the parent's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _work(request: Mapping[str, Any]) -> int:
    import torch

    from trainer.worker import main as work

    console = os.open(Path(request["run"]) / "console.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (console, 1), (console, 2)):
        os.dup2(source, target)
    os.environ.update(request["environment"])
    if "DATA" in request["limits"]:
        # oneDNN keeps 256 KiB for each of hundreds of kernels; once the limit is hit, it makes none any more.
        torch.backends.mkldnn.set_flags(False)
    for name, limit in request["limits"].items():
        held = _held_bytes() if name == "DATA" else 0
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (held + limit, resource.RLIM_INFINITY))
    return work([request["run"], "--device", "cpu"])


def _held_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell what a process holds")


if __name__ == "__main__":
    main()
