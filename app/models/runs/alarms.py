"""What goes wrong in a run that has not failed yet, seen in its figures: collapse, blow-up, spikes, waiting."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median

from PySide6.QtCore import QCoreApplication

from app.models.progress import duration, grouped
from app.run_news import Block, Happening, RunCondition, Standing

COLLAPSED_DB, FADING_SHARE = 0.3, 0.25
FIRST_STEP = 50
"""Before that the decoder has not had the time to look at the latent."""
SPIKE_FACTOR, SPIKE_WINDOW, USUAL_WINDOW = 10.0, 20, 200
RUNAWAY_FACTOR, RISING_FACTOR, RISING_WINDOW = 1.5, 1.5, 20
WAITING_SHARE = 0.4
SILENT_S = 60.0
"""The heart beats every five seconds."""
LOOK_BACK = 1000
FIGURES = Mapping[str, Block]


class AlarmKind(Enum):
    """What is wrong."""

    COLLAPSE = "collapse"
    FADING = "fading"
    NOT_FINITE = "not-finite"
    SPIKE = "spike"
    BAD_STEP = "bad-step"
    RUNAWAY = "runaway"
    RISING = "rising"
    WAITING = "waiting"
    SILENT = "silent"


@dataclass(frozen=True)
class Alarm:
    """One thing that a person should look at, and what helps."""

    kind: AlarmKind
    title: str
    sentence: str
    is_grave: bool = False


def alarms_of(figures: FIGURES, happenings: Sequence[Happening], standing: Standing, now_s: float) -> tuple[Alarm, ...]:
    """The gravest first."""
    found = [
        _not_finite(figures),
        _collapse(figures),
        _runaway(figures),
        _rising(figures),
        _spike(figures),
        _bad_step(happenings),
    ]
    if standing.condition is RunCondition.RUNNING:
        found += [_silent(standing, now_s), _waiting(figures)]
    return tuple(sorted((alarm for alarm in found if alarm is not None), key=lambda alarm: not alarm.is_grave))


def _collapse(figures: FIGURES) -> Alarm | None:
    """The picture from the right latent is no better than from another sample's."""
    block = figures.get("validation/shuffle_gap_db")
    if block is None or not len(block) or block.steps[-1] < FIRST_STEP:
        return None
    gap, step = block.values[-1], grouped(int(block.steps[-1]))
    best = max((value for value in block.values if math.isfinite(value)), default=0.0)
    if gap < COLLAPSED_DB:
        return Alarm(
            AlarmKind.COLLAPSE,
            _tr("The latent has collapsed"),
            _tr(
                "At step {step} a picture from its own latent is only {gap} dB better than from another picture's: the "
                "decoder no longer looks at the latent, and more steps will not bring it back. A larger loss factor, or "
                "a longer ramp of the prior's gradient, helps; start anew with it."
            ).format(step=step, gap=f"{max(gap, 0.0):.2f}"),
            is_grave=True,
        )
    if best > 1.0 and gap < best * FADING_SHARE:
        return Alarm(
            AlarmKind.FADING,
            _tr("The latent is fading"),
            _tr(
                "A picture from its own latent was {best} dB better than from another picture's, and is {gap} dB now, at "
                "step {step}. If it falls on, the latent collapses: a larger loss factor helps."
            ).format(best=f"{best:.1f}", gap=f"{gap:.1f}", step=step),
        )
    return None


def _not_finite(figures: FIGURES) -> Alarm | None:
    for name in ("step/loss", "step/gradient_norm", "validation/loss_bits_per_pixel", "validation/bits_per_pixel"):
        block = figures.get(name)
        if block is not None and len(block) and not math.isfinite(block.values[-1]):
            return Alarm(
                AlarmKind.NOT_FINITE,
                _tr("The figures are no numbers any more"),
                _tr(
                    "{name} is not finite at step {step}. Stop the run; go on from an earlier checkpoint with half the "
                    "learning rate, or with precision fp32."
                ).format(name=name.partition("/")[2], step=grouped(int(block.steps[-1]))),
                is_grave=True,
            )
    return None


def _runaway(figures: FIGURES) -> Alarm | None:
    """The latent takes ever more bits, and the pictures do not become better for it."""
    bits, psnr = figures.get("validation/bits_per_pixel"), figures.get("validation/psnr_db")
    if bits is None or psnr is None or min(len(bits), len(psnr)) < 4:
        return None
    values = [value for step, value in zip(bits.steps, bits.values, strict=True) if step > 0 and math.isfinite(value)]
    if len(values) < 4:
        return None
    least, last = min(values[:-1]), values[-1]
    is_growing = values[-3] < values[-2] < values[-1] and last > RUNAWAY_FACTOR * least
    gain = psnr.values[-1] - psnr.values[-4]
    if not is_growing or gain > 0.3:
        return None
    return Alarm(
        AlarmKind.RUNAWAY,
        _tr("The bits run away"),
        _tr(
            "The latent took {least} bits per pixel at its best and takes {last} now, and its pictures gained {gain} dB: "
            "the prior cannot follow the encoder. A lower learning rate or a smaller loss factor helps."
        ).format(least=f"{least:.3g}", last=f"{last:.3g}", gain=f"{gain:.1f}"),
    )


def _rising(figures: FIGURES) -> Alarm | None:
    """The loss is well above what it has been."""
    block = figures.get("step/loss")
    if block is None or len(block) < 4 * RISING_WINDOW:
        return None
    values = [value for value in block.values[-LOOK_BACK:] if math.isfinite(value)]
    chunks = [values[place : place + RISING_WINDOW] for place in range(0, len(values) - RISING_WINDOW + 1, RISING_WINDOW)]
    if len(chunks) < 3:
        return None
    best = min(median(chunk) for chunk in chunks)
    last = median(values[-RISING_WINDOW:])
    if best <= 0 or last < RISING_FACTOR * best:
        return None
    return Alarm(
        AlarmKind.RISING,
        _tr("The loss is rising"),
        _tr("It was down to {best} and is at {last} now. A lower learning rate helps; the best checkpoint is kept.").format(
            best=f"{best:.3g}", last=f"{last:.3g}"
        ),
    )


def _spike(figures: FIGURES) -> Alarm | None:
    block = figures.get("step/gradient_norm")
    if block is None or len(block) < 2 * SPIKE_WINDOW:
        return None
    recent = [value for value in block.values[-SPIKE_WINDOW:] if math.isfinite(value)]
    usual = median([value for value in block.values[-USUAL_WINDOW:] if math.isfinite(value)] or [0.0])
    if not recent or usual <= 0 or max(recent) < SPIKE_FACTOR * usual:
        return None
    return Alarm(
        AlarmKind.SPIKE,
        _tr("The gradient spikes"),
        _tr(
            "Its norm reached {worst}, where {usual} is usual. Now and then that does no harm: it is clipped. If it comes "
            "again and again, lower the learning rate or lengthen the warm-up."
        ).format(worst=f"{max(recent):.3g}", usual=f"{usual:.3g}"),
    )


def _bad_step(happenings: Sequence[Happening]) -> Alarm | None:
    bad = [each for each in happenings if each.kind == "bad_step" and each.values.get("action") == "rollback"]
    if not bad:
        return None
    return Alarm(
        AlarmKind.BAD_STEP,
        _tr("The run went back to a checkpoint {count} times").format(count=len(bad))
        if len(bad) > 1
        else _tr("The run went back to a checkpoint"),
        _tr("At step {step}: {reason}. That batch is left out; what is known of it lies in the folder “evidence”.").format(
            step=grouped(bad[-1].step), reason=str(bad[-1].values.get("reason", "")).rstrip(".")
        ),
    )


def _silent(standing: Standing, now_s: float) -> Alarm | None:
    silent_s = now_s - standing.heartbeat_s
    if silent_s < SILENT_S:
        return None
    return Alarm(
        AlarmKind.SILENT,
        _tr("No sign of life for {duration}").format(duration=duration(silent_s)),
        _tr(
            "Its process {pid} is still there but writes nothing: the machine may be out of memory or its disk stuck. Look "
            "at the log; “Stop by force” ends it, and it can go on from its newest checkpoint."
        ).format(pid=standing.pid),
        is_grave=True,
    )


def _waiting(figures: FIGURES) -> Alarm | None:
    block = figures.get("step/data_wait_share")
    if block is None or len(block) < 5:
        return None
    share = median(block.values[-5:])
    if not share > WAITING_SHARE:
        return None
    return Alarm(
        AlarmKind.WAITING,
        _tr("The device waits for data"),
        _tr(
            "{share} of the time goes into waiting for samples. More loading processes (loading.num_workers), smaller "
            "files, or a faster disk make the run faster."
        ).format(share=f"{share:.0%}".replace("%", "\u202f%")),
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("Alarms", text)
