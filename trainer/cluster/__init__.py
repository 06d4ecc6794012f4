"""Launch files for clusters, as text: Slurm, SkyPilot, Kubernetes, and lines for machines reached by hand. No torch."""

from collections.abc import Callable, Mapping
from typing import Final

from trainer.cluster.by_hand import render_torchrun
from trainer.cluster.job import ClusterJob
from trainer.cluster.kubernetes import render_kubernetes
from trainer.cluster.skypilot import render_skypilot
from trainer.cluster.slurm import render_slurm

__all__ = ["RENDERERS", "ClusterJob", "render_kubernetes", "render_skypilot", "render_slurm", "render_torchrun"]

RENDERERS: Final[Mapping[str, Callable[[ClusterJob], str]]] = {
    "slurm": render_slurm,
    "skypilot": render_skypilot,
    "kubernetes": render_kubernetes,
    "torchrun": render_torchrun,
}
"""By the name of the cluster's software."""
