"""What the paper found (arXiv 2602.17270, Table 2 and Table 6), for comparison. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PaperRow:
    """ImageNet at 512 px: latent bits per pixel, FID of reconstructions, PSNR in dB, FID of generated pictures (small
    base model). None: not stated."""

    name: str
    bits_per_pixel: float
    rfid: float
    psnr_db: float | None
    gfid_small: float | None
    gfid_medium: float | None = None


TABLE_2 = (
    PaperRow("1.3", 0.035, 0.79, 25.7, 1.42, 1.37),
    PaperRow("1.5", 0.059, 0.47, 27.6, 1.54, 1.31),
    PaperRow("1.7", 0.083, 0.36, 28.9, 1.77, 1.38),
    PaperRow("1.9", 0.101, 0.31, 29.6, 2.02, 1.45),
    PaperRow("2.1", 0.116, 0.27, 30.1, 2.38, 1.58),
)
"""By loss factor."""

TABLE_6_BASELINE = PaperRow("loss factor 1.5", 0.059, 0.47, None, 1.54)
TABLE_6: Mapping[str, PaperRow] = {
    "no-prior-gradient": PaperRow("A", 0.121, 1.81, None, 7.80),
    "logsnr-10": PaperRow("B", 0.008, 28.27, None, None),
    "other-data": PaperRow("C", 0.034, 1.37, None, 1.63),
    "learned-variance": PaperRow("D", 0.060, 0.69, None, 1.81),
}
"""By the name of the ablation."""
