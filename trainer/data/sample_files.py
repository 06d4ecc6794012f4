"""The files of a source's samples, with what is said of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b

from trainer.data.collections import Collection, Progress, open_collection
from trainer.data.entries import Entry, name_in_shard
from trainer.data.kinds import CLIP_SUFFIXES, PICTURE_SUFFIXES, SampleKind, samples_among
from trainer.data.samples import IntArray
from trainer.data.splitting import split
from trainer.data.words import Words
from ul_engine.errors import DataError

_ADVICE = "run `ul-train data check` to find all files like it, then repair or remove them"


@dataclass(frozen=True)
class SampleFiles:
    """N samples of a collection and their words."""

    collection: Collection
    entries: tuple[Entry, ...]
    words: Words

    def __len__(self) -> int:
        return len(self.entries)

    def caption(self, index: int) -> str:
        """What is said of sample `index`; raises DataError where its file cannot be read."""
        with advised(self.collection.where(self.entries[index])):
            return self.words.caption(self.collection, index)

    def label(self, index: int) -> int:
        """Class of sample `index`."""
        return int(self.words.labels[index])

    def chosen(self, indices: IntArray) -> "SampleFiles":
        """Some of the samples."""
        return SampleFiles(self.collection, tuple(self.entries[index] for index in indices), self.words.chosen(indices))

    def split(self, num_valid: int, *, what: str) -> tuple[IntArray, IntArray]:
        """Indices of training and of held-out samples; the same files whether they lie in a folder, a zip file or
        shards. Raises DataError."""
        names = [name_in_shard(entry.name) for entry in self.entries]
        return split(names, num_valid, what=what, path=str(self.collection.path))

    def fingerprint(self, *settings: object) -> str:
        """32 hexadecimal digits over names, sizes, times or check sums, words and the given settings."""
        digest = blake2b(repr(settings).encode(), digest_size=16)
        digest.update(self.collection.fingerprint.encode())
        for entry in self.entries:
            digest.update(f"{entry.name}\n".encode("utf-8", "surrogateescape"))
        self.words.update(digest)
        return digest.hexdigest()


class FileSamples:
    """What sources of files have in common: their number and what is said of them. The files and `content`, whatever
    else decides an unaugmented sample, make the fingerprint."""

    is_light = False

    def __init__(self, files: SampleFiles, *content: object) -> None:
        self.files = files
        self.class_names = files.words.class_names
        self.has_captions = files.words.has_captions
        self.fingerprint = files.fingerprint(*content)

    def __len__(self) -> int:
        return len(self.files)

    def caption(self, index: int) -> str:
        """What is said of sample `index`."""
        return self.files.caption(index)

    def label(self, index: int) -> int:
        """Class of sample `index`."""
        return self.files.label(index)


def open_files(
    path: str, kind: SampleKind, *, progress: Progress | None = None
) -> tuple[Collection, tuple[Entry, ...]]:
    """A collection and the pictures or clips in it; raises DataError where there are none."""
    collection = open_collection(path, progress=progress)
    entries = samples_among(collection.entries, kind)
    if not entries:
        suffixes = PICTURE_SUFFIXES if kind == "pictures" else CLIP_SUFFIXES
        raise DataError(f"holds no {kind} ({', '.join(suffixes)})", path=path)
    return collection, entries


@contextmanager
def advised(where: str) -> Iterator[None]:
    """A DataError that leaves this block names the sample `where` and says what to do about such files."""
    try:
        yield
    except DataError as error:
        reason = str(error).removeprefix(f"{error.path}: ")
        raise DataError(f"{reason}; {_ADVICE}", path=where) from error
