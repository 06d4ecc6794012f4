"""What is said of samples: captions beside them or in tables, and their classes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from trainer.data.beside import Beside
from trainer.data.caption_tables import TEXT_COLUMNS, table_captions
from trainer.data.classes import classes_of
from trainer.data.collections import Collection
from trainer.data.entries import Entry
from trainer.data.samples import IntArray
from ul_engine.errors import DataError


@dataclass(frozen=True)
class Words:
    """Class and caption of each of N samples. Captions in files of their own are read when they are asked for."""

    labels: IntArray
    """Class labels [N]; all 0 where there are no classes."""
    class_names: tuple[str, ...]
    """Names by label; empty where there are no classes."""
    sources: tuple[Entry | str, ...]
    """Of each sample the file that holds its caption, or the caption; "" where there is none."""

    @property
    def has_captions(self) -> bool:
        """Whether anything is said of at least one sample."""
        return any(self.sources)

    def caption(self, collection: Collection, index: int) -> str:
        """What is said of sample `index`, "" for nothing; raises DataError where its file cannot be read."""
        source = self.sources[index]
        return source if isinstance(source, str) else _caption_in(collection, source)

    def chosen(self, indices: IntArray) -> "Words":
        """The words of some of the samples."""
        return Words(self.labels[indices], self.class_names, tuple(self.sources[index] for index in indices))

    def update(self, digest: blake2b) -> None:
        """Add what is known without opening files to a fingerprint (the files are in the collection's own)."""
        lines = [source if isinstance(source, str) else source.name for source in self.sources]
        content = json.dumps([self.class_names, self.labels.tolist(), lines])
        digest.update(content.encode())


def read_words(collection: Collection, samples: Sequence[Entry], *, use_captions: bool = True) -> Words:
    """Classes, and captions from tables, else from the ``.txt`` or ``.json`` file beside a sample. Raises DataError."""
    beside = Beside(collection.entries)
    classes = classes_of(collection, samples, beside)
    sources: tuple[Entry | str, ...] = ("",) * len(samples)
    if use_captions:
        tables = table_captions(collection)
        sources = tuple(_source(sample, beside, tables) for sample in samples)
    return Words(classes.labels, classes.names, sources)


def _source(sample: Entry, beside: Beside, tables: dict[str, str]) -> Entry | str:
    if caption := tables.get(sample.name):
        return caption
    return beside.find(sample, ".txt") or beside.find(sample, ".json") or ""


def _caption_in(collection: Collection, file: Entry) -> str:
    where = collection.where(file)
    try:
        text = collection.read(file).decode("utf-8-sig")
        if not file.name.lower().endswith(".json"):
            return " ".join(text.split())
        content = json.loads(text)
    except UnicodeDecodeError as error:
        raise DataError("is not UTF-8 text; save it as UTF-8", path=where) from error
    except ValueError as error:
        raise DataError(f"is no valid JSON ({error})", path=where) from error
    fields = content if isinstance(content, dict) else {}
    found = next((fields[name] for name in TEXT_COLUMNS if isinstance(fields.get(name), str)), "")
    return " ".join(found.split())
