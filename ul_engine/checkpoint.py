"""Model folders: ``config.json``, one ``.safetensors`` per network, ``README.md``. Loading never runs code."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ul_engine.errors import CheckpointError, OutputError
from ul_engine.model_folder import CARD_NAME, MANIFEST_NAME, NETWORKS, Manifest, NetworkFile, NetworkName, read_manifest
from ul_engine.models.unified import UnifiedLatents

HASH_CHUNK_BYTES = 2**20
CLIP_PARTS = ("temporal", "time_down", "time_up", "frame_mark")
"""How the names of those parts begin which only models of clips have."""


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def save_model(
    folder: str | os.PathLike[str],
    model: UnifiedLatents,
    manifest: Manifest,
    *,
    card: str,
    dtype: torch.dtype = torch.bfloat16,
) -> Manifest:
    """Write a model folder beside its place and put it there in one rename; returns the manifest with the files in it.

    Weights are stored in `dtype`; `manifest.networks` and `latent_std` are filled from `model`. An older folder of
    the same name is replaced only once the new one is complete. Raises OutputError where the disk refuses.
    """
    target = Path(folder)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror})", path=target) from error
    try:
        files = {name: _save_network(staging, name, module, dtype) for name, module in _networks(model).items()}
        complete = manifest.model_copy(update={"networks": files, "latent_std": float(model.latent_std)})
        (staging / MANIFEST_NAME).write_text(json.dumps(complete.model_dump(mode="json"), indent=1), encoding="utf-8")
        (staging / CARD_NAME).write_text(card, encoding="utf-8")
        _swap_in(staging, target)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"cannot be written ({error})", path=target) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return complete


def _networks(model: UnifiedLatents) -> dict[NetworkName, nn.Module]:
    found = {name: getattr(model, name) for name in NETWORKS}
    return {name: module for name, module in found.items() if module is not None}


def _save_network(folder: Path, name: NetworkName, module: nn.Module, dtype: torch.dtype) -> NetworkFile:
    tensors = {key: value.detach().to("cpu", dtype).contiguous() for key, value in module.state_dict().items()}
    path = folder / f"{name}.safetensors"
    save_file(tensors, path)
    path.chmod(0o644)
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    return NetworkFile(
        file=path.name, sha256=file_sha256(path), num_parameters=sum(tensor.numel() for tensor in tensors.values())
    )


def _swap_in(staging: Path, target: Path) -> None:
    """Put a complete folder in place of `target`; the older one is removed last."""
    staging.chmod(0o755)
    retired = staging.with_name(f"{staging.name}-old")
    if target.exists():
        target.rename(retired)
    try:
        staging.rename(target)
    except OSError:
        if retired.exists():
            retired.rename(target)
        raise
    shutil.rmtree(retired, ignore_errors=True)


def load_model(
    folder: str | os.PathLike[str],
    *,
    device: torch.device | str = "cpu",
    networks: frozenset[str] | None = None,
    is_verified: bool = False,
) -> tuple[UnifiedLatents, Manifest]:
    """Model in float32 evaluation mode on `device`, and its manifest.

    `networks` None loads every network that the folder has; naming one it lacks raises CheckpointError, as does any
    file that is missing, truncated, foreign or of other shapes. `is_verified` also checks the stored SHA-256 of each
    file.
    """
    manifest = read_manifest(folder)
    wanted = networks if networks is not None else frozenset(manifest.networks)
    missing = sorted(wanted - manifest.networks.keys())
    if missing:
        raise CheckpointError(f"has no {' and no '.join(missing)}; it cannot do what was asked", path=folder)
    model = UnifiedLatents(manifest.model, networks=wanted)
    for name in NETWORKS:
        module = getattr(model, name)
        if module is not None:
            path = Path(folder) / manifest.networks[name].file
            _load_into(module, read_weights(path, manifest.networks[name] if is_verified else None), path)
    model.latent_std.fill_(manifest.latent_std)
    return model.to(device).eval().requires_grad_(False), manifest


def load_network(
    module: nn.Module, folder: str | os.PathLike[str], name: NetworkName, *, starts_clips: bool = False
) -> None:
    """Copy the weights of one network of a model folder into `module`; raises CheckpointError if they do not fit.

    With `starts_clips` a picture model's folder may lack what only clips need; these parts keep their first values,
    under which every frame is treated as the picture model does.
    """
    manifest = read_manifest(folder)
    if name not in manifest.networks:
        raise CheckpointError(f"has no {name}", path=folder)
    path = Path(folder) / manifest.networks[name].file
    weights = read_weights(path)
    if starts_clips and manifest.model.video is None:
        weights = {**{key: value for key, value in module.state_dict().items() if _is_for_clips(key)}, **weights}
    _load_into(module, weights, path)


def _is_for_clips(key: str) -> bool:
    """Whether a tensor belongs to a part that only models of clips have."""
    return any(part.startswith(CLIP_PARTS) for part in key.split("."))


def read_weights(path: Path, expected: NetworkFile | None = None) -> dict[str, Tensor]:
    """Tensors of one weight file; `expected` also checks its hash. Raises CheckpointError."""
    try:
        if expected is not None and file_sha256(path) != expected.sha256:
            raise CheckpointError(
                "differs from the file this model was published with (SHA-256); fetch it again", path=path
            )
        return load_file(path)
    except FileNotFoundError:
        raise CheckpointError("is missing; fetch the model again", path=path) from None
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"is truncated or no weight file ({error}); fetch the model again", path=path) from error


def _load_into(module: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Copy weights into a module after comparing names and shapes one by one."""
    expected = module.state_dict()
    absent = sorted(expected.keys() - weights.keys())
    foreign = sorted(weights.keys() - expected.keys())
    if absent or foreign:
        example = f"lacks {absent[0]}" if absent else f"has the unknown {foreign[0]}"
        raise CheckpointError(
            f"does not fit this model's configuration: {len(absent)} tensors are missing and {len(foreign)} unknown "
            f"(it {example}); the file belongs to another model",
            path=path,
        )
    for key, value in weights.items():
        if value.shape != expected[key].shape:
            raise CheckpointError(
                f"does not fit this model's configuration: {key} is {tuple(value.shape)}, "
                f"expected {tuple(expected[key].shape)}",
                path=path,
            )
        if not torch.isfinite(value).all():
            raise CheckpointError(f"holds values that are not finite in {key}", path=path)
    module.load_state_dict({key: value.float() for key, value in weights.items()})
