"""Which section `data` belongs to a path that somebody typed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.config.data import NUM_CLIPS
from trainer.data.collections import open_collection
from trainer.data.kinds import samples_among
from ul_engine.errors import DataError

SCENES = "scenes"


def data_of(path: str, *, video: Mapping[str, Any] | None) -> dict[str, Any]:
    """The section for ``scenes`` or a folder or archive. `video` is the section of the model; a model that has it wants
    clips of as many frames. Raises DataError where nothing of the wanted kind is there."""
    if path == SCENES and not Path(path).exists():
        frames = {name: video[name] for name in ("num_frames", "fps") if name in video} if video else {}
        return {"kind": "scenes", **frames, **({"num_train": NUM_CLIPS} if frames else {})}
    wanted = "clips" if video else "pictures"
    found = samples_among(open_collection(path).entries, "clips" if video else "pictures")
    if not found:
        hint = "; ul-train data check tells what is there"
        raise DataError(f"holds no {wanted}, which is what this model is trained on{hint}", path=path)
    section: dict[str, Any] = {"kind": wanted, "path": str(Path(path).expanduser().resolve())}
    return {**section, "num_frames": video["num_frames"]} if video and "num_frames" in video else section
