"""Two pictures against each other, and many in step: by what is painted and by real keys and drags."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from app.services.difference import DifferenceKind, difference_of, rgb_of
from app.ui.widgets.image_view import Candidate, GridView, PairMode, PairView, Probe
from app.ui.widgets.image_view.colour_maps import BITS, DIVERGING, HEAT, coloured, table
from app.ui.widgets.image_view.grid_view import best_columns
from tests.app.views import LEFT, NO_KEYS, colour, drag, noise, painted, plain, shown
from tests.helpers.qt import wait_for_signal, wait_until

Own = Callable[[Any], Any]
RED, BLUE = "#ff0000", "#0000ff"
MIDDLE = 216


@pytest.fixture
def pair(qapp: Any, owned: Own) -> PairView:
    pair: PairView = shown(owned, PairView())
    pair.set_pair(plain(64, 64, RED), plain(64, 64, BLUE), "Original", "JPEG")
    return pair


# ---- wipe ---------------------------------------------------------------------------------------------------------


def test_the_wipe_shows_one_left_and_the_other_right(pair: PairView) -> None:
    picture = painted(pair)
    assert (colour(picture, 100, 300), colour(picture, 330, 300)) == (RED, BLUE)
    pair.set_wipe(0.9)
    assert colour(painted(pair), 330, 300) == RED


def test_screen_readers_hear_which_picture_is_where(pair: PairView) -> None:
    assert pair.main.accessibleDescription().startswith("Original left, JPEG right, ")
    pair.set_swapped(True)
    assert pair.main.accessibleDescription().startswith("JPEG left, Original right, ")
    pair.set_mode(PairMode.BLINK)
    assert pair.main.accessibleDescription().startswith("Original, ")


def test_the_line_is_dragged_without_moving_the_picture(pair: PairView) -> None:
    centre = pair.state.centre
    drag(pair.main, QPoint(MIDDLE, MIDDLE), QPoint(316, 100))
    wait_until(lambda: pair.main.wipe != 0.5)
    assert pair.main.wipe == pytest.approx(316 / 432)
    assert pair.state.centre == centre
    pair.zoom_to(30.0)
    drag(pair.main, QPoint(100, 100), QPoint(120, 100))
    wait_until(lambda: pair.state.centre != centre)
    assert pair.main.wipe == pytest.approx(316 / 432)


def test_keys_move_the_line(pair: PairView) -> None:
    for key, share in (
        (Qt.Key.Key_Period, 0.52),
        (Qt.Key.Key_Comma, 0.5),
        (Qt.Key.Key_End, 1.0),
        (Qt.Key.Key_Period, 1.0),
        (Qt.Key.Key_Home, 0.0),
    ):
        QTest.keyClick(pair.main, key)
        assert pair.main.wipe == pytest.approx(share)
    QTest.mouseDClick(pair.main, LEFT, NO_KEYS, QPoint(2, 2))
    assert pair.main.wipe == 0.5


# ---- blink --------------------------------------------------------------------------------------------------------


def test_holding_the_key_swaps_at_once_and_letting_go_swaps_back(pair: PairView) -> None:
    pair.set_mode(PairMode.BLINK)
    assert colour(painted(pair), 300, 300) == RED
    QTest.keyPress(pair.main, Qt.Key.Key_B)
    assert colour(painted(pair), 300, 300) == BLUE  # the very next picture on the screen
    assert colour(painted(pair), 100, 300) == BLUE
    QTest.keyRelease(pair.main, Qt.Key.Key_B)
    assert colour(painted(pair), 300, 300) == RED


def test_blinking_a_wipe_exchanges_the_sides(pair: PairView) -> None:
    QTest.keyPress(pair.main, Qt.Key.Key_B)
    picture = painted(pair)
    assert (colour(picture, 100, 300), colour(picture, 330, 300)) == (BLUE, RED)


def test_other_keys_are_for_the_page(pair: PairView, owned: Own) -> None:
    keys: list[int] = []

    class Page(PairView):
        def keyPressEvent(self, event: Any) -> None:
            keys.append(event.key())

    page = shown(owned, Page())
    for key in (Qt.Key.Key_1, Qt.Key.Key_9, Qt.Key.Key_M, Qt.Key.Key_C):
        QTest.keyClick(page.main, key)
    assert keys == [Qt.Key.Key_1, Qt.Key.Key_9, Qt.Key.Key_M, Qt.Key.Key_C]


# ---- side by side -------------------------------------------------------------------------------------------------


def test_side_by_side_moves_together_and_points_at_the_same_pixel(pair: PairView) -> None:
    pair.set_mode(PairMode.SIDE_BY_SIDE)
    wait_until(lambda: pair.side.width() > 100 and pair.main.width() < 300)
    picture = painted(pair)
    assert (colour(picture, 100, MIDDLE), colour(picture, 330, MIDDLE)) == (RED, BLUE)
    pair.side.zoom_to(20.0)
    assert pair.main.zoom == 20.0
    probes: list[Any] = []
    pair.probed.connect(probes.append)
    QTest.mouseMove(pair.side, QPoint(60, 60))
    wait_until(lambda: probes)
    assert pair.main._crosshair == probes[-1]
    assert isinstance(probes[-1], Probe)
    pair.set_mode(PairMode.WIPE)
    assert pair.state.zoom == 20.0


# ---- difference ---------------------------------------------------------------------------------------------------


def test_the_absolute_difference_is_amplified(pair: PairView) -> None:
    pair.set_pair(plain(64, 64, "#203040"), plain(64, 64, "#223840"))
    wait_for_signal(pair.difference_shown, trigger=lambda: pair.set_mode(PairMode.DIFFERENCE))
    assert colour(painted(pair), MIDDLE, MIDDLE) == "#020800"
    wait_for_signal(pair.difference_shown, trigger=lambda: pair.set_gain(8.0))
    assert colour(painted(pair), MIDDLE, MIDDLE) == "#104000"
    pair.set_gain(100.0)
    assert pair.gain == 32.0


def test_the_signed_difference_tells_lighter_from_darker(pair: PairView) -> None:
    pair.set_mode(PairMode.DIFFERENCE)
    for shade, is_orange in (("#404040", False), ("#c0c0c0", True)):
        pair.set_pair(plain(64, 64, "#808080"), plain(64, 64, shade))
        wait_for_signal(pair.difference_shown, trigger=lambda: pair.set_difference(DifferenceKind.SIGNED, 2.0))
        seen = QColor(colour(painted(pair), MIDDLE, MIDDLE))
        assert (seen.red() > seen.blue()) is is_orange
    pair.set_pair(plain(64, 64), plain(64, 64))
    wait_for_signal(pair.difference_shown)
    seen = QColor(colour(painted(pair), MIDDLE, MIDDLE))
    assert seen.saturation() < 20


def test_flip_is_shown_once_its_map_is_there(pair: PairView) -> None:
    pair.set_mode(PairMode.DIFFERENCE)
    wait_for_signal(pair.difference_shown)
    pair.set_difference(DifferenceKind.FLIP)
    assert colour(painted(pair), 100, 100) == colour(painted(pair), 5, 100)  # only the canvas, and words in its middle
    errors = np.zeros((64, 64), np.float32)
    errors[:, 32:] = 1.0
    wait_for_signal(pair.difference_shown, trigger=lambda: pair.set_flip_map(errors))
    picture = painted(pair)
    low, high = (QColor(*map(int, table(HEAT)[at])).name() for at in (0, 255))
    assert (colour(picture, 100, 300), colour(picture, 330, 300)) == (low, high)
    pair.set_pair(plain(64, 64), plain(64, 64))
    assert not pair.has_flip_map


def test_a_picture_of_another_size_is_compared_at_the_size_of_the_first(qapp: Any) -> None:
    change = difference_of(plain(8, 4, "#101010"), plain(2, 2, "#202020"), DifferenceKind.ABSOLUTE)
    assert change.shape == (4, 8, 3)
    assert (change == 16).all()


def test_pixels_go_to_numpy_and_back(qapp: Any) -> None:
    image = noise(7, 5)
    pixels = rgb_of(image)
    assert pixels.shape == (5, 7, 3)
    assert tuple(pixels[3, 6]) == image.pixelColor(6, 3).getRgb()[:3]


def test_a_difference_says_what_its_colours_mean(pair: PairView) -> None:
    wait_for_signal(pair.difference_shown, trigger=lambda: pair.set_mode(PairMode.DIFFERENCE))
    assert pair.main.cover_scale is None  # colours themselves
    wait_for_signal(pair.difference_shown, trigger=lambda: pair.set_difference(DifferenceKind.SIGNED, 32.0))
    scale = pair.main.cover_scale
    assert scale is not None
    assert (scale.low, scale.middle, scale.high) == ("−7.97", "0", "+7.97")
    assert len({colour(painted(pair), x, 432 - 8 - 34) for x in range(25, 155, 10)}) > 8
    pair.set_mode(PairMode.WIPE)
    assert pair.main.cover_scale is None


# ---- grid ---------------------------------------------------------------------------------------------------------


def test_the_grid_shows_all_in_step(qapp: Any, owned: Own) -> None:
    grid: GridView = shown(owned, GridView(), 900, 320)
    grid.set_candidates([Candidate(plain(64, 64, shade), shade) for shade in (RED, BLUE, "#00ff00")])
    wait_until(lambda: all(view.width() < 310 for view in grid.views))
    grid.views[1].zoom_to(10.0)
    assert {view.zoom for view in grid.views} == {10.0}
    probes: list[Any] = []
    grid.probed.connect(probes.append)
    QTest.mouseMove(grid.views[0], QPoint(100, 100))
    wait_until(lambda: probes)
    assert [view._crosshair for view in grid.views] == [None, probes[-1], probes[-1]]
    assert [view.colour_at(probes[-1]).name() for view in grid.views] == [RED, BLUE, "#00ff00"]  # type: ignore[union-attr]
    chosen = wait_for_signal(grid.chosen, trigger=lambda: QTest.mouseClick(grid.views[2], LEFT))
    assert chosen == (2,)
    grid.set_candidates([Candidate(plain(64, 64, BLUE), "only")])
    wait_until(lambda: grid.views[0].width() > 890)
    assert grid.views[0].zoom == 10.0


def test_columns_make_the_pictures_large() -> None:
    assert best_columns(4, 1000, 1000, 1.0) == 2
    assert best_columns(3, 1200, 300, 1.0) == 3
    assert best_columns(3, 300, 1200, 1.0) == 1
    assert best_columns(6, 1600, 900, 1.5) == 3


# ---- colours ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour_map", [HEAT, BITS])
def test_lightness_rises_evenly(colour_map: Any) -> None:
    light = lightness(table(colour_map))
    steps = np.diff(light)
    assert steps.min() > -0.5
    assert light[-1] - light[0] > 80
    blocks = np.diff(light[:: len(light) // 8])
    assert blocks.min() > 4


def test_the_diverging_map_is_dark_in_the_middle_and_even_on_both_sides() -> None:
    light = lightness(table(DIVERGING))
    assert 120 <= int(light.argmin()) <= 135
    assert abs(light[0] - light[-1]) < 8
    assert np.diff(light[:120]).max() < 0.5
    assert np.diff(light[136:]).min() > -0.5


def test_values_beyond_the_scale_and_holes_are_coloured(qapp: Any) -> None:
    values = np.array([[-1.0, 0.0, 1.0, 9.0, np.nan]], np.float32)
    names = [coloured(values, 0.0, 1.0, HEAT).pixelColor(x, 0).name() for x in range(5)]
    assert names[0] == names[1]
    assert names[2] == names[3] != names[0]
    assert names[4] == "#808080"


def lightness(colours: Any) -> Any:
    """CIE L* of sRGB, computed apart from the code under test."""
    linear = np.where(colours / 255 <= 0.04045, colours / 255 / 12.92, ((colours / 255 + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)
