"""Which settings would fit, after a device's memory ran out."""

from collections.abc import Iterator

import psutil
import torch

from trainer.config import RunConfig, Stage
from trainer.estimates.memory import step_memory
from trainer.estimates.shapes import micro_batch
from ul_engine.accounting import DEVICE_SHARE
from ul_engine.presets import MODEL_PRESETS, ModelPreset

GB = 1e9
MORE_RANKS = (2, 4, 8)


def fitting_advice(
    config: RunConfig, *, needed: int | None, free: int, total: int, held: int | None = None, num_ranks: int = 1
) -> list[str]:
    """Settings that would fit, each as ``--set key=value`` with the estimated memory in GB, best first: first what
    changes no result and costs least time, at the end a smaller model.

    `needed` are the bytes of the allocation that failed (None: not told), `free` and `total` those of the device,
    `held` those that this run holds on it (None: asked of torch, or of the system). Where the step was larger than its
    estimate, the estimates are raised by as much.
    """
    now, most = (held, held) if held is not None else _held_here()
    budget = min(int(DEVICE_SHARE * total), free + now)
    present = step_memory(config, num_ranks=num_ranks).at(micro_batch(config, num_ranks))
    raised = max(1.0, (most + (needed or 0)) / present)
    found = []
    for settings, changed, ranks, remark in _candidates(config, num_ranks, budget / raised):
        estimate = step_memory(changed, num_ranks=ranks).at(micro_batch(changed, ranks)) * raised
        if estimate <= budget and estimate < present * raised:
            found.append(f"{settings} (about {estimate / GB:.1f} GB; {remark})")
    return found + (smaller_presets(config, budget) if config.stage is Stage.STAGE1 else [])


def _held_here() -> tuple[int, int]:
    """Bytes that this process holds, now and at most: of a CUDA device if it has used one, else of the machine."""
    if torch.cuda.is_initialized():
        return torch.cuda.memory_reserved(), torch.cuda.max_memory_reserved()
    held = int(psutil.Process().memory_info().rss)
    return held, held


def _candidates(config: RunConfig, num_ranks: int, budget: float) -> Iterator[tuple[str, RunConfig, int, str]]:
    """Settings, the configuration with them, its number of ranks, and what they cost."""
    halved = _with_halved_batch(config, num_ranks, budget)
    if halved is not None:
        yield f"--set scale.micro_batch={halved.scale.micro_batch}", halved, num_ranks, "same results, hardly slower"
    if config.precision == "fp32":
        yield "--set precision=bf16", config.model_copy(update={"precision": "bf16"}), num_ranks, "rounds more, faster"
    checkpointed = _scaled(config, checkpoint_activations=True)
    if not config.scale.checkpoint_activations:
        yield "--set scale.checkpoint_activations=true", checkpointed, num_ranks, "same results, a third slower"
        both = _with_halved_batch(checkpointed, num_ranks, budget)
        if both is not None and halved is None:
            settings = f"--set scale.checkpoint_activations=true --set scale.micro_batch={both.scale.micro_batch}"
            yield settings, both, num_ranks, "same results, a third slower"
    for ranks in MORE_RANKS:
        if ranks > num_ranks and ranks <= config.batch_size:
            settings = f"--set scale.strategy=fsdp on {ranks} devices"
            yield settings, _scaled(config, strategy="fsdp"), ranks, "same results, faster"


def _scaled(config: RunConfig, **changes: object) -> RunConfig:
    return config.model_copy(update={"scale": config.scale.model_copy(update=changes)})


def _with_halved_batch(config: RunConfig, num_ranks: int, budget: float) -> RunConfig | None:
    """With the samples at once halved until they fit; None where not even one does, or they fit as they are."""
    line = step_memory(config, num_ranks=num_ranks)
    size = micro_batch(config, num_ranks)
    while size > 1:
        size = -(-size // 2)
        if line.at(size) <= budget:
            return _scaled(config, micro_batch=size)
    return None


def smaller_presets(config: RunConfig, budget: float) -> list[str]:
    """The two largest presets of the data's size whose Stage 1 is known to fit into `budget` bytes, as settings."""
    fitting = [
        preset
        for preset in MODEL_PRESETS.values()
        if preset.memory_gb is not None
        and preset.stage1_gb is not None
        and preset.config.image_px == config.data.size_px
        and (preset.config.video is None) == (config.model.video is None)
        and preset.name != config.preset
        and preset.stage1_gb * GB <= budget
    ]
    fitting.sort(key=lambda preset: -(preset.stage1_gb or 0.0))
    return [_named(config, preset) for preset in fitting[:2]]


def _named(config: RunConfig, preset: ModelPreset) -> str:
    cost = f"(about {preset.stage1_gb} GB; another model)"
    if config.preset is None:  # the recipe's own model would lie over the preset's
        return f"a smaller model, such as preset {preset.name} with batch {preset.batch_size} {cost}"
    return f"--set preset={preset.name} --set batch_size={preset.batch_size} {cost}"
