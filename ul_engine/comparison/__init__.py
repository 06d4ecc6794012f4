"""Comparisons of a model's reconstructions with their originals and with each other, as a library."""

from ul_engine.comparison.interpolation import interpolate_pictures, interpolate_prompts, interpolate_seeds
from ul_engine.comparison.sheets import labelled_sheet
from ul_engine.comparison.spread import Spread, spread_of
from ul_engine.comparison.study import Rung, Study

__all__ = [
    "Rung",
    "Spread",
    "Study",
    "interpolate_pictures",
    "interpolate_prompts",
    "interpolate_seeds",
    "labelled_sheet",
    "spread_of",
]
