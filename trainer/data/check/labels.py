"""Collects classes and captions of all files, with what is wrong with them."""

from collections import Counter
from collections.abc import Sequence

from trainer.config.data import FileData
from trainer.data.caption_tables import TABLES
from trainer.data.check.found import Found, Labels
from trainer.data.check.report import CaptionsFound, ClassesFound, Count, FileNote
from trainer.data.check.scan import Observe
from trainer.data.collections import Collection, Entry
from trainer.data.words import Words, read_words
from ul_engine.errors import DataError

NUM_FREQUENT = 50
CAPTIONS = "reading captions"
_EVERY = 200


def labels_of(collection: Collection, entries: Sequence[Entry], data: FileData, observe: Observe) -> Labels:
    """Read everything that is said of `entries`. Broken files are told in the result, no error."""
    try:
        words = read_words(collection, entries, use_captions=data.captions == "auto")
    except DataError as error:
        return Labels([None] * len(entries), [""] * len(entries), trouble=str(error))
    names = words.class_names
    captions, broken = _captions(collection, words, observe)
    return Labels(
        [names[label] if names else None for label in words.labels.tolist()],
        captions,
        files=_files(collection, words),
        broken=broken,
    )


def _captions(collection: Collection, words: Words, observe: Observe) -> tuple[list[str], list[tuple[str, str]]]:
    """All captions, and the files that cannot be read with the reason."""
    captions, broken = [], []
    for index, source in enumerate(words.sources):
        try:
            captions.append(words.caption(collection, index))
        except DataError as error:
            assert isinstance(source, Entry)
            captions.append("")
            broken.append((source.name, str(error).removeprefix(f"{error.path}: ")))
        if isinstance(source, Entry) and index % _EVERY == 0:
            observe(CAPTIONS, index, len(words.sources))
    return captions, broken


def _files(collection: Collection, words: Words) -> frozenset[str]:
    """Names of the files that captions and classes come from."""
    tables = {
        entry.name
        for entry in collection.entries
        if entry.name.lower().endswith(".cls") or entry.name.rpartition("/")[2].lower() in TABLES
    }
    return frozenset(tables | {source.name for source in words.sources if isinstance(source, Entry)})


def classes_found(counts: Sequence[tuple[str, int]]) -> ClassesFound:
    """Of classes with their numbers of files, the largest first."""
    if not counts:
        return ClassesFound()
    return ClassesFound(
        counts=tuple(Count(name=name, count=count) for name, count in counts), imbalance=counts[0][1] / counts[-1][1]
    )


def captions_found(found: Found) -> CaptionsFound:
    """Of the files that are used. Words are what stands between spaces, without marks at their ends, in lower case."""
    said = {index: caption for index in found.used if (caption := found.labels.captions[index].strip())}
    if not said:
        return CaptionsFound(num_missing=len(found.used))
    split = {index: _words(caption) for index, caption in said.items()}
    counts = Counter(word for words in split.values() for word in words)
    longest = max(split, key=lambda index: len(split[index]))
    return CaptionsFound(
        num_with=len(said),
        num_missing=len(found.used) - len(said),
        num_words=len(counts),
        frequent=tuple(Count(name=word, count=count) for word, count in counts.most_common(NUM_FREQUENT)),
        longest_words=len(split[longest]),
        longest=FileNote(name=found.names[longest], note=said[longest]),
    )


def _words(caption: str) -> list[str]:
    return [word for part in caption.lower().split() if (word := part.strip(".,;:!?\"'()[]"))]
