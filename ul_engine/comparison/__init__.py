"""Comparisons of a model's reconstructions with their originals and with each other, as a library."""

from ul_engine.comparison.bits import BitSpread
from ul_engine.comparison.interpolation import interpolate_pictures, interpolate_prompts, interpolate_seeds
from ul_engine.comparison.memory import Rung, Shelf, StudyMemory
from ul_engine.comparison.meter import Measured, Meter
from ul_engine.comparison.sheets import labelled_sheet
from ul_engine.comparison.spread import Spread, spread_of
from ul_engine.comparison.study import Study

__all__ = [
    "BitSpread",
    "Measured",
    "Meter",
    "Rung",
    "Shelf",
    "Spread",
    "Study",
    "StudyMemory",
    "interpolate_pictures",
    "interpolate_prompts",
    "interpolate_seeds",
    "labelled_sheet",
    "spread_of",
]
