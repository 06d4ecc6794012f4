"""The figures of all points as flat rows, whatever is there of them. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.sweep.folders import PointFolder
from trainer.sweep.points import Point


@dataclass(frozen=True)
class Column:
    """One figure: its name in files, its title with the unit, its digits in tables."""

    key: str
    title: str
    digits: int


COLUMNS = (
    Column("bits_per_pixel_prior", "bits/pixel (prior)", 3),
    Column("bits_per_pixel_base", "bits/pixel (base)", 3),
    Column("rfd_small", "rFD-Small", 3),
    Column("psnr_db", "PSNR (dB)", 2),
    Column("ssim", "SSIM", 3),
    Column("gfd_small", "gFD-Small", 3),
    Column("kd_small", "KD-Small", 4),
    Column("shuffle_gap_db", "right − shuffled (dB)", 2),
    Column("latent_std", "latent std", 3),
)
TITLES = {column.key: column.title for column in COLUMNS}
ERRORS = ("bits_per_pixel_prior_error", "bits_per_pixel_base_error", "psnr_db_error")
SAMPLES = ("num_samples", "num_generated")
MORE = ("bits_per_latent_value_prior", "psnr_shuffled_db", *ERRORS, *SAMPLES, "num_parameters", "minutes")
ALL_KEYS = (*TITLES, *MORE)


@dataclass(frozen=True)
class Row:
    """A point and what was measured of it; `figures` has None where nothing was."""

    point: Point
    state: str
    reason: str
    figures: Mapping[str, float | None]

    @property
    def is_measured(self) -> bool:
        """Whether there are figures."""
        return self.figures["psnr_db"] is not None


def rows_of(points: Sequence[Point]) -> list[Row]:
    """One row per point, in their order. Raises CheckpointError for a result that is damaged."""
    rows = []
    for point in points:
        folder = PointFolder(point.folder)
        state, result = folder.read_state(), folder.read_result()
        figures = figures_of(result) if result is not None else dict.fromkeys(ALL_KEYS)
        seconds = sum(state["seconds"].values())
        figures["minutes"] = seconds / 60 if seconds else None
        name = "done" if result is not None and state["state"] != "running" else state["state"]
        rows.append(Row(point, name, state["reason"], figures))
    return rows


def figures_of(result: Mapping[str, Any]) -> dict[str, float | None]:
    """The figures in ``result.json`` by column. Clips have their distances from the network for clips."""
    metrics, latent = result["metrics"], result["latent"]

    def found(*path: str) -> float | None:
        value: Any = metrics
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return float(value) if isinstance(value, int | float) else None

    def distance(*names: str) -> float | None:
        return next((value for name in names if (value := found(name, "value")) is not None), None)

    figures = {
        "rfd_small": distance("rfd", "rfd-clip"),
        "psnr_db": found("psnr", "mean"),
        "psnr_db_error": found("psnr", "standard_error"),
        "ssim": found("ssim", "mean"),
        "gfd_small": distance("gfd", "fd-clip"),
        "kd_small": distance("kd"),
        "shuffle_gap_db": latent["shuffle_gap_db"],
        "psnr_shuffled_db": latent["psnr_shuffled_db"],
        "latent_std": latent["latent_std"],
        "bits_per_latent_value_prior": found("bits", "prior", "bits_per_latent_value", "mean"),
        "num_samples": found("psnr", "num_samples"),
        "num_generated": num_generated(metrics),
        "num_parameters": float(sum(result["num_parameters"].values())),
    }
    for name in ("prior", "base"):
        figures[f"bits_per_pixel_{name}"] = found("bits", name, "bits_per_pixel", "mean")
        figures[f"bits_per_pixel_{name}_error"] = found("bits", name, "bits_per_pixel", "standard_error")
    return figures


def num_generated(metrics: Mapping[str, Any]) -> float | None:
    """Generated samples of the distance, None without one."""
    for name in ("gfd", "fd-clip"):
        if "num_samples" in (found := metrics.get(name, {})):
            return float(found["num_samples"][0])
    return None
