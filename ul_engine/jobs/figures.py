"""Measures as they are asked for and sent, of reconstructions, codecs and files alike."""

from typing import TypedDict

from ul_engine.comparison import Measured
from ul_engine.requests import CodecRequest, MeasureName, MeasureRequest, ReconstructRequest


class FigureFields(TypedDict):
    """The fields of `protocol.Figures`."""

    psnr_db: float
    ssim: float | None
    ms_ssim: float | None
    ms_ssim_scales: int | None
    flip: float | None
    lpips: float | None


class RateFields(TypedDict):
    """The fields that `protocol.CodecPoint` adds to them."""

    bits_per_pixel: float
    num_bytes: int
    quality: float
    setting: str


def figures_of(measured: Measured) -> FigureFields:
    """What goes into a message."""
    return {
        "psnr_db": measured.psnr_db,
        "ssim": measured.ssim,
        "ms_ssim": measured.ms_ssim,
        "ms_ssim_scales": measured.ms_ssim_scales,
        "flip": measured.flip,
        "lpips": measured.lpips,
    }


def measures_of(request: ReconstructRequest | CodecRequest | MeasureRequest) -> frozenset[MeasureName]:
    """The measures to take; the map of FLIP's error comes with FLIP."""
    return frozenset((*request.measures, "flip")) if request.want_flip_map else frozenset(request.measures)
