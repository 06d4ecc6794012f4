"""Charts: ticks are round and inside, every point is drawn where its value says, labels keep apart, the file is SVG."""

import itertools
from xml.etree import ElementTree

import pytest

from trainer.charts import Axis, Mark, Page, Panel, Series, page_svg
from trainer.charts.labels import Box, LabelPlacer, around
from trainer.charts.panel import WIDTH
from trainer.charts.scales import Scale, scale_for, tick_texts
from trainer.charts.svg import PAPER

SVG = "{http://www.w3.org/2000/svg}"
BITS, PSNR = Axis("bits per pixel"), Axis("PSNR (dB)")


def parsed(*panels: Panel, title: str = "A < B & C") -> ElementTree.Element:
    return ElementTree.fromstring(page_svg(Page(title, (panels,), "a subtitle")))


def circles(root: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(each.attrib["cx"]), float(each.attrib["cy"])) for each in root.iter(f"{SVG}circle")]


def words(root: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{SVG}text")]


def series(*points: tuple[float, float], name: str = "", is_labelled: bool = False) -> Series:
    return Series(name, tuple(Mark(x, y, f"{x:g}" if is_labelled else "") for x, y in points))


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.035, 0.116), (25.7, 30.1), (-3.0, 7.0), (1e-6, 3e-6)])
def test_linear_ticks_are_round_and_inside(low: float, high: float) -> None:
    scale = Scale(low, high)
    assert 3 <= len(scale.ticks) <= 7
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in scale.ticks)
    steps = [second - first for first, second in itertools.pairwise(scale.ticks)]
    assert max(steps) == pytest.approx(min(steps))
    assert [float(text) for text in tick_texts(scale)] == pytest.approx(list(scale.ticks))


def test_logarithmic_ticks_and_shares() -> None:
    scale = scale_for([0.01, 1.0], is_log=True)
    assert {0.01, 0.1, 1.0} <= set(scale.ticks)
    middle = (scale.share(0.01) + scale.share(1.0)) / 2
    assert scale.share(0.1) == pytest.approx(middle)
    assert 2 <= len(Scale(0.11, 0.19, is_log=True).ticks) <= 7


def test_one_value_and_no_value_have_a_scale() -> None:
    assert scale_for([2.0]).low < 2.0 < scale_for([2.0]).high
    assert scale_for([0.0]).low == 0.0
    assert scale_for([]).ticks


def test_points_lie_where_their_values_say() -> None:
    root = parsed(Panel("a", BITS, PSNR, (series((0.0, 10.0), (0.5, 20.0), (1.0, 30.0)),)))
    (x0, y0), (x1, y1), (x2, y2) = circles(root)
    assert x0 < x1 < x2
    assert y0 > y1 > y2
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)


def test_page_is_on_white_and_escapes_words() -> None:
    root = parsed(Panel("a", BITS, PSNR, (series((0.0, 1.0), (1.0, 2.0), name="ours"),)))
    ground = root.find(f"{SVG}rect")
    assert ground is not None
    assert ground.attrib["fill"] == PAPER
    assert ground.attrib["width"] == root.attrib["width"]
    assert {"A < B & C", "a subtitle", "ours", "bits per pixel", "PSNR (dB)"} <= set(words(root))
    assert all("fill" in each.attrib for each in root.iter(f"{SVG}text"))


def test_legend_names_each_series_once() -> None:
    panel = Panel("a", BITS, PSNR, (series((0.0, 1.0), (1.0, 2.0), name="ours"),))
    root = parsed(panel, panel)
    assert words(root).count("ours") == 1
    assert float(root.attrib["width"]) > 2 * WIDTH


def test_panel_without_points_says_so() -> None:
    root = parsed(Panel("a", BITS, PSNR, note="no base model"))
    assert "no base model" in words(root)
    assert not circles(root)


def test_labels_keep_off_each_other_and_stay_inside() -> None:
    area = Box(0.0, 0.0, 300.0, 200.0)
    points = [(40.0 + 18.0 * number, 100.0 - 8.0 * number) for number in range(8)]
    placer = LabelPlacer(area, around(points, has_line=True))
    placed = [placer.place(x, y, "4.5") for x, y in points]
    boxes = [Box(label.x, label.y - 9.0, label.x + 18.0, label.y + 2.0) for label in placed]
    assert all(first.overlap(second) < 1.0 for first, second in itertools.combinations(boxes, 2))
    assert all(box.overlap(area) == pytest.approx(box.area) for box in boxes)
    assert LabelPlacer(area, []).place(299.0, 1.0, "edge").x < 280.0
