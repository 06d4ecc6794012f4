"""Which section `data` belongs to a path that somebody typed."""

from pathlib import Path
from typing import Any

from trainer.data.collections import open_collection
from trainer.data.kinds import samples_among
from ul_engine.errors import DataError

SCENES = "scenes"


def data_of(path: str, *, num_frames: int) -> dict[str, Any]:
    """The section for ``scenes`` or a folder or archive; a model of `num_frames` over 1 wants clips. Raises DataError
    where nothing of the wanted kind is there."""
    if path == SCENES and not Path(path).exists():
        return {"kind": "scenes"}
    wanted = "clips" if num_frames > 1 else "pictures"
    found = samples_among(open_collection(path).entries, "clips" if num_frames > 1 else "pictures")
    if not found:
        hint = "; ul-train data check tells what is there"
        raise DataError(f"holds no {wanted}, which is what this model is trained on{hint}", path=path)
    section: dict[str, Any] = {"kind": wanted, "path": str(Path(path).expanduser().resolve())}
    return {**section, "num_frames": num_frames} if num_frames > 1 else section
