"""A loss module spread over the ranks: copied (DDP) or shared out (FSDP2), with gradients exchanged once a step."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.nn.parallel import DistributedDataParallel

from trainer.config import RunConfig
from trainer.ranks import Ranks
from ul_engine.nn.blocks import ResBlock, TransformerBlock
from ul_engine.nn.checkpointing import checkpoint_blocks
from ul_engine.nn.compiling import compile_blocks


def spread(loss: nn.Module, config: RunConfig, ranks: Ranks) -> nn.Module:
    """`loss` ready for training: blocks recomputed or compiled where that was asked for, then spread over the ranks.

    What comes back is to be called in place of `loss`; both share their parameters, whose names stay those of `loss`.
    """
    if config.scale.checkpoint_activations:
        checkpoint_blocks(loss)
    if config.scale.compile_blocks:
        compile_blocks(loss)
    if not ranks.is_group:
        return loss
    if config.scale.strategy == "fsdp":
        return _shared_out(loss, config, ranks)
    device_ids = [ranks.device] if ranks.device.type == "cuda" else None
    return DistributedDataParallel(loss, device_ids=device_ids, gradient_as_bucket_view=True, **_own_buffers())


def _own_buffers() -> dict[str, Any]:
    """Buffers are not exchanged at every step: all ranks compute the same ones. Torch 2.13 has another name for it."""
    names = inspect.signature(DistributedDataParallel.__init__).parameters
    return {"forward_sync_buffers" if "forward_sync_buffers" in names else "broadcast_buffers": False}


def _shared_out(loss: nn.Module, config: RunConfig, ranks: Ranks) -> nn.Module:
    """FSDP2: every block a group of its own, gathered in the networks' arithmetic; what is between them in float32.

    Inputs are not cast: log-SNR and losses stay float32, autocast decides for the rest.
    """
    mesh = init_device_mesh(ranks.device.type, (ranks.size,))
    half = torch.bfloat16 if config.precision == "bf16" else None
    policy = MixedPrecisionPolicy(param_dtype=half, reduce_dtype=torch.float32, cast_forward_inputs=False)
    for block in loss.modules():
        if isinstance(block, ResBlock | TransformerBlock):
            _make_contiguous(block)
            fully_shard(block, mesh=mesh, mp_policy=policy)
    _make_contiguous(loss)
    whole = MixedPrecisionPolicy(cast_forward_inputs=False)
    fully_shard(loss, mesh=mesh, mp_policy=whole)
    return loss


def _make_contiguous(module: nn.Module) -> None:
    """Shards are cut from plain rows, which channels-last weights do not have."""
    for parameter in module.parameters():
        parameter.data = parameter.data.contiguous()


@contextmanager
def gradients_exchanged(module: nn.Module, *, is_last: bool) -> Iterator[None]:
    """Forward and backward pass of a micro-batch: gradients travel between the ranks only after the last one."""
    if isinstance(module, DistributedDataParallel) and not is_last:
        with module.no_sync():
            yield
        return
    if isinstance(module, FSDPModule):
        module.set_requires_gradient_sync(is_last)
    yield
