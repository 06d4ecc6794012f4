"""A loaded tiny model in this process, the requests put to it, and everything it sends back."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tests.helpers.tiny import text_conditioning, tiny_config, tiny_model
from ul_engine import protocol as p
from ul_engine.config import ModelConfig
from ul_engine.data.pixels import Uint8Array
from ul_engine.jobs import JobContext, Reconstruction, Workbench, reconstructions, run
from ul_engine.model_folder import NETWORKS, Manifest, NetworkFile
from ul_engine.pipelines import Pipeline
from ul_engine.requests import (
    GenerateRequest,
    GuidanceSettings,
    InterpolateRequest,
    ReconstructRequest,
    Request,
    SamplerSettings,
    SamplingSettings,
)

SAMPLING = SamplingSettings(
    base=SamplerSettings(num_steps=3),
    decoder=SamplerSettings(num_steps=4),
    guidance=GuidanceSettings(weight=2.0),
)
FILE = NetworkFile(file="a.safetensors", sha256="0" * 64, num_parameters=1)


class Desk:
    """A loaded tiny model and everything it sends. `workbench` is shared by its jobs; None: each has its own."""

    def __init__(
        self,
        config: ModelConfig | None = None,
        without: frozenset[str] = frozenset(),
        *,
        workbench: Workbench | None = None,
    ) -> None:
        model = tiny_model(config or tiny_config(conditioning=text_conditioning()))
        self.pipeline = Pipeline(model, torch.device("cpu"))
        self.manifest = Manifest(model=model.config, networks={name: FILE for name in NETWORKS if name not in without})
        self.workbench = workbench
        self.sent: list[tuple[p.News, bytes]] = []

    def context(self, is_cancelled: Callable[[], bool] = lambda: False) -> JobContext:
        workbench = self.workbench or Workbench()
        return JobContext("job", lambda news, payload: self.sent.append((news, payload)), is_cancelled, workbench)

    def run(self, request: Request, is_cancelled: Callable[[], bool] = lambda: False) -> list[Uint8Array]:
        """What was made, uint8 `[T, H, W, 3]` each, in the order it came; `sent` holds the news of this run alone."""
        self.sent.clear()
        run(self.pipeline, self.manifest, request, self.context(is_cancelled))
        return [
            np.frombuffer(payload, np.uint8).reshape(news.shape)
            for news, payload in self.sent
            if isinstance(news, p.ImageResult)
        ]

    def generate(self, **fields: object) -> list[Uint8Array]:
        options: dict[str, object] = {"model": "m", "sampling": SAMPLING, "num_images": 1, "preview": False}
        return self.run(GenerateRequest(**(options | fields)))

    def interpolate(self, **fields: object) -> list[Uint8Array]:
        options: dict[str, object] = {"model": "m", "sampling": SAMPLING, "num_steps": 3, "preview": False}
        return self.run(InterpolateRequest(**(options | fields)))

    def reconstruct(self, *inputs: Path, **fields: object) -> list[Reconstruction]:
        options: dict[str, object] = {"model": "m", "sampling": SAMPLING, "bitrate_times": 4}
        request = ReconstructRequest(inputs=tuple(map(str, inputs)), **(options | fields))
        return list(reconstructions(self.pipeline, self.manifest, request, self.context()))

    def news(self, kind: type[p.Message]) -> list[p.News]:
        """Messages of one kind."""
        return [news for news, _ in self.sent if isinstance(news, kind)]


class Counted:
    """Counts the evaluations of a network, and keeps what it was given: ``with Counted(decoder) as calls``."""

    def __init__(self, network: nn.Module | None) -> None:
        assert network is not None
        self.inputs: list[tuple[torch.Tensor, ...]] = []
        self._network = network

    def __len__(self) -> int:
        return len(self.inputs)

    def __enter__(self) -> "Counted":
        self._hook = self._network.register_forward_pre_hook(lambda _, given: self.inputs.append(given))
        return self

    def __exit__(self, *_error: object) -> None:
        self._hook.remove()


def largest_difference(first: Uint8Array, second: Uint8Array) -> int:
    """In 8-bit levels."""
    assert first.shape == second.shape
    return int(np.abs(first.astype(int) - second).max())
