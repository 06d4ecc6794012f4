"""Pictures and clips as plain bytes, as they travel between the engine, the models and the files."""

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


@dataclass(frozen=True)
class Clip:
    """One picture, or the frames of a clip in their order."""

    frames: tuple[Pixels, ...]
    fps: float | None = None
    """Frames per second; None for a picture."""

    def __post_init__(self) -> None:
        assert self.frames
        assert self.fps is not None or len(self.frames) == 1

    @property
    def is_moving(self) -> bool:
        """Whether there is more than one frame to play."""
        return self.fps is not None and len(self.frames) > 1

    @property
    def poster(self) -> Pixels:
        """The picture that stands for the whole: the middle frame, which the engine's previews show too."""
        return self.frames[len(self.frames) // 2]

    @property
    def num_bytes(self) -> int:
        """Memory of all frames."""
        return sum(len(frame.data) for frame in self.frames)

    def packed(self) -> tuple[bytes, tuple[int, int, int, int]]:
        """All frames one after the other, and their shape (frames, height, width, 3)."""
        first = self.frames[0]
        return b"".join(frame.data for frame in self.frames), (len(self.frames), *first.shape)


def split_batch(shape: tuple[int, int, int, int], payload: bytes) -> tuple[Pixels, ...]:
    """The pictures of a payload ``[N, H, W, 3]``. Raises ValueError if its bytes do not fit the shape."""
    count, height_px, width_px, channels = shape
    size = height_px * width_px * 3
    if channels != 3 or min(shape) < 1 or len(payload) != count * size:
        raise ValueError(f"{len(payload)} bytes cannot be pictures of shape {list(shape)}")
    return tuple(Pixels(width_px, height_px, payload[i * size : (i + 1) * size]) for i in range(count))
