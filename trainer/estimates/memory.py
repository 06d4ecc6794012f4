"""Memory of a training step as a straight line over the samples at once, counted on the meta device."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from trainer.config import RunConfig, Stage
from trainer.estimates.shapes import modules, sized_model
from trainer.optim import block_matrices
from ul_engine.accounting import TrainingMemory, meta_model, stage1_memory, stage2_memory
from ul_engine.accounting.precision import CUDA, Policy
from ul_engine.accounting.storages import Saved, parameter_bytes
from ul_engine.config import ModelConfig
from ul_engine.models.unified import UnifiedLatents
from ul_engine.nn.blocks import ResBlock, TransformerBlock
from ul_engine.nn.checkpointing import checkpoint_blocks

IN_FULL = Policy(half=frozenset(), full=CUDA.full, widest=CUDA.widest)
"""Without autocast."""


@dataclass(frozen=True)
class StepMemory:
    """Bytes of a step: `fixed` whatever the batch (weights, gradients, moments, average, frozen networks), `per_sample`
    for every sample that goes through at once."""

    fixed: int
    per_sample: int

    def at(self, micro_batch: int) -> int:
        """Bytes of a step of `micro_batch` samples at once."""
        return self.fixed + self.per_sample * micro_batch

    def largest(self, budget: int) -> int:
        """Most samples at once within `budget` bytes; 0 if there is no room for one."""
        return max(0, (budget - self.fixed) // self.per_sample)


def step_memory(config: RunConfig, *, num_ranks: int = 1) -> StepMemory:
    """Of a run's step on one device; a few seconds for a model of any size.

    Everything that a step holds besides its weights grows in proportion to the batch, so two batches tell the line.
    """
    scale = config.scale
    one, two = _two_batches(sized_model(config), config.stage, config.precision, scale.checkpoint_activations)
    per_sample = max(1, two.working - one.working)
    return StepMemory(
        fixed=_held(config, one.memory, num_ranks) + max(0, one.working - per_sample), per_sample=per_sample
    )


@dataclass(frozen=True)
class _Counted:
    """A step's parts, and what the largest block holds while it is computed again (0 unless blocks are)."""

    memory: TrainingMemory
    recomputed: int

    @property
    def working(self) -> int:
        return self.memory.activations + self.memory.transient + self.recomputed


@lru_cache(maxsize=16)
def _two_batches(
    model: ModelConfig, stage: Stage, precision: Literal["bf16", "fp32"], recomputes: bool
) -> tuple[_Counted, _Counted]:
    """Of one and of two samples. Remembered: advice asks for the same line again and again."""

    def counted(batch: int) -> _Counted:
        if not recomputes:
            return _Counted(_stage_memory(meta_model(model), stage, precision, batch), 0)
        plain, saving = meta_model(model), meta_model(model)
        with _blocks_watched(plain) as blocks:
            _stage_memory(plain, stage, precision, batch)
        checkpoint_blocks(saving)
        largest = max((saved.num_bytes(besides=plain.parameters()) for saved in blocks), default=0)
        return _Counted(_stage_memory(saving, stage, precision, batch), largest)

    return counted(1), counted(2)


def _stage_memory(model: UnifiedLatents, stage: Stage, precision: str, batch: int) -> TrainingMemory:
    policy = CUDA if precision == "bf16" else IN_FULL
    return (stage1_memory if stage is Stage.STAGE1 else stage2_memory)(model, batch, policy)


def _held(config: RunConfig, memory: TrainingMemory, num_ranks: int) -> int:
    """Weights and what goes with them, shared out under FSDP; and Stage 2's frozen networks, which are not."""
    optimizer = memory.optimizer - (_muon_bytes(config) if config.optimizer.kind == "muon" else 0)
    own = memory.weights + memory.gradients + optimizer + memory.average + memory.half_weights
    if config.scale.strategy == "fsdp":
        own = -(-own // num_ranks)
    return own + frozen_bytes(config)


def frozen_bytes(config: RunConfig) -> int:
    """Of the networks that Stage 2 needs and does not train, float32."""
    if config.stage is Stage.STAGE1:
        return 0
    model = meta_model(config.model)
    return sum(
        parameter_bytes(network) for network in (model.encoder, model.prior, model.decoder) if network is not None
    )


def _muon_bytes(config: RunConfig) -> int:
    """What Muon saves: it keeps one moment of the blocks' matrices, AdamW two."""
    trained = _trained(config.model, meta_model(config.model), config.stage)
    return sum(weight.numel() * weight.element_size() for network in trained for weight in block_matrices(network))


def _trained(config: ModelConfig, model: UnifiedLatents, stage: Stage) -> list[nn.Module]:
    if stage is Stage.STAGE2:
        return modules(model, ("base",))
    middle = model.prior if config.training == "two-stage" else model.base
    return [network for network in (model.encoder, middle, model.decoder) if network is not None]


def trained_bytes(config: RunConfig) -> tuple[int, int]:
    """Bytes of the trained weights in float32, and of the optimizer's state for them."""
    weights = sum(
        parameter_bytes(network) for network in _trained(config.model, meta_model(config.model), config.stage)
    )
    return weights, 2 * weights - (_muon_bytes(config) if config.optimizer.kind == "muon" else 0)


@contextmanager
def _blocks_watched(model: UnifiedLatents) -> Iterator[list[Saved]]:
    """What each block saves for its backward pass, block by block."""
    found: list[Saved] = []
    open_hooks: list[saved_tensors_hooks] = []

    def enter(module: nn.Module, inputs: Any) -> None:
        saved = Saved()
        found.append(saved)
        open_hooks.append(saved_tensors_hooks(saved.add, lambda kept: kept))
        open_hooks[-1].__enter__()

    def leave(module: nn.Module, inputs: Any, output: Any) -> None:
        open_hooks.pop().__exit__(None, None, None)

    blocks = [module for module in model.modules() if isinstance(module, ResBlock | TransformerBlock)]
    handles = [block.register_forward_pre_hook(enter) for block in blocks]
    handles += [block.register_forward_hook(leave) for block in blocks]
    yield found
    for handle in handles:
        handle.remove()
