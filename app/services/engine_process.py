"""One life of the engine's worker process: its start, its messages, its end and what the end means in words."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import ul_engine
from app.services.child_lines import lines_of
from ul_engine.protocol import HEADER, Command, News, ProtocolError, decode_header, decode_news, encode_frame

STDERR_LINES = 60
_BUFFER_BYTES = 4 * 2**20
if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _CREATION_FLAGS = 0


@dataclass(frozen=True)
class EngineEnd:
    """How a worker process ended."""

    words: str
    """Reads on after "the engine stopped", for example "killed by signal 9 (SIGKILL)"."""
    stderr_tail: tuple[str, ...] = ()


class EngineProcess:
    """A running worker, the leader of its own process group."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self._stderr_task = asyncio.get_running_loop().create_task(self._collect_stderr())

    @classmethod
    async def start(cls, command: Sequence[str]) -> "EngineProcess":
        """Start the worker. Raises OSError if that is impossible."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            limit=_BUFFER_BYTES,
            env=child_environment(os.environ),
            start_new_session=sys.platform != "win32",
            creationflags=_CREATION_FLAGS,
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its group."""
        return self._process.pid

    @property
    def stderr_tail(self) -> tuple[str, ...]:
        """The last lines the worker wrote to its standard error."""
        return tuple(self._stderr)

    def send(self, command: Command) -> None:
        """Write a command; one sent to a worker that is already gone is lost, and its death is on the way."""
        stdin = self._process.stdin
        if stdin is not None and not stdin.is_closing():
            with suppress(ConnectionError, RuntimeError):
                stdin.write(encode_frame(command))

    async def frames(self) -> AsyncIterator[tuple[News, bytes]]:
        """Messages with their payloads until the stream ends. Raises ProtocolError for anything else in the stream."""
        stream = self._process.stdout
        assert stream is not None
        while header := await _read(stream, HEADER.size):
            json_bytes, payload_bytes = decode_header(header)
            text = await _read(stream, json_bytes)
            payload = await _read(stream, payload_bytes) if payload_bytes else b""
            if len(text) < json_bytes or len(payload) < payload_bytes:
                raise ProtocolError("the stream ended inside a message")
            yield decode_news(text), payload

    async def end(self, *, grace_s: float) -> EngineEnd:
        """Wait for the process to end by itself, then make it: terminate its group, then kill it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        for deed in (self.terminate, self.kill):
            if await self._ended_within(grace_s):
                break
            deed()
        code = await self._process.wait()
        self.kill()  # whatever the worker left behind in its group
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._stderr_task, grace_s)
        return EngineEnd(exit_words(code), self.stderr_tail)

    def terminate(self) -> None:
        """Ask the whole group to end."""
        self._signal_group(signal.SIGTERM)

    def kill(self) -> None:
        """End the whole group, now."""
        self._signal_group(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    async def _ended_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                if self._process.returncode is None:
                    self._process.send_signal(number)
            else:
                os.killpg(self._process.pid, number)

    async def _collect_stderr(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        async for line in lines_of(stream):
            self._stderr.append(line)


def exit_words(code: int) -> str:
    """What an exit code means, to be read after "the engine stopped: "."""
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    hint = {9: "; often the computer ran out of memory", 11: "; a fault in a library or driver"}.get(-code, "")
    return f"killed by signal {-code} ({name}){hint}"


async def _read(stream: asyncio.StreamReader, size: int) -> bytes:
    """`size` bytes, or fewer at the end of the stream."""
    try:
        return await stream.readexactly(size)
    except asyncio.IncompleteReadError as error:
        return error.partial
    except ConnectionError:
        return b""


def child_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """A child must find the same `ul_engine` as this program, wherever it was started from, and count GPUs as the
    driver does, so that cuda:1 is the card that the window calls so."""
    packages = str(Path(ul_engine.__file__ or "").resolve().parent.parent)
    path = [packages, *filter(None, [outer.get("PYTHONPATH")])]
    order = outer.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    return {**outer, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1", "CUDA_DEVICE_ORDER": order}
