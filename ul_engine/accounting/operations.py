"""Multiply-adds of a forward pass, counted by torch while the real networks run on the meta device.

One multiply-add is two FLOPs; papers mostly print multiply-adds and write "FLOPs". The paper counts linear projections
and attention and does not name convolutions, so the kinds are kept apart. A convolution whose kernel is one place (of
patches, of changes of resolution) is a linear projection and counts as one. Norms, activations and additions are not
counted, as everywhere.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from ul_engine.accounting.networks import meta_condition, meta_latents, meta_pictures
from ul_engine.config import ModelConfig
from ul_engine.model_folder import NetworkName
from ul_engine.models.unified import UnifiedLatents
from ul_engine.requests import FrozenModel

FLOPS_PER_MULTIPLY_ADD = 2
TRAINING_PASSES = 3
"""The paper's rule: a backward pass costs two forward passes."""


class Operations(FrozenModel):
    """Multiply-adds by kind."""

    linear: int = 0
    attention: int = 0
    convolution: int = 0

    @property
    def projections_and_attention(self) -> int:
        """What the paper counts."""
        return self.linear + self.attention

    @property
    def total(self) -> int:
        """All three kinds."""
        return self.linear + self.attention + self.convolution

    def __add__(self, other: "Operations") -> "Operations":
        return Operations(
            linear=self.linear + other.linear,
            attention=self.attention + other.attention,
            convolution=self.convolution + other.convolution,
        )

    def times(self, factor: int) -> "Operations":
        """Of `factor` passes."""
        return Operations(
            linear=self.linear * factor, attention=self.attention * factor, convolution=self.convolution * factor
        )


def forward_operations(model: UnifiedLatents) -> dict[NetworkName, Operations]:
    """Multiply-adds of one forward pass of each network, for one sample of the training size; `model` is on the meta
    device."""
    return {name: _counted(run) for name, run in _passes(model).items()}


def _passes(model: UnifiedLatents) -> dict[NetworkName, Callable[[], object]]:
    """One evaluation of each network that there is."""
    config = model.config
    x, z = meta_pictures(config, 1), meta_latents(config, 1)
    logsnr = torch.empty(1, device=x.device)
    condition = meta_condition(config, 1)
    encoder, prior, decoder, base = model.encoder, model.prior, model.decoder, model.base
    passes: Mapping[NetworkName, Callable[[], object] | None] = {
        "encoder": None if encoder is None else lambda: encoder(x),
        "prior": None if prior is None else lambda: prior(z, logsnr),
        "decoder": None if decoder is None else lambda: decoder(x, logsnr, z, logsnr),
        "base": None if base is None else lambda: base(z, logsnr, condition),
    }
    return {name: run for name, run in passes.items() if run is not None}


def _counted(run: Callable[[], object]) -> Operations:
    with torch.no_grad(), FlopCounterMode(display=False) as counter, _ByKind(counter) as kinds:
        run()
    return Operations(**{kind: flops // FLOPS_PER_MULTIPLY_ADD for kind, flops in kinds.flops.items()})


class _ByKind(TorchFunctionMode):
    """Shares out what a running counter counts among the kinds.

    At this level, because below it torch turns convolutions of one place and attention into plain matrix products,
    each version in its own way.
    """

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self._counter = counter
        self.flops = {"linear": 0, "attention": 0, "convolution": 0}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Called by torch for every operation inside the context."""
        before = self._counter.get_total_flops()
        result = func(*args, **(kwargs or {}))
        spent = self._counter.get_total_flops() - before
        if spent:
            self.flops[_kind(func, args)] += spent
        return result


def _kind(func: Any, args: tuple[Any, ...]) -> str:
    if func is F.scaled_dot_product_attention:
        return "attention"
    is_convolution = func in (F.conv2d, F.conv3d) and any(side > 1 for side in args[1].shape[2:])
    return "convolution" if is_convolution else "linear"


def stage1_operations(
    config: ModelConfig, forward: Mapping[NetworkName, Operations]
) -> tuple[tuple[NetworkName, ...], Operations]:
    """Networks that Stage 1 trains (in single-stage training the base model stands in the prior's place), and one
    forward pass of all."""
    middle: NetworkName = "prior" if config.training == "two-stage" else "base"
    order: tuple[NetworkName, ...] = ("encoder", middle, "decoder")
    names = tuple(name for name in order if name in forward)
    return names, sum((forward[name] for name in names), Operations())
