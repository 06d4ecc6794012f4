"""A picture as plain bytes, as it travels between the engine, the models and the files."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pixels:
    """One 8-bit RGB picture, rows packed without padding."""

    width_px: int
    height_px: int
    data: bytes

    def __post_init__(self) -> None:
        assert len(self.data) == self.width_px * self.height_px * 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, 3)."""
        return self.height_px, self.width_px, 3


def split_batch(shape: tuple[int, int, int, int], payload: bytes) -> tuple[Pixels, ...]:
    """The pictures of a payload ``[N, H, W, 3]``. Raises ValueError if its bytes do not fit the shape."""
    count, height_px, width_px, channels = shape
    size = height_px * width_px * 3
    if channels != 3 or min(shape) < 1 or len(payload) != count * size:
        raise ValueError(f"{len(payload)} bytes cannot be pictures of shape {list(shape)}")
    return tuple(Pixels(width_px, height_px, payload[i * size : (i + 1) * size]) for i in range(count))
