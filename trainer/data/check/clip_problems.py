"""Rules about videos: too short for a training clip, or ending too early."""

from trainer.config.data import ClipsData
from trainer.data.check.file_problems import notes, noun, share
from trainer.data.check.found import Found
from trainer.data.check.report import Level, Problem, ProblemKind
from trainer.data.check.wording import counted, one_or_many


def short_clips(found: Found) -> Problem | None:
    """Videos with fewer frames than a training clip."""
    if not isinstance(found.data, ClipsData):
        return None
    needed = found.data.num_frames
    short = [index for index in found.readable if found.facts[index].num_clip_frames < needed]
    if not short:
        return None
    longest = max(found.facts[index].num_clip_frames for index in found.readable)
    is_all = len(short) == len(found.readable)
    remedy = f"Train on {longest} frames at most" if is_all else "They are left out; a smaller --num-frames keeps them"
    return Problem(
        kind=ProblemKind.SHORT_CLIPS,
        level=Level.BLOCKS if is_all else Level.WARNS,
        count=len(short),
        what=f"{noun(found, len(short))}{share(len(short), len(found.readable))} "
        f"{one_or_many(len(short), 'is', 'are')} shorter than a training clip of {counted(needed, 'frame')}"
        f"{_at_rate(found.data)}.",
        remedy=f"{remedy}, or choose a higher --fps or a smaller --frame-stride.",
        files=notes(found, short, [counted(found.facts[index].num_clip_frames, "frame") for index in short]),
    )


def _at_rate(data: ClipsData) -> str:
    rate = "" if data.fps is None else f" at {data.fps:g} per second"
    return rate if data.frame_stride == 1 else f"{rate} with a stride of {data.frame_stride}"


def broken_off(found: Found) -> Problem | None:
    """Videos whose end is missing."""
    cut = [index for index in found.readable if found.facts[index].is_cut]
    if not cut:
        return None
    return Problem(
        kind=ProblemKind.BROKEN_OFF,
        level=Level.WARNS,
        count=len(cut),
        what=f"{noun(found, len(cut))} {one_or_many(len(cut), 'ends', 'end')} too early.",
        remedy="Only the whole frames are taken; copy the files again if there should be more.",
        files=notes(found, cut, [f"{counted(found.facts[index].num_frames, 'frame')} left" for index in cut]),
    )
