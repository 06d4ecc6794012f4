"""Rules about the files themselves: what cannot be read, is too small, cut off, passed over."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from trainer.config.data import ClipsData, PicturesData
from trainer.data.check.found import Found
from trainer.data.check.report import MAX_NAMED, FileNote, Level, Problem, ProblemKind
from trainer.data.check.suggesting import LARGE_ENOUGH, MOST_CUT, SIZES_PX, bucket_step
from trainer.data.check.wording import counted, number, one_or_many, percent
from trainer.data.fitting import bucket_shapes, nearest_bucket
from trainer.data.splitting import LEAST_SAMPLES

FEW_FILES = 500
"""With fewer pictures a model tends to repeat them."""
FEW_CLIPS = 50

_FORMATS = {
    "JPEG": ("jpg", "jpeg", "jpe", "jfif"),
    "MPO": ("jpg", "jpeg", "mpo"),
    "TIFF": ("tif", "tiff"),
    "PPM": ("ppm", "pgm", "pbm", "pnm", "pfm"),
    "PNG": ("png", "apng"),
    "JPEG2000": ("jp2", "j2k", "jpx", "jpf"),
    "BMP": ("bmp", "dib"),
    "AVIF": ("avif", "avifs"),
}


def noun(found: Found, count: int) -> str:
    """``12 pictures``, ``1 clip``."""
    return counted(count, "video" if isinstance(found.data, ClipsData) else "picture")


def notes(found: Found, indices: list[int], texts: list[str] | None = None) -> tuple[FileNote, ...]:
    """The files with what is said of each."""
    texts = texts if texts is not None else [""] * len(indices)
    pairs = zip(indices[:MAX_NAMED], texts, strict=False)
    return tuple(FileNote(name=found.names[index], note=text) for index, text in pairs)


def share(count: int, of: int) -> str:
    """`` (39 %)``, or nothing where it would be less than one."""
    return f" ({percent(count, of)})" if count >= of / 100 else ""


def empty(found: Found) -> Problem | None:
    """Nothing that samples could be made of."""
    if found.names:
        return None
    wanted, other = ("videos", "pictures") if isinstance(found.data, ClipsData) else ("pictures", "videos")
    return Problem(
        kind=ProblemKind.EMPTY,
        level=Level.BLOCKS,
        count=len(found.ignored),
        what=f"There are no {wanted} in it, only {_kinds(found.ignored)}.",
        remedy=f"Name the folder or archive that holds the {wanted}; {other} are checked "
        f"{'without' if isinstance(found.data, ClipsData) else 'with'} --clips.",
    )


def unreadable(found: Found) -> Problem | None:
    """Files that no sample can be made of."""
    broken = [index for index, facts in enumerate(found.facts) if not facts.is_readable]
    if not broken:
        return None
    count = len(broken)
    return Problem(
        kind=ProblemKind.UNREADABLE,
        level=Level.BLOCKS,
        count=count,
        what=f"{noun(found, count)} cannot be read.",
        remedy=f"Remove {one_or_many(count, 'it', 'them')} or put whole files in place: "
        "a run stops at the first that it meets.",
        files=notes(found, broken, [found.facts[index].reason for index in broken]),
    )


def too_few(found: Found) -> Problem | None:
    """Less than a model can learn from."""
    count, enough = len(found.used), FEW_CLIPS if isinstance(found.data, ClipsData) else FEW_FILES
    if not found.names or count >= enough:
        return None
    if count < LEAST_SAMPLES:
        return Problem(
            kind=ProblemKind.TOO_FEW,
            level=Level.BLOCKS,
            count=count,
            what=f"{f'Only {number(count)}' if count else 'None'} of the files can be used.",
            remedy=f"A run needs {LEAST_SAMPLES} at least, two of them to be held out.",
        )
    return Problem(
        kind=ProblemKind.TOO_FEW,
        level=Level.WARNS,
        count=count,
        what=f"Only {noun(found, count)} can be used.",
        remedy="A model will repeat them rather than learn what they have in common; "
        f"{number(enough * 5)} or more are a good start.",
    )


def enlarged(found: Found) -> Problem | None:
    """Files with fewer pixels than the model is trained on."""
    size_px = found.data.size_px
    small = [index for index in found.used if found.facts[index].shorter_px < size_px]
    if not small:
        return None
    count, total = len(small), len(found.used)
    is_many = count > total * (1 - LARGE_ENOUGH)
    option = f"leave them out with --min-px {size_px} (data.min_px={size_px})"
    return Problem(
        kind=ProblemKind.ENLARGED,
        level=Level.WARNS if is_many else Level.INFORMS,
        count=count,
        what=f"{noun(found, count)}{share(count, total)} {one_or_many(count, 'is', 'are')} smaller than {size_px} px, "
        f"would be enlarged and teach the model to be soft.",
        remedy=f"{_smaller_size(found)}{option}."
        if count < total
        else _smaller_size(found).removesuffix(", or ") + ".",
        files=notes(found, small, [_size(found, index) for index in small]),
    )


def _smaller_size(found: Found) -> str:
    """``Train at 256 px, or``: the largest usual size at which few files are enlarged."""
    tenth = float(np.quantile([found.facts[index].shorter_px for index in found.used], 0.1, method="lower"))
    fitting = [size_px for size_px in SIZES_PX if size_px <= min(tenth, found.data.size_px - 1)]
    return f"Train at {fitting[-1]} px, or " if fitting else "Find larger files, or "


def left_out(found: Found) -> Problem | None:
    """Files below `min_px`."""
    small = [index for index in found.readable if found.facts[index].shorter_px < found.data.min_px]
    if not small:
        return None
    return Problem(
        kind=ProblemKind.LEFT_OUT,
        level=Level.INFORMS,
        count=len(small),
        what=f"{noun(found, len(small))}{share(len(small), len(found.readable))} "
        f"{one_or_many(len(small), 'is', 'are')} left out, for the shorter side is under {found.data.min_px} px.",
        files=notes(found, small, [_size(found, index) for index in small]),
    )


def _size(found: Found, index: int) -> str:
    return f"{found.facts[index].width_px} x {found.facts[index].height_px}"


def cut_off(found: Found) -> Problem | None:
    """Shapes that show little of wide or tall pictures."""
    lost = [_lost(found, index, _shapes(found.data)) for index in found.used]
    mean = float(np.mean(lost)) if lost else 0.0
    if mean < MOST_CUT / 2:
        return None
    is_choice = isinstance(found.data, PicturesData)
    has_buckets = isinstance(found.data, PicturesData) and found.data.fit == "buckets"
    return Problem(
        kind=ProblemKind.CUT_OFF,
        level=Level.WARNS if mean > MOST_CUT and is_choice else Level.INFORMS,
        count=sum(part > 0 for part in lost),
        what=f"{'The shapes of the buckets' if has_buckets else 'Squares'} cut off {percent(mean, 1)} of a "
        f"{noun(found, 1)[2:]} on average.",
        remedy="See the contact sheet (--sheet)." if isinstance(found.data, ClipsData) else _keep_more(found.data),
    )


def _keep_more(data: PicturesData) -> str:
    step_px = bucket_step(data.size_px)
    if data.fit != "buckets":
        return (
            f"--fit buckets --bucket-step-px {step_px} keeps more of them, --fit pad adds edges; "
            "the contact sheet shows what is left."
        )
    if step_px < data.bucket_step_px:
        return f"Smaller steps (--bucket-step-px {step_px}) give more shapes; --fit pad cuts nothing off."
    return "No bucket is so long; --fit pad cuts nothing off."


def _shapes(data: PicturesData | ClipsData) -> tuple[tuple[int, int], ...]:
    """Heights and widths that samples are cut to; none where nothing is cut off."""
    if isinstance(data, ClipsData) or data.fit == "crop":
        return ((data.size_px, data.size_px),)
    return bucket_shapes(data.size_px, data.bucket_step_px) if data.fit == "buckets" else ()


def _lost(found: Found, index: int, shapes: tuple[tuple[int, int], ...]) -> float:
    """Share of a picture that does not fit the nearest shape."""
    if not shapes:
        return 0.0
    size = found.facts[index].height_px, found.facts[index].width_px
    height, width = shapes[nearest_bucket(size, shapes)]
    ratio = (width * size[0]) / (height * size[1])
    return 1 - min(ratio, 1 / ratio)


def moving(found: Found) -> Problem | None:
    """Animations and files of several pages among pictures."""
    if isinstance(found.data, ClipsData):
        return None
    several = [index for index in found.readable if found.facts[index].num_pictures > 1]
    if not several:
        return None
    return Problem(
        kind=ProblemKind.MOVING,
        level=Level.INFORMS,
        count=len(several),
        what=f"{counted(len(several), 'file')} {one_or_many(len(several), 'holds', 'hold')} several pictures "
        "(an animation, or pages).",
        remedy="Only the first picture of each is taken.",
        files=notes(found, several, [counted(found.facts[index].num_pictures, "picture") for index in several]),
    )


def misnamed(found: Found) -> Problem | None:
    """Content that is not what the name says."""
    wrong = [index for index in found.readable if _is_misnamed(found.names[index], found.facts[index].format)]
    if isinstance(found.data, ClipsData) or not wrong:
        return None
    return Problem(
        kind=ProblemKind.MISNAMED,
        level=Level.INFORMS,
        count=len(wrong),
        what=f"{counted(len(wrong), 'file')} {one_or_many(len(wrong), 'is', 'are')} not what the name says.",
        remedy="Nothing to do: content decides.",
        files=notes(found, wrong, [f"is {found.facts[index].format}" for index in wrong]),
    )


def _is_misnamed(name: str, format_: str) -> bool:
    return PurePosixPath(name).suffix.lower().removeprefix(".") not in _FORMATS.get(format_, (format_.lower(),))


def ignored(found: Found) -> Problem | None:
    """Files of other kinds."""
    if not found.ignored or not found.names:
        return None
    return Problem(
        kind=ProblemKind.IGNORED,
        level=Level.INFORMS,
        count=len(found.ignored),
        what=f"{_kinds(found.ignored)} {one_or_many(len(found.ignored), 'is', 'are')} passed over.",
        files=tuple(FileNote(name=name) for name in found.ignored[:MAX_NAMED]),
    )


def _kinds(names: Sequence[str]) -> str:
    """``3 files of other kinds (2 .txt, 1 .csv)``."""
    if not names:
        return "nothing"
    suffixes = Counter(PurePosixPath(name).suffix.lower() or "without a suffix" for name in names).most_common(5)
    return (
        f"{counted(len(names), 'file')} of other kinds ({', '.join(f'{number(n)} {suffix}' for suffix, n in suffixes)})"
    )
