"""What is seen of pictures and clips while they are made: progress, and the clean estimate now and then."""

from collections.abc import Sequence

from torch import Tensor

from ul_engine import protocol
from ul_engine.data.pixels import array_from_clips
from ul_engine.diffusion.noise import Seed
from ul_engine.diffusion.samplers import SamplerStep
from ul_engine.jobs.context import Batch, JobContext, report_steps
from ul_engine.pipelines import Observe, Phase, Pipeline
from ul_engine.requests import SamplingSettings

PREVIEW_INTERVAL_S = 0.12
GLIMPSE_INTERVAL_S = 0.4


def report_and_preview(
    pipeline: Pipeline,
    context: JobContext,
    batch: Batch,
    sampling: SamplingSettings,
    seeds: Sequence[Seed],
    *,
    size: tuple[int, int],
    wants_previews: bool,
) -> Observe:
    """An observer that sends progress and, where wanted, previews cut to `size` (height, width); the base model's
    estimates go through the decoder once, with noise by `seeds`. It stops the loop when asked."""
    report = report_steps(context, batch, sampling)

    def observe(phase: Phase, step: SamplerStep) -> None:
        report(phase, step)
        interval_s = GLIMPSE_INTERVAL_S if phase == "base" else PREVIEW_INTERVAL_S
        if wants_previews and context.is_preview_due(interval_s):
            clips = pipeline.glimpse(step.x_hat, seeds) if phase == "base" else step.x_hat
            _send_preview(context, clips[..., : size[0], : size[1]], batch.first)

    return observe


def _send_preview(context: JobContext, clips: Tensor, first_index: int) -> None:
    """The middle frame of each clip, or the pictures themselves."""
    array = array_from_clips(clips[:, :, clips.shape[2] // 2 : clips.shape[2] // 2 + 1])[:, 0]
    count, height, width, channels = array.shape
    message = protocol.JobPreview(
        job_id=context.job_id, first_index=first_index, shape=(count, height, width, channels)
    )
    context.send(message, array.tobytes())
