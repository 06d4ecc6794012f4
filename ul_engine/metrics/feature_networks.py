"""Which distances between distributions can be computed on this machine, and what the others lack. No torch at import.

FID, KID and FVD need weights that are not ours to ship; FD-Small and FD-Small-clip come with the program. `available`
says what is there in plain words; `load_feature_network` loads it.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from ul_engine.metrics.features.network import FeatureNetwork


@dataclass(frozen=True)
class FeatureNetworkEntry:
    """One feature network. `found` is its weight file or bundled folder, None if it is not there; `advice` says which
    file to put where, or that all is well."""

    name: str
    distances: tuple[str, ...]
    takes: str
    is_bundled: bool
    found: Path | None
    advice: str


@dataclass(frozen=True)
class _Kind:
    distances: tuple[str, ...]
    takes: str
    files: tuple[str, ...] = ()
    source: str = ""


_KINDS = {
    "inception": _Kind(
        ("rFID", "gFID", "KID"),
        "pictures",
        ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth"),
        "released with pytorch-fid and torch-fidelity, 95 MB",
    ),
    "i3d": _Kind(
        ("FVD",),
        "clips of 9 frames or more",
        ("i3d_pretrained_400.pt", "rgb_imagenet.pt"),
        "state dicts of I3D on Kinetics-400, 51 MB; VideoGPT and many others use the first, the second comes with "
        "pytorch-i3d and gives other figures",
    ),
    "small": _Kind(("FD-Small",), "pictures"),
    "small-clip": _Kind(("FD-Small-clip",), "clips of 2 frames or more"),
}
NAMES = tuple(_KINDS)
"""Names that `load_feature_network` knows."""


def metrics_dir() -> Path:
    """Where weights of feature networks are looked for; it need not exist."""
    from platformdirs import user_data_path

    return user_data_path("UL Studio", appauthor=False) / "metrics"


def available(folder: str | os.PathLike[str] | None = None) -> tuple[FeatureNetworkEntry, ...]:
    """Every feature network with what is known of it here; weights are looked for in `folder` (None: `metrics_dir()`)
    by their usual names, also with the suffix ``.safetensors``. Nothing is opened."""
    place = Path(folder) if folder is not None else metrics_dir()
    return tuple(_entry(name, kind, place) for name, kind in _KINDS.items())


def load_feature_network(
    name: str,
    *,
    weights: str | os.PathLike[str] | None = None,
    folder: str | os.PathLike[str] | None = None,
    device: str = "cpu",
) -> "FeatureNetwork":
    """A feature network by its name, in evaluation mode on `device`.

    `weights` is a file (a folder for the small ones); None looks in `folder` as `available` does. Raises ConfigError
    for an unknown name, CheckpointError for weights that are missing or do not fit.
    """
    if name not in _KINDS:
        raise ConfigError(f"{name!r} is no feature network; known are {', '.join(NAMES)}", field="network")
    if weights is None:
        entry = next(entry for entry in available(folder) if entry.name == name)
        if entry.found is None:
            raise CheckpointError(entry.advice)
        weights = entry.found
    return _load(name, Path(weights)).to(device)


def _load(name: str, weights: Path) -> "FeatureNetwork":
    """Imports torch, so only here."""
    if name == "inception":
        from ul_engine.metrics.features.inception import load_inception

        return load_inception(weights)
    if name == "i3d":
        from ul_engine.metrics.features.i3d import load_i3d

        return load_i3d(weights)
    from ul_engine.metrics.features.small import SmallClipFeatures, load_small_features

    frames = load_small_features(weights)
    return frames if name == "small" else SmallClipFeatures(frames).eval()


def _entry(name: str, kind: _Kind, place: Path) -> FeatureNetworkEntry:
    found = _first_file(place, kind.files) if kind.files else _bundled()
    if found is not None:
        advice = f"found at {found}" if kind.files else "comes with the program"
    elif kind.files:
        wanted, files = ", ".join(kind.distances), " or ".join(kind.files)
        verb = "need" if len(kind.distances) > 1 else "needs"
        advice = (
            f"{wanted} {verb} weights: put {files} ({kind.source}) in {place}, "
            "or fetch them from a repository that holds them: ul-engine models weights REPO FILE"
        )
    else:
        advice = f"{kind.distances[0]} should come with the program and is missing; install UL Studio again"
    return FeatureNetworkEntry(name, kind.distances, kind.takes, not kind.files, found, advice)


def _first_file(place: Path, files: tuple[str, ...]) -> Path | None:
    candidates = [place / file for name in files for file in (name, f"{Path(name).stem}.safetensors")]
    return next((path for path in candidates if path.is_file()), None)


def _bundled() -> Path | None:
    from ul_engine.assets import assets_dir

    try:
        folder = assets_dir() / "metrics" / "small-features"
    except FileNotFoundError:
        return None
    return folder if (folder / "config.json").is_file() else None
