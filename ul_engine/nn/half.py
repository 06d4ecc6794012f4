"""Weights kept in bf16 for inference under autocast, which would otherwise round them anew at every evaluation."""

import torch
from torch import nn

from ul_engine.nn.embeddings import LogSNREmbedding

ROUNDED = (nn.Linear, nn.Conv2d, nn.Conv3d)


def halve_weights(model: nn.Module) -> None:
    """Round the weights of all products of `model` to bf16, in place and for good.

    Under bf16 autocast the result is the same to the last bit: these are the weights that autocast rounds. Without
    autocast such a network does not run. Noise levels are embedded in float32; their weights stay as they are.
    """
    for child in model.children():
        if isinstance(child, LogSNREmbedding):
            continue
        if isinstance(child, ROUNDED):
            child.to(torch.bfloat16)
        halve_weights(child)
