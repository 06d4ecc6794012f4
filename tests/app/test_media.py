"""Pictures between bytes and Qt: nothing is shared, no row is skewed."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage

from app.pixels import Pixels
from app.services.media import image_of, load_image, pixels_of
from app.ui.widgets.picture_cache import fit


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 17])
def test_there_and_back_at_every_row_length(qapp: Any, width: int) -> None:
    data = bytes((7 * i) % 256 for i in range(width * 3 * 3))
    pixels = Pixels(width, 3, data)
    assert pixels_of(image_of(pixels)) == pixels


def test_decisive_pixels(qapp: Any) -> None:
    image = image_of(Pixels(3, 2, bytes([255, 0, 0] * 3 + [0, 0, 255] * 3)))
    assert image.pixelColor(2, 0) == QColor(255, 0, 0)
    assert image.pixelColor(0, 1) == QColor(0, 0, 255)


def test_the_image_outlives_its_bytes(qapp: Any) -> None:
    images = [image_of(Pixels(3, 3, bytes([value] * 27))) for value in range(50)]
    assert [image.pixelColor(1, 1).red() for image in images] == list(range(50))


def test_files(qapp: Any, tmp_path: Path) -> None:
    image = QImage(5, 4, QImage.Format.Format_RGB888)
    image.fill(QColor(1, 2, 3))
    image.save(str(tmp_path / "a.png"))
    (tmp_path / "b.png").write_bytes(b"no picture")
    loaded = load_image(str(tmp_path / "a.png"))
    assert loaded is not None
    assert loaded.size() == QSize(5, 4)
    assert load_image(str(tmp_path / "b.png")) is None
    assert load_image(str(tmp_path / "c.png")) is None


def test_crisp_enlarging_keeps_pixels_equal_and_hard(qapp: Any) -> None:
    image = image_of(Pixels(2, 1, bytes([255, 255, 255, 0, 0, 0])))
    large = fit(image, QSize(9, 9), is_crisp=True)
    assert large.size() == QSize(8, 4)
    assert [large.pixelColor(x, 0).red() for x in range(8)] == [255] * 4 + [0] * 4


def test_smooth_enlarging_fills_the_room(qapp: Any) -> None:
    image = image_of(Pixels(2, 1, bytes([255, 255, 255, 0, 0, 0])))
    large = fit(image, QSize(9, 9), is_crisp=False)
    assert large.width() == 9
    assert len({large.pixelColor(x, 0).red() for x in range(9)}) > 2


def test_large_pictures_are_fitted_in(qapp: Any) -> None:
    image = image_of(Pixels(40, 20, bytes(2400)))
    assert fit(image, QSize(10, 10), is_crisp=True).size() == QSize(10, 5)
