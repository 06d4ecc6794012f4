"""Compiled blocks compute what plain ones do, and keep their parameters' names."""

import subprocess
import sys

import pytest

PROGRAM = """
import torch
from torch import nn
from ul_engine.nn.blocks import ResBlock, TransformerBlock
from ul_engine.nn.compiling import compile_blocks
from ul_engine.nn.rotary import grid_rotary

torch.set_num_threads(1)
torch._inductor.config.compile_threads = 1
torch.manual_seed(0)
blocks = nn.ModuleList([ResBlock(8), TransformerBlock(32, 16)])
names = list(blocks.state_dict())
for weight in blocks.parameters():
    nn.init.normal_(weight, std=0.2)
inputs = (torch.randn(2, 8, 6, 6), None), (torch.randn(2, 6, 32), torch.randn(2, 6, 32), grid_rotary((1, 2, 3), 16))

def results():
    blocks.zero_grad()
    outputs = [block(*given) for block, given in zip(blocks, inputs)]
    sum(output.square().sum() for output in outputs).backward()
    return outputs + [weight.grad for weight in blocks.parameters()]

plain = results()
assert compile_blocks(blocks) == 2
for compiled, wanted in zip(results(), plain, strict=True):
    torch.testing.assert_close(compiled, wanted, atol=1e-3, rtol=1e-3)
assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 2
assert list(blocks.state_dict()) == names
"""


@pytest.mark.stress
def test_compiled_blocks_agree_with_plain_ones() -> None:
    """Forward and backward; a minute of C++ compiler, in a process of its own: it leaves workers behind."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
