"""A real engine worker as a child process, talked to with deadlines and without threads."""

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import pytest

from ul_engine import protocol

ROOT = Path(__file__).resolve().parents[2]
NewsT = TypeVar("NewsT", bound=protocol.Message)


class EngineProcess:
    """`with EngineProcess() as engine`: started, asked and stopped; what it wrote to standard error is kept."""

    def __init__(self, command: Sequence[str] = ("-m", "ul_engine.worker")) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self.process = subprocess.Popen(
            [sys.executable, *command, "--device", "cpu", "--threads", "1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=ROOT,
            bufsize=0,
        )
        self._buffer = b""
        self.ready: tuple[protocol.News, bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout, self._errors):
            assert stream is not None
            stream.close()

    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def send(self, command: protocol.Command) -> None:
        self.write(protocol.encode_frame(command))

    def close_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _take(self, count: int, deadline: float) -> bytes:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        while len(self._buffer) < count:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(descriptor, 2**16) if ready else b""
            if not chunk:
                pytest.fail(f"{'the engine ended' if ready else 'no answer'}\n{self.errors()}")
            self._buffer += chunk
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def receive(self, *, timeout_s: float = 60.0) -> tuple[protocol.News, bytes]:
        """The next message and its payload."""
        deadline = time.monotonic() + timeout_s
        json_bytes, payload_bytes = protocol.decode_header(self._take(protocol.HEADER.size, deadline))
        return protocol.decode_news(self._take(json_bytes, deadline)), self._take(payload_bytes, deadline)

    def until(self, *kinds: type[protocol.Message], timeout_s: float = 60.0) -> list[tuple[protocol.News, bytes]]:
        """Messages up to and with the first of these kinds."""
        received = []
        while not received or not isinstance(received[-1][0], kinds):
            received.append(self.receive(timeout_s=timeout_s))
        return received

    def run(self, command: protocol.RunJob) -> list[tuple[protocol.News, bytes]]:
        """All messages of one job, to its end."""
        self.send(command)
        return self.until(protocol.JobFinished, protocol.JobFailed, protocol.JobCancelled)
