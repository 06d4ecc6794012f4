"""From the engine's messages to findings: which place each belongs to, and its payload cut into arrays."""

import math
from dataclasses import dataclass

from app.models.compare import findings as f
from app.models.compare.figures import Figures
from app.models.compare.levels import rung_of
from app.pixels import Clip, split_batch
from ul_engine import protocol
from ul_engine.requests import CodecRequest, MeasureRequest, ReconstructRequest, Request

CLIP_FPS = 8.0
"""For clips whose rate nobody told."""


@dataclass(frozen=True)
class Filed:
    """One finding and its place."""

    key: f.Key
    finding: f.Finding


@dataclass(frozen=True)
class MissingCodec:
    """A codec that this machine lacks."""

    codec: str
    label: str
    reason: str


def recipe_of(request: ReconstructRequest) -> f.Recipe:
    """How the reconstructions of a request are made."""
    return f.Recipe(request.model, request.restorer, request.seed, request.sampling)


def filed(
    request: Request, message: protocol.News, payload: bytes, *, native: float, fps: float | None = None
) -> Filed | MissingCodec | None:
    """What a message of a comparison says; None for any other. Raises ValueError if the payload does not fit.

    `native` is the model's native log-SNR, `fps` the rate of the input, if it is a clip.
    """
    if isinstance(message, protocol.CodecMissing):
        return MissingCodec(message.codec, message.label, message.reason)
    if isinstance(message, protocol.OriginalResult):
        clip = _clip(message.shape, payload, message.fps)
        missing = tuple(sorted(message.missing_measures.items()))
        return Filed(f.OriginalKey(message.input), f.Original(clip, missing))
    if isinstance(request, CodecRequest):
        return _of_codec(message, payload)
    if isinstance(request, MeasureRequest):
        return _of_file(message, payload)
    if isinstance(request, ReconstructRequest):
        return _of_model(request, message, payload, native=native, fps=fps)
    return None


def _of_codec(message: protocol.News, payload: bytes) -> Filed | None:
    if isinstance(message, protocol.CodecResult):
        key = f.CodecKey(message.input, message.codec, message.asked_bits_per_pixel)
        clip, flip_map = _pictures(message.shape, payload, None, has_flip_map=message.has_flip_map)
        figures = _codec_figures(message, is_floor=message.is_floor)
        return Filed(key, f.Reconstruction(clip, figures, flip_map))
    if isinstance(message, protocol.CodecCurveResult):
        points = tuple(f.CodecPoint(_codec_figures(point, is_floor=False), point.quality) for point in message.points)
        return Filed(f.CurveKey(message.input, message.codec), f.CodecCurve(message.label, points))
    return None


def _of_file(message: protocol.News, payload: bytes) -> Filed | None:
    if isinstance(message, protocol.FileUnlike):
        problem = f"{message.reason[:1].upper()}{message.reason[1:]}."
        return Filed(f.FileKey(message.input, message.reference), f.FilePair(None, problem=problem))
    if isinstance(message, protocol.FileFigures):
        wanted = math.prod(message.shape) if message.has_flip_map else 0
        _require(len(payload) == wanted, payload, message.shape)
        flip_map = f.ByteMap(*message.shape, payload) if message.has_flip_map else None
        missing = tuple(sorted(message.missing_measures.items()))
        found = f.FilePair(_file_figures(message), flip_map, missing_measures=missing)
        return Filed(f.FileKey(message.input, message.reference), found)
    return None


def _of_model(
    request: ReconstructRequest, message: protocol.News, payload: bytes, *, native: float, fps: float | None
) -> Filed | None:
    recipe = recipe_of(request)
    match message:
        case protocol.ReconstructionResult():
            rung = rung_of(message.latent_logsnr, message.decoder_logsnr, native)
            clip, flip_map = _pictures(message.shape, payload, fps, has_flip_map=message.has_flip_map)
            found = f.Reconstruction(
                clip, _model_figures(message), flip_map, message.psnr_db_per_frame, message.flicker_per_frame
            )
            return Filed(f.RungKey(message.input, recipe, rung), found)
        case protocol.SpreadResult():
            rung = rung_of(message.latent_logsnr, message.decoder_logsnr, native)
            key = f.SpreadKey(message.input, recipe, rung, message.num_decodes)
            return Filed(key, _spread(message, payload, fps))
        case protocol.BitMapResult():
            return Filed(
                f.BitMapKey(message.input, request.model, message.restorer, request.seed), _bit_map(message, payload)
            )
        case protocol.LatentResult():
            return Filed(f.LatentKey(message.input, request.model, request.seed), _latent(message, payload))
    return None


# ---- payloads -----------------------------------------------------------------------------------------------------


def _clip(shape: tuple[int, int, int, int], payload: bytes, fps: float | None) -> Clip:
    frames = split_batch(shape, payload)
    return Clip(frames, (fps or CLIP_FPS) if len(frames) > 1 else None)


def _pictures(
    shape: tuple[int, int, int, int], payload: bytes, fps: float | None, *, has_flip_map: bool
) -> tuple[Clip, f.ByteMap | None]:
    """Frames, and the map of FLIP errors behind them."""
    frames, height, width, channels = shape
    size = math.prod(shape)
    rest = payload[size:]
    _require(len(rest) == (frames * height * width if has_flip_map else 0), payload, shape)
    flip_map = f.ByteMap(frames, height, width, rest) if has_flip_map else None
    return _clip((frames, height, width, channels), payload[:size] if rest else payload, fps), flip_map


def _spread(message: protocol.SpreadResult, payload: bytes, fps: float | None) -> f.Spread:
    frames, height, width, _ = message.shape
    size = math.prod(message.shape)
    _require(len(payload) == size + 4 * frames * height * width, payload, message.shape)
    return f.Spread(
        message.num_decodes,
        _clip(message.shape, payload[:size], fps),
        f.FloatMap(frames, height, width, payload[size:]),
        message.mean_psnr_db,
        message.mean_deviation,
    )


def _bit_map(message: protocol.BitMapResult, payload: bytes) -> f.BitMap:
    size = 4 * math.prod(message.shape)
    has_errors = message.num_draws > 1
    _require(len(payload) == size * (2 if has_errors else 1), payload, message.shape)
    root = math.sqrt(message.num_draws)
    deviations = message.band_deviations if has_errors else (None,) * len(message.bands)
    bands = tuple(
        f.Band(low, high, bits, None if deviation is None else deviation / root)
        for (low, high, bits), deviation in zip(message.bands, deviations, strict=True)
    )
    error = message.bits_per_pixel_deviation
    return f.BitMap(
        cells=f.FloatMap(*message.shape, payload[:size]),
        cell_errors=f.FloatMap(*message.shape, _scaled(payload[size:], 1.0 / root)) if has_errors else None,
        cell_px=message.cell_px,
        bands=bands,
        terminal_bits=message.terminal_bits,
        bits_per_pixel=message.bits_per_pixel,
        bits_per_pixel_error=None if error is None else error / root,
        num_draws=message.num_draws,
    )


def _scaled(data: bytes, factor: float) -> bytes:
    """float32 numbers, each times a factor."""
    import numpy as np

    return (np.frombuffer(data, "<f4") * np.float32(factor)).astype("<f4").tobytes()


def _latent(message: protocol.LatentResult, payload: bytes) -> f.Latent:
    channels, frames, height, width = message.shape
    size, cells = 4 * math.prod(message.shape), frames * height * width
    _require(len(payload) == 2 * size + 3 * cells, payload, message.shape)
    return f.Latent(
        num_channels=channels,
        num_frames=frames,
        height=height,
        width=width,
        clean=payload[:size],
        noisy=payload[size : 2 * size],
        components=payload[2 * size :],
        cell_px=message.cell_px,
        channel_means=message.channel_means,
        channel_stds=message.channel_stds,
        principal_shares=message.principal_shares,
        latent_std=message.latent_std,
        alpha_0=message.alpha_0,
        sigma_0=message.sigma_0,
    )


def _require(is_right: bool, payload: bytes, shape: tuple[int, ...]) -> None:
    if not is_right:
        raise ValueError(f"{len(payload)} bytes cannot be a result of shape {list(shape)}")


# ---- figures ------------------------------------------------------------------------------------------------------


def _model_figures(message: protocol.ReconstructionResult) -> Figures:
    return Figures(
        psnr_db=message.psnr_db,
        ssim=message.ssim,
        ms_ssim=message.ms_ssim,
        flip=message.flip,
        lpips=message.lpips,
        bits_per_pixel=message.bits_per_pixel,
        bits_per_dim=message.bits_per_dim,
    )


def _file_figures(message: protocol.FileFigures) -> Figures:
    return Figures(
        psnr_db=message.psnr_db,
        ssim=message.ssim,
        ms_ssim=message.ms_ssim,
        flip=message.flip,
        lpips=message.lpips,
    )


def _codec_figures(point: protocol.CodecPoint, *, is_floor: bool) -> Figures:
    return Figures(
        psnr_db=point.psnr_db,
        ssim=point.ssim,
        ms_ssim=point.ms_ssim,
        flip=point.flip,
        lpips=point.lpips,
        bits_per_pixel=point.bits_per_pixel,
        is_bound=False,
        is_floor=is_floor,
        setting=point.setting,
    )
