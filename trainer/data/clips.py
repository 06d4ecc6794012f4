"""Clips in video files as training samples."""

from trainer.config.data import ClipsData
from trainer.data.collections import Progress
from trainer.data.facts import clip_facts
from trainer.data.fitting import first_frame
from trainer.data.sample_files import FileSamples, SampleFiles, advised, open_files
from trainer.data.samples import IntArray, Sample
from trainer.data.shaping import Shaping
from trainer.data.words import read_words
from ul_engine.errors import DataError
from ul_engine.media.reading import iter_frames


class ClipSamples(FileSamples):
    """Clips of a collection, all of `num_frames` frames and square; `facts` [N, 3]: height, width, frames at `fps`."""

    buckets = None

    def __init__(self, files: SampleFiles, shaping: Shaping, config: ClipsData, facts: IntArray) -> None:
        rate = config.num_frames, config.fps, config.frame_stride
        super().__init__(files, "clips-1", *shaping.settings(), *rate)
        self.shaping = shaping
        self.config = config
        self.facts = facts

    def sample(self, index: int, epoch: int | None) -> Sample:
        """Clip `index` as pass `epoch` shows it: from a frame drawn at random, all frames cut in the same way; None:
        from the middle. Raises DataError."""
        config, files, entry = self.config, self.files, self.files.entries[index]
        height, width, num_frames = (int(value) for value in self.facts[index])
        room = num_frames - span(config)
        start = first_frame(room, seed=self.shaping.seed, index=index, epoch=epoch)
        crop = self.shaping.crop((height, width), (config.size_px, config.size_px), index, epoch)
        with advised(files.collection.where(entry)):
            frames = iter_frames(
                files.collection.as_file(entry),
                start=start,
                num_frames=config.num_frames,
                stride=config.frame_stride,
                fps=config.fps,
            )
            shaped = self.shaping.frames(frames, crop)
        return Sample(shaped, self.caption(index), self.label(index))


def span(config: ClipsData) -> int:
    """Frames of a file, at the wanted rate, from the first of a sample to its last."""
    return (config.num_frames - 1) * config.frame_stride + 1


def open_clips(config: ClipsData, *, seed: int, progress: Progress | None = None) -> tuple[ClipSamples, ClipSamples]:
    """Training and held-out clips; files that are too short or too small are left out. `progress` gets (files looked
    at, files) where they are not known from last time. Raises DataError."""
    collection, entries = open_files(config.path, "clips", progress=progress)
    facts = clip_facts(collection, entries, fps=config.fps, progress=progress)
    keep = (facts[:, 2] >= span(config)) & (facts[:, :2].min(axis=1) >= config.min_px)
    if not keep.any():
        raise DataError(
            f"holds {len(entries)} clips, but none has {span(config)} frames and sides of at least {config.min_px} "
            f"pixels; the longest has {facts[:, 2].max()} frames",
            path=config.path,
        )
    entries, facts = tuple(entry for entry, stays in zip(entries, keep, strict=True) if stays), facts[keep]
    words = read_words(collection, entries, use_captions=config.captions == "auto")
    files = SampleFiles(collection, entries, words)
    train, valid = files.split(config.num_valid, what="clips")
    shaping = Shaping.of(config, seed)

    def part(indices: IntArray) -> ClipSamples:
        return ClipSamples(files.chosen(indices), shaping, config, facts[indices])

    return part(train), part(valid)
