"""Which charts a run has: what its figures are called, which belong together, which are better read on a log scale."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QCoreApplication


class ChartKind(Enum):
    """What the chart's series are."""

    LINES = "lines"
    BANDS = "bands"
    """The elements of lists: one series each."""
    TRAIL = "trail"
    """Bits against PSNR as training goes."""


class Reference(Enum):
    """Which column of the paper's Table 2 belongs into the chart."""

    NONE = ""
    BITS = "bits"
    PSNR = "psnr"
    BOTH = "both"


@dataclass(frozen=True)
class Line:
    """One figure of a chart, or one list of them."""

    figure: str
    title: str
    is_dashed: bool = False
    is_exact: bool = False
    """Whether an average would only blur it: what is set rather than measured."""

    @property
    def is_measured(self) -> bool:
        """Whether it comes from few measurements on held-out samples, whose points matter."""
        return self.figure.startswith("validation/")


@dataclass(frozen=True)
class ChartSpec:
    """One chart: `figures` that it needs, all in one unit."""

    name: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    kind: ChartKind = ChartKind.LINES
    is_log: bool = False
    reference: Reference = Reference.NONE
    scale: float = 1.0
    """Values are shown multiplied with it."""
    main: int = 0
    """The line that stands for the chart while runs lie over each other."""


TABLE_2 = ((1.3, 0.035, 25.7), (1.5, 0.059, 27.6), (1.7, 0.083, 28.9), (1.9, 0.101, 29.6), (2.1, 0.116, 30.1))
"""Loss factor, bits per pixel and PSNR of the paper, ImageNet-512 (arXiv 2602.17270)."""
BITS, PSNR, TOTAL = "validation/bits_per_pixel", "validation/psnr_db", "step/total_bits_per_pixel"
_LEFT_OUT = frozenset(("images_seen", "step_s", "bits_per_dim", "latent_mean", "shuffle_gap_db", "base_weighted_nats"))


def specs_for(figures: Iterable[str]) -> tuple[ChartSpec, ...]:
    """The charts for which there is something, and one for each figure that none of them knows."""
    known, names = _catalogue(), set(figures)
    groups = {name.rpartition("/")[0] for name in names}
    found = [spec for spec in known if _is_there(spec, names, groups)]
    used = {line.figure for spec in known for line in spec.lines}
    others = sorted(
        name for name in names if name not in used and name.rpartition("/")[0] not in used and _is_worth(name)
    )
    return (*found, *(ChartSpec(name, name.replace("/", " · "), "", (Line(name, ""),)) for name in others))


def _is_there(spec: ChartSpec, names: set[str], groups: set[str]) -> bool:
    if spec.kind is ChartKind.TRAIL:
        return {BITS, PSNR} <= names
    return any(line.figure in (groups if spec.kind is ChartKind.BANDS else names) for line in spec.lines)


def _is_worth(name: str) -> bool:
    return name.count("/") == 1 and name.partition("/")[2] not in _LEFT_OUT


def _catalogue() -> tuple[ChartSpec, ...]:
    """All that are known, in the order in which they stand on the wall."""
    return (_trail(), *_losses(), *_measures(), *_bands(), *_learning(), *_machine())


def _trail() -> ChartSpec:
    lines = (Line(BITS, ""), Line(PSNR, ""))
    return ChartSpec("trail", _tr("Rate and distortion"), "dB", lines, ChartKind.TRAIL, reference=Reference.BOTH)


def _losses() -> tuple[ChartSpec, ...]:
    bits = _tr("bits/pixel")
    both = (
        Line("step/prior_bits_per_pixel", _tr("Prior")),
        Line("step/decoder_bits_per_pixel", _tr("Decoder")),
        Line(TOTAL, _tr("Total")),
        Line("validation/loss_bits_per_pixel", _tr("Total, held out")),
    )
    base = (Line("step/base_weighted_nats_per_value", _tr("Loss")),)
    bound = (
        Line("validation/base_bits_per_pixel", _tr("Without condition")),
        Line("validation/base_bits_per_pixel_conditional", _tr("With condition")),
    )
    return (
        ChartSpec("losses", _tr("Losses"), bits, both, is_log=True, main=2),
        ChartSpec("base-loss", _tr("Base model’s loss"), _tr("weighted nats/value"), base, is_log=True),
        ChartSpec("base-bits", _tr("Base model’s bound"), bits, bound),
    )


def _measures() -> tuple[ChartSpec, ...]:
    bits = (Line(BITS, _tr("Held out")),)
    psnr = (Line(PSNR, _tr("Own latent")), Line("validation/psnr_shuffled_db", _tr("Another’s latent"), is_dashed=True))
    ssim = (Line("validation/ssim", _tr("SSIM")),)
    return (
        ChartSpec("bits", _tr("Latent bits"), _tr("bits/pixel"), bits, is_log=True, reference=Reference.BITS),
        ChartSpec("psnr", _tr("PSNR of the probes"), "dB", psnr, reference=Reference.PSNR),
        ChartSpec("ssim", _tr("SSIM of the probes"), "", ssim),
    )


def _bands() -> tuple[ChartSpec, ...]:
    bits, nats = _tr("bits/pixel"), _tr("weighted nats")
    rows = (
        ("prior-bands", _tr("Prior’s loss by log-SNR"), bits, "step/prior_band_bits"),
        ("decoder-bands", _tr("Decoder’s loss by log-SNR"), bits, "step/decoder_band_bits"),
        ("base-bands", _tr("Base model’s loss by log-SNR"), nats, "step/base_band_nats"),
    )
    return tuple(
        ChartSpec(name, title, unit, (Line(figure, ""),), ChartKind.BANDS, is_log=True)
        for name, title, unit, figure in rows
    )


def _learning() -> tuple[ChartSpec, ...]:
    norm = (Line("step/gradient_norm", _tr("Norm")),)
    rate = (Line("step/learning_rate", _tr("Rate"), is_exact=True),)
    scale = (Line("step/latent_std", _tr("Training")), Line("validation/latent_std", _tr("Tracked")))
    return (
        ChartSpec("gradient", _tr("Gradient norm"), "", norm, is_log=True),
        ChartSpec("rate", _tr("Learning rate"), "", rate),
        ChartSpec("latent-std", _tr("Scale of the latent"), _tr("standard deviation"), scale),
    )


def _machine() -> tuple[ChartSpec, ...]:
    speed = (Line("step/images_per_s", _tr("Samples")),)
    memory = (
        Line("step/device_memory_mb", _tr("Device, used"), is_exact=True),
        Line("step/device_reserved_mb", _tr("Device, reserved"), is_dashed=True, is_exact=True),
        Line("step/host_memory_mb", _tr("Process"), is_exact=True),
    )
    busy, share = (Line("step/device_busy_percent", _tr("Busy")),), (Line("step/data_wait_share", _tr("Share")),)
    loss = (Line("step/loss", _tr("Loss")),)
    return (
        ChartSpec("speed", _tr("Throughput"), _tr("samples/s"), speed),
        ChartSpec("memory", _tr("Memory"), "GB", memory, scale=2**20 / 1e9),
        ChartSpec("busy", _tr("GPU at work"), "%", busy),
        ChartSpec("waiting", _tr("Waiting for data"), "%", share, scale=100.0),
        ChartSpec("loss", _tr("Minimised loss"), _tr("nats/value"), loss, is_log=True),
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("RunCharts", text)
