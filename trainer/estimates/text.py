"""The estimate as a compact table for people."""

from trainer.cost import RunEstimate

GB, MB = 1e9, 1e6


def text(estimate: RunEstimate) -> str:
    """A few lines, in units that people use."""
    ranks = f", {estimate.num_ranks} processes" if estimate.num_ranks > 1 else ""
    lines = [f"{estimate.stage.value} on {estimate.device_name} ({estimate.device}){ranks}", ""]
    for name, network in estimate.networks.items():
        state = "trained" if network.is_trained else "not trained"
        lines.append(
            _row(
                name,
                f"{counted(network.parameters)} parameters, {counted(network.multiply_adds)} multiply-adds, {state}",
            )
        )
    memory, step, disk = estimate.memory, estimate.step, estimate.disk
    verdict = "fits" if memory.fits else "DOES NOT FIT"
    lines += [
        _row("step", f"{counted(estimate.flops_per_step)} FLOPs"),
        _row(
            "memory",
            f"{size(memory.needed)} with {memory.micro_batch} samples at once, {verdict}: {size(memory.free)} of "
            f"{size(memory.total)} are free; up to {memory.largest_micro_batch} at once would fit",
        ),
        _row("time", f"{seconds(step.seconds)} per step ({step.how})"),
    ]
    if estimate.rendering_s is not None:
        lines.append(_row("scenes", f"{duration(estimate.rendering_s)} to render them once"))
    if estimate.encoding_s is not None:
        lines.append(_row("latents", f"{duration(estimate.encoding_s)} to encode them once"))
    lines.append(_row("in all", f"{duration(estimate.total_s)}, and validations, previews and saving on top"))
    lines.append(_row("disk", _disk(estimate)))
    if disk.free is not None and disk.free < disk.total:
        lines.append(_row("", f"ONLY {size(disk.free)} ARE FREE on that disk"))
    return "\n".join(lines)


def _row(name: str, content: str) -> str:
    return f"  {name:<9}{content}"


def _disk(estimate: RunEstimate) -> str:
    disk = estimate.disk
    parts = [f"{disk.num_checkpoints} checkpoints of {size(disk.checkpoint)}", f"model {size(disk.model)}"]
    if disk.scenes:
        parts.append(f"scenes {size(disk.scenes)}")
    if disk.latents is not None:
        parts.append(f"latents {size(disk.latents)}")
    parts.append(f"previews up to {size(disk.previews)}")
    return f"{size(disk.total)}: {', '.join(parts)}"


def counted(number: float) -> str:
    """1234567 as 1.2 M."""
    for limit, unit in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}" if number / limit < 1000 else f"{number / limit:.0f} {unit}"
    return f"{number:.0f}"


def size(num_bytes: float) -> str:
    """In GB (10^9 bytes) or MB."""
    return f"{num_bytes / GB:.1f} GB" if num_bytes >= GB else f"{num_bytes / MB:.0f} MB"


def seconds(value: float) -> str:
    """A short time; a long one as `duration`."""
    if value >= 120:
        return duration(value)
    if value >= 10:
        return f"{value:.0f} s"
    return f"{value:.2g} s" if value >= 0.1 else f"{value * 1e3:.2g} ms"


def duration(value: float) -> str:
    """A long time as about so many of the two units that matter."""
    minutes = round(value / 60)
    if minutes < 1:
        return f"about {max(1, round(value))} s"
    hours, minutes = divmod(minutes, 60)
    days, left = divmod(hours, 24)
    if days:
        return f"about {days} d {left} h"
    return f"about {hours} h {minutes} min" if hours else f"about {minutes} min"
