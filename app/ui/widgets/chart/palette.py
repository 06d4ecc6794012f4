"""Colours of series: told apart also by the colour-blind, and at least 3:1 against the ground of their theme."""

from app.ui.theme.theme import colours

DARK_SERIES = ("#73b3ef", "#f2a73c", "#3ab389", "#f197c4", "#9b85f9", "#f06e4f", "#e6da62", "#a3acb9")
LIGHT_SERIES = ("#075399", "#a56201", "#017853", "#b33e82", "#623dca", "#921306", "#6f6300", "#57606d")
DARK_RAMP, LIGHT_RAMP = ("#4a7fd0", "#f3e27a"), ("#17386e", "#a87400")
DARK_REFERENCE, LIGHT_REFERENCE = "#c3cad4", "#4d5562"


def series_colour(index: int) -> str:
    """The colour of the series at a place; they repeat after eight."""
    palette = DARK_SERIES if colours().name == "dark" else LIGHT_SERIES
    return palette[index % len(palette)]


def reference_colour() -> str:
    """The colour of marks."""
    return DARK_REFERENCE if colours().name == "dark" else LIGHT_REFERENCE


def ramp_colour(place: int, count: int) -> str:
    """Colours of series that have an order: from blue to yellow, which all eyes tell apart by lightness too."""
    ends = DARK_RAMP if colours().name == "dark" else LIGHT_RAMP
    share = place / max(count - 1, 1)
    parts = [[int(end[at : at + 2], 16) for at in (1, 3, 5)] for end in ends]
    mixed = (round(low + (high - low) * share) for low, high in zip(*parts, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)
