"""Checks training data: reads it all once, judges it, and suggests how to train on it."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from trainer.config.data import ClipsData, DataConfig, HubData, PhotographsData, ScenesData
from trainer.data.check.content_problems import class_counts
from trainer.data.check.found import Found
from trainer.data.check.histograms import sizes_of, spread_of
from trainer.data.check.labels import captions_found, classes_found, labels_of
from trainer.data.check.other_sources import check_other
from trainer.data.check.report import ClipsFound, Count, DataReport, FilesFound
from trainer.data.check.scan import Observe, processes_for, scan
from trainer.data.check.suggesting import settled, suggestion
from trainer.data.check.verdict import problems_of, verdict_of
from trainer.data.collections import Collection, Entry, open_collection
from trainer.data.kinds import samples_among

OPENING, COMPARING = "opening", "comparing pictures"


def check_data(
    data: DataConfig, *, observe: Observe, num_processes: int | None = None, device_bytes: int | None = None
) -> DataReport:
    """Look through the data that `data` names and say what was found.

    Size and fit that were not set are chosen to suit the files; `data` of the report has them, and everything in it
    (what would be enlarged, the command) holds for these.

    `observe` gets (what is being done, done, total), and stops the check by raising. `num_processes` None: as many as
    there are cores, one for little data; see `processes.spread` for what more than one asks of the caller.
    `device_bytes` is the memory of the graphics card to suggest a preset for, None for a computer without.

    Raises DataError where there is nothing to open, ConfigError. What is wrong with single files stands in the report.
    """
    started = time.monotonic()
    if isinstance(data, ScenesData | PhotographsData | HubData):
        return check_other(data, observe=observe, device_bytes=device_bytes)
    observe(OPENING, 0, 1)
    collection = open_collection(data.path, progress=lambda done, total: observe(OPENING, done, total))
    entries = samples_among(collection.entries, data.kind)
    count = processes_for(entries, num_processes)
    facts = scan(collection, entries, data, num_processes=count, observe=observe)
    labels = labels_of(collection, entries, data, observe)
    found = Found(
        data=data,
        names=[entry.name for entry in entries],
        sizes_bytes=[entry.num_bytes for entry in entries],
        facts=facts,
        labels=labels,
        ignored=_ignored(collection, entries, labels.files),
    )
    observe(COMPARING, 0, 1)
    report = report_of(found, device_bytes=device_bytes)
    return report.model_copy(update={"elapsed_s": round(time.monotonic() - started, 2), "num_processes": count})


def _ignored(collection: Collection, entries: Sequence[Entry], of_words: frozenset[str]) -> list[str]:
    taken = {entry.name for entry in entries} | of_words
    return [entry.name for entry in collection.entries if entry.name not in taken]


def report_of(found: Found, *, device_bytes: int | None) -> DataReport:
    """The report on what was found; times and processes are left at 0."""
    if found.used:
        found = replace(found, data=settled(found.data, _sizes(found, found.used), device_bytes=device_bytes))
    problems = problems_of(found)
    return DataReport(
        data=found.data,
        num_train=len(found.used) - len(found.held_out),
        num_valid=len(found.held_out),
        files=_files(found),
        sizes=sizes_of(_sizes(found, found.readable)) if found.readable else None,
        classes=classes_found(class_counts(found)),
        captions=captions_found(found),
        clips=_clips(found) if isinstance(found.data, ClipsData) and found.readable else None,
        problems=problems,
        verdict=verdict_of(problems),
        suggestion=suggestion(found.data, device_bytes=device_bytes) if found.used else None,
        device_bytes=device_bytes,
        elapsed_s=0.0,
        num_processes=0,
    )


def _sizes(found: Found, indices: Sequence[int]) -> list[tuple[int, int]]:
    """Width and height of some files."""
    return [(found.facts[index].width_px, found.facts[index].height_px) for index in indices]


def _files(found: Found) -> FilesFound:
    formats = Counter(found.facts[index].format for index in found.readable)
    return FilesFound(
        num_files=len(found.names),
        num_bytes=sum(found.sizes_bytes),
        formats=tuple(Count(name=name, count=count) for name, count in formats.most_common()),
        num_readable=len(found.readable),
        num_used=len(found.used),
    )


def _clips(found: Found) -> ClipsFound:
    facts = [found.facts[index] for index in found.readable]
    assert isinstance(found.data, ClipsData)
    needed = found.data.num_frames
    return ClipsFound(
        num_frames=spread_of([one.num_frames for one in facts]),
        fps=spread_of([one.fps for one in facts]),
        duration_s=spread_of([one.duration_s for one in facts]),
        total_s=sum(one.duration_s for one in facts),
        num_long_enough=sum(one.num_clip_frames >= needed for one in facts),
    )
