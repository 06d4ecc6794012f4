"""Building a cache of latents: resumable chunk by chunk, shared among ranks, published whole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from trainer.data.samples import SampleSource
from trainer.latent_cache.encoding import EncodedChunk, encoded_chunks
from trainer.latent_cache.files import RANGES_NAME, ArrayWriter, array_files, checksum, create_arrays, mapped, writing
from trainer.latent_cache.journal import FinishedChunk, Journal, read_journals, remove_journals
from trainer.latent_cache.layout import CacheLayout, CacheSettings, layout_of
from trainer.latent_cache.rows import RECORD_NAME, CacheRecord, LatentRows, open_latents
from trainer.latent_cache.storage import stored
from trainer.run_dir import require_free_space, write_bytes
from ul_engine.pipelines import Pipeline

Progress = Callable[[int, int], None]
POLL_S = 1.0


@dataclass(frozen=True)
class Sharing:
    """Which ranks build together; `barrier` returns once all of them have called it."""

    rank: int
    num_ranks: int
    barrier: Callable[[], None]


ALONE = Sharing(0, 1, lambda: None)


@dataclass(frozen=True)
class _Build:
    """One cache in the making."""

    folder: Path
    layout: CacheLayout
    pipeline: Pipeline
    source: SampleSource


def cached_latents(
    root: Path,
    pipeline: Pipeline,
    source: SampleSource,
    settings: CacheSettings,
    *,
    sharing: Sharing = ALONE,
    progress: Progress = lambda done, total: None,
    num_workers: int = 0,
) -> LatentRows:
    """The latents of all samples in ``root/latents-KEY``, encoded first where they are not there yet.

    The key is a hash of encoder, data, storage and format, so latents of another encoder or other data are never taken.
    A build that was cut short, however, is taken up again: finished chunks are compared with their checksums and not
    encoded twice. While another process builds the same cache this one waits. `progress` gets samples done and their
    total (the other ranks are taken to be as far as this one) and may raise to stop. All of `sharing` must call.
    Raises OutputError (no space, no permission), DataError (a sample, or a damaged cache), NumericsError.
    """
    layout = layout_of(pipeline, source, settings)
    build = _Build(root / f"latents-{layout.key}", layout, pipeline, source)
    with _locked(build, sharing, progress):
        sharing.barrier()
        if not (build.folder / RECORD_NAME).exists():
            _build(build, sharing, progress, num_workers)
        sharing.barrier()
    return open_latents(build.folder, layout)


@contextmanager
def _locked(build: _Build, sharing: Sharing, progress: Progress) -> Iterator[None]:
    """Keeps other runs out, in the name of all ranks; the system undoes it when the process dies."""
    if sharing.rank != 0:
        yield
        return
    with writing(build.folder):
        build.folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(build.folder.with_suffix(".lock"))
    with writing(build.folder):
        _wait_for(lock, build, progress)
    try:
        yield
    finally:
        lock.release()


def _wait_for(lock: FileLock, build: _Build, progress: Progress) -> None:
    while True:
        try:
            lock.acquire(timeout=POLL_S)
            return
        except Timeout:
            done = sum(len(build.layout.samples_of(chunk)) for chunk in read_journals(build.folder))
            progress(done, build.layout.num_samples)


def _build(build: _Build, sharing: Sharing, progress: Progress, num_workers: int) -> None:
    layout, folder = build.layout, build.folder
    if sharing.rank == 0:
        with writing(folder):
            create_arrays(folder, layout)
    sharing.barrier()
    finished = _intact(folder, layout, read_journals(folder))
    remaining = [chunk for chunk in range(layout.num_chunks) if chunk not in finished]
    num_remaining = sum(len(layout.samples_of(chunk)) for chunk in remaining)
    if sharing.rank == 0:
        require_free_space(folder, num_remaining * layout.copies * layout.row_bytes)
    sharing.barrier()  # all know the same chunks to be finished before the first adds one
    done = layout.num_samples - num_remaining
    progress(done, layout.num_samples)
    own = remaining[sharing.rank :: sharing.num_ranks]
    writers, journal = [ArrayWriter(path) for path in array_files(folder, layout)], Journal(folder, sharing.rank)
    for item in encoded_chunks(build.pipeline, build.source, layout, own, num_workers=num_workers):
        if isinstance(item, EncodedChunk):
            with writing(folder):
                journal.add(_written(item, layout, writers))
        else:
            done = min(layout.num_samples, done + item * sharing.num_ranks)
            progress(done, layout.num_samples)
    sharing.barrier()
    if sharing.rank == 0:
        _publish(folder, layout)


def _intact(folder: Path, layout: CacheLayout, finished: dict[int, FinishedChunk]) -> dict[int, FinishedChunk]:
    """The chunks whose values are on the disk as their checksums say; a power cut may have eaten some."""
    arrays = [mapped(path) for path in array_files(folder, layout)]
    return {
        chunk: entry
        for chunk, entry in finished.items()
        if chunk < layout.num_chunks
        and tuple(checksum(array[layout.rows_of(chunk)]) for array in arrays) == entry.checksums
    }


def _written(chunk: EncodedChunk, layout: CacheLayout, writers: list[ArrayWriter]) -> FinishedChunk:
    """Values first, onto the disk; only then may the journal name them."""
    first_row = layout.rows_of(chunk.number).start
    checksums, ranges = [], []
    for z, writer in zip(chunk.arrays, writers, strict=True):
        values, channel_ranges = stored(z, layout.storage)
        checksums.append(writer.write(first_row, values))
        ranges.append(tuple((float(low), float(high)) for low, high in channel_ranges))
    return FinishedChunk(chunk=chunk.number, checksums=tuple(checksums), ranges=tuple(ranges))


def _publish(folder: Path, layout: CacheLayout) -> None:
    """Ranges, then the record that makes the cache a finished one."""
    finished = read_journals(folder)
    entries = [finished[chunk] for chunk in range(layout.num_chunks)]
    temporary = folder / f"{RANGES_NAME}.tmp"
    with writing(folder):
        with temporary.open("wb") as stream:
            np.save(stream, np.array([entry.ranges for entry in entries], np.float32))
        temporary.replace(folder / RANGES_NAME)
        record = CacheRecord(layout=layout, checksums=tuple(entry.checksums for entry in entries))
        write_bytes(folder / RECORD_NAME, record.model_dump_json(indent=1).encode())
        remove_journals(folder)
