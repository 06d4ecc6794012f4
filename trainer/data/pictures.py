"""Pictures in files as training samples."""

import numpy as np

from trainer.config.data import PicturesData
from trainer.data.collections import Progress
from trainer.data.decoding import EncodedPicture
from trainer.data.facts import picture_sizes
from trainer.data.fitting import nearest_bucket
from trainer.data.sample_files import FileSamples, SampleFiles, advised, open_files
from trainer.data.samples import IntArray, Sample
from trainer.data.shaping import Shaping
from trainer.data.words import read_words


class PictureSamples(FileSamples):
    """Pictures of a collection; `buckets` numbers the shape of each, None where all are square."""

    def __init__(self, files: SampleFiles, shaping: Shaping, buckets: IntArray | None) -> None:
        super().__init__(files, "pictures-1", *shaping.settings())
        self.shaping = shaping
        self.buckets = buckets

    def sample(self, index: int, epoch: int | None) -> Sample:
        """Picture `index` as pass `epoch` shows it; None: its middle, not mirrored. Raises DataError."""
        files = self.files
        where = files.collection.where(files.entries[index])
        with advised(where), EncodedPicture(files.collection.read(files.entries[index]), where) as picture:
            frame = self.shaping.picture(picture, index, epoch)
        return Sample(frame[None], self.caption(index), self.label(index))


def open_pictures(
    config: PicturesData, *, seed: int, progress: Progress | None = None
) -> tuple[PictureSamples, PictureSamples]:
    """Training and held-out pictures. `progress` gets (files looked at, files) where sizes matter (``min_px``,
    buckets) and are not known from last time. Raises DataError."""
    collection, entries = open_files(config.path, "pictures", progress=progress)
    shaping = Shaping.of(config, seed)
    buckets = None
    if config.min_px or shaping.shapes:
        sizes = picture_sizes(collection, entries, progress=progress)
        keep = np.flatnonzero(sizes.min(axis=1) >= config.min_px)
        entries = tuple(entries[index] for index in keep)
        if shaping.shapes:
            numbers = [nearest_bucket((int(height), int(width)), shaping.shapes) for height, width in sizes[keep]]
            buckets = np.array(numbers, dtype=np.int64)
    words = read_words(collection, entries, use_captions=config.captions == "auto")
    files = SampleFiles(collection, entries, words)
    train, valid = files.split(config.num_valid, what="pictures")

    def part(indices: IntArray) -> PictureSamples:
        shapes = None if buckets is None else buckets[indices]
        return PictureSamples(files.chosen(indices), shaping, shapes)

    return part(train), part(valid)
