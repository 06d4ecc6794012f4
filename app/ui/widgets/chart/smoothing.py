"""The exponential moving average that starts without bias: ``m_t = a m_(t-1) + (1 - a) y_t``, over ``1 - a^(t+1)``."""

import numpy as np

from app.ui.widgets.chart.scale import Floats

LONGEST_ROW = 1024


def smoothed(y: Floats, amount: float) -> Floats:
    """The average of `y` [N] with memory `amount` in [0, 1); gaps stay gaps and are passed over."""
    is_there = np.isfinite(y)
    result = np.full_like(y, np.nan)
    values = y[is_there]
    if amount <= 0.0 or not len(values):
        result[is_there] = values
        return result
    averages = _averages(values, amount)
    result[is_there] = averages / -np.expm1(np.log(amount) * np.arange(1, len(values) + 1))
    return result


def _averages(values: Floats, amount: float) -> Floats:
    """The biased average, row by row: all rows at once from nothing, then each with what the one before left."""
    length = min(LONGEST_ROW, max(1, round(len(values) ** 0.5)))
    num_rows = -(-len(values) // length)
    padded = np.append(values, np.zeros(num_rows * length - len(values)))
    table = np.ascontiguousarray(padded.reshape(num_rows, length).T)
    state = np.zeros(num_rows)
    for place in range(length):
        state = amount * state + (1.0 - amount) * table[place]
        table[place] = state
    left, decay = np.zeros(num_rows), amount**length
    for row in range(1, num_rows):
        left[row] = table[-1, row - 1] + decay * left[row - 1]
    table += np.power(amount, np.arange(1, length + 1))[:, None] * left[None, :]
    result: Floats = table.T.ravel()[: len(values)]
    return result
