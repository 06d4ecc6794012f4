"""The two noise ladders: their rungs, the levels asked for at first, and what a model was trained on. No Qt."""

import math
from dataclasses import dataclass
from enum import StrEnum

from ul_engine.config import ModelConfig

LATENT_LEVELS = (4.0, 3.0, 2.0, 1.0, 0.0, -1.0, -2.0, -4.0, -6.0)
"""Below the native level, which always comes first."""
DECODER_LEVELS = (-4.0, -2.0, 0.0, 2.0, 4.0, 6.0)
"""Above pure noise, which is where the decoder starts when nothing is said."""
BEYOND = 3.0
"""How far above the native level the track goes, so that the end of the trained range is seen."""
MAX_LEVELS = 64


class Ladder(StrEnum):
    """What is noised before it is brought back."""

    LATENT = "latent"
    DECODER = "decoder"


@dataclass(frozen=True)
class Rung:
    """One place on a ladder. `level` is a log-SNR; None is the ladder's beginning: the latent at its native level, the
    decoder started from pure noise. Both are the same picture, and one rung."""

    ladder: Ladder = Ladder.LATENT
    level: float | None = None

    def logsnrs(self, native: float) -> tuple[float, float | None]:
        """Log-SNR of the latent, and of the picture that the decoder starts from (None: pure noise)."""
        if self.level is None:
            return native, None
        return (self.level, None) if self.ladder is Ladder.LATENT else (native, self.level)


NATIVE = Rung()


def rung_of(latent_logsnr: float, decoder_logsnr: float | None, native: float) -> Rung:
    """The rung that a result of the engine belongs to."""
    if decoder_logsnr is not None:
        return Rung(Ladder.DECODER, decoder_logsnr)
    return NATIVE if latent_logsnr == native else Rung(Ladder.LATENT, latent_logsnr)


@dataclass(frozen=True)
class Track:
    """The line along which a scrubber moves: its ends, and the part a model was trained on."""

    low: float
    high: float
    trained_low: float
    trained_high: float
    native: float
    """Where the ladder begins, on the line."""

    def share(self, level: float) -> float:
        """Place of a level on the line: 0 at its noisy end, 1 at its clean end."""
        return (min(max(level, self.low), self.high) - self.low) / (self.high - self.low)

    def is_trained(self, level: float) -> bool:
        """Whether a model saw such noise while it was trained."""
        return self.trained_low <= level <= self.trained_high


def latent_track(config: ModelConfig) -> Track:
    """The line of the latent's ladder; it goes on a little above the native level, which is marked as untrained."""
    levels = config.latent_levels
    return Track(levels.lowest, levels.highest + BEYOND, levels.lowest, levels.highest, levels.highest)


def decoder_track(config: ModelConfig) -> Track:
    """The line of the decoder's ladder, from pure noise to the cleanest picture it was trained on."""
    levels = config.picture_levels
    return Track(levels.lowest, levels.highest, levels.lowest, levels.highest, levels.lowest)


def track_of(config: ModelConfig, ladder: Ladder) -> Track:
    """The line of either ladder."""
    return latent_track(config) if ladder is Ladder.LATENT else decoder_track(config)


def rungs_of(ladder: Ladder, levels: tuple[float, ...], track: Track) -> tuple[Rung, ...]:
    """The rungs of a ladder from clean to noisy for the latent, from noise to clean for the decoder: its beginning
    first, then the levels in the direction in which the picture changes. Levels that the model has none of are left
    out."""
    wanted = {level for level in levels if track.low <= level <= track.high and level != track.native}
    is_falling = ladder is Ladder.LATENT
    above = sorted((level for level in wanted if is_falling and level > track.native), reverse=True)
    below = sorted(wanted - set(above), reverse=is_falling)
    rungs = [Rung(ladder, level) for level in below]
    return (*(Rung(ladder, level) for level in above), NATIVE, *rungs)


def parse_levels(text: str) -> tuple[float, ...] | None:
    """The levels in a text such as "4, 3, 2.5, -1"; None if something in it is no number."""
    words = text.replace(";", " ").replace(",", " ").replace("\u2212", "-").split()
    try:
        levels = tuple(float(word) for word in words)
    except ValueError:
        return None
    if len(levels) > MAX_LEVELS or any(not math.isfinite(level) or abs(level) > 30 for level in levels):
        return None
    return tuple(dict.fromkeys(levels))


def levels_text(levels: tuple[float, ...]) -> str:
    """Levels as a person writes them."""
    return ", ".join(f"{level:g}" for level in levels)
