"""A frame that cannot be had, told with the number of those that can."""

from ul_engine.errors import DataError


class BrokenFrame(DataError):
    """Frame `number` (from 0) is missing or damaged; all before it are whole."""

    def __init__(self, number: int, reason: str, path: str) -> None:
        before = "no frame before it can" if number == 0 else f"the {number} frames before it can"
        super().__init__(f"frame {number} {reason}; {before} be read", path=path)
        self.number = number
