"""What a sweep shall try, and the definition that the trainer takes."""

from typing import Any, Self

from pydantic import Field, model_validator

from trainer.config import RunConfig, Stage
from ul_engine.requests import FrozenModel

LOSS_FACTOR = "model.decoder_loss.loss_factor"
SIGMOID_BIAS = "model.decoder_loss.sigmoid_bias"
SHARES = (0.5, 0.75, 1.0, 1.25, 1.5)
"""Of the loss factor that is set, for the values proposed."""
MOST_SAMPLES = 512


class SweepSettings(FrozenModel):
    """Every loss factor with every bias makes one point: a whole run, measured like the others."""

    name: str = Field(
        min_length=1, max_length=80, pattern=r"^[\w][\w .-]*$", description="Name of the sweep, and of its folder."
    )
    loss_factors: tuple[float, ...] = Field(
        min_length=1,
        description="Values to try, parted by commas. More puts more bits into the latent; the paper tries 1.3 to 2.1 "
        "at 512 px, small pictures want 2 to 6.",
    )
    biases: tuple[float, ...] = Field(
        (), description="Sigmoid biases to try with each of them. Nothing: the bias that is set for the model."
    )
    use_stage2: bool = Field(
        False, description="Also train a base model at each point, so that generated pictures are measured as well."
    )
    points_at_once: int = Field(1, ge=1, le=64, description="Runs side by side; more than one only pays on a GPU.")

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if any(not 0.0 < value <= 100.0 for value in self.loss_factors):
            raise ValueError("loss_factors must be above 0 and at most 100")
        for name in ("loss_factors", "biases"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names a value twice")
        return self

    @property
    def num_points(self) -> int:
        """Whole runs that it takes."""
        return len(self.loss_factors) * max(1, len(self.biases))


def proposed(config: RunConfig, name: str) -> dict[str, Any]:
    """Values around those that are set."""
    factor = config.model.decoder_loss.loss_factor
    return {"name": name, "loss_factors": [round(factor * share, 3) for share in SHARES]}


def definition(settings: SweepSettings, config: RunConfig) -> dict[str, Any]:
    """The sweep's definition, as its YAML file has it, of runs with the settings `config`."""
    axes: dict[str, Any] = {LOSS_FACTOR: list(settings.loss_factors)}
    if settings.biases:
        axes[SIGMOID_BIAS] = list(settings.biases)
    stage1 = config.model_dump(mode="json")
    stage1["preset"] = None  # its values are all there
    samples = max(4, min(MOST_SAMPLES, config.data.num_valid))
    found: dict[str, Any] = {
        "name": settings.name,
        "description": f"{len(settings.loss_factors)} loss factors of {config.model.name}.",
        "stage1": stage1,
        "axes": axes,
        "measure": {"num_samples": samples, "num_generated": samples, "num_gap_samples": min(256, samples)},
    }
    if settings.use_stage2:
        found["stage2"] = {"num_steps": 2 * config.num_steps, "condition_on": "auto", "stage": Stage.STAGE2.value}
    return found
