"""What is kept of a step that was not taken, for those who want to look at it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from trainer.data.samples import IntArray
from trainer.guard import BadStep
from trainer.run_dir import RunDir, write_json


@dataclass(frozen=True)
class TakenBatch:
    """This rank's share of a batch: the data step it belongs to and the samples [B] with their passes."""

    data_step: int
    indices: IntArray
    epochs: IntArray


def keep_evidence(
    run: RunDir, bad: BadStep, batch: TakenBatch, module: nn.Module, *, rank: int, settings: Mapping[str, Any]
) -> str:
    """Write ``evidence/step-N-rankR.json``: the samples, the key of the random numbers (seed and data step: everything
    random follows from them), loss, norms. Returns the file's name; raises OutputError.

    Norms of single gradients are there where the step was judged before they were given up (not on CUDA).
    """
    run.evidence.mkdir(exist_ok=True)
    name = f"step-{bad.step:07d}-rank{rank}.json"
    norms = {name: _norm(parameter.grad) for name, parameter in module.named_parameters() if parameter.grad is not None}
    content = {
        "step": bad.step,
        "data_step": batch.data_step,
        "indices": batch.indices.tolist(),
        "epochs": batch.epochs.tolist(),
        "loss": str(bad.loss),
        "gradient_norm": str(bad.norm),
        "average_norm": bad.average_norm,
        "gradient_norms": norms,
        "newest_checkpoint": [path.name for path in run.checkpoint_folders()][-1:],
        **settings,
    }
    write_json(run.evidence / name, content)
    return name


def _norm(gradient: torch.Tensor) -> str:
    """As text: JSON knows no nan."""
    return f"{float(torch.linalg.vector_norm(gradient.float())):.6g}"
