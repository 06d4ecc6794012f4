"""Loading processes: how many, how they start, and how they end."""

import atexit
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import resource_tracker
from typing import Any

import torch

from trainer.config.data import LoadingConfig

_MOST_WORKERS = 8


def num_workers(loading: LoadingConfig, *, is_light: bool, num_ranks: int) -> int:
    """Loading processes of one rank: as set; -1: none for samples in memory, else a core each, at least 1, at most 8,
    with one core left to the rank itself."""
    if loading.num_workers >= 0:
        return loading.num_workers
    if is_light:
        return 0
    ranks_here = int(os.environ.get("LOCAL_WORLD_SIZE", num_ranks))
    return max(1, min(num_cores() // ranks_here - 1, _MOST_WORKERS))


def num_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_context() -> Any:
    """How loading processes are made: forked from a server that has loaded torch and nothing of the trainer's (a fork
    of the trainer would copy locks that its other threads hold). Where there is no fork, each starts anew.

    The server and its children never see SIGTERM and Ctrl+C: these go to whole process groups, and are the trainer's to
    answer. The server ends when the trainer does.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver  # Windows does not have it

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["trainer.data.loader", "trainer.data.opening"])
    resource_tracker.ensure_running()  # first: starting it would lift the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})  # which children inherit
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


def begin_worker(_number: int) -> None:
    """In a new loading process: one thread, deaf to SIGTERM and Ctrl+C, dead when the trainer is."""
    torch.set_num_threads(1)
    if cv2 := sys.modules.get("cv2"):
        cv2.setNumThreads(1)
    atexit.register(os._exit, 0)  # Python's own end aborts while torch's thread is at work: 1 of 2 times
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_trainer, name="end with trainer", daemon=True).start()


def _end_with_trainer() -> None:
    """Wait until the trainer is gone, however it went. Its fork server would stay as long as a loading process does, so
    torch's own watch, for a new parent, sees nothing."""
    trainer = multiprocessing.parent_process()
    if trainer is not None:
        trainer.join()
        os._exit(1)
