"""Where an axis has its lines, and what stands at them."""

import math
import time
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.ui.widgets.chart.series import Axis, AxisKind

_DURATIONS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_MANTISSAS = (1.0, 2.0, 5.0)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MAX_TICKS = 60


@dataclass(frozen=True)
class Tick:
    """A place on an axis; a minor one has no text."""

    value: float
    text: str = ""


def ticks(axis: Axis, low: float, high: float, *, is_log: bool, count: int) -> list[Tick]:
    """About `count` places within [low, high], at round values, each with its text."""
    count = max(2, count)
    if axis.kind is AxisKind.NAMES:
        return _named(axis, low, high)
    if is_log:
        return _logarithmic(axis, low, high, count)
    step = _step(axis, (high - low) / count)
    first = math.ceil(low / step - 1e-9)
    values = [step * index for index in range(first, first + _MAX_TICKS) if step * index <= high + step * 1e-9]
    return [Tick(value, text_of(axis, value, step)) for value in values]


def _named(axis: Axis, low: float, high: float) -> list[Tick]:
    return [Tick(float(place), name) for place, name in enumerate(axis.names) if low <= place <= high]


def _step(axis: Axis, wished: float) -> float:
    """The round step nearest above what is wished."""
    if axis.kind in (AxisKind.DURATION, AxisKind.DATE) and wished >= 0.5:
        for seconds in _DURATIONS:
            if seconds >= wished:
                return float(seconds)
        return 86400.0 * math.ceil(_round_up(wished / 86400.0))
    return _round_up(wished)


def _round_up(wished: float) -> float:
    if wished <= 0.0 or not math.isfinite(wished):
        return 1.0
    power = 10.0 ** math.floor(math.log10(wished))
    for mantissa in (*_MANTISSAS, 10.0):
        if mantissa * power >= wished * (1 - 1e-9):
            return mantissa * power
    return 10.0 * power


def _logarithmic(axis: Axis, low: float, high: float, count: int) -> list[Tick]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = math.log10(high) - math.log10(low)
    if decades < 0.7:  # within a decade round steps say more
        step = _round_up((high - low) / count)
        begin = math.ceil(low / step - 1e-9)
        values = [step * index for index in range(begin, begin + _MAX_TICKS) if step * index <= high]
        return [Tick(value, text_of(axis, value, step)) for value in values if value > 0]
    stride = max(1, math.ceil(decades / count))
    shown = (1, 2, 5) if decades <= count * 0.6 else (1,)
    result = []
    for power in range(first, last + 1):
        for mantissa in range(1, 10) if stride == 1 else (1,):
            value = mantissa * 10.0**power
            if low * (1 - 1e-9) <= value <= high * (1 + 1e-9):
                has_text = mantissa in shown and (power - first) % stride == 0
                result.append(Tick(value, text_of(axis, value, 0.0) if has_text else ""))
    return result


def text_of(axis: Axis, value: float, step: float = 0.0) -> str:
    """A value of an axis in words; `step` is the distance of its neighbours, 0: the value alone says how exact."""
    if axis.kind is AxisKind.DURATION:
        return duration_text(value)
    if axis.kind is AxisKind.DATE:
        moment = time.localtime(value)
        return time.strftime("%d %b %H:%M" if step >= 3600 else "%H:%M:%S" if step < 60 else "%H:%M", moment)
    if axis.kind is AxisKind.NAMES:
        place = round(value)
        return axis.names[place] if 0 <= place < len(axis.names) else ""
    return number_text(value) if step <= 0.0 else _stepped(value, step)


def number_text(value: float, digits: int = 4) -> str:
    """A number with so many telling digits: grouped when large, as a power of ten when very large or small."""
    if not math.isfinite(value):
        return "–"
    if value == 0.0:
        return "0"
    power = math.floor(math.log10(abs(value)))
    if power >= 7 or power < -3:
        mantissa = f"{value / 10.0**power:.{digits - 1}f}".rstrip("0").rstrip(".")
        exponent = f"10{str(power).translate(_SUPERSCRIPTS)}"
        return exponent if mantissa == "1" else f"{mantissa}·{exponent}".replace("-", "−")
    places = max(0, digits - 1 - power)
    return _grouped(f"{value:,.{places}f}")


def _stepped(value: float, step: float) -> str:
    """A tick's number, as exact as the distance to the next asks."""
    if abs(value) < step * 1e-6:
        return "0"
    power = math.floor(math.log10(abs(value)))
    if power >= 7 or (power < -4 and step < 1e-4):
        return number_text(value)
    return _grouped(f"{value:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}")


def _grouped(text: str) -> str:
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(",", "\u2009").replace("-", "−")


def duration_text(seconds: float) -> str:
    """A time span, short: 45 s, 12 min, 1 h 30, 2 d 4 h."""
    sign, rest = ("−", -seconds) if seconds < 0 else ("", seconds)
    if rest < 60:
        return sign + _tr("{s} s").format(s=f"{rest:.3g}")
    minutes = rest / 60
    if minutes < 60:
        whole, part = divmod(round(rest), 60)
        return sign + (_tr("{m} min {s}").format(m=whole, s=part) if part else _tr("{m} min").format(m=whole))
    hours, minutes_left = divmod(round(minutes), 60)
    if hours < 24:
        return sign + (
            _tr("{h} h {m}").format(h=hours, m=minutes_left) if minutes_left else _tr("{h} h").format(h=hours)
        )
    days, hours_left = divmod(hours, 24)
    return sign + (_tr("{d} d {h} h").format(d=days, h=hours_left) if hours_left else _tr("{d} d").format(d=days))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Chart", text)
