"""Numbers and counted things in words. No torch."""


def number(value: float) -> str:
    """``12 345``, or up to three digits of a number that is not whole."""
    return f"{value:,.0f}".replace(",", " ") if float(value).is_integer() or abs(value) >= 100 else f"{value:.3g}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 file``, ``1 204 files``; `many` is for plurals that do not end in an s."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def one_or_many(count: int, one: str, many: str) -> str:
    """The word that goes with `count`."""
    return one if count == 1 else many


def data_size(num_bytes: int) -> str:
    """``88.1 MB``, in powers of 1000."""
    size = float(num_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def duration(seconds: float) -> str:
    """``8 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def percent(count: float, of: float) -> str:
    """``39 %``; nothing for nothing, and ``under 1 %`` for little."""
    share = count / of if of else 0.0
    return "" if not count else "under 1 %" if share < 0.01 else f"{share * 100:.0f} %"
