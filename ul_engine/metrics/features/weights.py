"""Weight files of feature networks: read without running anything in them, and fitted name by name."""

import hashlib
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ul_engine.errors import CheckpointError

_COUNTER = "num_batches_tracked"
# What torch.load lets through for files cut short or damaged; old-format ones end in IndexError or struct.error.
_BROKEN_PICKLE = (OSError, RuntimeError, ValueError, EOFError, LookupError, TypeError, AttributeError, AssertionError)


def short_hash(path: Path) -> str:
    """First 8 hexadecimal digits of a file's SHA-256, which PyTorch's published files carry in their names."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:8]
    except OSError as error:
        raise CheckpointError(f"cannot be read ({error.strerror})", path=path) from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors`` file, or of a PyTorch state dict (``.pt``, ``.pth``), on the CPU.

    A state dict is unpickled with `weights_only=True`, so nothing in it is executed; a TorchScript archive is a program
    and is refused. Raises CheckpointError.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if _is_torchscript(path):
            raise CheckpointError(
                "is a TorchScript program; loading it would run the code in it, so UL Studio does not. Use a file of "
                "weights alone (a state dict), such as rgb_imagenet.pt or i3d_pretrained_400.pt for FVD",
                path=path,
            )
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError("there is no such file", path=path) from None
    except pickle.UnpicklingError as error:
        raise CheckpointError("holds more than tensors and is not opened; use a state dict", path=path) from error
    except (SafetensorError, zipfile.BadZipFile, struct.error, *_BROKEN_PICKLE) as error:
        raise CheckpointError(f"is truncated or no weight file ({error}); fetch it again", path=path) from error
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise CheckpointError("is no state dict: names of tensors were expected", path=path)
    return dict(content)


def _is_torchscript(path: Path) -> bool:
    """TorchScript archives are zip files with a folder ``code``; state dicts have none."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.split("/")[1:2] == ["code"] for name in archive.namelist())


def copy_weights(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Copy `weights` into `network` as float32 after comparing names and shapes; raises CheckpointError.

    Batch counters may be there or not: evaluation does not use them, and conversions from TensorFlow have none.
    """
    state = network.state_dict()
    expected = {key: value for key, value in state.items() if not key.endswith(_COUNTER)}
    found = {key: value for key, value in weights.items() if not key.endswith(_COUNTER)}
    absent, foreign = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if absent or foreign:
        example = f"lacks {absent[0]}" if absent else f"has the unknown {foreign[0]}"
        raise CheckpointError(
            f"belongs to another network: {len(absent)} tensors are missing and {len(foreign)} unknown (it {example})",
            path=path,
        )
    for key, value in found.items():
        if value.shape != expected[key].shape:
            shapes = f"{tuple(value.shape)} instead of {tuple(expected[key].shape)}"
            raise CheckpointError(f"belongs to another network: {key} is {shapes}", path=path)
        if not torch.isfinite(value).all():
            raise CheckpointError(f"holds values that are not finite in {key}", path=path)
    counters = {key: torch.zeros_like(value) for key, value in state.items() if key.endswith(_COUNTER)}
    network.load_state_dict(counters | {key: value.float() for key, value in found.items()})
