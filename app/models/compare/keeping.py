"""What is kept of a comparison: the numbers of every level that was made, and names for files. No Qt."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from app.models.compare.candidates import Candidate, CandidateKind, Shown
from app.models.compare.comparison import Comparison
from app.models.compare.figures import metrics
from app.models.compare.findings import RungKey
from app.models.compare.ladder_curve import bit_map_of, surviving_bits
from app.models.compare.levels import Ladder, Rung, track_of

_FACTS = ("bits_are_a_bound", "is_floor", "setting")


def rung_of_shown(compare: Comparison, candidate: Candidate, rung: Rung | None = None) -> Rung | None:
    """The rung that a candidate's picture is of (None: the one on show); None for what is on no ladder."""
    key = compare.key_of(candidate, rung)
    return key.rung if isinstance(key, RungKey) else None


def at_its_level(compare: Comparison, shown: Shown, rung: Rung | None = None) -> Shown:
    """A candidate with the bits that its latent still holds at the level it is shown at; without any where that is not
    known yet, or has no meaning because the decoder saw the picture itself."""
    its = rung_of_shown(compare, shown.candidate, rung)
    if its is None or its.level is None or shown.figures is None:
        return shown
    bits = bit_map_of(compare, shown.candidate) if its.ladder is Ladder.LATENT else None
    left = surviving_bits(bits, its.level) if bits else None
    return replace(shown, figures=replace(shown.figures, bits_per_pixel=left))


def levels_csv(compare: Comparison) -> str:
    """A row for every candidate at every level that is made, with full precision, for a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    keys = [metric.key for metric in metrics()]
    writer.writerow(["picture", "candidate", "ladder", "log_snr", *keys, *_FACTS])
    for candidate in compare.candidates:
        for shown, rung in _made(compare, candidate):
            figures = at_its_level(compare, shown, rung).figures
            assert figures is not None
            values = [figures.value(key) for key in keys]
            facts = (figures.is_bound, figures.is_floor, figures.setting)
            place = [Path(compare.source).name, candidate.title, *_place(compare, rung)]
            writer.writerow([*place, *("" if value is None else value for value in values), *facts])
    return stream.getvalue()


def file_stem(compare: Comparison) -> str:
    """A name for a file about what is on show: that of the picture, and the level."""
    stem = Path(compare.source).stem or "comparison"
    rung = compare.rung
    if rung.level is None:
        return stem
    return f"{stem} {'decoder ' if rung.ladder is Ladder.DECODER else ''}log-SNR {rung.level:g}"


def _made(compare: Comparison, candidate: Candidate) -> Iterator[tuple[Shown, Rung | None]]:
    """A candidate at all levels; what is on no ladder comes once, and so does the picture where both ladders begin."""
    if candidate.kind is not CandidateKind.MODEL:
        shown = compare.shown(candidate)
        if shown.figures is not None:
            yield shown, None
        return
    latent, decoder = compare.form.rungs(Ladder.LATENT), compare.form.rungs(Ladder.DECODER)
    for rung in (*latent, *(rung for rung in decoder if rung.level is not None)):
        shown = compare.shown(candidate, rung)
        if shown.figures is not None:
            yield shown, rung


def _place(compare: Comparison, rung: Rung | None) -> tuple[str, float | str]:
    if rung is None or compare.form.config is None:
        return "", ""
    return rung.ladder.value, track_of(compare.form.config, rung.ladder).native if rung.level is None else rung.level
