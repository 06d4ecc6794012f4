"""Bytes that a computation holds: what it saves for its backward pass, and the most that is alive at one time."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def storage_bytes(tensors: Iterable[Tensor]) -> dict[StorageWeakRef, int]:
    """Size of every storage behind `tensors`: views of one count once."""
    storages = (tensor.untyped_storage() for tensor in tensors)
    return {StorageWeakRef(storage): storage.nbytes() for storage in storages}


class Saved:
    """Storages that were saved for the backward pass, with their sizes."""

    def __init__(self) -> None:
        self._found: dict[StorageWeakRef, int] = {}

    def add(self, tensor: Tensor) -> Tensor:
        """Take note of a saved tensor and hand it back."""
        self._found |= storage_bytes((tensor,))
        return tensor

    def num_bytes(self, *, besides: Iterable[Tensor]) -> int:
        """Bytes of all saved storages but those of `besides` (parameters, and whatever is counted elsewhere)."""
        known = storage_bytes(besides)
        return sum(size for storage, size in self._found.items() if storage not in known)


@contextmanager
def saved_for_backward() -> Iterator[Saved]:
    """Notes what is saved inside the context; sizes are true on the meta device too."""
    saved = Saved()
    with saved_tensors_hooks(saved.add, lambda tensor: tensor):
        yield saved


class PeakBytes(TorchDispatchMode):
    """Follows, operation by operation, how much memory their results hold; `peak` is the most at one time, in bytes.

    What existed before counts nothing, so parameters and inputs are left out.
    """

    def __init__(self, before: Iterable[Tensor] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak: int = 0
        self._before = storage_bytes(before)
        self._alive: dict[StorageWeakRef, int] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Called by torch for every operation inside the context."""
        result = func(*args, **(kwargs or {}))
        found = storage_bytes(leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor))
        self._alive = {storage: size for storage, size in self._alive.items() if not storage.expired()}
        self._alive |= {storage: size for storage, size in found.items() if storage not in self._before}
        self.peak = max(self.peak, sum(self._alive.values()))
        return result


def parameter_bytes(module: torch.nn.Module) -> int:
    """Bytes of a module's parameters."""
    return sum(parameter.numel() * parameter.element_size() for parameter in module.parameters())
