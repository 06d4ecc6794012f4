"""The chart by real keys, clicks, wheels and drags, and what it puts on the screen."""

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.ui.theme.theme import Theme
from app.ui.theme.tokens import PALETTES, contrast
from app.ui.widgets.chart import Axis, AxisKind, Chart, Mark, Series, Style, View
from app.ui.widgets.chart.palette import (
    DARK_RAMP,
    DARK_REFERENCE,
    DARK_SERIES,
    LIGHT_RAMP,
    LIGHT_REFERENCE,
    LIGHT_SERIES,
)
from tests.helpers.qt import wait_for_signal

Own = Callable[[Any], Any]
RED, GREEN = "#ff0000", "#00ff00"


@pytest.fixture
def chart(owned: Own, qapp: QApplication) -> Chart:
    theme = owned(Theme(qapp))
    theme.set_wish("dark")
    result: Chart = owned(Chart("Losses"))
    result.set_axes(Axis("Step"), Axis("", "bits"))
    result.set_series(
        [
            Series("Prior", [0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 2.0, 1.0], RED),
            Series("Decoder", [0.0, 1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0, math.nan], GREEN),
        ]
    )
    result.resize(500, 320)
    result.show()
    result.activateWindow()
    assert QTest.qWaitForWindowActive(result, 5000)
    QTest.mouseMove(result.plot, QPoint(1, 1))  # wherever the last test has left it
    return result


def at(chart: Chart, x: float, y: float) -> QPoint:
    frame = chart.plot.frame
    return QPointF(frame.x.px_of(x), frame.y.px_of(y)).toPoint()


def drag(chart: Chart, start: QPoint, end: QPoint, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mousePress(chart.plot, Qt.MouseButton.LeftButton, modifier, start)
    for share in (0.3, 0.6, 1.0):
        QTest.mouseMove(chart.plot, start + (end - start) * share)
    QTest.mouseRelease(chart.plot, Qt.MouseButton.LeftButton, modifier, end)


def wheel(chart: Chart, spot: QPoint, notches: int, modifier: Any = Qt.KeyboardModifier.NoModifier) -> bool:
    event = QWheelEvent(
        QPointF(spot),
        QPointF(chart.plot.mapToGlobal(spot)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    event.setAccepted(False)
    QApplication.sendEvent(chart.plot, event)
    return event.isAccepted()


def count_of(image: QImage, colour: str) -> int:
    """Pixels of about this colour."""
    wanted = QColor(colour)
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(bytes(plain.constBits()), np.uint8)
    table = pixels.reshape(-1, 4)[:, :3].astype(int)
    distance = np.abs(table - [wanted.blue(), wanted.green(), wanted.red()]).sum(axis=1)
    return int((distance < 60).sum())


# ---- what it shows ------------------------------------------------------------------------------------------------


def test_curves_are_where_their_values_are(chart: Chart) -> None:
    chart.resize(800, 500)
    image = chart.plot.grab().toImage()
    spot = at(chart, 3.0, 5.0)
    near = [image.pixelColor(spot.x(), spot.y() + shift) for shift in (-1, 0, 1)]
    assert any(colour.green() > 150 and colour.red() < 60 for colour in near)
    assert count_of(image, RED) > 300


def test_an_empty_chart_says_what_will_come(chart: Chart) -> None:
    chart.set_empty_text("PSNR appears with the first validation.")
    chart.set_series([Series("PSNR", [1.0, 2.0], [math.nan, math.nan])])
    written = chart.plot.grab().toImage()
    chart.set_empty_text("")
    assert written != chart.plot.grab().toImage()
    assert "no value yet" in chart.description()


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf], [1.0], [0.0, 0.0], [-1.0, -2.0]])
@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("is_log", [False, True])
def test_whatever_comes_can_be_painted(chart: Chart, values: list[float], style: Style, is_log: bool) -> None:
    x = [float(place) for place in range(len(values))]
    chart.set_axes(Axis("x", is_log=is_log), Axis("y", is_log=is_log))
    chart.set_smoothing(0.9)
    for shade in (None, x):
        chart.set_series([Series("odd", x, values, style=style, low=values, high=values, shade=shade, has_dots=True)])
        chart.set_marks([Mark("a", 1.0, 1.0), Mark("b", y=0.0), Mark("c", x=0.0, x_end=-3.0), Mark("d", x=math.nan)])
        assert not chart.plot.grab().isNull()
        QTest.mouseMove(chart.plot, chart.plot.rect().center())


def test_smoothing_keeps_the_raw_curve_faintly(chart: Chart) -> None:
    y = np.where(np.arange(200) % 2, 10.0, 0.0)
    chart.set_series([Series("zigzag", np.arange(200.0), y, RED)])
    loud = count_of(chart.plot.grab().toImage(), RED)
    chart.set_smoothing(0.95)
    smooth = chart.plot.grab().toImage()
    assert 0 < count_of(smooth, RED) < loud / 3
    chart.set_series([Series("zigzag", np.arange(200.0), y, RED, is_smoothed=False)])
    assert count_of(chart.plot.grab().toImage(), RED) > loud / 2


def test_the_legend_hides_and_shows(chart: Chart) -> None:
    assert [key.text() for key in chart.legend.keys] == ["Prior", "Decoder"]
    assert chart.view.y_high > 5.0
    QTest.mouseClick(chart.legend.keys[1], Qt.MouseButton.LeftButton)
    assert count_of(chart.plot.grab().toImage(), GREEN) == 0
    assert chart.view.y_high < 4.0  # the view follows what is to be seen
    chart.set_series([Series("Prior", [0.0], [1.0]), Series("Decoder", [0.0], [5.0])])
    assert not chart.legend.keys[1].isChecked()  # new data brings nothing back that was hidden
    chart.legend.keys[1].setFocus()
    QTest.keyClick(chart.legend.keys[1], Qt.Key.Key_Space)
    assert chart.legend.keys[1].isChecked()
    assert chart.view.y_high > 5.0


def test_one_series_needs_no_legend(chart: Chart) -> None:
    chart.set_series([Series("Prior", [0.0], [1.0])])
    assert not chart.legend.isVisible()


def test_marks_and_bands_are_drawn(chart: Chart) -> None:
    bare = chart.plot.grab().toImage()
    chart.set_marks([Mark("paper", 2.0, 4.0, colour="#ff00ff"), Mark("floor", y=1.5, colour="#00ffff")])
    marked = chart.plot.grab().toImage()
    assert count_of(marked, "#00ffff") > 50
    assert marked != bare
    chart.set_series([Series("a", [0.0, 4.0], [2.0, 2.0], RED, low=[1.0, 1.0], high=[3.0, 3.0])])
    image = chart.plot.grab().toImage()
    inside, outside = (image.pixelColor(at(chart, 2.2, y)) for y in (2.6, 3.05))
    assert inside.red() > outside.red() + 20


# ---- values -------------------------------------------------------------------------------------------------------


def test_the_pointer_reads_the_values_of_all_series(chart: Chart) -> None:
    QTest.mouseMove(chart.plot, at(chart, 1.2, 3.0))
    found = chart.plot.readout
    assert found is not None
    assert (found.x, found.title) == (1.0, "Step 1")
    assert [(row.curve.series.name, row.text) for row in found.rows] == [("Prior", "2 bits"), ("Decoder", "5 bits")]
    QTest.mouseMove(chart.plot, QPoint(2, 2))
    assert chart.plot.readout is None


def test_a_cloud_is_read_where_the_pointer_is_near(chart: Chart) -> None:
    chart.set_series([Series("trail", [3.0, 1.0, 2.0], [1.0, 5.0, 3.0], shade=[0, 1, 2], labels=["a", "b", "step 7"])])
    QTest.mouseMove(chart.plot, at(chart, 2.0, 3.0))
    found = chart.plot.readout
    assert found is not None
    assert found.rows[0].text == "3 bits  step 7"
    QTest.mouseMove(chart.plot, at(chart, 1.5, 1.5))
    assert chart.plot.readout is None


def test_keys_walk_over_the_values(chart: Chart) -> None:
    chart.plot.setFocus()
    QTest.mouseMove(chart.plot, at(chart, 2.0, 2.0))
    for expected in (3.0, 4.0, 4.0):
        QTest.keyClick(chart.plot, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        assert chart.plot.readout is not None
        assert chart.plot.readout.x == expected


def test_screen_readers_hear_the_last_values(chart: Chart) -> None:
    assert chart.plot.accessibleName() == "Losses"
    assert chart.plot.accessibleDescription() == "2 series over Step. Prior: last 1 bits. Decoder: last 5 bits"


# ---- zoom and pan -------------------------------------------------------------------------------------------------


def test_the_wheel_zooms_at_the_pointer(chart: Chart) -> None:
    spot, before = at(chart, 1.0, 2.0), chart.view
    wheel(chart, spot, 2)
    after = chart.view
    assert after.x_high - after.x_low == pytest.approx((before.x_high - before.x_low) / 1.25**2)
    assert (at(chart, 1.0, 2.0) - spot).manhattanLength() <= 1
    wheel(chart, spot, -2)
    assert chart.view.x_low == pytest.approx(before.x_low)


def test_the_wheel_over_an_axis_zooms_only_along_it(chart: Chart) -> None:
    plot, before = chart.plot.frame.plot, chart.view
    wheel(chart, QPointF(plot.center().x(), plot.bottom() + 8).toPoint(), 1)
    assert (chart.view.y_low, chart.view.y_high) == (before.y_low, before.y_high)
    assert chart.view.x_high < before.x_high
    middle = chart.view
    wheel(chart, QPointF(plot.left() - 8, plot.center().y()).toPoint(), 1)
    assert (chart.view.x_low, chart.view.x_high) == (middle.x_low, middle.x_high)
    assert chart.view.y_high < middle.y_high


def test_in_a_page_that_scrolls_the_wheel_is_the_pages(chart: Chart) -> None:
    chart.set_wheel_shared(True)
    chart.menu_button.setFocus()
    before, spot = chart.view, at(chart, 1.0, 2.0)
    assert not wheel(chart, spot, 1)
    assert chart.view == before
    assert wheel(chart, spot, 1, Qt.KeyboardModifier.ControlModifier)
    assert chart.view != before
    before = chart.view
    QTest.mouseClick(chart.plot, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
    assert wheel(chart, spot, 1)
    assert chart.view != before


def test_dragging_moves(chart: Chart) -> None:
    before, start = chart.view, at(chart, 3.0, 2.0)
    drag(chart, start, start - QPoint(60, 0))
    width = chart.plot.frame.plot.width()
    assert chart.view.x_low - before.x_low == pytest.approx(60 / width * (before.x_high - before.x_low), rel=0.05)
    assert chart.view.y_low == pytest.approx(before.y_low)


def test_shift_and_dragging_zooms_into_a_box(chart: Chart) -> None:
    drag(chart, at(chart, 1.0, 4.0), at(chart, 3.0, 2.0), Qt.KeyboardModifier.ShiftModifier)
    view = chart.view
    assert (view.x_low, view.x_high) == (pytest.approx(1.0, abs=0.03), pytest.approx(3.0, abs=0.03))
    assert (view.y_low, view.y_high) == (pytest.approx(2.0, abs=0.05), pytest.approx(4.0, abs=0.05))


def test_double_click_and_r_show_everything(chart: Chart) -> None:
    whole = chart.view
    for reset in (
        lambda: QTest.mouseDClick(chart.plot, Qt.MouseButton.LeftButton, pos=at(chart, 2.0, 2.0)),
        lambda: QTest.keyClick(chart.plot, Qt.Key.Key_R),
    ):
        chart.zoom_by(3)
        assert chart.view != whole
        reset()
        assert chart.view == whole


def test_keys_move_and_zoom(chart: Chart) -> None:
    chart.plot.setFocus()
    before = chart.view
    width, height = before.x_high - before.x_low, before.y_high - before.y_low
    QTest.keyClick(chart.plot, Qt.Key.Key_Right)
    assert chart.view.x_low - before.x_low == pytest.approx(width / 10)
    QTest.keyClick(chart.plot, Qt.Key.Key_Up)
    assert chart.view.y_low - before.y_low == pytest.approx(height / 10)
    QTest.keyClick(chart.plot, Qt.Key.Key_Plus)
    assert chart.view.x_high - chart.view.x_low == pytest.approx(width / 1.25)
    QTest.keyClick(chart.plot, Qt.Key.Key_Minus)
    assert chart.view.x_high - chart.view.x_low == pytest.approx(width)


def test_a_chosen_view_outlives_new_data_and_a_fitted_one_follows(chart: Chart) -> None:
    longer = [Series("Prior", [0.0, 100.0], [1.0, 2.0])]
    chart.set_series(longer)
    assert chart.view.x_high > 99.0
    chart.set_view(View(10.0, 20.0, 0.0, 1.0))
    chart.set_series([Series("Prior", [0.0, 500.0], [1.0, 2.0])])
    assert chart.view == View(10.0, 20.0, 0.0, 1.0)
    chart.set_log(y=True)  # on other axes it would mean something else
    assert chart.view.x_high > 499.0
    assert chart.axes[1].is_log


def test_zooming_in_for_ever_is_harmless(chart: Chart) -> None:
    for _ in range(400):
        chart.zoom_by(1)
    assert not chart.plot.grab().isNull()
    for _ in range(1500):
        chart.zoom_by(-1)
    assert not chart.plot.grab().isNull()


def test_a_click_picks(chart: Chart) -> None:
    picked: list[Any] = []
    chart.picked.connect(picked.append)
    QTest.mouseClick(chart.plot, Qt.MouseButton.LeftButton, pos=at(chart, 2.0, 3.0))
    assert [each.x for each in picked] == [2.0]
    drag(chart, at(chart, 2.0, 3.0), at(chart, 3.0, 3.0))
    assert len(picked) == 1


# ---- an axis from right to left -----------------------------------------------------------------------------------


@pytest.fixture
def backward(chart: Chart) -> Chart:
    chart.set_axes(Axis("log-SNR", is_reversed=True), Axis("", "bits"))
    chart.plot.setFocus()
    return chart


def test_a_reversed_axis_has_its_small_values_on_the_right(backward: Chart) -> None:
    image, plot = backward.plot.grab().toImage(), backward.plot.frame.plot
    assert at(backward, 0.0, 1.0).x() > at(backward, 4.0, 1.0).x()
    assert plot.contains(QPointF(at(backward, 0.0, 1.0)))
    assert plot.contains(QPointF(at(backward, 4.0, 1.0)))
    ticks = backward.plot.frame.x_ticks
    assert [tick.text for tick in ticks if tick.text][:2] == ["0", "1"]
    green = [x for x in range(image.width()) if count_of(image.copy(x, at(backward, 0, 5).y() - 2, 1, 5), GREEN)]
    assert green[0] == pytest.approx(at(backward, 3.0, 5.0).x(), abs=2)  # there is no value at 4, on the left
    assert green[-1] == pytest.approx(at(backward, 0.0, 5.0).x(), abs=2)


def test_a_reversed_axis_is_read_where_its_values_are(backward: Chart) -> None:
    QTest.mouseMove(backward.plot, at(backward, 3.2, 3.0))
    found = backward.plot.readout
    assert found is not None
    assert (found.x, [row.text for row in found.rows]) == (3.0, ["2 bits", "5 bits"])
    for expected in (2.0, 1.0, 0.0, 0.0):
        QTest.keyClick(backward.plot, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        assert backward.plot.readout is not None
        assert backward.plot.readout.x == expected


def test_a_reversed_axis_zooms_at_the_pointer_and_into_a_box(backward: Chart) -> None:
    spot = at(backward, 1.0, 2.0)
    wheel(backward, spot, 2)
    assert (at(backward, 1.0, 2.0) - spot).manhattanLength() <= 1
    backward.reset_view()
    drag(backward, at(backward, 3.0, 4.0), at(backward, 1.0, 2.0), Qt.KeyboardModifier.ShiftModifier)
    view = backward.view
    assert (view.x_low, view.x_high) == (pytest.approx(1.0, abs=0.03), pytest.approx(3.0, abs=0.03))


def test_a_reversed_axis_moves_with_the_hand(backward: Chart) -> None:
    start = at(backward, 2.0, 2.0)
    drag(backward, start, start + QPoint(60, 0))
    assert at(backward, 2.0, 2.0).x() == pytest.approx(start.x() + 60, abs=1)
    backward.reset_view()
    QTest.keyClick(backward.plot, Qt.Key.Key_Right)
    assert at(backward, 2.0, 2.0).x() < start.x()  # as on any other axis: what lies to the right comes into sight


def test_a_reversed_axis_changes_no_value_of_the_table(chart: Chart) -> None:
    before = chart.csv()
    chart.set_axes(Axis("Step", is_reversed=True), Axis("", "bits"))
    assert chart.csv() == before


def test_a_stripe_on_a_reversed_axis_lies_between_its_ends(backward: Chart) -> None:
    backward.set_marks([Mark("", x=1.0, x_end=3.0, colour=RED)])
    image = backward.plot.grab().toImage()
    inside, outside = (image.pixelColor(at(backward, x, 4.2)) for x in (2.2, 3.4))
    assert inside.red() > outside.red() + 5


# ---- files, clipboard, menu ---------------------------------------------------------------------------------------


def test_values_as_a_table(chart: Chart) -> None:
    rows = list(csv.reader(io.StringIO(chart.csv())))
    assert rows[0] == ["series", "Step", "bits"]
    assert rows[1] == ["Prior", "0.0", "1.0"]
    assert rows[-1] == ["Decoder", "4.0", ""]
    assert len(rows) == 11
    chart.set_visible("Decoder", False)
    assert len(chart.csv().splitlines()) == 6


def test_saving_and_copying(chart: Chart, tmp_path: Path) -> None:
    assert wait_for_signal(chart.saved, trigger=lambda: chart.save_to(str(tmp_path / "chart.png"))) == ("",)
    image = QImage(str(tmp_path / "chart.png"))
    assert image.size() == chart.size() * 2
    assert count_of(image, RED) > 500
    assert wait_for_signal(chart.saved, trigger=lambda: chart.save_to(str(tmp_path / "chart.csv"))) == ("",)
    assert (tmp_path / "chart.csv").read_text() == chart.csv()
    QTest.keyClick(chart.plot, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == chart.csv()
    chart.copy_picture()
    assert QGuiApplication.clipboard().image().size() == chart.size() * 2


@pytest.mark.parametrize("name", ["chart.png", "chart.csv"])
def test_a_place_that_cannot_be_written_is_told(chart: Chart, tmp_path: Path, name: str) -> None:
    place = tmp_path / "nowhere" / name
    (problem,) = wait_for_signal(chart.saved, trigger=lambda: chart.save_to(str(place)))
    assert "cannot be written" in problem
    assert "cannot be written" in chart._caption.text()


def test_the_menu_switches_axes(chart: Chart) -> None:
    menu = chart.menu()
    action = next(each for each in menu.actions() if each.text() == "Logarithmic y axis")
    action.trigger()
    assert chart.axes[1].is_log
    menu.deleteLater()
    chart.set_axes(Axis("Time", kind=AxisKind.DURATION), Axis("", "bits"))
    menu = chart.menu()
    assert "Logarithmic x axis" not in [each.text() for each in menu.actions()]
    menu.deleteLater()


# ---- colours ------------------------------------------------------------------------------------------------------


def seen_by(colour: str, kind: str) -> np.ndarray:
    """A colour as eyes without red (protan) or green (deutan) cones see it, in CIE Lab. Machado et al. 2009."""
    matrices = {
        "usual": np.eye(3),
        "protan": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
        "deutan": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    }
    values = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    linear = np.clip(matrices[kind] @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / [0.9505, 1.0, 1.089]
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


@pytest.mark.parametrize("kind", ["usual", "protan", "deutan"])
@pytest.mark.parametrize("palette", [DARK_SERIES, LIGHT_SERIES], ids=["dark", "light"])
def test_the_first_six_colours_differ_for_all_eyes(palette: tuple[str, ...], kind: str) -> None:
    seen = [seen_by(colour, kind) for colour in palette[:6]]
    pairs = [(i, j, float(np.linalg.norm(seen[i] - seen[j]))) for i in range(6) for j in range(i)]
    worst = min(pairs, key=lambda pair: pair[2])
    assert worst[2] > 15.0, worst


def test_every_colour_stands_out_from_its_ground() -> None:
    for name, series, reference, ramp in (
        ("dark", DARK_SERIES, DARK_REFERENCE, DARK_RAMP),
        ("light", LIGHT_SERIES, LIGHT_REFERENCE, LIGHT_RAMP),
    ):
        ground = PALETTES[name].panel
        for colour in (*series, reference, *ramp):
            assert contrast(colour, ground) >= 3.0, (name, colour)
        assert contrast(PALETTES[name].muted, ground) >= 4.5


def test_another_theme_is_another_picture(chart: Chart, qapp: QApplication, owned: Own) -> None:
    dark = chart.plot.grab().toImage()
    theme = owned(Theme(qapp))
    theme.set_wish("light")
    light = chart.plot.grab().toImage()
    corner = light.rect().bottomRight()
    assert light.pixelColor(corner).name() == PALETTES["light"].panel
    assert dark.pixelColor(corner).name() == PALETTES["dark"].panel
    theme.set_wish("dark")
