"""Puts panels together: title, legend, rows of panels."""

from trainer.charts import svg
from trainer.charts.chart import FAINT, Page, Series
from trainer.charts.panel import HEIGHT, WIDTH, panel_svg

MARGIN, GAP = 16.0, 12.0
LEGEND_ROW = 20.0


def page_svg(page: Page) -> str:
    """The page as the text of an SVG file."""
    columns = max((len(row) for row in page.rows), default=1)
    width = 2 * MARGIN + columns * WIDTH + (columns - 1) * GAP
    elements = [svg.text(MARGIN, 30, page.title, size=17, font_weight="bold")]
    top = 40.0
    if page.subtitle:
        elements.append(svg.text(MARGIN, 49, page.subtitle, size=12, fill=svg.QUIET))
        top = 60.0
    legend, top = _legend(_named(page), top, width)
    for number, row in enumerate(page.rows):
        y = top + number * (HEIGHT + GAP)
        for column, panel in enumerate(row):
            elements += panel_svg(panel, MARGIN + column * (WIDTH + GAP), y)
    height = top + len(page.rows) * (HEIGHT + GAP) + MARGIN - GAP
    return svg.document(width, height, [*elements, *legend], title=page.title)


def _named(page: Page) -> list[Series]:
    """Series with names, each name once, in the order of the panels."""
    found: dict[str, Series] = {}
    for row in page.rows:
        for panel in row:
            for series in panel.series:
                if series.name:
                    found.setdefault(series.name, series)
    return list(found.values())


def _legend(series: list[Series], top: float, width: float) -> tuple[list[str], float]:
    """Its elements, and where the panels begin below it."""
    elements: list[str] = []
    x, y = MARGIN, top + 12.0
    for each in series:
        needed = 42.0 + svg.text_width(each.name, 12.0)
        if x > MARGIN and x + needed > width - MARGIN:
            x, y = MARGIN, y + LEGEND_ROW
        colour = FAINT if each.is_faint else each.colour
        if each.has_line:
            elements.append(svg.polyline([(x, y - 4), (x + 26, y - 4)], colour=colour, is_dashed=each.is_faint))
        is_filled = each.has_line and not each.is_faint
        elements.append(svg.marker(x + 13, y - 4, each.marker, colour=colour, is_filled=is_filled))
        elements.append(svg.text(x + 32, y, each.name, size=12))
        x += needed + 14.0
    return elements, (y + 12.0 if series else top)
