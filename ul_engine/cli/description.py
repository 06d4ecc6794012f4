"""A model's cost as text for a terminal: tables of fixed width, units in the headings."""

from collections.abc import Sequence

from ul_engine.accounting import (
    DEVICE_SHARE,
    FLOPS_PER_MULTIPLY_ADD,
    TRAINING_PASSES,
    ModelCost,
    Operations,
    StageCost,
    TrainingMemory,
)
from ul_engine.config import ModelConfig
from ul_engine.objectives import weighting_curves

GIGA, TERA, MEGA = 1e9, 1e12, 1e6


def text(cost: ModelCost, *, heading: str, memory_gb: float | None = None) -> str:
    """The whole description; `memory_gb` is the device that the model is meant for, None for none."""
    sections = [
        f"{heading}\n",
        _facts(cost),
        _forward(cost),
        _training(cost),
        _memory(cost, memory_gb),
        _sampling(cost),
    ]
    return "\n".join(sections)


def _table(title: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Left-aligned names, right-aligned cells."""
    widths = [max(map(len, (column, *(cells[index] for _, cells in rows)))) for index, column in enumerate(columns)]
    stub = max(map(len, (title, *(name for name, _ in rows))))

    def line(name: str, cells: Sequence[str]) -> str:
        aligned = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        return "  ".join((f"{name:<{stub}}", *aligned)).rstrip()

    return "\n".join((line(title, columns), *(line(name, cells) for name, cells in rows))) + "\n"


def _number(value: float, unit: float) -> str:
    """Three significant digits or whole units, with thousands apart."""
    scaled = value / unit
    return f"{scaled:,.0f}" if scaled >= 100 else f"{scaled:.3g}"


def _facts(cost: ModelCost) -> str:
    config, latent = cost.config, cost.latent
    channels, frames, height, width = latent.shape
    clip = f"{config.num_frames} frames of " if config.video is not None else ""
    cells = f"{frames} x {height} x {width}" if config.video is not None else f"{height} x {width}"
    rows = [
        ("sample", f"{clip}{config.image_px} x {config.image_px} px; {_condition(config)}"),
        ("latent", f"{cells} cells of {channels} channels: {latent.num_tokens:,} tokens, {latent.num_values:,} values"),
        ("bits", f"1 bit per pixel is {latent.bits_per_value:g} bits per latent value"),
        ("weighting", weighting_curves(config, num_points=2).explanation),
    ]
    return "\n".join(f"{name:<10} {value}" for name, value in rows) + "\n"


def _condition(config: ModelConfig) -> str:
    conditioning = config.conditioning
    told = {
        "none": "no condition",
        "class": f"one of {conditioning.num_classes:,} classes",
        "text": f"prompts of {len(conditioning.text.vocabulary) if conditioning.text else 0:,} words",
    }[conditioning.kind]
    return f"{told}, continued from {config.context_frames} frames" if config.context_frames else told


def _forward(cost: ModelCost) -> str:
    rows = [(name, network.parameters, network.forward) for name, network in cost.networks.items()]
    everything = sum((operations for _, _, operations in rows), Operations())
    rows_and_sum = [*rows, ("all", cost.num_parameters, everything)]
    return _table(
        "one forward pass, G multiply-adds",
        ("M parameters", "linear+attention", "convolution", "sum", "GFLOPs (x2)"),
        [
            (
                name,
                (
                    _number(parameters, MEGA),
                    _number(operations.projections_and_attention, GIGA),
                    _number(operations.convolution, GIGA),
                    _number(operations.total, GIGA),
                    _number(operations.total * FLOPS_PER_MULTIPLY_ADD, GIGA),
                ),
            )
            for name, parameters, operations in rows_and_sum
        ],
    )


def _stages(cost: ModelCost) -> list[tuple[str, StageCost]]:
    stages = [("Stage 1" if cost.stage2 is not None else "single stage", cost.stage1)]
    return [*stages, ("Stage 2", cost.stage2)] if cost.stage2 is not None else stages


def _training(cost: ModelCost) -> str:
    return _table(
        f"training, GFLOPs ({TRAINING_PASSES} x forward)",
        ("linear+attention per sample", "sum per sample", "TFLOPs per step"),
        [
            (
                f"{name}: {', '.join(stage.networks)}",
                (
                    _number(stage.training.projections_and_attention * FLOPS_PER_MULTIPLY_ADD, GIGA),
                    _number(stage.training.total * FLOPS_PER_MULTIPLY_ADD, GIGA),
                    _number(stage.training.total * FLOPS_PER_MULTIPLY_ADD * stage.memory.batch_size, TERA),
                ),
            )
            for name, stage in _stages(cost)
        ],
    )


def _memory(cost: ModelCost, memory_gb: float | None) -> str:
    parts = ("weights", "gradients", "AdamW", "average", "bf16 copies", "activations", "transient", "sum")
    rows = [(f"{name}, batch {stage.memory.batch_size}", _bytes(stage.memory)) for name, stage in _stages(cost)]
    table = _table("training memory, GB of 10^9 bytes, bf16", parts, rows)
    inference = cost.inference
    weights = _number(inference.weights, GIGA)
    lines = [f"inference: {_number(inference.total, GIGA)} GB for one sample, {weights} of it float32 weights"]
    if memory_gb is not None:
        most = max(stage.memory.total for _, stage in _stages(cost))
        verb = "fits" if most <= DEVICE_SHARE * memory_gb * GIGA else "does not fit"
        lines.append(f"training {verb} a device of {memory_gb:g} GB, of which {DEVICE_SHARE:.0%} may be filled")
    return table + "\n".join(lines) + "\n"


def _bytes(memory: TrainingMemory) -> tuple[str, ...]:
    parts = (
        memory.weights,
        memory.gradients,
        memory.optimizer,
        memory.average,
        memory.half_weights,
        memory.activations,
        memory.transient,
        memory.total,
    )
    return tuple(_number(part, GIGA) for part in parts)


def _sampling(cost: ModelCost) -> str:
    return _table(
        "one sample",
        ("base evaluations", "decoder evaluations", "T multiply-adds", "TFLOPs"),
        [
            (
                name,
                (
                    str(sampling.base_evaluations),
                    str(sampling.decoder_evaluations),
                    _number(sampling.total, TERA),
                    _number(sampling.total * FLOPS_PER_MULTIPLY_ADD, TERA),
                ),
            )
            for name, sampling in cost.sampling.items()
        ],
    ).rstrip("\n")
