"""The one chart: curves, points and bars with axes, reference marks, hover values, zoom and files.

It needs numpy, so a page imports it when it is shown first, never while the window comes up.
"""

from app.ui.widgets.chart.chart import Chart
from app.ui.widgets.chart.legend import Legend
from app.ui.widgets.chart.series import Axis, AxisKind, Mark, Series, Style, View

__all__ = ["Axis", "AxisKind", "Chart", "Legend", "Mark", "Series", "Style", "View"]
