"""Charts as SVG text: lines and points on linear or logarithmic axes, several panels to a page. No torch."""

from trainer.charts.chart import Axis, Mark, Page, Panel, Series
from trainer.charts.page import page_svg

__all__ = ["Axis", "Mark", "Page", "Panel", "Series", "page_svg"]
