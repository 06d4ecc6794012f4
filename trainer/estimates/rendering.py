"""Bytes and seconds of the Scenes that a run has to render first."""

import time
from math import prod

import torch

from trainer.config import RunConfig, ScenesData
from trainer.data.scenes import num_render_processes, unrendered
from ul_engine.data.scenes.cache import CachePlan

ENOUGH_S = 0.3
"""More scenes are tried at once until they take so long, or are as many as are rendered at once."""


def unrendered_plans(config: RunConfig) -> list[CachePlan]:
    """The scenes that are to be rendered; nothing for other data."""
    return unrendered(config.data) if isinstance(config.data, ScenesData) else []


def rendering_bytes(plans: list[CachePlan]) -> int:
    """What they will take on the disk."""
    return sum(prod(plan.shape) for plan in plans)


def rendering_s(plans: list[CachePlan]) -> float:
    """How long they will take, from rendering a few of them; where several processes will do it, on one thread."""
    if not plans:
        return 0.0
    num_processes, threads = num_render_processes(), torch.get_num_threads()
    torch.set_num_threads(1 if num_processes > 1 else threads)
    try:
        each_s = _each_s(plans[0])
    finally:
        torch.set_num_threads(threads)
    return each_s * sum(plan.count for plan in plans) / num_processes


def _each_s(plan: CachePlan) -> float:
    count, most = 1, min(plan.per_task, plan.count)
    plan.rendered(0, 1)  # warms up
    while True:
        began = time.perf_counter()
        plan.rendered(0, count)
        passed = time.perf_counter() - began
        if passed >= ENOUGH_S or count == most:
            return passed / count
        count = min(4 * count, most)
