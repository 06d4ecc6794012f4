"""A chart as a file: the numbers as a table, or a picture."""

import csv
import io
import math
from pathlib import Path

from PySide6.QtGui import QImage

from app.ui.widgets.chart.series import Axis, Series


def csv_text(series: tuple[Series, ...], x_axis: Axis, y_axis: Axis) -> str:
    """One row per point: series, x, y, and the band and label where there are any. Gaps are empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    has_band = any(each.low is not None and each.high is not None for each in series)
    has_labels = any(each.labels for each in series)
    head = ["series", _name(x_axis, "x"), _name(y_axis, "y")]
    writer.writerow([*head, *(("low", "high") if has_band else ()), *(("label",) if has_labels else ())])
    for each in series:
        for place, (x, y) in enumerate(zip(each.x, each.y, strict=True)):
            row = [each.name, _cell(x), _cell(y)]
            if has_band:
                row += [_cell(each.low[place]) if each.low is not None else ""]
                row += [_cell(each.high[place]) if each.high is not None else ""]
            if has_labels:
                row.append(each.labels[place] if place < len(each.labels) else "")
            writer.writerow(row)
    return stream.getvalue()


def write_chart(path: str, image: QImage | None, series: tuple[Series, ...], axes: tuple[Axis, Axis]) -> str:
    """Write the picture, or the table where there is none; what went wrong, empty if nothing."""
    try:
        if image is None:
            Path(path).write_text(csv_text(series, *axes), encoding="utf-8")
        elif not image.save(path):
            return f"{path} cannot be written"
    except OSError as error:
        return f"{path} cannot be written ({error.strerror})"
    return ""


def _name(axis: Axis, fallback: str) -> str:
    return f"{axis.title} [{axis.unit}]" if axis.title and axis.unit else axis.title or axis.unit or fallback


def _cell(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""
