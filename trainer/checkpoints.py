"""Checkpoints of a run: written beside the training, published in one rename, thinned out, restored exactly.

A checkpoint is a folder ``step-N`` of `torch.distributed.checkpoint`, which any number of ranks can read, and
``checkpoint.json`` (`sealing`): the numbers beside the tensors, and what shows a file that was cut or damaged.
"""

import math
import pickle
import shutil
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from torch import distributed as dist
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import async_save

from trainer.ranks import Ranks
from trainer.run_dir import CHECKPOINT_NAME, RunDir, checkpoint_step, read_json, require_free_space, write_json
from trainer.sealing import damage, seal
from trainer.states import TrainingState
from ul_engine.errors import CheckpointError, OutputError

Report = Callable[..., None]
"""Called with an event's type, step and values."""
BEST_NAME = "best.json"


@dataclass(frozen=True)
class Retention:
    """Which checkpoints stay beside those that are pinned: the newest `keep`, the best if `keep_best`, and multiples
    of `milestone_every` (0: none)."""

    keep: int
    keep_best: bool
    milestone_every: int


@dataclass
class _Pending:
    step: int
    folder: Path
    future: Future[int]
    started: float


class Checkpoints:
    """Saves the state of all ranks in the background, one checkpoint at a time, and restores the newest whole one."""

    def __init__(
        self,
        run: RunDir,
        state: TrainingState,
        ranks: Ranks,
        retention: Retention,
        *,
        report: Report,
        say: Callable[[str], None],
    ) -> None:
        self._run = run
        self._state = state
        self._ranks = ranks
        self._retention = retention
        self._report = report
        self._say = say
        self._pending: _Pending | None = None
        self._saved_step: int | None = None
        self.has_restored = False

    def save(self, step: int, *, is_awaited: bool = False) -> None:
        """Begin to write the state after `step` steps: copied at once, written while training goes on. `is_awaited`
        returns only when it is on the disk. Raises OutputError, also for a former save that failed; nothing is lost."""
        self.finish()
        if step == self._saved_step:
            return
        self._saved_step = step
        tensors = self._state.tensors()
        folder = self._run.checkpoints / f".step-{step}.tmp"
        self._prepare(folder, tensors)
        _expect_single_process()
        future = async_save(
            tensors,
            storage_writer=FileSystemWriter(folder, sync_files=True, overwrite=True),
            process_group=self._ranks.saving,
            no_dist=not self._ranks.is_group,
        )
        numbers = {
            "step": step,
            "ema_updates": self._state.ema.num_updates,
            "skipped": list(self._state.skipped),
            "num_ranks": self._ranks.size,
        }
        assert isinstance(future, Future)
        sealed = _afterwards(future, lambda: seal(folder, numbers) if self._ranks.is_main else 0)
        self._pending = _Pending(step, folder, sealed, time.perf_counter())
        if is_awaited:
            self.finish()

    def _prepare(self, folder: Path, tensors: dict[str, Any]) -> None:
        """An empty folder on a disk with room for all ranks' tensors."""
        if self._ranks.is_main:
            for old in self._run.checkpoints.glob(".step-*.tmp"):
                shutil.rmtree(old, ignore_errors=True)
            require_free_space(self._run.checkpoints, _num_bytes(tensors))
            try:
                folder.mkdir()
            except OSError as error:
                raise OutputError(f"cannot be created ({error.strerror})", path=folder) from error
        self._ranks.barrier()

    def publish_if_done(self) -> None:
        """Give a checkpoint that has been written its name; to be called now and then."""
        if self._pending is not None and self._pending.future.done():
            self.finish()

    def finish(self) -> None:
        """Wait for the checkpoint in the making and give it its name. Raises OutputError where the disk refused."""
        if self._pending is None:
            return
        pending, self._pending = self._pending, None
        try:
            num_bytes = pending.future.result()
            if self._ranks.is_main:
                self._publish(pending, num_bytes)
        except (OSError, RuntimeError, CheckpointException) as error:
            shutil.rmtree(pending.folder, ignore_errors=True)
            raise OutputError(
                f"the checkpoint of step {pending.step} could not be written ({_cause(error)}); the one before it is "
                "whole. Free some space, then start the run again",
                path=self._run.checkpoints,
            ) from error

    def _publish(self, pending: _Pending, num_bytes: int) -> None:
        target = self._run.checkpoint_folder(pending.step)
        if target.exists():
            shutil.rmtree(target)
        pending.folder.rename(target)
        self._thin_out()
        seconds = time.perf_counter() - pending.started
        self._report("checkpoint", pending.step, name=target.name, num_bytes=num_bytes, seconds=seconds)

    def note_score(self, step: int, score: float) -> bool:
        """Remember how good the state after `step` steps is (more is better); whether it is the best so far. Its
        checkpoint, if one is made, then stays."""
        if not math.isfinite(score):
            return False
        scores = self._scores()
        scores[str(step)] = score
        write_json(self._run.checkpoints / BEST_NAME, scores)
        return score >= max(scores.values())

    def _scores(self) -> dict[str, float]:
        path = self._run.checkpoints / BEST_NAME
        return dict(read_json(path)) if path.exists() else {}

    def _thin_out(self) -> None:
        folders = self._run.checkpoint_folders()
        steps = [checkpoint_step(folder) for folder in folders]
        kept = set(steps[-self._retention.keep :]) | self._run.pinned_steps()
        if self._retention.milestone_every:
            kept |= {step for step in steps if step % self._retention.milestone_every == 0}
        if self._retention.keep_best:
            known = {step: score for step in steps if (score := self._scores().get(str(step))) is not None}
            kept |= {max(known, key=lambda step: known[step])} if known else set()
        for folder, step in zip(folders, steps, strict=True):
            if step not in kept:
                (folder / CHECKPOINT_NAME).unlink()  # first, so that a half-removed one is never taken for whole
                shutil.rmtree(folder, ignore_errors=True)

    def restore_step(self, step: int) -> None:
        """Load the checkpoint after `step` steps. Raises CheckpointError that lists those there are."""
        folder = self._run.checkpoint_folder(step)
        known = [checkpoint_step(each) for each in self._run.checkpoint_folders()]
        problem = damage(folder) or self._load(folder) if step in known else "there is none"
        if problem:
            raise CheckpointError(f"{problem}; there are those of the steps {known}", path=folder)

    def restore(self) -> int:
        """Load the newest whole checkpoint into the state; its step, or 0 where there is none.

        One that is cut or unreadable is set aside under another name, with an event that says so, and the one before
        it is taken. Raises CheckpointError where a whole one does not fit this run's networks.
        """
        is_spoiled = False
        while True:
            folder = self._ranks.from_main(self._newest_whole() if self._ranks.is_main else None)
            if folder is None:
                self._saved_step, self.has_restored = None, False
                if is_spoiled:
                    raise CheckpointError("no checkpoint can be read; all were set aside", path=self._run.checkpoints)
                return 0
            problem = self._load(folder)
            problems = self._ranks_problems(problem)
            is_spoiled = True  # half-loaded tensors are no fresh ones
            if not problems:
                self._saved_step, self.has_restored = checkpoint_step(folder), True
                return self._saved_step
            if self._ranks.is_main:
                self._set_aside(folder, problems[0])
            self._ranks.barrier()

    def _ranks_problems(self, problem: str | None) -> list[str]:
        """What went wrong on any rank."""
        if not self._ranks.is_group:
            return [problem] if problem else []
        gathered: list[str | None] = [None] * self._ranks.size
        dist.all_gather_object(gathered, problem, group=self._ranks.control)
        return [text for text in gathered if text]

    def _newest_whole(self) -> Path | None:
        """The newest checkpoint all of whose files are as they were written."""
        self._publish_left_over()
        for folder in reversed(self._run.checkpoint_folders()):
            problem = damage(folder)
            if problem is None:
                return folder
            self._set_aside(folder, problem)
        return None

    def _publish_left_over(self) -> None:
        """A process that was killed between the last byte and the name leaves a whole checkpoint without one."""
        for folder in self._run.checkpoints.glob(".step-*.tmp"):
            target = folder.with_name(folder.name.removeprefix(".").removesuffix(".tmp"))
            if (folder / CHECKPOINT_NAME).exists() and damage(folder) is None and not target.exists():
                folder.rename(target)

    def _set_aside(self, folder: Path, reason: str) -> None:
        target = folder.with_name(f"broken-{folder.name}")
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
        self._report("checkpoint_set_aside", checkpoint_step(folder), name=target.name, reason=reason)
        self._say(f"{folder.name} {reason}; it was set aside as {target.name}, and the one before it is taken")

    def _load(self, folder: Path) -> str | None:
        """Fill the state from a checkpoint; what is wrong with the files, or None."""
        numbers = read_json(folder / CHECKPOINT_NAME)
        tensors = self._state.tensors()
        reader = FileSystemReader(folder)
        _expect_single_process()
        try:
            _require_same_shapes(reader, tensors, folder)
            load(tensors, storage_reader=reader, process_group=self._ranks.control, no_dist=not self._ranks.is_group)
        except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, CheckpointException) as error:
            return f"cannot be read ({_cause(error)})"
        self._state.ema.num_updates = int(numbers["ema_updates"])
        self._state.skipped[:] = [int(step) for step in numbers["skipped"]]
        return None


def _afterwards(written: Future[Any], work: Callable[[], int]) -> Future[int]:
    """The result of `work`, done in a thread of its own once all ranks' tensors have been written."""

    def wait_and_work() -> int:
        written.result()
        return work()

    executor = ThreadPoolExecutor(1, thread_name_prefix="sealing")
    try:
        return executor.submit(wait_and_work)
    finally:
        executor.shutdown(wait=False)


def _expect_single_process() -> None:
    """A run of one process is no mistake that the library must warn of at every save."""
    warnings.filterwarnings("ignore", message="torch.distributed is disabled, unavailable or uninitialized")


def _require_same_shapes(reader: FileSystemReader, tensors: dict[str, Any], folder: Path) -> None:
    """Raise CheckpointError where the checkpoint belongs to other networks."""
    stored = reader.read_metadata().state_dict_metadata
    wanted = {name: tuple(value.shape) for name, value in _flat(tensors).items()}
    for name, shape in wanted.items():
        size = getattr(stored.get(name), "size", None)
        if size is None or tuple(size) != shape:
            has = f"{tuple(size)} there" if size is not None else "absent there"
            raise CheckpointError(f"belongs to other networks: {name} is {shape} here and {has}", path=folder)


def _flat(tensors: dict[str, Any], prefix: str = "") -> dict[str, Tensor]:
    """A nested dictionary of tensors under dotted names, as the checkpoint names them."""
    flat: dict[str, Tensor] = {}
    for key, value in tensors.items():
        name = f"{prefix}{key}"
        flat.update(_flat(value, f"{name}.") if isinstance(value, dict) else {name: value})
    return flat


def _num_bytes(tensors: dict[str, Any]) -> int:
    return sum(value.numel() * value.element_size() for value in _flat(tensors).values())


def _cause(error: BaseException) -> str:
    """The innermost reason in one line; the library wraps what went wrong on each rank."""
    if isinstance(error, CheckpointException) and error.failures:
        error = next(iter(error.failures.values()))[0]
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            return below.strerror  # what torch's writer says of a full disk is "unexpected pos"
        below = below.__cause__ or below.__context__
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
