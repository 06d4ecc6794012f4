"""What a run will cost, before it starts: parameters, operations, memory, time, disk; and what would fit where it does
not."""

from trainer.cost import RunEstimate
from trainer.estimates.advice import fitting_advice
from trainer.estimates.memory import StepMemory, step_memory
from trainer.estimates.report import estimate
from trainer.estimates.text import text

__all__ = ["RunEstimate", "StepMemory", "estimate", "fitting_advice", "step_memory", "text"]
