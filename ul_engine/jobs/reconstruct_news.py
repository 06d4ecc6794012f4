"""What is sent of reconstructions: each original once, every rung, spreads, bits in space, latents."""

from ul_engine import protocol
from ul_engine.comparison import Spread
from ul_engine.comparison.latents import view_of
from ul_engine.jobs.context import JobContext
from ul_engine.jobs.figures import figures_of, measures_of
from ul_engine.jobs.reconstruct import (
    Reconstruction,
    StudiedInput,
    count_bits,
    rungs_of_one,
    studied_inputs,
)
from ul_engine.model_folder import Manifest
from ul_engine.pipelines import Pipeline, Restorer
from ul_engine.requests import ReconstructRequest


def run_reconstruct(pipeline: Pipeline, manifest: Manifest, request: ReconstructRequest, context: JobContext) -> None:
    """Send each original, its latent where asked for, every reconstruction, the spread of several decodes, and the
    input's bits in space. Raises Cancelled, EngineError."""
    for studied in studied_inputs(pipeline, manifest, request, context):
        _send_original(context, studied)
        if request.want_latent:
            _send_latent(context, studied)
        for result in rungs_of_one(studied, context):
            _send_reconstruction(context, result, with_map=request.want_flip_map)
            if result.spread is not None and result.mean_psnr_db is not None:
                _send_spread(context, result, result.spread, mean_psnr_db=result.mean_psnr_db)
        if request.want_bit_map:
            count_bits(studied, context)
            for restorer in studied.restorers:
                _send_bits(context, studied, restorer)


def _send_original(context: JobContext, studied: StudiedInput) -> None:
    frames, height, width, channels = studied.study.original.shape
    meter = context.workbench.meter
    message = protocol.OriginalResult(
        job_id=context.job_id,
        input=studied.source,
        number=studied.number,
        shape=(frames, height, width, channels),
        fps=studied.fps,
        missing_measures=dict(meter.problems(measures_of(studied.request), (height, width))),
    )
    context.send(message, studied.study.original.tobytes())


def _send_reconstruction(context: JobContext, result: Reconstruction, *, with_map: bool) -> None:
    frames, height, width, channels = result.picture.shape
    errors = result.figures.flip_map if with_map else None
    message = protocol.ReconstructionResult(
        job_id=context.job_id,
        input=result.source,
        number=result.number,
        latent_logsnr=result.rung.latent_logsnr,
        decoder_logsnr=result.rung.decoder_logsnr,
        is_trained_level=result.is_trained_level,
        **figures_of(result.figures),
        psnr_db_per_frame=result.figures.psnr_db_per_frame,
        flicker_per_frame=result.figures.flicker_per_frame,
        flicker_levels=result.figures.flicker_levels,
        bits_per_pixel=result.bits_per_pixel,
        bits_per_dim=result.bits_per_dim,
        bits_per_pixel_prior=result.bounds.get("prior"),
        bits_per_pixel_base=result.bounds.get("base"),
        has_flip_map=errors is not None,
        shape=(frames, height, width, channels),
    )
    context.send(message, result.picture.tobytes() + (errors.tobytes() if errors is not None else b""))


def _send_spread(context: JobContext, result: Reconstruction, spread: Spread, *, mean_psnr_db: float) -> None:
    frames, height, width, _ = spread.mean.shape
    message = protocol.SpreadResult(
        job_id=context.job_id,
        input=result.source,
        number=result.number,
        latent_logsnr=result.rung.latent_logsnr,
        decoder_logsnr=result.rung.decoder_logsnr,
        num_decodes=spread.num_decodes,
        mean_psnr_db=mean_psnr_db,
        mean_deviation=spread.mean_deviation,
        shape=(frames, height, width, 3),
    )
    context.send(message, spread.mean.tobytes() + spread.deviation.tobytes())


def _send_bits(context: JobContext, studied: StudiedInput, restorer: Restorer) -> None:
    study = studied.study
    spread = study.bit_spread(restorer=restorer)
    config, (frames, height, width) = study.pipeline.config, spread.cells.shape
    total = spread.total_deviation
    message = protocol.BitMapResult(
        job_id=context.job_id,
        input=studied.source,
        number=studied.number,
        restorer=restorer,
        shape=(frames, height, width),
        cell_px=config.downsampling,
        cell_frames=config.temporal_downsampling,
        bands=spread.bands,
        band_deviations=spread.band_deviations,
        terminal_bits=spread.terminal,
        num_draws=spread.num_draws,
        bits_per_pixel=spread.total / study.num_pixels,
        bits_per_pixel_deviation=total / study.num_pixels if total is not None else None,
    )
    deviations = spread.cell_deviations
    context.send(message, spread.cells.tobytes() + (deviations.tobytes() if deviations is not None else b""))


def _send_latent(context: JobContext, studied: StudiedInput) -> None:
    config, view = studied.study.pipeline.config, view_of(studied.study)
    channels, frames, height, width = view.z_clean.shape
    message = protocol.LatentResult(
        job_id=context.job_id,
        input=studied.source,
        number=studied.number,
        shape=(channels, frames, height, width),
        cell_px=config.downsampling,
        cell_frames=config.temporal_downsampling,
        channel_means=view.channel_means,
        channel_stds=view.channel_stds,
        principal_shares=view.shares,
        latent_std=view.latent_std,
        alpha_0=view.alpha_0,
        sigma_0=view.sigma_0,
    )
    context.send(
        message, b"".join((view.z_clean.numpy().tobytes(), view.z_0.numpy().tobytes(), view.colours.tobytes()))
    )
