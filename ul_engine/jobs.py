"""Requests carried out: a loaded model, one request, and news of what happens while it runs.

The worker and the command line both run their requests through here.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ul_engine import protocol
from ul_engine.data.image_files import read_picture
from ul_engine.data.pixels import Uint8Array, array_from_pictures, pictures_from_array
from ul_engine.diffusion.bitrate import bits_per_dim, bits_per_pixel
from ul_engine.diffusion.samplers import SamplerStep
from ul_engine.errors import Cancelled, CheckpointError, ConfigError
from ul_engine.metrics.distortion import psnr_db, ssim
from ul_engine.model_folder import Manifest
from ul_engine.models.conditioning import Condition
from ul_engine.pipelines import Phase, Pipeline, latent_size
from ul_engine.requests import GenerateRequest, ReconstructRequest

Send = Callable[[protocol.News, bytes], None]
"""Takes one message and its payload; called on the thread that runs the job."""

PREVIEW_INTERVAL_S = 0.12
GLIMPSE_INTERVAL_S = 0.4


@dataclass
class JobContext:
    """What a running job may talk to: where its news go, and whether it should stop."""

    job_id: str
    send: Send
    is_cancelled: Callable[[], bool]

    def __post_init__(self) -> None:
        self.started = time.perf_counter()
        self._last_preview = 0.0

    def elapsed_s(self) -> float:
        """Seconds since the job began."""
        return time.perf_counter() - self.started

    def check(self) -> None:
        """Raise Cancelled if the person asked to stop."""
        if self.is_cancelled():
            raise Cancelled

    def is_preview_due(self, interval_s: float) -> bool:
        """Whether the last preview is long enough ago; remembers that one is made now."""
        now = time.perf_counter()
        if now - self._last_preview < interval_s:
            return False
        self._last_preview = now
        return True


def run_generate(pipeline: Pipeline, manifest: Manifest, request: GenerateRequest, context: JobContext) -> None:
    """Make the pictures in batches, sending progress, previews and results. Raises Cancelled, EngineError."""
    _require_generation(manifest, request)
    config = manifest.model
    height, width = request.height_px or config.image_px, request.width_px or config.image_px
    cells = latent_size(height, width, config.downsampling)
    for first in range(0, request.num_images, request.batch_size):
        count = min(request.batch_size, request.num_images - first)
        seeds = [request.seed_of(first + offset) for offset in range(count)]
        observer = _BatchObserver(pipeline, request, context, first=first, seeds=seeds, size=(height, width))
        z_0 = pipeline.sample_latents(
            seeds,
            cells,
            _condition(pipeline, manifest, request, count),
            request.sampling.base,
            request.sampling.guidance,
            observer,
        )
        pictures = pipeline.decode(z_0, seeds, request.sampling.decoder, observer, crop_to=(height, width))
        for offset, picture in enumerate(array_from_pictures(pictures)):
            message = protocol.ImageResult(
                job_id=context.job_id,
                index=first + offset,
                seed=seeds[offset],
                shape=(1, *picture.shape),
                elapsed_s=context.elapsed_s(),
            )
            context.send(message, picture.tobytes())


def _require_generation(manifest: Manifest, request: GenerateRequest) -> None:
    if not manifest.can_generate:
        raise CheckpointError("has no base model and cannot generate; train Stage 2 first", path=request.model)
    conditioning = manifest.model.conditioning
    if request.prompt and conditioning.kind != "text":
        raise ConfigError("this model takes no prompt", field="prompt")
    if request.class_label is not None and conditioning.kind != "class":
        raise ConfigError("this model takes no class", field="class_label")
    if request.class_label is not None and request.class_label >= conditioning.num_classes:
        raise ConfigError(f"this model has the classes 0 to {conditioning.num_classes - 1}", field="class_label")


def _condition(pipeline: Pipeline, manifest: Manifest, request: GenerateRequest, count: int) -> Condition | None:
    """The request's condition for `count` pictures; None lets the pipeline take the null condition."""
    if request.prompt.strip():
        return pipeline.model.condition_from_prompts([request.prompt] * count)
    if request.class_label is not None:
        return pipeline.model.condition_from_class(request.class_label, count)
    return None


class _BatchObserver:
    """Turns sampler steps into progress and previews, and stops the loop when asked."""

    def __init__(
        self,
        pipeline: Pipeline,
        request: GenerateRequest,
        context: JobContext,
        *,
        first: int,
        seeds: Sequence[int],
        size: tuple[int, int],
    ) -> None:
        self.pipeline = pipeline
        self.request = request
        self.context = context
        self.first = first
        self.seeds = seeds
        self.size = size

    def __call__(self, phase: Phase, step: SamplerStep) -> None:
        self.context.check()
        sampling = self.request.sampling
        steps_per_batch = sampling.base.num_steps + sampling.decoder.num_steps
        done = step.index + (sampling.base.num_steps if phase == "decoder" else 0)
        share = len(self.seeds) / self.request.num_images
        self.context.send(
            protocol.JobProgress(
                job_id=self.context.job_id,
                phase=phase,
                step=step.index,
                num_steps=step.num_steps,
                first_index=self.first,
                batch_size=len(self.seeds),
                fraction=self.first / self.request.num_images + share * done / steps_per_batch,
            ),
            b"",
        )
        if self.request.preview:
            self._preview(phase, step.x_hat)

    def _preview(self, phase: Phase, estimate: Tensor) -> None:
        if not self.context.is_preview_due(GLIMPSE_INTERVAL_S if phase == "base" else PREVIEW_INTERVAL_S):
            return
        pictures = self.pipeline.glimpse(estimate, self.seeds) if phase == "base" else estimate
        array = array_from_pictures(pictures[..., : self.size[0], : self.size[1]])
        count, height, width, channels = array.shape
        self.context.send(
            protocol.JobPreview(
                job_id=self.context.job_id, first_index=self.first, shape=(count, height, width, channels)
            ),
            array.tobytes(),
        )


@dataclass(frozen=True)
class Reconstruction:
    """One reconstruction beside its original, uint8 `[H, W, 3]`, with its figures.

    `is_trained_level` is False above the latent's native log-SNR, where the decoder was never trained.
    """

    source: str
    latent_logsnr: float
    original: Uint8Array
    picture: Uint8Array
    psnr_db: float
    ssim: float
    bits_per_pixel: float
    bits_per_dim: float
    is_trained_level: bool


def reconstructions(
    pipeline: Pipeline, manifest: Manifest, request: ReconstructRequest, context: JobContext
) -> Iterator[Reconstruction]:
    """Each input at each level of the noise ladder. Raises Cancelled, DataError, CheckpointError."""
    if not manifest.can_reconstruct:
        raise CheckpointError("has no encoder and cannot reconstruct", path=request.model)
    if "prior" not in manifest.networks:
        raise CheckpointError("has no prior, which the bitrate and the noise ladder need", path=request.model)
    total = len(request.inputs) * len(request.latent_logsnrs)
    for number, source in enumerate(request.inputs):
        original = read_picture(source)
        x = pictures_from_array(original[None])
        z_clean = pipeline.encode(x)
        seeds = [request.seed]
        context.check()
        counted = _bitrate_progress(context, number / len(request.inputs), request.bitrate_times)
        nats = pipeline.bitrate(z_clean, seeds, num_times=request.bitrate_times, observe=counted).nats
        for level, logsnr in enumerate(request.latent_logsnrs):
            report = _ladder_progress(context, (number * len(request.latent_logsnrs) + level) / total, total)
            if logsnr == manifest.model.latent.logsnr_max:
                z_0 = pipeline.native_latent(z_clean, seeds)
            else:
                z_0 = pipeline.bring_back(z_clean, logsnr, seeds, request.sampling.base, report)
            decoded = pipeline.decode(z_0, seeds, request.sampling.decoder, report, crop_to=original.shape[:2])
            yield Reconstruction(
                source=source,
                latent_logsnr=logsnr,
                original=original,
                picture=array_from_pictures(decoded)[0],
                psnr_db=float(psnr_db(x, decoded.cpu())),
                ssim=float(ssim(x, decoded.cpu())) if min(original.shape[:2]) >= 11 else float("nan"),
                bits_per_pixel=float(bits_per_pixel(nats, num_pixels=original.shape[0] * original.shape[1])),
                bits_per_dim=float(bits_per_dim(nats, num_dims=z_clean[0].numel())),
                is_trained_level=logsnr <= manifest.model.latent.logsnr_max,
            )


def _bitrate_progress(context: JobContext, done: float, num_times: int) -> Callable[[], None]:
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
                num_steps=num_times,
                first_index=0,
                batch_size=1,
                fraction=done,
            ),
            b"",
        )

    return report


def _ladder_progress(context: JobContext, done: float, total: int) -> Callable[[Phase, SamplerStep], None]:
    def report(phase: Phase, step: SamplerStep) -> None:
        context.check()
        half = 0.0 if phase == "base" else 0.5
        context.send(
            protocol.JobProgress(
                job_id=context.job_id,
                phase=phase,
                step=step.index,
                num_steps=step.num_steps,
                first_index=0,
                batch_size=1,
                fraction=done + (half + 0.5 * step.index / step.num_steps) / total,
            ),
            b"",
        )

    return report


def run_reconstruct(pipeline: Pipeline, manifest: Manifest, request: ReconstructRequest, context: JobContext) -> None:
    """Send every reconstruction with its original."""
    for result in reconstructions(pipeline, manifest, request, context):
        pair = np.stack((result.original, result.picture))
        count, height, width, channels = pair.shape
        message = protocol.ReconstructionResult(
            job_id=context.job_id,
            input=result.source,
            latent_logsnr=result.latent_logsnr,
            psnr_db=result.psnr_db,
            ssim=result.ssim,
            bits_per_pixel=result.bits_per_pixel,
            bits_per_dim=result.bits_per_dim,
            shape=(count, height, width, channels),
        )
        context.send(message, pair.tobytes())
