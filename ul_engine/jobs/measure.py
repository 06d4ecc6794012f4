"""Files held against another one: how far each is from it. No model takes part."""

from dataclasses import dataclass

from ul_engine import protocol
from ul_engine.comparison import Measured
from ul_engine.data.pixels import Uint8Array
from ul_engine.jobs.context import JobContext
from ul_engine.jobs.figures import figures_of, measures_of
from ul_engine.jobs.inputs import identity_of, read_input
from ul_engine.requests import MeasureRequest


@dataclass
class PairMemory:
    """What was measured of one file against another; None: nothing yet."""

    figures: Measured | None = None

    @property
    def num_bytes(self) -> int:
        """Bytes of the error map, which is nearly all there is."""
        errors = self.figures.flip_map if self.figures is not None else None
        return errors.nbytes if errors is not None else 0


def run_measure(request: MeasureRequest, context: JobContext) -> None:
    """Send the figures of each file against the reference, or why there are none. Raises Cancelled, EngineError."""
    reference = read_input(request.reference, request.max_frames).frames
    for number, source in enumerate(request.inputs):
        context.check()
        frames = read_input(source, request.max_frames).frames
        reason = unlike(frames, reference)
        if reason:
            message = protocol.FileUnlike(
                job_id=context.job_id, input=source, reference=request.reference, number=number, reason=reason
            )
            context.send(message, b"")
        else:
            measured = _measured(request, context, number, (reference, frames))
            _send(request, context, number, measured=measured, shape=reference.shape[:3])
        _count(request, context, number)
        context.workbench.shelf.trim()


def unlike(frames: Uint8Array, reference: Uint8Array) -> str:
    """Why frames `[T, H, W, 3]` cannot be measured against others, in words; empty if they can."""
    if frames.shape[1:3] != reference.shape[1:3]:
        own, other = (f"{each.shape[2]} x {each.shape[1]}" for each in (frames, reference))
        return f"it has {own} pixels and the other {other}; only pictures of one size can be measured"
    if len(frames) != len(reference):
        return (
            f"its frames are {len(frames)} and the other's {len(reference)}; only clips of one length can be measured"
        )
    return ""


def _measured(
    request: MeasureRequest, context: JobContext, number: int, pair: tuple[Uint8Array, Uint8Array]
) -> Measured:
    files = (identity_of(request.reference), identity_of(request.inputs[number]))
    memory = context.workbench.shelf.take(("files", *files, request.max_frames), PairMemory)
    memory.figures = context.workbench.meter.measure(
        *pair, measures_of(request), known=memory.figures, observe=context.check
    )
    return memory.figures


def _send(
    request: MeasureRequest, context: JobContext, number: int, *, measured: Measured, shape: tuple[int, ...]
) -> None:
    errors = measured.flip_map if request.want_flip_map else None
    frames, height, width = shape
    problems = context.workbench.meter.problems(measures_of(request), (height, width))
    message = protocol.FileFigures(
        job_id=context.job_id,
        input=request.inputs[number],
        reference=request.reference,
        number=number,
        **figures_of(measured),
        psnr_db_per_frame=measured.psnr_db_per_frame,
        flicker_per_frame=measured.flicker_per_frame,
        flicker_levels=measured.flicker_levels,
        missing_measures=dict(problems),
        has_flip_map=errors is not None,
        shape=(frames, height, width),
    )
    context.send(message, errors.tobytes() if errors is not None else b"")


def _count(request: MeasureRequest, context: JobContext, number: int) -> None:
    total = len(request.inputs)
    message = protocol.JobProgress(
        job_id=context.job_id,
        phase="measures",
        step=number + 1,
        num_steps=total,
        first_index=number,
        batch_size=1,
        fraction=(number + 1) / total,
    )
    context.send(message, b"")
