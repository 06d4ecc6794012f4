"""Reconstruction: every input on both noise ladders, with its figures, its bits in space, and what is invented."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from ul_engine import protocol
from ul_engine.comparison import Measured, Rung, Spread, Study, StudyMemory, spread_of
from ul_engine.config import ModelConfig
from ul_engine.data.pixels import Uint8Array, clip_from_array
from ul_engine.errors import CheckpointError, ConfigError
from ul_engine.jobs.context import Batch, JobContext, report_steps
from ul_engine.jobs.figures import measures_of
from ul_engine.jobs.inputs import identity_of, read_input
from ul_engine.metrics.distortion import psnr_db
from ul_engine.model_folder import Manifest
from ul_engine.pipelines import Pipeline, Restorer
from ul_engine.requests import ReconstructRequest


@dataclass(frozen=True)
class Reconstruction:
    """One reconstruction beside its original, uint8 `[T, H, W, 3]`, with its figures.

    `number` is the input's place among the inputs. `is_trained_level` is False above the latent's native log-SNR, where
    the decoder was never trained. `spread` is there where several decodes were asked for; `picture` and its figures are
    those of the first. `bit_map` is the input's bits per latent cell, float32 `[Tz, h, w]`, `band_bits` its bits per
    band of log-SNR as (low, high, bits), `bounds` its bits per pixel under each network they were counted under; all
    are the same for all rungs.
    """

    source: str
    number: int
    rung: Rung
    original: Uint8Array
    picture: Uint8Array
    figures: Measured
    bits_per_pixel: float
    bits_per_dim: float
    bounds: dict[Restorer, float]
    is_trained_level: bool
    bit_map: npt.NDArray[np.float32]
    band_bits: tuple[tuple[float, float, float], ...]
    spread: Spread | None = None

    @property
    def psnr_db(self) -> float:
        """PSNR of the picture; infinite where it is the original."""
        return self.figures.psnr_db

    @property
    def ssim(self) -> float | None:
        """SSIM of the picture; None where it is too small."""
        return self.figures.ssim

    @property
    def mean_psnr_db(self) -> float | None:
        """PSNR of the mean of several decodes."""
        if self.spread is None:
            return None
        return float(psnr_db(clip_from_array(self.original), clip_from_array(self.spread.mean)))


@dataclass(frozen=True)
class StudiedInput:
    """One input of a request under study: `fps` is its rate, None of a picture. `restorers` are the networks whose
    bounds count its bits, that of the request first."""

    study: Study
    number: int
    fps: float | None
    request: ReconstructRequest
    restorers: tuple[Restorer, ...]

    @property
    def source(self) -> str:
        """The file."""
        return self.request.inputs[self.number]


def reconstructions(
    pipeline: Pipeline, manifest: Manifest, request: ReconstructRequest, context: JobContext
) -> Iterator[Reconstruction]:
    """Each input at each rung. Raises Cancelled, DataError, CheckpointError."""
    for studied in studied_inputs(pipeline, manifest, request, context):
        yield from rungs_of_one(studied, context)


def studied_inputs(
    pipeline: Pipeline, manifest: Manifest, request: ReconstructRequest, context: JobContext
) -> Iterator[StudiedInput]:
    """Each input, read, with what is kept of it. Raises as `reconstructions` does."""
    restorers = _restorers(manifest, request)
    _require_levels(manifest.model, request)
    pipeline = replace(pipeline, tiling=request.tiling)
    for number in range(len(request.inputs)):
        context.check()
        memory = _memory(pipeline, manifest, request, number, context)
        assert memory.original is not None
        study = Study(
            pipeline,
            memory.original,
            seed=request.seed,
            sampling=request.sampling,
            restorer=restorers[0],
            bitrate_times=request.bitrate_times,
            bitrate_draws=request.bitrate_draws,
            memory=memory,
        )
        yield StudiedInput(study, number, memory.fps, request, restorers)
        context.workbench.shelf.trim()


def _memory(
    pipeline: Pipeline, manifest: Manifest, request: ReconstructRequest, number: int, context: JobContext
) -> StudyMemory:
    """What is kept of an input under this model and these settings, its frames among it."""
    source = request.inputs[number]
    max_frames = request.max_frames if manifest.model.video is not None else 1
    settings = request.model_dump_json(include={"restorer", "seed", "sampling", "tiling", "bitrate_times"})
    model = manifest.model_dump_json(include={"model", "networks", "latent_std"})
    key = ("study", str(pipeline.device), pipeline.dtype, model, settings, max_frames, identity_of(source))

    def read() -> StudyMemory:
        found = read_input(source, max_frames)
        return StudyMemory(original=found.frames, fps=found.fps)

    return context.workbench.shelf.take(key, read)


def _restorers(manifest: Manifest, request: ReconstructRequest) -> tuple[Restorer, ...]:
    """Whose bounds count the bits: the one that brings latents back, and the other where it is asked for and there."""
    if not manifest.can_reconstruct:
        raise CheckpointError("has no encoder and cannot reconstruct", path=request.model)
    is_two_stage = manifest.model.training == "two-stage"
    restorer = request.restorer if is_two_stage else "base"
    if not _is_there(restorer, manifest):
        raise CheckpointError(
            f"has no {'prior' if restorer == 'prior' else 'base model'}, which the bitrate and the noise ladder need",
            path=request.model,
        )
    other: Restorer = "base" if restorer == "prior" else "prior"
    both = request.bits_under == "both" and is_two_stage and _is_there(other, manifest)
    return (restorer, other) if both else (restorer,)


def _is_there(restorer: Restorer, manifest: Manifest) -> bool:
    has_exact_bound = manifest.model.prior.kind == "normal" and restorer == "prior"
    return restorer in manifest.networks or has_exact_bound


def _require_levels(config: ModelConfig, request: ReconstructRequest) -> None:
    """Raise ConfigError for a rung that there is none of, before the first one is computed."""
    if request.decoder_logsnrs and config.decoder_loss.kind == "mse":
        raise ConfigError("this model's decoder answers at once and starts from no picture", field="decoder_logsnrs")
    for field, levels, trained in (
        ("latent_logsnrs", request.latent_logsnrs, config.latent_levels),
        ("decoder_logsnrs", request.decoder_logsnrs, config.picture_levels),
    ):
        if levels and min(levels) < trained.lowest:
            raise ConfigError(f"{min(levels):g} is below the noisiest level {trained.lowest:.4g}", field=field)


def rungs_of(request: ReconstructRequest, native_logsnr: float) -> list[Rung]:
    """Both ladders in the order asked for."""
    latent = [Rung(level) for level in request.latent_logsnrs]
    return latent + [Rung(native_logsnr, level) for level in request.decoder_logsnrs]


def rungs_of_one(studied: StudiedInput, context: JobContext) -> Iterator[Reconstruction]:
    """One input at each rung; its bits are counted first."""
    study, number, request = studied.study, studied.number, studied.request
    rungs = rungs_of(request, study.native_logsnr)
    meter, total = context.workbench.meter, len(request.inputs)
    loops = 1 + len(rungs) * request.num_decodes
    if not rungs:
        return
    context.check()
    bounds = count_bits(studied, context)

    def decode(index: int, draw: int) -> Uint8Array:
        batch = Batch(number, 1, total, loops_done=1 + index * request.num_decodes + draw, num_loops=loops)
        observe = report_steps(context, batch, request.sampling)
        return study.picture(rungs[index], draw=draw, observe=observe)

    for index, rung in enumerate(rungs):
        picture, spread = decode(index, 0), None
        figures = study.measured(rung, measures_of(request), meter, before_each=context.check)
        if request.num_decodes > 1:
            later = (decode(index, draw) for draw in range(1, request.num_decodes))
            spread = spread_of(chain((picture,), later))
        yield Reconstruction(
            source=studied.source,
            number=number,
            rung=rung,
            original=study.original,
            picture=picture,
            figures=figures,
            bits_per_pixel=bounds[studied.restorers[0]],
            bits_per_dim=study.bits_per_dim(),
            bounds=bounds,
            is_trained_level=study.is_trained_level(rung),
            bit_map=study.bit_map(),
            band_bits=tuple(study.band_bits()),
            spread=spread,
        )


def count_bits(studied: StudiedInput, context: JobContext) -> dict[Restorer, float]:
    """Bits per pixel under each network; progress goes up to the first of the input's loops."""
    request, number, total = studied.request, studied.number, len(studied.request.inputs)
    num_decodes = len(rungs_of(request, studied.study.native_logsnr)) * request.num_decodes
    num_steps = request.bitrate_times * request.bitrate_draws * len(studied.restorers)
    report = _bitrate_progress(context, Batch(number, 1, total, num_loops=1 + num_decodes), num_steps)
    return {name: studied.study.bits_per_pixel(report, restorer=name) for name in studied.restorers}


def _bitrate_progress(context: JobContext, batch: Batch, num_steps: int) -> Callable[[], None]:
    step = 0

    def report() -> None:
        nonlocal step
        context.check()
        step += 1
        context.send(
            protocol.JobProgress(
                job_id=context.job_id,
                phase="bitrate",
                step=step,
                num_steps=num_steps,
                first_index=batch.first,
                batch_size=1,
                fraction=batch.fraction((step - 1) / num_steps),
            ),
            b"",
        )

    return report
