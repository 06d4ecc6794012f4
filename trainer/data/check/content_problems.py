"""Rules about what the samples show and what is said of them: duplicates, classes, captions."""

from collections import Counter
from collections.abc import Sequence

from trainer.data.check.duplicates import Group
from trainer.data.check.file_problems import notes, noun, share
from trainer.data.check.found import Found
from trainer.data.check.report import MAX_NAMED, FileNote, Level, Problem, ProblemKind
from trainer.data.check.wording import counted, number, one_or_many

MANY_COPIES = 0.01
"""Share of the files above which copies are worth a warning."""
UNEVEN = 10.0
"""Largest / smallest class above which the small ones suffer."""


def exact_duplicates(found: Found) -> Problem | None:
    """Files with the same bytes."""
    if not found.exact_groups:
        return None
    copies = _copies(found.exact_groups)
    return Problem(
        kind=ProblemKind.EXACT_DUPLICATES,
        level=_level(copies, len(found.used)),
        count=len(found.exact_groups),
        what=f"{noun(found, len(found.exact_groups))} {one_or_many(len(found.exact_groups), 'occurs', 'occur')} more "
        f"than once, byte for byte: {counted(copies, 'needless file')}{share(copies, len(found.used))}.",
        remedy=f"Keep one of each: copies count twice{_across(found, found.exact_groups)}.",
        groups=_named(found, found.exact_groups),
    )


def near_duplicates(found: Found) -> Problem | None:
    """Pictures that look the same: scaled, compressed or lightly changed copies."""
    if not found.near_groups:
        return None
    copies, count = _copies(found.near_groups), len(found.near_groups)
    return Problem(
        kind=ProblemKind.NEAR_DUPLICATES,
        level=_level(copies, len(found.used)),
        count=count,
        what=f"{counted(count, 'group')} of files {one_or_many(count, 'looks', 'look')} the same though their bytes "
        f"differ: {counted(copies, 'likely copy', 'likely copies')}{share(copies, len(found.used))}.",
        remedy=f"Look at them, and keep the best of each group{_across(found, found.near_groups)}.",
        groups=_named(found, found.near_groups),
    )


def several_classes(found: Found) -> Problem | None:
    """Copies of one picture in different classes."""
    torn = [
        group
        for group in (*found.exact_groups, *found.near_groups)
        if len({found.labels.classes[index] for index in group}) > 1
    ]
    if not torn:
        return None
    return Problem(
        kind=ProblemKind.SEVERAL_CLASSES,
        level=Level.WARNS,
        count=len(torn),
        what=f"{noun(found, len(torn))} {one_or_many(len(torn), 'stands', 'stand')} in more than one class.",
        remedy="Decide which is right and remove the others: the model cannot learn both.",
        groups=_named(found, torn),
    )


def _across(found: Found, groups: Sequence[Group]) -> str:
    """What is to be said of groups that stand on both sides of the split."""
    count = sum(0 < len(found.held_out.intersection(group)) < len(group) for group in groups)
    if not count:
        return ""
    return (
        f"; {number(count)} of them {one_or_many(count, 'has', 'have')} copies among the held-out samples, which makes "
        "a run look better than it is"
    )


def _copies(groups: Sequence[Group]) -> int:
    """Files that are left when one of each group is kept."""
    return sum(len(group) - 1 for group in groups)


def _level(copies: int, num_files: int) -> Level:
    return Level.WARNS if copies > num_files * MANY_COPIES else Level.INFORMS


def _named(found: Found, groups: Sequence[Group]) -> tuple[tuple[str, ...], ...]:
    largest_first = sorted(groups, key=len, reverse=True)[:MAX_NAMED]
    return tuple(tuple(found.names[index] for index in group) for group in largest_first)


def imbalance(found: Found) -> Problem | None:
    """Classes of very different size."""
    counts = class_counts(found)
    if len(counts) < 2:
        return None
    (largest, most), (smallest, least) = counts[0], counts[-1]
    if most < least * UNEVEN:
        return None
    return Problem(
        kind=ProblemKind.IMBALANCE,
        level=Level.WARNS,
        count=sum(count * UNEVEN <= most for _, count in counts),
        what=f"The largest class ({largest}, {number(most)}) is {most / least:.0f} times the smallest "
        f"({smallest}, {number(least)}).",
        remedy="The model will draw small classes less well; add to them if they matter.",
    )


def class_counts(found: Found) -> list[tuple[str, int]]:
    """Classes of the used files, the largest first."""
    counts = Counter(name for index in found.used if (name := found.labels.classes[index]) is not None)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def broken_words(found: Found) -> Problem | None:
    """Files of captions or classes that cannot be read."""
    broken = found.labels.broken
    if found.labels.trouble:
        return Problem(
            kind=ProblemKind.WORDS,
            level=Level.BLOCKS,
            count=1,
            what="Captions or classes cannot be read.",
            remedy="Repair the file, or do without captions (--captions none).",
            files=(FileNote(name=found.labels.trouble),),
        )
    if not broken:
        return None
    return Problem(
        kind=ProblemKind.WORDS,
        level=Level.BLOCKS,
        count=len(broken),
        what=f"{counted(len(broken), 'caption file')} cannot be read.",
        remedy=f"Repair or remove {one_or_many(len(broken), 'it', 'them')}, or do without captions (--captions none): "
        "a run stops at the first that it meets.",
        files=tuple(FileNote(name=name, note=reason) for name, reason in broken[:MAX_NAMED]),
    )


def missing_captions(found: Found) -> Problem | None:
    """Files without a caption where others have one."""
    missing = [index for index in found.used if not found.labels.captions[index].strip()]
    if not missing or len(missing) == len(found.used):
        return None
    count = len(missing)
    return Problem(
        kind=ProblemKind.MISSING_CAPTIONS,
        level=Level.WARNS,
        count=count,
        what=f"{noun(found, count)}{share(count, len(found.used))} {one_or_many(count, 'has', 'have')} no caption.",
        remedy="They are learned as pictures of no prompt; write captions for them, or remove them.",
        files=notes(found, missing),
    )
