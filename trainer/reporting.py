"""Everything a run says while it trains: events, status with its heartbeat, TensorBoard, console."""

import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from io import FileIO
from typing import Any

from trainer.events import EventWriter, TensorBoard, open_for_lines, write_line
from trainer.protocol import RunState, RunStatus
from trainer.ranks import Ranks
from trainer.run_dir import RunDir
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import OutputError

HEARTBEAT_S = 5.0


class Reporter:
    """The voice of one rank. Only rank 0 writes status, TensorBoard and console; every rank writes its events."""

    def __init__(self, run: RunDir, ranks: Ranks, num_steps: int) -> None:
        self._run = run
        self._ranks = ranks
        self._events = EventWriter(run.events_of(ranks.rank))
        self._console: FileIO | None = _console_beside(run) if ranks.is_main else None
        self._board: TensorBoard | None = None
        self._status = RunStatus(state="running", step=0, num_steps=num_steps, num_ranks=ranks.size)
        self._began = time.time()
        self._lock = threading.Lock()
        self._is_ended = threading.Event()
        self._is_failure_told = False
        self._heart: threading.Thread | None = None

    def begin(self, step: int) -> None:
        """Say that the run is at `step` and alive, from now on by itself every few seconds."""
        self.status("running", step)
        if self._ranks.is_main:
            self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            self._heart.start()

    def begin_steps(self, step: int) -> None:
        """Say that steps go on from `step`."""
        self.status("running", step)
        if self._ranks.is_main:
            self._board = TensorBoard(self._run.tensorboard, purge_step=step + 1)

    def _beat(self) -> None:
        while not self._is_ended.wait(HEARTBEAT_S):
            try:
                with self._lock:
                    if not self._is_ended.is_set() and not self._has_failed_elsewhere():
                        self._run.write_status(self._status, is_durable=False)
            except OutputError as error:  # a full disk must not end the run; its next save will say so
                print(f"heartbeat: {error}", file=sys.stderr, flush=True)

    def status(self, state: RunState, step: int, *, reason: str = "", advice: tuple[str, ...] = ()) -> None:
        """Replace the status. Raises OutputError."""
        if not self._ranks.is_main:
            return
        with self._lock:
            changes = {"state": state, "step": step, "reason": reason, "advice": advice}
            self._status = self._status.model_copy(update=changes)
            self._run.write_status(self._status, is_durable=state != "running")

    def failed(self, step: int, reason: str, *, can_retry: bool, advice: tuple[str, ...] = ()) -> None:
        """Say why this rank fails, and then perhaps what helps. Any rank may speak here: the others may be gone or wait
        for it. A reason that another rank gave before stays: what follows from it is not worth telling.

        Raises nothing: where the disk refuses, that is printed, and the failure itself is what goes on.
        """
        changes = {"state": "failed", "step": step, "reason": reason, "advice": advice, "can_retry": can_retry}
        try:
            with self._lock:
                self._is_ended.set()
                if not self._has_failed_elsewhere():
                    self._run.write_status(self._status.model_copy(update=changes))
            if not self._is_failure_told:
                self._is_failure_told = True
                self.event("run_failed", step, reason=reason)
        except OutputError as error:
            print(f"the failure could not be written down: {error}", file=sys.stderr, flush=True)

    def _has_failed_elsewhere(self) -> bool:
        """Whether another rank has given the reason for which all of them end."""
        if self._ranks.size == 1:
            return False
        there = self._run.read_status()
        if there is None or there.state != "failed" or there.heartbeat < self._began:
            return False
        return (there.host, there.pid) != (socket.gethostname(), os.getpid())

    def event(self, kind: str, step: int, /, **values: Any) -> None:
        """Append an event of this rank."""
        self._events.write(kind, step, **values)

    def numbers(self, group: str, step: int, figures: Mapping[str, Any]) -> None:
        """Figures for TensorBoard."""
        if self._board is not None:
            self._board.numbers(group, step, figures)

    def picture(self, name: str, step: int, picture: Uint8Array) -> None:
        """A picture for TensorBoard."""
        if self._board is not None:
            self._board.picture(name, step, picture)

    def line(self, text: str) -> None:
        """A line for people who look at the terminal, and into ``console.log``."""
        if not self._ranks.is_main:
            return
        print(text, flush=True)
        if self._console is not None:
            write_line(self._console, text, self._run.console)

    def close(self) -> None:
        """End the heartbeat and close all files; the last status stays."""
        self._is_ended.set()
        if self._heart is not None:
            self._heart.join()
        if self._board is not None:
            self._board.close()
        if self._console is not None:
            self._console.close()
        self._events.close()


def _console_beside(run: RunDir) -> FileIO | None:
    """``console.log``, opened for appending; None where standard output goes there already."""
    stream = open_for_lines(run.console)
    try:
        if sys.stdout.fileno() >= 0 and _is_same_file(sys.stdout.fileno(), stream.fileno()):
            stream.close()
            return None
    except (OSError, ValueError):  # a captured standard output has no number
        pass
    return stream


def _is_same_file(first: int, second: int) -> bool:
    return os.path.samestat(os.fstat(first), os.fstat(second))
