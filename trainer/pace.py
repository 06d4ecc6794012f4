"""How long steps take, looks and saves left out; and when previews are due."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

PREVIEWS_PER_DOUBLING = 8


class Pace:
    """Time spent in steps since `step`."""

    def __init__(self, step: int) -> None:
        self.restart(step)

    def restart(self, step: int) -> None:
        """Begin to count at `step`."""
        self.step = step
        self.waited_s = 0.0
        self._since = time.perf_counter()

    def seconds_per_step(self, step: int) -> float:
        """Mean duration of the steps up to `step`."""
        return (time.perf_counter() - self._since) / max(step - self.step, 1)

    def wait_share(self, step: int) -> float:
        """Part of that time in which the device had no data, 0 to 1."""
        whole = self.seconds_per_step(step) * max(step - self.step, 1)
        return min(1.0, self.waited_s / whole) if whole > 0 else 0.0

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """What happens inside takes no time."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._since += time.perf_counter() - began


def is_preview_due(step: int, every: int) -> bool:
    """Whether a preview belongs after `step` steps: every `every` steps up to the eighth, then half as often with every
    doubling of the steps."""
    stride = every
    while step > PREVIEWS_PER_DOUBLING * stride:
        stride *= 2
    return step % stride == 0
