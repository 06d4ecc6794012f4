"""What can be measured, by the names that people type. No torch."""

from dataclasses import dataclass
from typing import Literal

from ul_engine.errors import ConfigError

Group = Literal["distortion", "clips", "bits", "codecs", "reconstruction", "generation"]


@dataclass(frozen=True)
class Distance:
    """A distance between two sets: which feature network sees them (a name of `ul_engine.metrics.feature_networks`),
    whose samples stand against the data, and whether it is the kernel distance instead of Fréchet's."""

    network: str
    side: Literal["reconstructed", "generated"]
    is_kernel: bool = False

    @property
    def is_for_clips(self) -> bool:
        """Whether the network takes clips, not pictures."""
        return self.network in ("i3d", "small-clip")


@dataclass(frozen=True)
class Metric:
    """One metric. `key` is its column, where it is one number per sample; `min_px` the smallest side it can take."""

    name: str
    title: str
    group: Group
    key: str = ""
    unit: str = ""
    lower_is_better: bool = False
    min_px: int = 1
    distance: Distance | None = None


def _distance(name: str, title: str, network: str, side: Literal["reconstructed", "generated"]) -> Metric:
    group: Group = "reconstruction" if side == "reconstructed" else "generation"
    distance = Distance(network, side, is_kernel=title.startswith("K"))
    return Metric(name, title, group, lower_is_better=True, distance=distance)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("psnr", "PSNR", "distortion", "psnr_db", "dB"),
        Metric("ssim", "SSIM", "distortion", "ssim", min_px=11),
        Metric("ms-ssim", "MS-SSIM", "distortion", "ms_ssim", min_px=11),
        Metric("flip", "FLIP", "distortion", "flip", lower_is_better=True),
        Metric("lpips", "LPIPS (AlexNet)", "distortion", "lpips", lower_is_better=True, min_px=31),
        Metric("mean-psnr", "PSNR of the mean of decodes", "distortion", "mean_psnr_db", "dB"),
        Metric("frame-psnr", "PSNR, mean over frames", "clips", "frame_psnr_db", "dB"),
        Metric("flicker", "Flicker", "clips", "flicker_levels", "8-bit levels", lower_is_better=True),
        Metric("bits", "Latent bits", "bits", unit="bits", lower_is_better=True),
        Metric("codecs", "Codecs at equal bits", "codecs", min_px=11),
        _distance("rfid", "rFID", "inception", "reconstructed"),
        _distance("rfd", "rFD-Small", "small", "reconstructed"),
        _distance("rfvd", "rFVD", "i3d", "reconstructed"),
        _distance("rfd-clip", "rFD-Small-clip", "small-clip", "reconstructed"),
        _distance("gfid", "gFID", "inception", "generated"),
        _distance("gfd", "gFD-Small", "small", "generated"),
        _distance("kid", "KID", "inception", "generated"),
        _distance("kd", "KD-Small", "small", "generated"),
        _distance("fvd", "FVD", "i3d", "generated"),
        _distance("fd-clip", "FD-Small-clip", "small-clip", "generated"),
    )
}
"""In the order of tables. FID and FVD go by these names only with their own networks; what the network that comes with
the program measures is called FD-Small."""

GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(name for name, metric in METRICS.items() if metric.group == group)
    for group in ("distortion", "clips", "reconstruction", "generation")
} | {"all": tuple(METRICS)}
DEFAULT = "distortion,bits"


@dataclass(frozen=True)
class Choice:
    """Metrics that were asked for, in the order of `METRICS`. `explicit` are those named themselves, not by a group:
    what cannot be computed among them is an error, among the others a remark."""

    names: tuple[str, ...]
    explicit: frozenset[str]


def parse_metrics(text: str) -> Choice:
    """Names and groups separated by commas, such as ``psnr,bits,generation``. Raises ConfigError."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in METRICS and word not in GROUPS]
    if unknown or not words:
        raise ConfigError(
            f"{f'{unknown[0]!r} is no metric' if unknown else 'name at least one metric'}; there are "
            f"{', '.join(METRICS)}, and the groups {', '.join(GROUPS)}",
            field="metrics",
        )
    explicit = frozenset(word for word in words if word in METRICS)
    asked = explicit.union(*(GROUPS[word] for word in words if word in GROUPS))
    return Choice(tuple(name for name in METRICS if name in asked), explicit)
