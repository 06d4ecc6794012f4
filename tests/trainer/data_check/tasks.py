"""Work for the processes of the tests, in a module that a spawned process can import."""

import os
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Squares:
    """Squares of numbers, with the process that made them; `fatal` ends its process."""

    fatal: int | None = None

    def __call__(self, number: int) -> tuple[int, int]:
        if number == self.fatal:
            os._exit(9)
        return number**2, os.getpid()


def sleep(seconds: float) -> float:
    """Takes its time."""
    time.sleep(seconds)
    return seconds
