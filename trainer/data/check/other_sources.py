"""Checks data whose samples are no files of their own: scenes, mixed photographs, data sets of the Hugging Face
Hub."""

import time
from collections import Counter

from trainer.config.data import HubData, PhotographsData, ScenesData
from trainer.data.check.labels import classes_found
from trainer.data.check.report import CaptionsFound, DataReport, Level, Problem, ProblemKind
from trainer.data.check.scan import READING, Observe
from trainer.data.check.suggesting import suggestion
from trainer.data.check.verdict import verdict_of
from trainer.data.opening import open_data
from ul_engine.errors import DataError

NUM_READ = 256
"""Samples that are read, evenly spread over all."""


def check_other(
    data: ScenesData | PhotographsData | HubData, *, observe: Observe, device_bytes: int | None
) -> DataReport:
    """Open the source and read some of its samples; classes and captions are counted among these. As `check_data`."""
    started = time.monotonic()
    train, valid = open_data(data, seed=0, progress=lambda done, total: observe("preparing", done, total))
    count = min(NUM_READ, len(train))
    classes: Counter[str] = Counter()
    num_said, broken = 0, []
    for number in range(count):
        observe(READING, number, count)
        try:
            sample = train.sample(number * len(train) // count, None)
        except DataError as error:
            broken.append(str(error))
            continue
        num_said += bool(sample.caption)
        if train.class_names:
            classes[train.class_names[sample.label]] += 1
    problems = _unreadable(broken, count)
    return DataReport(
        data=data,
        num_train=len(train),
        num_valid=len(valid),
        classes=classes_found(classes.most_common()),
        captions=CaptionsFound(num_with=num_said, num_missing=count - len(broken) - num_said),
        problems=problems,
        verdict=verdict_of(problems),
        suggestion=suggestion(data, device_bytes=device_bytes),
        device_bytes=device_bytes,
        elapsed_s=round(time.monotonic() - started, 2),
        num_processes=1,
    )


def _unreadable(broken: list[str], count: int) -> tuple[Problem, ...]:
    if not broken:
        return ()
    return (
        Problem(
            kind=ProblemKind.UNREADABLE,
            level=Level.BLOCKS,
            count=len(broken),
            what=f"{len(broken)} of {count} samples cannot be read: {broken[0]}.",
        ),
    )
