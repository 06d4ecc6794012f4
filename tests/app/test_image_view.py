"""The picture view by real wheels, drags and keys, and by what it paints."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QNativeGestureEvent, QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.ui.widgets.image_view import CellGrid, ImageView, MarkedRectangle, Marks, Probe, ViewState
from tests.app.conftest import ROOT
from tests.app.views import LEFT, NO_KEYS, colour, drag, noise, painted, plain, shown, wheel
from tests.helpers.qt import wait_for_signal, wait_until

Own = Callable[[Any], Any]


@pytest.fixture
def view(qapp: Any, owned: Own) -> ImageView:
    view: ImageView = shown(owned, ImageView())
    view.set_image(plain(64, 64))
    return view


def test_a_picture_is_fitted_by_whole_factors(view: ImageView) -> None:
    assert view.zoom == 6.0  # 400 px of room
    view.set_crisp(False)
    assert view.zoom == pytest.approx(6.25)


def test_the_wheel_zooms_at_the_pointer(view: ImageView) -> None:
    point = QPointF(100.0, 150.0)
    before = view.geometry_now().to_picture(point)
    view.zoom_to(12.0, point)
    assert view.zoom == 12.0
    assert (view.geometry_now().to_picture(point) - before).manhattanLength() < 1e-6
    wheel(view, 1, point)
    assert view.zoom == 15.0
    assert (view.geometry_now().to_picture(point) - before).manhattanLength() < 1e-6


def test_dragging_pans_and_keeps_the_picture_in_sight(view: ImageView) -> None:
    view.zoom_to(20.0)
    before = view.state.centre
    drag(view, QPoint(200, 200), QPoint(240, 200))
    wait_until(lambda: view.state.centre != before)
    assert view.state.centre.x() == pytest.approx(before.x() - 2.0)
    view.zoom_to(1000.0)
    assert view.zoom == 64.0
    drag(view, QPoint(10, 10), QPoint(420, 420))
    for _ in range(20):
        drag(view, QPoint(10, 10), QPoint(420, 420))
    assert view.state.centre == QPointF(0, 0)


def test_a_double_click_goes_to_all_of_it_and_to_one_for_one(view: ImageView) -> None:
    view.zoom_to(20.0)
    QTest.mouseDClick(view, LEFT)
    assert (view.zoom, view.state.is_fitted) == (6.0, True)
    QTest.mouseDClick(view, LEFT)
    assert view.zoom == 1.0


def test_keys_zoom_pan_and_fit(view: ImageView) -> None:
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Plus)
    assert view.zoom == 7.5
    before = view.state.centre
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.state.centre.x() > before.x()
    assert view.state.centre.y() > before.y()
    QTest.keyClick(view, Qt.Key.Key_Minus)
    assert view.zoom == 6.0
    QTest.keyClick(view, Qt.Key.Key_0)
    assert view.state.is_fitted


def test_a_pinch_zooms_where_the_fingers_are(view: ImageView) -> None:
    point = QPointF(100.0, 150.0)
    before = view.geometry_now().to_picture(point)
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        point,
        point,
        QPointF(view.mapToGlobal(point.toPoint())),
        0.5,
        QPointF(),
    )
    QApplication.sendEvent(view, event)
    assert view.zoom == 9.0
    assert (view.geometry_now().to_picture(point) - before).manhattanLength() < 1e-6


def test_a_fitted_picture_stays_fitted_and_a_zoomed_one_where_it_is(view: ImageView) -> None:
    view.resize(232, 232)
    assert view.zoom == 3.0
    view.zoom_to(10.0)
    view.resize(432, 432)
    assert view.zoom == 10.0
    view.set_image(plain(64, 64, "#0000ff"))
    assert view.zoom == 10.0
    view.set_image(plain(32, 64))
    assert view.state.is_fitted


def test_views_of_one_state_move_together_also_with_other_sizes(qapp: Any, owned: Own) -> None:
    state = ViewState()
    first, second = (shown(owned, ImageView(state)) for _ in range(2))
    first.set_image(plain(64, 64))
    second.set_image(plain(128, 128, "#0000ff"))
    first.zoom_to(20.0)
    assert second.zoom == 20.0
    assert second.geometry_now() == first.geometry_now()
    second.resize(332, 332)
    state.fit()
    assert first.zoom == second.zoom == 4.0  # the smaller one decides
    second.hide()
    assert first.zoom == 6.0


def test_the_probe_names_the_pixel(view: ImageView) -> None:
    probes: list[Any] = []
    view.probed.connect(probes.append)
    QTest.mouseMove(view, QPoint(24 + 6 * 10 + 3, 24 + 6 * 20 + 3))
    wait_until(lambda: probes)
    assert probes[-1] == Probe(10, 20)
    assert view.colour_at(probes[-1]) == QColor("#ff0000")
    QTest.mouseMove(view, QPoint(2, 2))
    wait_until(lambda: probes[-1] is None)
    assert view.colour_at(Probe(64, 0)) is None


def test_a_click_is_told_and_a_drag_is_none(view: ImageView) -> None:
    clicks: list[int] = []
    view.clicked.connect(lambda: clicks.append(1))
    drag(view, QPoint(100, 100), QPoint(200, 200))
    assert not clicks
    QTest.mouseClick(view, LEFT, NO_KEYS, QPoint(100, 100))
    assert clicks


# ---- what it paints -----------------------------------------------------------------------------------------------


def test_overlay_marks_and_crosshair_lie_over_the_picture(view: ImageView) -> None:
    assert colour(painted(view), 216, 216) == "#ff0000"
    overlay = plain(2, 2, "#0000ff")
    overlay.setPixelColor(0, 0, QColor("#00ff00"))
    view.set_overlay(overlay, 1.0)
    assert (colour(painted(view), 60, 60), colour(painted(view), 300, 60)) == ("#00ff00", "#0000ff")
    view.set_overlay(overlay, 0.5)
    assert view.grab().toImage().pixelColor(300, 60).red() in (127, 128)
    view.set_overlay(None)
    view.set_marks(Marks((MarkedRectangle(10, 10, 20, 20, "here"),), CellGrid(8, 8)))
    marked = painted(view)
    assert colour(marked, 24 + 60 + 50, 24 + 60) == "#ffffff"  # the frame's upper edge
    assert colour(marked, 24 + 48 * 6, 24 + 300) != "#ff0000"  # a line between two cells
    view.set_marks(None)
    before = painted(view)
    view.set_crosshair(Probe(32, 32))
    assert painted(view) != before


def test_nothing_shows_as_a_checker(view: ImageView) -> None:
    clear = QImage(64, 64, QImage.Format.Format_ARGB32)
    clear.fill(Qt.GlobalColor.transparent)
    view.set_image(clear)
    seen = {colour(painted(view), x, 100) for x in range(100, 140)}
    assert len(seen) == 2


def test_pixels_have_edges_when_they_are_large_enough(view: ImageView) -> None:
    view.zoom_to(10.0)
    assert len({colour(painted(view), x, 216) for x in range(200, 240)}) == 1
    view.zoom_to(20.0)
    assert len({colour(painted(view), x, 216) for x in range(200, 240)}) == 2


def test_crisp_is_hard_and_smooth_is_soft(qapp: Any, owned: Own) -> None:
    view: ImageView = shown(owned, ImageView())
    edge = plain(64, 64, "#000000")
    for y in range(64):
        for x in range(32):
            edge.setPixelColor(x, y, QColor("#ffffff"))
    view.set_image(edge)
    assert {colour(painted(view), x, 100) for x in range(200, 232)} == {"#ffffff", "#000000"}
    view.set_crisp(False)
    assert len({colour(painted(view), x, 100) for x in range(200, 232)}) > 3


def test_only_keys_make_the_frame_of_focus_appear(view: ImageView) -> None:
    view.setFocus(Qt.FocusReason.MouseFocusReason)
    assert colour(painted(view), 0, 200) != "#8da2ff"
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    focused = colour(painted(view), 0, 200)
    QTest.mouseClick(view, LEFT, NO_KEYS, QPoint(100, 100))
    assert colour(painted(view), 0, 200) != focused
    QTest.keyClick(view, Qt.Key.Key_Shift)
    assert colour(painted(view), 0, 200) == focused


def test_a_screen_reader_hears_what_it_is(view: ImageView) -> None:
    assert view.accessibleName() == "Picture"
    view.set_label("JPEG 0.5")
    assert view.accessibleDescription() == "JPEG 0.5, 64 × 64"


# ---- large pictures -----------------------------------------------------------------------------------------------


def test_painting_reads_from_the_smallest_level_that_will_do(qapp: Any, owned: Own) -> None:
    view: ImageView = shown(owned, ImageView())
    image = noise(3200, 1600)
    view.set_image(image)
    wait_for_signal(view.levels.levels_changed, trigger=view.repaint)
    assert [level.width() for level in view.levels.levels] == [3200, 1600, 800, 400, 200]
    for scale in (4.0, 1.0, 0.9, 0.5, 0.3, 0.125, 0.02):
        level = view.levels.level_for(scale)
        assert level is not None
        needed = 3200 * scale
        assert level.width() >= min(needed, 3200) or level is view.levels.levels[-1]
        assert level.width() < 2 * needed or level.width() == 200 or level.width() == 3200


def test_a_fine_pattern_does_not_become_rubbish_when_it_is_small(qapp: Any, owned: Own) -> None:
    """Every second column white: seen from afar that is grey, at every place."""
    view: ImageView = shown(owned, ImageView())
    stripes = QImage(2048, 2048, QImage.Format.Format_Grayscale8)
    row = bytes([255, 0] * 1024)
    for y in range(2048):
        stripes.scanLine(y)[:2048] = row
    view.set_image(stripes)
    wait_for_signal(view.levels.levels_changed, trigger=view.repaint)
    shades = {painted(view).pixelColor(x, 200).red() for x in range(40, 380)}
    assert max(shades) - min(shades) <= 2
    assert 120 <= min(shades) <= 136


def test_a_small_crisp_picture_needs_no_levels(view: ImageView) -> None:
    view.repaint()
    wait_until(lambda: len(view.levels.levels) == 1 and view.levels.levels[0].format() is QImage.Format.Format_RGB32)


# ---- fine screens -------------------------------------------------------------------------------------------------

FINE_SCREEN = """
import sys
import numpy as np
from PySide6.QtWidgets import QApplication
app = QApplication([])
from app.services.difference import image_of_rgb, rgb_of
from app.ui.widgets.image_view import ImageView
pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
view = ImageView()
view.resize(301, 203)
view.show()
app.processEvents()
view.set_image(image_of_rgb(pixels))
view.zoom_to(1.0)
seen = rgb_of(view.grab().toImage())
ratio = view.devicePixelRatioF()
corner = view.geometry_now().place.topLeft() * ratio
x, y = round(corner.x()), round(corner.y())
exact = np.array_equal(seen[y : y + 90, x : x + 120], pixels)
view.zoom_to(3.0)
corner = view.geometry_now().place.topLeft() * ratio
x, y = round(corner.x()), round(corner.y())
large = rgb_of(view.grab().toImage())
small = pixels.repeat(3, 0).repeat(3, 1)
rows, columns = slice(max(0, y), y + 270), slice(max(0, x), x + 360)
part = large[rows, columns]
tripled = np.array_equal(part, small[max(0, -y) :, max(0, -x) :][: part.shape[0], : part.shape[1]])
print(ratio, exact, tripled)
"""


@pytest.mark.parametrize("ratio", ["1", "1.25", "1.5", "2"])
def test_a_pixel_of_the_picture_is_whole_pixels_of_every_screen(ratio: str) -> None:
    environment = os.environ | {"QT_SCALE_FACTOR": ratio, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    child = subprocess.run(
        [sys.executable, "-c", FINE_SCREEN], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert child.stdout.split() == [str(float(ratio)), "True", "True"], child.stderr
