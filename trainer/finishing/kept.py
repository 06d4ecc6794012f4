"""Results of long measurements, kept as they come, so that a step that was stopped goes on."""

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainer.run_dir import read_json, write_json
from ul_engine.model_folder import NetworkName
from ul_engine.whole_files import temporary_file


def kept_network(network: nn.Module, file: Path, train: Callable[[], object]) -> None:
    """Give `network` the weights that `file` holds; where it does not exist, those that `train` gives it, kept
    there."""
    if file.exists():
        network.load_state_dict(torch.load(file, weights_only=True))
        return
    train()
    file.parent.mkdir(parents=True, exist_ok=True)
    with temporary_file(file.parent) as partial:
        torch.save(network.state_dict(), partial)
        partial.replace(file)


class Kept:
    """A folder of results, a file each, named after what decides them: weights and settings. Others are measured
    anew."""

    def __init__(self, folder: Path, weights: Mapping[NetworkName, str]) -> None:
        """`weights` are hashes of all networks of the model."""
        self._folder, self._weights = folder, weights

    def get(self, name: str, of: Sequence[NetworkName], settings: object, measure: Callable[[], Any]) -> Any:
        """The result, plain data as JSON has it, of `measure`, which is only called where none is kept. `of` are the
        networks that it depends on."""
        weights = {network: self._weights[network] for network in of}
        identity = json.dumps([name, weights, settings], sort_keys=True)
        digest = blake2b(identity.encode(), digest_size=8).hexdigest()
        file = self._folder / f"{name.replace(' ', '-')}-{digest}.json"
        if not file.is_file():
            result = measure()
            self._folder.mkdir(parents=True, exist_ok=True)
            write_json(file, {"name": name, "result": result})
            print(f"{name}: {result}", flush=True)
        return read_json(file)["result"]
