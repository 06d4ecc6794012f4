"""The way from one picture to another, and grids over two settings."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from ul_engine.comparison import interpolate_pictures, interpolate_prompts, interpolate_seeds
from ul_engine.data.fitting import cover
from ul_engine.data.image_files import read_picture
from ul_engine.data.pixels import array_from_clips, clip_from_array
from ul_engine.diffusion.noise import BlendedSeed, Seed
from ul_engine.errors import CheckpointError
from ul_engine.jobs.context import Batch, JobContext
from ul_engine.jobs.generate import (
    condition_of,
    fps_of,
    generate_batch,
    require_condition,
    require_generation,
    send_result,
)
from ul_engine.jobs.previews import report_and_preview
from ul_engine.model_folder import Manifest
from ul_engine.models.conditioning import Condition
from ul_engine.pipelines import Pipeline
from ul_engine.requests import GridRequest, InterpolateRequest


def run_interpolate(pipeline: Pipeline, manifest: Manifest, request: InterpolateRequest, context: JobContext) -> None:
    """Send the pictures on the way, in order. Raises Cancelled, EngineError."""
    _require_interpolation(manifest, request)
    pipeline = replace(pipeline, tiling=request.tiling)
    fps = fps_of(manifest) if request.between != "pictures" else None
    for first in range(0, request.num_steps, request.batch_size):
        numbers = range(first, min(first + request.batch_size, request.num_steps))
        batch = Batch(first, len(numbers), request.num_steps)
        made = _on_the_way(pipeline, request, numbers, context=context, batch=batch)
        for number, picture in zip(numbers, array_from_clips(made), strict=True):
            send_result(context, picture, index=number, seed=request.seed, fps=fps)


def _require_interpolation(manifest: Manifest, request: InterpolateRequest) -> None:
    needs_base = request.between != "pictures" or request.restore_logsnr is not None
    if needs_base and not manifest.can_generate:
        raise CheckpointError("has no base model and cannot generate; train Stage 2 first", path=request.model)
    if request.between == "pictures" and not manifest.can_reconstruct:
        raise CheckpointError("has no encoder and cannot mix pictures", path=request.model)
    require_condition(manifest, request.prompt + request.second_prompt, request.class_label)


def _on_the_way(
    pipeline: Pipeline, request: InterpolateRequest, numbers: Sequence[int], *, context: JobContext, batch: Batch
) -> Tensor:
    """Pictures `numbers` of the way: `[B, 3, T, H, W]`."""
    shares = [request.share_of(number) for number in numbers]
    config = pipeline.config
    size = (request.height_px or config.image_px, request.width_px or config.image_px)
    observe = report_and_preview(
        pipeline,
        context,
        batch,
        request.sampling,
        _seeds(request, shares),
        size=size,
        wants_previews=request.preview,
    )
    if request.between == "pictures":
        assert request.pictures is not None
        ends = [clip_from_array(cover(read_picture(path)[None], size)) for path in request.pictures]
        return interpolate_pictures(
            pipeline,
            shares,
            (ends[0], ends[1]),
            request.seed,
            sampling=request.sampling,
            restore_logsnr=request.restore_logsnr,
            observe=observe,
        )
    first = condition_of(pipeline, request.prompt, request.class_label, len(shares))
    if request.between == "seeds":
        return interpolate_seeds(
            pipeline,
            shares,
            (request.seed, request.second_seed),
            first,
            size=size,
            sampling=request.sampling,
            observe=observe,
        )
    second = condition_of(pipeline, request.second_prompt, None, len(shares))
    return interpolate_prompts(
        pipeline,
        shares,
        (_or_null(pipeline, first, len(shares)), _or_null(pipeline, second, len(shares))),
        request.seed,
        size=size,
        sampling=request.sampling,
        observe=observe,
    )


def _seeds(request: InterpolateRequest, shares: Sequence[float]) -> list[Seed]:
    """Whose noise the pictures have."""
    if request.between == "seeds":
        return [BlendedSeed(request.seed, request.second_seed, share) for share in shares]
    return [request.seed] * len(shares)


def _or_null(pipeline: Pipeline, condition: Condition | None, count: int) -> Condition:
    """`condition`, or the null condition for an empty prompt."""
    if condition is not None:
        return condition
    assert pipeline.model.base is not None
    null = pipeline.model.base.conditioner.null(count)
    assert null is not None
    return null.to(pipeline.device)


def run_grid(pipeline: Pipeline, manifest: Manifest, request: GridRequest, context: JobContext) -> None:
    """Send a picture per cell, row by row. Raises Cancelled, EngineError."""
    cells = request.cells()
    for cell in cells:
        require_generation(manifest, cell)
    for number, cell in enumerate(cells):
        batch = Batch(number, 1, len(cells))
        made = generate_batch(pipeline, cell, [0], context=context, batch=batch)
        send_result(context, array_from_clips(made)[0], index=number, seed=cell.seed, fps=fps_of(manifest))
