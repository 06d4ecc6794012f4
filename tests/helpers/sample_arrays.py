"""Training samples from an array: the smallest real source there is, and one that is slow or breaks."""

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.helpers.tiny import simple_pictures
from trainer.data.samples import Sample
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import DataError


@dataclass
class ArraySamples:
    """Frames uint8 `[N, T, H, W, 3]`; every sample takes `delay_s`, and number `broken` cannot be read.

    Each sample that is read leaves its number in the file `trace`, whatever process read it.
    """

    frames: Uint8Array
    delay_s: float = 0.0
    broken: int | None = None
    trace: Path | None = None
    class_names: tuple[str, ...] = ()
    has_captions: bool = False
    buckets: npt.NDArray[np.int64] | None = None
    is_light: bool = True
    read: list[int] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.frames.tobytes()).hexdigest()

    def __len__(self) -> int:
        return len(self.frames)

    def sample(self, index: int, epoch: int | None) -> Sample:
        if index == self.broken:
            raise DataError("is no picture", path=f"sample-{index}.png")
        time.sleep(self.delay_s)
        self.read.append(index)
        if self.trace is not None:
            with self.trace.open("a") as stream:
                stream.write(f"{index}\n")
        return Sample(self.frames[index])


def picture_samples(count: int, **changes: object) -> ArraySamples:
    """16-pixel pictures."""
    return ArraySamples(simple_pictures(count)[:, None], **changes)  # type: ignore[arg-type]


def clip_samples(count: int, num_frames: int, **changes: object) -> ArraySamples:
    """16-pixel clips, every frame another picture."""
    frames = simple_pictures(count * num_frames).reshape(count, num_frames, 16, 16, 3)
    return ArraySamples(frames, **changes)  # type: ignore[arg-type]
