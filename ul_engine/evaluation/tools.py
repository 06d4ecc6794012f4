"""What an evaluation measures with: the weights that are here, and the program's versions, for the record."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import PIL
import torch

from ul_engine.checkpoint import file_sha256
from ul_engine.evaluation.codec_points import usable_codecs
from ul_engine.evaluation.plan import Circumstances, Plan
from ul_engine.evaluation.settings import EvaluationSettings
from ul_engine.metadata import program_version
from ul_engine.metrics.feature_networks import available, load_feature_network
from ul_engine.metrics.features.network import FeatureNetwork
from ul_engine.metrics.lpips import Lpips, load_lpips, lpips_problem
from ul_engine.model_folder import Manifest
from ul_engine.requests import CodecName


def circumstances(manifest: Manifest, settings: EvaluationSettings, weights: Path | None) -> Circumstances:
    """What is on this machine; `weights` is the folder of metric networks, None: the usual one."""
    networks = {entry.name: entry for entry in available(weights)}
    return Circumstances(manifest, settings, networks, lpips_problem(folder=weights))


@dataclass(frozen=True)
class Tools:
    """Networks and codecs that a plan needs, loaded."""

    device: torch.device
    networks: Mapping[str, FeatureNetwork]
    codecs: tuple[CodecName, ...]
    lpips: Lpips | None = None

    @classmethod
    def load(cls, plan: Plan, weights: Path | None, device: torch.device) -> "Tools":
        """Everything on `device` where that is a CUDA device, else on the CPU: Apple's has no float64. Raises
        CheckpointError for weights that do not fit."""
        place = device if device.type == "cuda" else torch.device("cpu")
        wanted = sorted({distance.network for distance in plan.distances.values()})
        return cls(
            place,
            {name: load_feature_network(name, folder=weights, device=str(place)) for name in wanted},
            usable_codecs() if plan.has("codecs") else (),
            load_lpips(folder=weights, device=place) if plan.has("lpips") else None,
        )

    def identity(self) -> dict[str, Any]:
        """Names of networks with their weights, and codecs."""
        lpips = _weights_hash(self.lpips) if self.lpips is not None else None
        networks = {name: network.identity for name, network in self.networks.items()}
        return {"networks": networks, "lpips_weights_sha256": lpips, "codecs": list(self.codecs)}


def _weights_hash(network: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for key, value in sorted(network.state_dict().items()):
        digest.update(key.encode() + value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def program_identity(device: torch.device) -> dict[str, str]:
    """Versions of what computes, and the kind of device."""
    versions = {"ul_studio": program_version(), "torch": torch.__version__, "pillow": PIL.__version__}
    return versions | {"device": device.type}


def model_identity(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Name, hash of the configuration and of each weight file as it lies on the disk."""
    configuration = json.dumps(manifest.model.model_dump(mode="json"), sort_keys=True)
    return {
        "name": manifest.model.name,
        "configuration_sha256": hashlib.sha256(configuration.encode()).hexdigest(),
        "latent_std": manifest.latent_std,
        "weights_sha256": {name: file_sha256(folder / entry.file) for name, entry in manifest.networks.items()},
    }
