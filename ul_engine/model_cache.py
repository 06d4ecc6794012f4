"""The model in memory: loaded once, loaded again when its folder changes."""

from dataclasses import dataclass
from pathlib import Path

import torch

from ul_engine.checkpoint import load_model
from ul_engine.model_folder import MANIFEST_NAME, Manifest
from ul_engine.pipelines import Pipeline, ready_pipeline


class ModelCache:
    """Holds the last model used; another one takes its place."""

    @dataclass(frozen=True)
    class Entry:
        """A loaded model; `is_new` tells whether this call loaded it."""

        pipeline: Pipeline
        manifest: Manifest
        is_new: bool

        @property
        def num_parameters(self) -> int:
            """Parameters of all its networks."""
            return sum(parameter.numel() for parameter in self.pipeline.model.parameters())

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self.device = device
        self.dtype = dtype
        self._key: tuple[str, int] | None = None
        self._entry: ModelCache.Entry | None = None

    def __contains__(self, path: str) -> bool:
        return self._entry is not None and self._key == _key(path)

    def get(self, path: str) -> Entry:
        """The model of a folder; raises CheckpointError."""
        if self._entry is not None and self._key == _key(path):
            return ModelCache.Entry(self._entry.pipeline, self._entry.manifest, is_new=False)
        self.clear()
        model, manifest = load_model(path, device=self.device)
        self._entry = ModelCache.Entry(ready_pipeline(model, self.device, self.dtype), manifest, is_new=True)
        self._key = _key(path)
        return self._entry

    def clear(self) -> None:
        """Forget the model and give its memory back."""
        self._entry = None
        self._key = None
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _key(path: str) -> tuple[str, int]:
    """A folder and the time its manifest was written; 0 where there is none (loading will say so)."""
    manifest = Path(path) / MANIFEST_NAME
    return path, manifest.stat().st_mtime_ns if manifest.is_file() else 0
