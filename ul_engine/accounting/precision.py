"""What a training step in bf16 on a graphics card does to dtypes, played out on the meta device.

torch has no autocast for the meta device, and its meta attention keeps the full table of scores, which no graphics card
does. Here the operations of our networks get the dtypes of torch's CUDA autocast, and attention and dropout run as the
fused kernels that CUDA takes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ul_engine.nn.embeddings import LogSNREmbedding

Operation = Callable[..., Any]
_flash_attention = torch.ops.aten._scaled_dot_product_flash_attention
_efficient_attention = torch.ops.aten._scaled_dot_product_efficient_attention


@dataclass(frozen=True)
class Policy:
    """Operations that autocast runs in bf16, in float32, and in the widest dtype of their inputs."""

    half: frozenset[Operation]
    full: frozenset[Operation]
    widest: frozenset[Operation]


HALF: frozenset[Operation] = frozenset((F.linear, F.conv2d, F.conv3d, F.scaled_dot_product_attention))
CUDA = Policy(half=HALF, full=frozenset((F.layer_norm,)), widest=frozenset((torch.addcmul,)))
"""The operations of our networks that stand in torch's lists for CUDA ("Automatic Mixed Precision", op-specific
behaviour). The layer norm in float32 is what costs most memory."""


def kept_in_full(module: nn.Module) -> frozenset[int]:
    """Identities of parameters whose operations leave autocast: those of the noise levels' embeddings."""
    return frozenset(
        id(parameter)
        for part in module.modules()
        if isinstance(part, LogSNREmbedding)
        for parameter in part.parameters()
    )


@dataclass
class MixedPrecision(TorchFunctionMode):
    """Autocast to bf16 by `policy` as a context; `kept` are identities of parameters that stay out of it.

    `half_copies` are the bf16 copies of trainable weights, made once each, as autocast does.
    """

    policy: Policy = CUDA
    kept: frozenset[int] = frozenset()
    half_copies: dict[int, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Called by torch for every operation inside the context."""
        kwargs = kwargs or {}
        if func in self.policy.half and not any(id(each) in self.kept for each in args):
            args = tuple(self._half(each) for each in args)
            kwargs = {name: self._half(each) for name, each in kwargs.items()}
        elif func in self.policy.full or (func in self.policy.widest and any(map(_is_float32, args))):
            args = tuple(_full(each) for each in args)
        return FUSED.get(func, func)(*args, **kwargs)

    def _half(self, value: Any) -> Any:
        if not _is_float(value):
            return value
        if not (value.is_leaf and value.requires_grad and torch.is_grad_enabled()):
            return value.to(torch.bfloat16)
        if id(value) not in self.half_copies:
            self.half_copies[id(value)] = value.to(torch.bfloat16)
        return self.half_copies[id(value)]


def _is_float(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _is_float32(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.float32


def _full(value: Any) -> Any:
    return value.to(torch.float32) if _is_float(value) else value


def _fused_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, *, scale: float | None = None
) -> Tensor:
    """The kernel that CUDA takes: flash attention, or under a mask the memory-efficient one; neither keeps the table of
    scores."""
    if attn_mask is None:
        return _flash_attention(query, key, value, scale=scale)[0]  # type: ignore[no-any-return]
    bias = torch.zeros_like(attn_mask, dtype=query.dtype).expand(*query.shape[:-1], key.shape[-2])
    return _efficient_attention(query, key, value, bias, True, scale=scale)[0]  # type: ignore[no-any-return]


def _fused_dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Keeps one byte per value, its mask."""
    return torch.native_dropout(x, p, True)[0] if training and p > 0.0 else x


FUSED: dict[Operation, Operation] = {
    F.scaled_dot_product_attention: _fused_attention,
    F.dropout: _fused_dropout,
}
