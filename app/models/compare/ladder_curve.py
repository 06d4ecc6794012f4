"""The small curves along a ladder: how close each rung comes, and how many bits are left at its level."""

from dataclasses import dataclass

from app.models.compare.candidates import Candidate, CandidateKind
from app.models.compare.comparison import Comparison
from app.models.compare.findings import BitMap, BitMapKey
from app.models.compare.levels import Ladder, Rung, Track, track_of


@dataclass(frozen=True)
class RungMark:
    """One rung of the scrubber."""

    rung: Rung
    share: float
    """Place along the track, 0 at the left."""
    is_trained: bool
    state: str
    """A `ShownState`."""
    psnr_db: float | None = None
    bits_per_pixel: float | None = None
    """Bits that the latent still holds at this level, at most; None where that is unknown or has no meaning."""


def marks_of(compare: Comparison, candidate: Candidate, ladder: Ladder) -> tuple[RungMark, ...]:
    """The rungs of a ladder for one model, in the order of the scrubber."""
    config = compare.form.config
    if config is None:
        return ()
    track = track_of(config, ladder)
    bits = bit_map_of(compare, candidate) if ladder is Ladder.LATENT else None
    return tuple(_mark(compare, candidate, rung, (ladder, track), bits) for rung in compare.form.rungs(ladder))


def bit_map_of(compare: Comparison, candidate: Candidate) -> BitMap | None:
    """Where the bits of the present input went under a model."""
    entry = compare.model(candidate)
    if candidate.kind is not CandidateKind.MODEL or entry is None:
        return None
    recipe = compare.form.recipe_of(entry)
    return compare.results.get(BitMapKey(compare.source, entry.path, recipe.restorer, recipe.seed), BitMap)


def place_of(level: float, track: Track, ladder: Ladder) -> float:
    """Where a level stands on the track: both ladders begin at the left with the usual reconstruction."""
    share = track.share(level)
    return 1.0 - share if ladder is Ladder.LATENT else share


def surviving_bits(bits: BitMap, level: float) -> float:
    """Bits per pixel that a latent noised to `level` still holds, at most: those of the bands below, and the terminal
    ones. At the native level that is the whole bound."""
    total = bits.terminal_bits + sum(band.bits for band in bits.bands)
    below = bits.terminal_bits
    for band in bits.bands:
        share = (min(max(level, band.low), band.high) - band.low) / (band.high - band.low)
        below += band.bits * share
    return bits.bits_per_pixel * below / total if total > 0 else 0.0


def _mark(
    compare: Comparison, candidate: Candidate, rung: Rung, line: tuple[Ladder, Track], bits: BitMap | None
) -> RungMark:
    ladder, track = line
    level = track.native if rung.level is None else rung.level
    shown = compare.shown(candidate, rung)
    figures = shown.figures
    return RungMark(
        rung,
        place_of(level, track, ladder),
        track.is_trained(level),
        shown.state.value,
        figures.value("psnr_db") if figures else None,
        surviving_bits(bits, level) if bits and level <= track.native else None,
    )


@dataclass(frozen=True)
class LadderCurve:
    """One measure of one model over the levels of a ladder, rising."""

    title: str
    levels: tuple[float, ...]
    values: tuple[float, ...]


def ladder_curves(compare: Comparison, key: str) -> tuple[LadderCurve, ...]:
    """A measure of every model along the ladder on show, as far as it is made."""
    ladder = compare.view.view.ladder
    found = [
        _curve(compare, candidate, ladder, key)
        for candidate in compare.candidates
        if candidate.kind is CandidateKind.MODEL
    ]
    return tuple(curve for curve in found if curve.levels)


def _curve(compare: Comparison, candidate: Candidate, ladder: Ladder, key: str) -> LadderCurve:
    points = []
    for rung in compare.form.rungs(ladder):
        figures = compare.shown(candidate, rung).figures
        value = figures.value(key) if figures else None
        if value is not None:
            points.append((_level(compare, ladder, rung), value))
    points.sort()
    return LadderCurve(candidate.title, tuple(level for level, _ in points), tuple(value for _, value in points))


def level_on_show(compare: Comparison) -> float | None:
    """The level of the rung on show, on its ladder's line; None before a model is chosen."""
    return _level(compare, compare.view.view.ladder, compare.rung) if compare.form.config else None


def _level(compare: Comparison, ladder: Ladder, rung: Rung) -> float:
    assert compare.form.config is not None
    return track_of(compare.form.config, ladder).native if rung.level is None else rung.level
