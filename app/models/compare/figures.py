"""The numbers of a candidate: which there are, which way is better, how they are written. No Qt beyond translation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from PySide6.QtCore import QCoreApplication


@dataclass(frozen=True)
class Figures:
    """What was measured of one reconstruction; None: not measured."""

    psnr_db: float | None = None
    ssim: float | None = None
    ms_ssim: float | None = None
    flip: float | None = None
    lpips: float | None = None
    bits_per_pixel: float | None = None
    bits_per_dim: float | None = None
    is_bound: bool = True
    """The bits are an upper bound on information; a codec's are those of its file."""
    is_floor: bool = False
    """Fewer bits were asked for than the codec can do."""
    setting: str = ""
    """How a codec's file was made."""

    def value(self, key: str) -> float | None:
        """One figure by its name; what is no number counts as not measured."""
        found = getattr(self, key)
        return found if isinstance(found, int | float) and not math.isnan(found) else None


@dataclass(frozen=True)
class Metric:
    """One column of the table."""

    key: str
    title: str
    is_lower_better: bool
    decimals: int
    help: str

    def text(self, value: float | None) -> str:
        """The number as it stands in the table."""
        if value is None:
            return "–"
        return "∞" if math.isinf(value) else f"{value:.{self.decimals}f}"


def metrics() -> tuple[Metric, ...]:
    """All columns in their order, in the person's language."""
    return (
        Metric("psnr_db", _tr("PSNR"), False, 2, _tr("Peak signal-to-noise ratio in decibels; higher is closer.")),
        Metric("ssim", _tr("SSIM"), False, 3, _tr("Structural similarity, 1 for equal pictures; higher is closer.")),
        Metric("ms_ssim", _tr("MS-SSIM"), False, 3, _tr("Structural similarity at several scales; higher is closer.")),
        Metric("flip", _tr("FLIP"), True, 3, _tr("Difference seen when both alternate, 0 to 1; lower is closer.")),
        Metric("lpips", _tr("LPIPS"), True, 3, _tr("Distance to a trained network's eye; lower is closer.")),
        Metric(
            "bits_per_pixel",
            _tr("bits/px"),
            True,
            4,
            _tr(
                "Bits per pixel. For a model: an upper bound on the information in its latent, not a file size. "
                "For a codec: the size of its file."
            ),
        ),
    )


def best_rows(metric: Metric, values: Sequence[float | None]) -> frozenset[int]:
    """The rows with the best value of a column; none where fewer than two were measured."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return frozenset()
    best = min(known) if metric.is_lower_better else max(known)
    return frozenset(row for row, value in enumerate(values) if value == best)


def differs(first: Figures, second: Figures) -> bool:
    """Whether any number is another."""
    return any(getattr(first, field.name) != getattr(second, field.name) for field in fields(Figures))


def _tr(text: str) -> str:
    return QCoreApplication.translate("CompareFigures", text)
