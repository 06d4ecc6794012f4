"""What would help a run that failed, as sentences and settings that can be copied."""

from trainer.config import RunConfig
from trainer.estimates import fitting_advice
from trainer.guard import BadStep
from trainer.memory import memory_of
from trainer.ranks import Ranks
from ul_engine.errors import DataError, DeviceMemoryError, OutputError


def advice_for(error: Exception, config: RunConfig, ranks: Ranks) -> tuple[str, ...]:
    """Best first; empty where nothing sensible can be said."""
    if isinstance(error, DeviceMemoryError):
        free, total = memory_of(ranks.device)
        needed = error.needed_bytes
        return tuple(fitting_advice(config, needed=needed, free=free, total=total, num_ranks=ranks.size))
    if isinstance(error, BadStep):
        lower = config.optimizer.learning_rate / 2
        return (
            "--set guard.on_bad_step=rollback",
            f"--set optimizer.learning_rate={lower:g}",
            *(("--set precision=fp32",) if config.precision == "bf16" else ()),
        )
    if isinstance(error, OutputError):
        return ("free some space or move the run folder; the newest checkpoint is whole", "ul-train resume RUN")
    if isinstance(error, DataError):
        return ("ul-train data check names every file that cannot be read",)
    return ()
