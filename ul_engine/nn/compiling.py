"""Residual and transformer blocks compiled one by one: the networks around them stay plain."""

import torch
from torch import nn

from ul_engine.nn.blocks import ResBlock, TransformerBlock

MAX_GRAPHS = 64
"""Kept per process: one for every width of a block, with and without gradients, and for every size of picture."""


def compile_blocks(model: nn.Module) -> int:
    """Have `torch.compile` compile every block of `model` at its first use; returns how many there are.

    Blocks of one width share a graph, parameters and their names stay. Worth it on CUDA, where it joins the many small
    operations between matrix products; on a CPU every graph costs tens of seconds for a few per cent.
    """
    torch._dynamo.config.recompile_limit = MAX_GRAPHS
    blocks = [module for module in model.modules() if isinstance(module, ResBlock | TransformerBlock)]
    for block in blocks:
        block.compile()
    return len(blocks)
