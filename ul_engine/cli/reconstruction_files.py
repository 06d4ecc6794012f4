"""What ``ul-engine reconstruct`` writes: pictures, maps, latents, and the rows of ``metrics.json``."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from ul_engine.comparison import Spread
from ul_engine.comparison.latents import view_of
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import Uint8Array
from ul_engine.jobs import Reconstruction, StudiedInput
from ul_engine.outputs import explained
from ul_engine.requests import ReconstructRequest


def write_input(studied: StudiedInput, out: Path) -> dict[str, Any]:
    """The original, and where its bits went: a grey picture of the bits per latent cell, and bits per band; the latent
    where it is asked for."""
    study, stem = studied.study, stem_of(studied.source, studied.number)
    row: dict[str, Any] = {
        "input": studied.source,
        "original_file": _write_frames(out / f"{stem}-original.png", study.original),
    }
    if studied.request.latent_logsnrs or studied.request.decoder_logsnrs:
        row |= _write_bits(studied, out, stem)
    if studied.request.want_latent:
        row |= _write_latent(studied, out, stem)
    return row


def _write_bits(studied: StudiedInput, out: Path, stem: str) -> dict[str, Any]:
    study, bits = studied.study, studied.study.bit_spread()
    most, cell_px = float(bits.cells.max()), study.pipeline.config.downsampling
    grey = np.rint(255.0 * np.clip(bits.cells / max(most, 1e-9), 0.0, 1.0)).astype(np.uint8)
    height, width = study.original.shape[1:3]
    pixels = np.repeat(np.repeat(grey, cell_px, axis=1), cell_px, axis=2)[:, :height, :width, None]
    deviation = bits.total_deviation
    return {
        "bits_per_pixel": bits.total / study.num_pixels,
        "bits_per_pixel_deviation": None if deviation is None else deviation / study.num_pixels,
        "num_bit_draws": bits.num_draws,
        "bit_map_file": _write_frames(out / f"{stem}-bits.png", np.repeat(pixels, 3, axis=-1)),
        "bits_of_a_white_cell": most,
        "band_bits": [{"logsnr_low": low, "logsnr_high": high, "bits": bits} for low, high, bits in bits.bands],
        "band_deviations": list(bits.band_deviations),
    }


def _write_latent(studied: StudiedInput, out: Path, stem: str) -> dict[str, Any]:
    """z_clean and z_0 as arrays [C, T, h, w], and the principal components as colour, a pixel per cell."""
    view, name = view_of(studied.study), f"{stem}-latent.npz"
    with explained(out / name):
        np.savez(out / name, z_clean=view.z_clean.numpy(), z_0=view.z_0.numpy())
    return {
        "latent_file": name,
        "latent_colours_file": _write_frames(out / f"{stem}-latent.png", view.colours),
        "channel_means": list(view.channel_means),
        "channel_stds": list(view.channel_stds),
        "principal_shares": list(view.shares),
        "alpha_0": view.alpha_0,
        "sigma_0": view.sigma_0,
    }


def stem_of(source: str, number: int) -> str:
    """How names of one input's files begin."""
    return f"{number:02d}-{Path(source).stem}"


def write_rung(result: Reconstruction, request: ReconstructRequest, out: Path) -> dict[str, Any]:
    """One reconstruction, its FLIP map and its spread where asked for; returns its row."""
    stem, figures = stem_of(result.source, result.number), result.figures
    level = f"logsnr{result.rung.latent_logsnr:+g}"
    if result.rung.decoder_logsnr is not None:
        level += f"-decoder{result.rung.decoder_logsnr:+g}"
    name = _write_frames(out / f"{stem}-{level}.png", result.picture)
    row = {
        "input": result.source,
        "file": name,
        "latent_logsnr": result.rung.latent_logsnr,
        "decoder_logsnr": result.rung.decoder_logsnr,
        "is_trained_level": result.is_trained_level,
        "psnr_db": _finite(figures.psnr_db),
        "ssim": figures.ssim,
        "ms_ssim": figures.ms_ssim,
        "ms_ssim_scales": figures.ms_ssim_scales,
        "flip": figures.flip,
        "lpips": figures.lpips,
        "psnr_db_per_frame": [_finite(value) for value in figures.psnr_db_per_frame],
        "flicker_levels_per_frame": list(figures.flicker_per_frame),
        "flicker_levels": figures.flicker_levels,
        "bits_per_pixel": result.bits_per_pixel,
        "bits_per_dim": result.bits_per_dim,
        "bits_per_pixel_prior": result.bounds.get("prior"),
        "bits_per_pixel_base": result.bounds.get("base"),
    }
    if request.want_flip_map and figures.flip_map is not None:
        grey = np.repeat(figures.flip_map[..., None], 3, axis=-1)
        row["flip_file"] = _write_frames(out / f"{stem}-{level}-flip.png", grey)
    if result.spread is not None:
        row |= _write_spread(result.spread, out, f"{stem}-{level}")
        row["mean_psnr_db"] = _finite(result.mean_psnr_db)
    return row


def _finite(figure: float | None) -> float | None:
    """JSON has no infinity: equal pictures have no PSNR."""
    return figure if figure is not None and math.isfinite(figure) else None


def _write_spread(spread: Spread, out: Path, stem: str) -> dict[str, Any]:
    """The mean of the decodes, and their deviation as a grey picture, ten times as bright."""
    mean = _write_frames(out / f"{stem}-mean.png", spread.mean)
    grey = np.clip(np.rint(10.0 * spread.deviation), 0, 255).astype(np.uint8)
    deviation = _write_frames(out / f"{stem}-deviation-x10.png", np.repeat(grey[..., None], 3, axis=-1))
    return {
        "num_decodes": spread.num_decodes,
        "mean_file": mean,
        "deviation_file": deviation,
        "mean_deviation_levels": spread.mean_deviation,
    }


def _write_frames(path: Path, frames: Uint8Array) -> str:
    """A picture at `path`, or of a clip a folder of numbered pictures in its place; returns its name."""
    if len(frames) == 1:
        write_picture(path, frames[0])
        return path.name
    folder = path.with_suffix("")
    for index, frame in enumerate(frames):
        write_picture(folder / f"{index:05d}.png", frame)
    return folder.name
