"""Sizes of pictures and lengths of clips: read from the files once, and kept in the user's cache folder."""

import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from trainer.data.collections import Collection, Progress
from trainer.data.decoding import EncodedPicture
from trainer.data.entries import Entry
from trainer.data.places import cache_root, key_of, write_whole
from trainer.data.sample_files import advised
from trainer.data.samples import IntArray
from ul_engine.media.rates import as_rate
from ul_engine.media.reading import open_clip

_FORMAT = "facts-1"
_REPORT_EVERY = 100


def picture_sizes(collection: Collection, entries: Sequence[Entry], *, progress: Progress | None = None) -> IntArray:
    """Height and width of each picture as it is to be seen, int64 [N, 2]; only headers are read. Raises DataError."""

    def size(entry: Entry) -> tuple[int, ...]:
        where = collection.where(entry)
        with advised(where), EncodedPicture(collection.read(entry), where) as picture:
            return picture.size[1], picture.size[0]

    return _kept(collection, ("pictures",), lambda: _all(size, entries, 2, progress))


def clip_facts(
    collection: Collection, entries: Sequence[Entry], *, fps: float | None, progress: Progress | None = None
) -> IntArray:
    """Height, width and number of frames at the rate `fps` (None: its own) of each clip, int64 [N, 3]. Raises
    DataError."""
    rate = None if fps is None else as_rate(fps)

    def facts(entry: Entry) -> tuple[int, ...]:
        with advised(collection.where(entry)), open_clip(collection.as_file(entry)) as clip:
            return clip.info.height_px, clip.info.width_px, len(clip.timeline.numbers_at(rate))

    return _kept(collection, ("clips", fps), lambda: _all(facts, entries, 3, progress))


def _kept(collection: Collection, what: tuple[object, ...], find: Callable[[], IntArray]) -> IntArray:
    file = cache_root() / "facts" / f"{key_of(_FORMAT, collection.fingerprint, *what)}.npy"
    try:
        found: IntArray = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):  # none there, or none that can be used: it is made anew
        found = find()
        stream = io.BytesIO()
        np.save(stream, found)
        write_whole(file, stream.getvalue())
    return found


def _all(
    find: Callable[[Entry], tuple[int, ...]], entries: Sequence[Entry], columns: int, progress: Progress | None
) -> IntArray:
    """In threads: reading files and decoding let go of Python's lock."""
    result = np.empty((len(entries), columns), dtype=np.int64)
    with ThreadPoolExecutor(max_workers=min(16, 4 * (os.cpu_count() or 1))) as pool:
        try:
            for number, row in enumerate(pool.map(find, entries)):
                result[number] = row
                if progress is not None and (number + 1) % _REPORT_EVERY == 0:
                    progress(number + 1, len(entries))
        finally:
            pool.shutdown(cancel_futures=True)
    return result
