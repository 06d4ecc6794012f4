"""Generation: pictures and clips, from nothing, from a picture, or on from a clip."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ul_engine import protocol
from ul_engine.data.pixels import Uint8Array, array_from_clips
from ul_engine.diffusion.noise import BlendedSeed, Seed
from ul_engine.errors import CheckpointError, ConfigError
from ul_engine.jobs.context import Batch, JobContext
from ul_engine.jobs.previews import report_and_preview
from ul_engine.jobs.starts import frames_before, picture_start
from ul_engine.model_folder import Manifest
from ul_engine.models.conditioning import Condition
from ul_engine.pipelines import ClipJob, Observe, Pipeline, continue_clips, generate_clips, num_windows
from ul_engine.requests import GenerateRequest


def run_generate(pipeline: Pipeline, manifest: Manifest, request: GenerateRequest, context: JobContext) -> None:
    """Make the pictures or clips in batches, sending progress, previews and results. Raises Cancelled, EngineError."""
    require_generation(manifest, request)
    for first in range(0, request.num_images, request.batch_size):
        count = min(request.batch_size, request.num_images - first)
        numbers = range(first, first + count)
        batch = Batch(first, count, request.num_images)
        made = generate_batch(pipeline, request, numbers, context=context, batch=batch)
        for number, clip in zip(numbers, array_from_clips(made), strict=True):
            send_result(context, clip, index=number, seed=request.seed_of(number), fps=fps_of(manifest))


def generate_batch(
    pipeline: Pipeline, request: GenerateRequest, numbers: Sequence[int], *, context: JobContext, batch: Batch
) -> Tensor:
    """Pictures or clips `numbers` of a request: `[B, 3, T, H, W]` in [-1, 1]. `batch` is for the progress alone."""
    making = _Making(replace(pipeline, tiling=request.tiling), request, context, batch)
    seeds = [seed_of(request, number) for number in numbers]
    return making.pictures(seeds) if pipeline.config.video is None else making.clips(seeds)


@dataclass(frozen=True)
class _Making:
    """One batch of a generation."""

    pipeline: Pipeline
    request: GenerateRequest
    context: JobContext
    batch: Batch

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        trained = self.pipeline.config.image_px
        return self.request.height_px or trained, self.request.width_px or trained

    def _condition(self, count: int) -> Condition | None:
        return condition_of(self.pipeline, self.request.prompt, self.request.class_label, count)

    def pictures(self, seeds: Sequence[Seed]) -> Tensor:
        """Pictures, from nothing or from one to start from."""
        sampling, observe = self.request.sampling, self.observe(self.batch, seeds)
        start = picture_start(self.pipeline, self.request, self.size)
        z_0 = self.pipeline.sample_latents(
            seeds,
            self.pipeline.config.latent_shape(*self.size)[1:],
            self._condition(len(seeds)),
            sampling.base,
            sampling.guidance,
            observe,
            start=start.latent(len(seeds)) if start is not None else None,
            kept=start.kept_latent if start is not None else None,
        )
        kept = start.kept_pixels if start is not None else None
        return self.pipeline.decode(z_0, seeds, sampling.decoder, observe, crop_to=self.size, kept=kept)

    def clips(self, seeds: Sequence[Seed]) -> Tensor:
        """Clips, from nothing or on from one."""
        config = self.pipeline.config
        frames = frames_before(self.request, config, self.size)
        wanted = self.request.num_frames or config.num_frames - (config.context_frames if frames is not None else 0)
        windows = num_windows(config, wanted, given=0 if frames is None else frames.shape[2])

        def observe(window: int) -> Observe:
            return self.observe(replace(self.batch, loops_done=window, num_loops=windows), seeds)

        job = ClipJob(seeds, self.size, self.request.sampling, self._condition(len(seeds)), observe)
        if frames is None:
            return generate_clips(self.pipeline, job, wanted)
        return continue_clips(self.pipeline, job, frames.expand(len(seeds), -1, -1, -1, -1), wanted)

    def observe(self, batch: Batch, seeds: Sequence[Seed]) -> Observe:
        """Progress, and previews of the clean estimate where they are wanted."""
        return report_and_preview(
            self.pipeline,
            self.context,
            batch,
            self.request.sampling,
            seeds,
            size=self.size,
            wants_previews=self.request.preview,
        )


def seed_of(request: GenerateRequest, number: int) -> Seed:
    """Seed of picture `number`, turned towards the variation seed where there is one."""
    seed = request.seed_of(number)
    if request.variation_seed is None or request.variation_strength == 0.0:
        return seed
    return BlendedSeed(seed, request.variation_seed + number, request.variation_strength)


def condition_of(pipeline: Pipeline, prompt: str, class_label: int | None, count: int) -> Condition | None:
    """The condition for `count` samples; None lets the pipeline take the null condition."""
    if prompt.strip():
        return pipeline.model.condition_from_prompts([prompt] * count)
    if class_label is not None:
        return pipeline.model.condition_from_class(class_label, count)
    return None


def require_generation(manifest: Manifest, request: GenerateRequest) -> None:
    """Raise CheckpointError or ConfigError for what this model cannot do."""
    if not manifest.can_generate:
        raise CheckpointError("has no base model and cannot generate; train Stage 2 first", path=request.model)
    require_condition(manifest, request.prompt, request.class_label)
    is_video = manifest.model.video is not None
    if not is_video and request.num_frames not in (None, 1):
        raise ConfigError("this model makes pictures, not clips", field="num_frames")
    if not is_video and request.continue_from is not None:
        raise ConfigError("this model makes pictures and continues no clips", field="continue_from")
    if request.continue_from is not None and manifest.model.context_frames == 0:
        raise ConfigError("this model was trained without frames to continue from", field="continue_from")
    if request.init_image is not None and is_video:
        raise ConfigError("a model of clips starts from no picture; continue from a clip instead", field="init_image")
    needs_encoder = request.init_image is not None or request.continue_from is not None
    if needs_encoder and not manifest.can_reconstruct:
        raise CheckpointError("has no encoder, which a start from a picture or clip needs", path=request.model)


def require_condition(manifest: Manifest, prompt: str, class_label: int | None) -> None:
    """Raise ConfigError for a prompt or class that this model does not take."""
    conditioning = manifest.model.conditioning
    if prompt and conditioning.kind != "text":
        raise ConfigError("this model takes no prompt", field="prompt")
    if class_label is not None and conditioning.kind != "class":
        raise ConfigError("this model takes no class", field="class_label")
    if class_label is not None and class_label >= conditioning.num_classes:
        raise ConfigError(f"this model has the classes 0 to {conditioning.num_classes - 1}", field="class_label")


def send_result(context: JobContext, clip: Uint8Array, *, index: int, seed: int, fps: float | None = None) -> None:
    """Send one finished picture or clip, uint8 `[T, H, W, 3]`."""
    frames, height, width, channels = clip.shape
    message = protocol.ImageResult(
        job_id=context.job_id,
        index=index,
        seed=seed,
        shape=(frames, height, width, channels),
        fps=fps,
        elapsed_s=context.elapsed_s(),
    )
    context.send(message, clip.tobytes())


def fps_of(manifest: Manifest) -> float | None:
    """Frames per second of a model of clips; None for one of pictures."""
    return manifest.model.video.fps if manifest.model.video is not None else None
