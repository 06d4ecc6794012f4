"""Applies all rules and says whether a run can start."""

from collections.abc import Iterable

from trainer.data.check.clip_problems import broken_off, short_clips
from trainer.data.check.content_problems import (
    broken_words,
    exact_duplicates,
    imbalance,
    missing_captions,
    near_duplicates,
    several_classes,
)
from trainer.data.check.file_problems import (
    cut_off,
    empty,
    enlarged,
    ignored,
    left_out,
    misnamed,
    moving,
    too_few,
    unreadable,
)
from trainer.data.check.found import Found
from trainer.data.check.report import Level, Problem, Verdict

RULES = (
    empty,
    unreadable,
    broken_words,
    short_clips,
    too_few,
    broken_off,
    several_classes,
    enlarged,
    cut_off,
    exact_duplicates,
    near_duplicates,
    imbalance,
    missing_captions,
    left_out,
    moving,
    misnamed,
    ignored,
)
"""In the order in which problems are told, within each level."""

_GRAVEST_FIRST = (Level.BLOCKS, Level.WARNS, Level.INFORMS)


def problems_of(found: Found) -> tuple[Problem, ...]:
    """All that is found, the gravest first."""
    problems = [problem for rule in RULES if (problem := rule(found)) is not None]
    return tuple(sorted(problems, key=lambda problem: _GRAVEST_FIRST.index(problem.level)))


def verdict_of(problems: Iterable[Problem]) -> Verdict:
    """As the gravest problem has it."""
    levels = {problem.level for problem in problems}
    if Level.BLOCKS in levels:
        return Verdict.BLOCKED
    return Verdict.USABLE if Level.WARNS in levels else Verdict.READY
