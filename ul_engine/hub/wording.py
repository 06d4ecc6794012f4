"""Sizes, times and reasons as people read them."""

from ul_engine.errors import CheckpointError


def size_text(num_bytes: float) -> str:
    """Bytes in decimal units, as disks and browsers count: 999 B, 24.3 MB, 1.20 GB."""
    if num_bytes < 1000:
        return f"{num_bytes:.0f} B"
    for unit, size in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if num_bytes < 999.5 * size:
            return f"{num_bytes / size:.3g} {unit}"
    return f"{num_bytes / 1e12:.3g} TB"


def seconds_text(seconds: float) -> str:
    """A time to wait: 40 s, 3 min, 2 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def reason_of(error: CheckpointError) -> str:
    """The message without the path before it: for a file that people know by another path."""
    return str(error).removeprefix(f"{error.path}: ")
