"""The chart's arithmetic: smoothing, extremes, scales, ticks, what is in sight."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from app.ui.widgets.chart.curve import Curve
from app.ui.widgets.chart.drawing import Canvas, in_sight, polygon, runs, stroke, thinned
from app.ui.widgets.chart.pyramid import Pyramid, columns
from app.ui.widgets.chart.scale import Scale, moved, zoomed
from app.ui.widgets.chart.series import Axis, AxisKind, Mark, Series, Style, View
from app.ui.widgets.chart.smoothing import smoothed
from app.ui.widgets.chart.ticks import duration_text, number_text, ticks
from app.ui.widgets.chart.viewport import Viewport


def plainly_smoothed(values: list[float], amount: float) -> list[float]:
    """The definition, one value after the other."""
    result, state, weight = [], 0.0, 0.0
    for value in values:
        if math.isfinite(value):
            state = amount * state + (1 - amount) * value
            weight = amount * weight + (1 - amount)
            result.append(state / weight)
        else:
            result.append(math.nan)
    return result


@pytest.mark.parametrize("amount", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("count", [1, 5, 1023, 1024, 1025, 5000])
def test_smoothing_is_the_average_without_bias(amount: float, count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    values[::7] = np.nan
    values[0] = 2.0
    found = smoothed(values, amount)
    assert np.allclose(found, plainly_smoothed(values.tolist(), amount), rtol=1e-9, equal_nan=True)


def test_smoothing_of_nothing_changes_nothing() -> None:
    values = np.array([1.0, np.nan, 3.0])
    assert np.array_equal(smoothed(values, 0.0), values, equal_nan=True)
    assert np.isnan(smoothed(np.full(4, np.nan), 0.9)).all()
    assert len(smoothed(np.array([]), 0.9)) == 0


def test_a_constant_stays_what_it_is() -> None:
    assert np.allclose(smoothed(np.full(3000, 5.0), 0.99), 5.0)


@pytest.mark.parametrize("count", [1, 7, 64, 1000, 50_001])
def test_no_extreme_of_a_stretch_is_lost(count: int) -> None:
    random = np.random.default_rng(count)
    y = random.normal(size=count)
    y[random.random(count) < 0.1] = np.nan
    edges = np.unique(np.concatenate(([0], random.integers(0, count + 1, size=40), [count])))
    low, high = Pyramid(y).extremes(edges[:-1], edges[1:])
    for place, (start, stop) in enumerate(itertools.pairwise(edges)):
        part = y[start:stop][np.isfinite(y[start:stop])]
        if not len(part):
            assert stop - start > 32 or np.isnan(low[place])
            continue
        assert low[place] <= part.min()
        assert high[place] >= part.max()
        if stop - start <= 32:  # short stretches are exact
            assert (low[place], high[place]) == (part.min(), part.max())


def test_a_long_stretch_takes_in_a_quarter_of_its_neighbours_at_most() -> None:
    y = np.arange(100_000.0)
    low, high = Pyramid(y).extremes(np.array([30_000]), np.array([40_000]))
    assert 30_000 - 2_500 <= low[0] <= 30_000
    assert 39_999 <= high[0] <= 39_999 + 2_500


def test_columns_hold_every_point_once() -> None:
    x = np.sort(np.random.default_rng(0).uniform(0, 100, size=10_000))
    _, starts, stops = columns(x, Scale(0.0, 100.0, False, 10.0, 310.0))
    assert (starts[1:] == stops[:-1]).all()
    assert (starts[0], stops[-1]) == (0, len(x))
    middles, starts, stops = columns(x, Scale(0.0, 100.0, False, 310.0, 10.0))  # from right to left
    assert (np.diff(middles) > 0).all()
    assert (starts[:-1] == stops[1:]).all()
    assert (starts[-1], stops[0]) == (0, len(x))
    values = Scale(0.0, 100.0, False, 310.0, 10.0).values_at(middles)
    assert np.allclose(values, (x[starts] + x[stops - 1]) / 2, atol=100 / 300)


def canvas(x: Scale, y: Scale) -> Canvas:
    return Canvas(QPainter(), x, y, QRectF(0, 0, 400, 200))


@pytest.mark.parametrize("is_log", [False, True])
def test_a_million_points_become_two_per_pixel(is_log: bool) -> None:
    y = np.random.default_rng(0).normal(size=1_000_000)
    y[123_456] = 77.0
    curve = Curve(Series("noise", np.arange(1.0, 1_000_001.0), y))
    where = canvas(Scale(1.0, 1e6, is_log, 0.0, 400.0), Scale(-80.0, 80.0, False, 200.0, 0.0))
    xs, ys, is_dense = thinned(curve.x, curve.y, curve.pyramid, where)
    assert is_dense
    assert len(xs) <= 2 * 402
    assert ys.min() == pytest.approx(where.y.px_of(77.0))  # the one spike is there


def test_few_points_are_drawn_as_they_are() -> None:
    curve = Curve(Series("few", [0.0, 1.0, 2.0, 3.0], [5.0, math.nan, 1.0, 2.0]))
    where = canvas(Scale(0.0, 3.0, False, 0.0, 300.0), Scale(0.0, 10.0, False, 100.0, 0.0))
    xs, ys, is_dense = thinned(curve.x, curve.y, curve.pyramid, where)
    assert not is_dense
    assert xs.tolist() == [0.0, 100.0, 200.0, 300.0]
    assert [run.size() for run in runs(xs, ys)] == [1, 2]  # the gap parts them


def test_scales_lead_back() -> None:
    for scale in (Scale(-3.0, 9.0, False, 300.0, 20.0), Scale(0.01, 100.0, True, 10.0, 500.0)):
        values = np.array([0.02, 1.0, 8.5])
        assert np.allclose(scale.values_at(scale.to_px(values)), values)
        assert scale.px_of(scale.low) == pytest.approx(scale.start_px)
        assert scale.px_of(scale.high) == pytest.approx(scale.end_px)
    assert math.isnan(Scale(0.1, 1.0, True, 0.0, 1.0).px_of(0.0))


def test_zooming_keeps_the_point_under_the_pointer() -> None:
    low, high = zoomed(0.0, 10.0, is_log=False, at=2.5, factor=0.5)
    assert (low, high) == (1.25, 6.25)
    low, high = zoomed(1.0, 10_000.0, is_log=True, at=100.0, factor=0.5)
    assert (low, high) == (pytest.approx(10.0), pytest.approx(1000.0))


def test_zooming_ends_where_numbers_do() -> None:
    low, high = 1.0, 2.0
    for _ in range(500):
        low, high = zoomed(low, high, is_log=False, at=1.5, factor=0.5)
    assert low < 1.5 < high
    for _ in range(5000):
        low, high = zoomed(low, high, is_log=False, at=1.5, factor=4.0)
    assert math.isfinite(low)
    assert math.isfinite(high)
    assert moved(1e-299, 1e299, is_log=True, share=0.5) == (1e-299, 1e299)


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.0, 1800.0, ["0", "500", "1\u2009000", "1\u2009500"]),
        (0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-0.01, 0.01, ["−0.01", "−0.005", "0", "0.005", "0.01"]),
        (12_000.0, 52_000.0, ["20\u2009000", "30\u2009000", "40\u2009000", "50\u2009000"]),
    ],
)
def test_ticks_are_round(low: float, high: float, texts: list[str]) -> None:
    assert [tick.text for tick in ticks(Axis(), low, high, is_log=False, count=5)] == texts


def test_ticks_of_decades() -> None:
    found = ticks(Axis(), 0.02, 300.0, is_log=True, count=5)
    assert [tick.text for tick in found if tick.text] == ["0.1", "1", "10", "100"]
    assert len([tick for tick in found if not tick.text]) > 20
    wide = ticks(Axis(), 1e-12, 1e12, is_log=True, count=5)
    assert len([tick for tick in wide if tick.text]) <= 7


def test_ticks_within_a_decade_are_round_numbers() -> None:
    assert [tick.text for tick in ticks(Axis(), 2.0, 5.0, is_log=True, count=3)] == ["2", "3", "4", "5"]


def test_ticks_of_time_are_those_of_clocks() -> None:
    axis = Axis(kind=AxisKind.DURATION)
    assert [tick.value for tick in ticks(axis, 0.0, 7200.0, is_log=False, count=4)] == [0, 1800, 3600, 5400, 7200]
    assert [tick.value for tick in ticks(axis, 0.0, 600.0, is_log=False, count=5)] == [0, 120, 240, 360, 480, 600]


def test_ticks_of_names() -> None:
    axis = Axis(kind=AxisKind.NAMES, names=("a", "b", "c"))
    assert [tick.text for tick in ticks(axis, -0.6, 1.4, is_log=False, count=9)] == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.23456, "1.235"),
        (1234567.0, "1\u2009234\u2009567"),
        (0.00012, "1.2·10⁻⁴"),
        (1e-5, "10⁻⁵"),
        (-2.5e9, "−2.5·10⁹"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_numbers_as_people_read_them(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45 s"), (90, "1 min 30"), (3600, "1 h"), (5400, "1 h 30"), (100_000, "1 d 3 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def fitted(series: list[Series], *, x: Axis | None = None, y: Axis | None = None, marks: tuple[Mark, ...] = ()) -> View:
    viewport = Viewport()
    viewport.x_axis, viewport.y_axis = x or Axis(), y or Axis()
    viewport.fit([Curve(each) for each in series], marks)
    return viewport.view


def test_the_view_holds_all_values_and_marks() -> None:
    view = fitted(
        [Series("a", [0.0, 10.0], [1.0, 3.0])], marks=(Mark("paper", 12.0, 5.0), Mark("far", y=99.0, is_fitted=False))
    )
    assert view.x_low <= 0.0
    assert 12.0 <= view.x_high < 13.0
    assert view.y_low < 1.0
    assert 5.0 < view.y_high < 6.0


def test_a_logarithmic_view_is_of_what_is_above_nothing() -> None:
    view = fitted([Series("a", [1.0, 2.0, 3.0], [-5.0, 0.0, 10.0])], y=Axis(is_log=True))
    assert 0.0 < view.y_low < 10.0 < view.y_high


@pytest.mark.parametrize("values", [[], [math.nan, math.nan], [3.0, 3.0], [0.0, 0.0], [-1.0, -1.0]])
@pytest.mark.parametrize("is_log", [False, True])
def test_a_view_has_a_size_whatever_there_is(values: list[float], is_log: bool) -> None:
    view = fitted([Series("a", list(range(len(values))), values)], y=Axis(is_log=is_log))
    assert view.y_low < view.y_high
    assert view.x_low < view.x_high
    assert not is_log or view.y_low > 0


def test_bars_stand_on_nothing() -> None:
    view = fitted([Series("a", [0.0, 1.0], [3.0, 5.0], style=Style.BARS)])
    assert view.y_low == 0.0
    assert view.x_low < -0.4
    assert view.x_high > 1.4


def test_fixed_ends_win() -> None:
    view = fitted([Series("a", [0.0, 1.0], [3.0, 5.0])], y=Axis(low=0.0, high=4.0))
    assert (view.y_low, view.y_high) == (0.0, 4.0)


def test_a_view_that_is_none_is_refused() -> None:
    viewport = Viewport()
    viewport.y_axis = Axis(is_log=True)
    before = viewport.view
    for view in (View(1, 0, 0, 1), View(0, 1, -1, 1), View(0, math.inf, 1, 2)):
        viewport.set_view(view)
        assert viewport.view == before


def test_series_whose_lengths_differ_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="2 x values, but 1 y values"):
        Curve(Series("a", [1.0, 2.0], [1.0]))


def test_the_nearest_point_has_a_value() -> None:
    curve = Curve(Series("a", [0.0, 1.0, 2.0, 3.0], [1.0, math.nan, math.nan, 4.0]))
    assert curve.nearest(1.2) == 0
    assert curve.nearest(1.8) == 3
    assert Curve(Series("b", [2.0, 1.0], [0.0, 0.0])).nearest(1.0) is None
    assert Curve(Series("c", [], [])).nearest(1.0) is None


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("width", [1.0, 1.4, 3.0])
def test_a_line_is_as_wide_as_asked(qapp: Any, ratio: float, width: float) -> None:
    image = QImage(round(40 * ratio), round(40 * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor("black"))
    painter = QPainter(image)
    stroke(painter, polygon(np.array([5.0, 35.0]), np.array([20.0, 20.0])), QColor("white"), width)
    painter.end()
    middle = image.width() // 2
    ink = sum(image.pixelColor(middle, row).redF() for row in range(image.height()))
    assert ink == pytest.approx(width * ratio, rel=0.3)


def test_of_dots_that_cover_each_other_the_last_is_drawn(qapp: Any) -> None:
    curve = Curve(Series("trail", [1.0, 1.0, 5.0, 1.0], [1.0, 1.0, 5.0, 1.0], shade=[0.0, 1.0, 2.0, 3.0]))
    image = QImage(100, 100, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    canvas = Canvas(painter, Scale(0, 10, False, 0, 100), Scale(0, 10, False, 100, 0), QRectF(0, 0, 100, 100))
    xs, ys, shades = in_sight(canvas, curve)
    painter.end()
    assert xs.tolist() == [50.0, 10.0]
    assert ys.tolist() == [50.0, 90.0]
    assert shades is not None
    assert shades.tolist() == pytest.approx([2 / 3, 1.0])
