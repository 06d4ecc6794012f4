"""The samples of an evaluation: every file looked at once, before anything is computed. No torch."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ul_engine.config import ModelConfig
from ul_engine.data.fitting import cover
from ul_engine.errors import DataError
from ul_engine.evaluation.files import FileReader, SourceFile, decoded_picture, digest_of
from ul_engine.evaluation.settings import EvaluationSettings
from ul_engine.media.clips import Frames
from ul_engine.media.rates import as_rate
from ul_engine.media.reading import open_clip, read_clip

Observe = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and of how much."""


def ignore(doing: str, done: int, total: int) -> None:
    """Observer that looks at nothing."""


@dataclass(frozen=True)
class Sample:
    """One picture or clip as it will be measured. `start` is a clip's first frame at the rate it is read at; None for
    a picture. `digest` is the SHA-256 of its file."""

    index: int
    file: SourceFile
    digest: str
    height: int
    width: int
    num_frames: int = 1
    start: int | None = None

    @property
    def name(self) -> str:
        """Its file, and for a clip the first frame."""
        return self.file.name if self.start is None else f"{self.file.name}#{self.start}"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(frames, height, width)."""
        return self.num_frames, self.height, self.width

    @property
    def num_pixels(self) -> int:
        """Frames x height x width."""
        return self.num_frames * self.height * self.width


@dataclass(frozen=True)
class Broken:
    """A file that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Inventory:
    """All samples in order, and what was left out."""

    samples: tuple[Sample, ...]
    broken: tuple[Broken, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names, contents and places of all samples, in order; where the folder stands does not count."""
        lines = [f"{sample.name}\0{sample.digest}\0{sample.shape}\n" for sample in self.samples]
        return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def take_inventory(
    files: Sequence[SourceFile],
    settings: EvaluationSettings,
    config: ModelConfig,
    reader: FileReader,
    observe: Observe = ignore,
) -> Inventory:
    """Every sample with its size and hash; pictures are decoded to see that they are whole.

    Raises DataError for the first file that cannot be read (with `skip_broken` it is noted), and if none is left.
    """
    samples: list[Sample] = []
    broken: list[Broken] = []
    for number, file in enumerate(files):
        observe("checking files", number, len(files))
        missing = None if settings.limit is None else settings.limit - len(samples)
        if missing == 0:
            break
        try:
            found = list(islice(_samples_of(file, settings, config, reader), missing))
        except DataError as error:
            if not settings.skip_broken:
                raise
            broken.append(Broken(file.name, str(error)))
            continue
        samples += [replace(sample, index=len(samples) + place) for place, sample in enumerate(found)]
    if not samples:
        raise DataError(f"none of the {len(broken)} files can be read; the first: {broken[0].reason}")
    return Inventory(tuple(samples), tuple(broken))


def _samples_of(
    file: SourceFile, settings: EvaluationSettings, config: ModelConfig, reader: FileReader
) -> Iterator[Sample]:
    if config.video is not None:
        yield from _clips_of(file, settings, config.num_frames)
        return
    content = reader.content(file)
    height, width = decoded_picture(content, file.place).shape[:2]
    yield Sample(0, file, _sha256(content), *_size(height, width, settings))


def _clips_of(file: SourceFile, settings: EvaluationSettings, num_frames: int) -> Iterator[Sample]:
    """Clips of the model's length, from the first frame on by stride. Raises DataError for a video that is shorter."""
    with open_clip(file.path) as source:
        count = len(source.timeline.numbers_at(None if settings.clip_fps is None else as_rate(settings.clip_fps)))
        size = _size(source.info.height_px, source.info.width_px, settings)
    if count < num_frames:
        at_rate = "" if settings.clip_fps is None else f" at {settings.clip_fps:g} frames per second"
        raise DataError(f"has {count} frames{at_rate}; clips of this model have {num_frames}", path=file.place)
    digest = digest_of(file.path)
    for start in range(0, count - num_frames + 1, settings.clip_stride or num_frames):
        yield Sample(0, file, digest, *size, num_frames, start)


def _size(height: int, width: int, settings: EvaluationSettings) -> tuple[int, int]:
    return (height, width) if settings.size_px is None else (settings.size_px, settings.size_px)


def frames_of(sample: Sample, settings: EvaluationSettings, reader: FileReader) -> Frames:
    """uint8 `[T, H, W, 3]` of the sample's size. Raises DataError."""
    if sample.start is None:
        content = reader.content(sample.file)
        if _sha256(content) != sample.digest:
            raise DataError("has changed since the evaluation began", path=sample.file.place)
        frames = decoded_picture(content, sample.file.place)[None]
    else:
        clip = read_clip(sample.file.path, start=sample.start, num_frames=sample.num_frames, fps=settings.clip_fps)
        frames = clip.frames
    return cover(frames, (sample.height, sample.width))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
