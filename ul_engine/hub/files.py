"""Which files make a model folder, and how large each may be: nothing else is ever fetched, copied or published.

``config.json``, the ``.safetensors`` it names, ``README.md`` and a few small pictures. A pickle or a script that lies
beside them stays where it is.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ul_engine.errors import CheckpointError
from ul_engine.model_folder import CARD_NAME, MANIFEST_NAME, MAX_MANIFEST_BYTES, Manifest, NetworkFile

ORIGIN_NAME = "origin.json"
"""Says where a downloaded or imported folder came from; written here, never fetched or published."""

MAX_CARD_BYTES = 2**20
MAX_PREVIEW_BYTES = 4 * 2**20
MAX_PREVIEWS = 16
BYTES_PER_PARAMETER = 8
"""float64, more than any model is stored in: bounds a weight file by the number of its parameters."""
MAX_HEADER_BYTES = 10**8
"""The longest header a safetensors file may have."""

_PREVIEW = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._ -]{0,79}\.(png|webp)$")
_DEVICES = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)


@dataclass(frozen=True)
class ModelFile:
    """One file of a model folder; `network` is None for all but weights."""

    name: str
    max_bytes: int
    network: NetworkFile | None = None


def model_files(manifest: Manifest, present: Iterable[str]) -> tuple[ModelFile, ...]:
    """The files of a model: manifest and weights in any case, card and previews where `present` names them.

    Raises CheckpointError for a manifest without weights, or with names that would clash on some system.
    """
    files = [ModelFile(MANIFEST_NAME, MAX_MANIFEST_BYTES), *weight_files(manifest)]
    names = set(present)
    if CARD_NAME in names:
        files.append(ModelFile(CARD_NAME, MAX_CARD_BYTES))
    previews = sorted(name for name in names if _PREVIEW.match(name) and not is_device_name(name))
    files += [ModelFile(name, MAX_PREVIEW_BYTES) for name in previews[:MAX_PREVIEWS]]
    return tuple(files)


def weight_files(manifest: Manifest) -> tuple[ModelFile, ...]:
    """The weight files that a manifest names; raises CheckpointError where they cannot all stand in one folder."""
    networks = list(manifest.networks.values())
    if not networks:
        raise CheckpointError(f"names no weights in its {MANIFEST_NAME}; there is nothing to run")
    names = [network.file.lower() for network in networks]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise CheckpointError(f"names {doubled[0]} for more than one network; its {MANIFEST_NAME} is broken")
    for network in networks:
        if is_device_name(network.file):
            raise CheckpointError(f"names {network.file}, which Windows takes for a device; it cannot be kept")
    return tuple(ModelFile(network.file, weight_limit(network), network) for network in networks)


def weight_limit(network: NetworkFile) -> int:
    """More bytes than the file of a network with so many parameters can honestly have."""
    return network.num_parameters * BYTES_PER_PARAMETER + MAX_HEADER_BYTES


def is_device_name(name: str) -> bool:
    """Whether Windows reserves a file name, whatever its ending: ``con``, ``nul.txt``, ``com1``."""
    return _DEVICES.match(name) is not None


def is_picture(name: str, content: bytes) -> bool:
    """Whether a preview begins as its ending promises: a PNG, or a WebP inside RIFF."""
    if name.endswith(".png"):
        return content.startswith(b"\x89PNG\r\n\x1a\n")
    return content.startswith(b"RIFF") and content[8:12] == b"WEBP"
