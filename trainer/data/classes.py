"""Classes of samples: by the folder a sample lies in, or by a ``.cls`` file beside it, as webdataset has them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.data.beside import Beside
from trainer.data.collections import Collection
from trainer.data.entries import Entry, name_in_shard
from trainer.data.samples import IntArray
from ul_engine.errors import DataError


@dataclass(frozen=True)
class Classes:
    """`labels` [N] int64 and the class names by label; without classes all labels are 0 and there are no names."""

    labels: IntArray
    names: tuple[str, ...]


def classes_of(collection: Collection, samples: Sequence[Entry], beside: Beside) -> Classes:
    """By ``.cls`` files where there are any, else by folders. Raises DataError for a sample whose class is missing."""
    files = [beside.find(sample, ".cls") for sample in samples]
    if any(files):
        return _by_files(collection, samples, files)
    return _by_folders(samples)


def _by_folders(samples: Sequence[Entry]) -> Classes:
    """The first folder level below the folders that all samples share."""
    folders = [name_in_shard(sample.name).split("/")[:-1] for sample in samples]
    shortest = min((len(parts) for parts in folders), default=0)
    level = 0
    while level < shortest and all(parts[level] == folders[0][level] for parts in folders):
        level += 1
    if level >= shortest:
        return Classes(np.zeros(len(samples), np.int64), ())
    return _numbered([parts[level] for parts in folders])


def _by_files(collection: Collection, samples: Sequence[Entry], files: Sequence[Entry | None]) -> Classes:
    texts = []
    for sample, file in zip(samples, files, strict=True):
        if file is None:
            raise DataError("has no .cls file beside it, as others have", path=collection.where(sample))
        try:
            text = collection.read(file).decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise DataError("is not UTF-8 text", path=collection.where(file)) from error
        if not text:
            raise DataError("is empty; a class number or name was expected", path=collection.where(file))
        texts.append(text)
    if all(text.isdecimal() for text in texts):
        return _by_numbers([int(text) for text in texts], collection)
    return _numbered(texts)


def _by_numbers(numbers: Sequence[int], collection: Collection) -> Classes:
    """Numbers stay what they are; classes without a sample keep their place."""
    if max(numbers) >= 1_000_000:
        raise DataError(
            f"has the class number {max(numbers)}; numbers below a million were expected", path=collection.path
        )
    return Classes(np.asarray(numbers, np.int64), tuple(str(number) for number in range(max(numbers) + 1)))


def _numbered(texts: Sequence[str]) -> Classes:
    names = sorted(set(texts))
    place = {name: number for number, name in enumerate(names)}
    return Classes(np.array([place[text] for text in texts], np.int64), tuple(names))
