"""A data report and an estimate as a few figures for people."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.models.progress import duration, grouped
from trainer.cost import RunEstimate
from trainer.data.check.report import ClassesFound, DataReport
from ul_engine.hub.wording import size_text

_UNITS = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Fact:
    """One figure with its title and, where it needs one, a remark."""

    title: str
    value: str
    note: str = ""


def data_facts(report: DataReport, *, is_scenes: bool) -> tuple[Fact, ...]:
    """What there is to learn from."""
    if is_scenes:
        return (
            Fact(_tr("Pictures"), _tr("as many as you like"), _tr("or clips; drawn when the run begins")),
            Fact(_tr("Size"), _tr("{side} px").format(side=report.data.size_px), _tr("square")),
            Fact(_tr("Captions"), _tr("all"), _tr("they name object, colours, floor and sky")),
        )
    found = [
        Fact(_tr("To learn from"), grouped(report.num_train), _tr("samples")),
        Fact(_tr("Held out"), grouped(report.num_valid), _tr("to measure on, never learned from")),
    ]
    if report.files is not None:
        found.append(_files(report))
    if report.sizes is not None:
        sides = report.sizes.shorter_px
        words = _tr("{least} to {greatest} px").format(least=_px(sides.least), greatest=_px(sides.greatest))
        found.append(Fact(_tr("Shorter side"), words, _tr("middle {median} px").format(median=_px(sides.median))))
    if report.clips is not None:
        clips = report.clips
        length = _tr("{least} to {greatest} frames").format(
            least=grouped(int(clips.num_frames.least)), greatest=grouped(int(clips.num_frames.greatest))
        )
        found.append(Fact(_tr("Videos"), length, _tr("{total} in all").format(total=duration(clips.total_s))))
    found.append(_classes(report.classes))
    captions = report.captions
    if captions.num_with:
        note = _tr("{count} words").format(count=grouped(captions.num_words)) if captions.num_words else ""
        found.append(Fact(_tr("Captions"), grouped(captions.num_with), note))
    else:
        found.append(Fact(_tr("Captions"), _tr("none")))
    return tuple(found)


def cost_facts(estimate: RunEstimate, *, num_steps: int) -> tuple[Fact, ...]:
    """What the run will cost."""
    memory, disk, step = estimate.memory, estimate.disk, estimate.step
    trained = sum(network.parameters for network in estimate.networks.values() if network.is_trained)
    pace = _tr("{time} a step").format(time=_short(step.seconds))
    how = pace if step.is_measured else _tr("{pace}, reckoned, good to a factor of two").format(pace=pace)
    if estimate.preparing_s:
        how = _tr("{how}; {time} before the first").format(how=how, time=_short(estimate.preparing_s))
    return (
        Fact(_tr("Time"), _tr("about {time}").format(time=duration(estimate.total_s)), how),
        Fact(
            _tr("Peak memory"),
            size_text(memory.needed),
            _tr("{usable} can be used on {device}").format(
                usable=size_text(memory.usable), device=estimate.device_name
            ),
        ),
        Fact(_tr("Parameters"), counted(trained), _tr("learned, of {all}").format(all=counted(_all(estimate)))),
        Fact(
            _tr("Operations"),
            _tr("{flops}FLOP a step").format(flops=counted(estimate.flops_per_step)),
            _tr("{steps} steps").format(steps=grouped(num_steps)),
        ),
        Fact(
            _tr("On the disk"),
            size_text(disk.total),
            _tr("{free} are free").format(free=size_text(disk.free)) if disk.free is not None else "",
        ),
    )


def counted(number: float) -> str:
    """``3.65 M``, ``74 G``."""
    for limit, unit in _UNITS:
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return f"{number:.0f} "


def _all(estimate: RunEstimate) -> int:
    return sum(network.parameters for network in estimate.networks.values())


def _short(seconds: float) -> str:
    if seconds < 1.0:
        return _tr("{count} ms").format(count=f"{seconds * 1e3:.0f}")
    return _tr("{count} s").format(count=f"{seconds:.2g}") if seconds < 99.5 else duration(seconds)


def _files(report: DataReport) -> Fact:
    files = report.files
    assert files is not None
    kinds = ", ".join(each.name for each in files.formats[:3])
    unread = files.num_files - files.num_readable
    note = _tr("{count} cannot be read").format(count=grouped(unread)) if unread else kinds
    return Fact(
        _tr("Files"),
        _tr("{count}, {size}").format(count=grouped(files.num_files), size=size_text(files.num_bytes)),
        note,
    )


def _classes(classes: ClassesFound) -> Fact:
    if not classes.counts:
        return Fact(_tr("Classes"), _tr("none"))
    counts = [each.count for each in classes.counts]
    note = _tr("{least} to {most} in each").format(least=grouped(min(counts)), most=grouped(max(counts)))
    return Fact(_tr("Classes"), grouped(len(counts)), note)


def _px(value: float) -> str:
    return grouped(round(value))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Facts", text)
