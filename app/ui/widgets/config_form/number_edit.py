"""A line for a number: any size, any precision, stepped with the arrow keys."""

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.models.config_form import Limits
from app.models.config_form.words import number_text


class NumberEdit(QLineEdit):
    """Up and Down step by the last digit that matters, with Shift ten times as far; the wheel does nothing."""

    def __init__(self, limits: Limits, *, is_whole: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._limits = limits
        self._is_whole = is_whole

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrows step, all else is typing."""
        ways = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
        way = ways.get(Qt.Key(event.key()), 0)
        number = parsed_number(self.text(), is_whole=self._is_whole)
        if not way or number is None:
            super().keyPressEvent(event)
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            way *= 10
        self.setText(number_text(stepped(number, way, self._limits, is_whole=self._is_whole)))
        self.textEdited.emit(self.text())


def parsed_number(text: str, *, is_whole: bool) -> float | int | None:
    """The number in a text, also with a comma for the point or gaps between thousands; None where there is none."""
    tidy = "".join(text.split()).replace("\u2009", "")
    if not is_whole and tidy.count(",") == 1 and "." not in tidy:
        tidy = tidy.replace(",", ".")
    try:
        number = int(tidy) if is_whole else float(tidy)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def stepped(number: float, way: int, limits: Limits, *, is_whole: bool) -> float:
    """The number a step further, within its limits."""
    if is_whole:
        return int(_within(number + way, limits, 1))
    step = _step(number, way)
    digits = max(0, -math.floor(math.log10(step)))
    return round(_within(number + way * step, limits, step), digits + 1)


def _step(number: float, way: int) -> float:
    """A tenth of the number's own power of ten; below a power of ten, a tenth of the next one."""
    if number == 0:
        return 0.1
    power: float = 10.0 ** math.floor(math.log10(abs(number)) + 1e-9)
    is_shrinking = (number > 0) != (way > 0)
    is_power = math.isclose(abs(number), power)
    return power / (100 if is_shrinking and is_power and power < 1 else 10)


def _within(number: float, limits: Limits, step: float) -> float:
    low = -math.inf if limits.low is None else limits.low + (step if limits.is_low_open else 0)
    high = math.inf if limits.high is None else limits.high - (step if limits.is_high_open else 0)
    return min(max(number, low), high)
