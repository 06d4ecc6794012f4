"""Work off the GUI thread, in order, whose unforeseen errors reach the exception hooks."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class WorkerThread:
    """One thread, or a few, started with the first work."""

    def __init__(self, name: str, num_threads: int = 1) -> None:
        self._executor = ThreadPoolExecutor(max_workers=num_threads, thread_name_prefix=name)
        self._is_closing = threading.Event()

    def do(self, work: Callable[..., None], *args: object) -> None:
        """Have something done; nothing any more once it is closing."""
        if not self._is_closing.is_set():
            self._executor.submit(work, *args).add_done_callback(raise_bugs)

    def is_closing(self) -> bool:
        """Long work asks this now and then, and ends early."""
        return self._is_closing.is_set()

    def close(self) -> None:
        """Drop what waits, and wait for what runs."""
        self._is_closing.set()
        self._executor.shutdown(wait=True, cancel_futures=True)


def raise_bugs(future: "Future[None]") -> None:
    """An exception nobody foresaw must reach the exception hooks, not vanish in a future."""
    if future.cancelled():
        return
    error = future.exception()
    if error is not None:
        threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))
