"""What an evaluation of a tiny model is made of."""

from collections.abc import Callable

from ul_engine.evaluation import Task
from ul_engine.requests import SamplerSettings, SamplingSettings

FAST = SamplingSettings(base=SamplerSettings(num_steps=2), decoder=SamplerSettings(num_steps=3))

MakeTask = Callable[..., Task]
"""`task(data, "psnr,bits", num_decodes=2, ...)`: settings by keyword, `folder` another model."""
