"""SVG elements as text."""

from html import escape

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
INK, QUIET, GRID, PAPER = "#1a1a1a", "#555555", "#e3e3e3", "#ffffff"
CHARACTER_SHARE = 0.62
"""Mean width of a character as a share of the font's size."""


def text(x: float, y: float, content: str, *, size: float = 12.0, anchor: str = "start", **more: str) -> str:
    """A line of text at its baseline; `more` are attributes, with ``_`` for ``-``."""
    attributes = {"fill": INK} | {name.replace("_", "-"): value for name, value in more.items()}
    given = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"'
    return f"<text {place}{given}>{escape(content, quote=False)}</text>"


def line(start: tuple[float, float], end: tuple[float, float], *, colour: str = GRID, width: float = 1.0) -> str:
    """A straight line."""
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
        f'stroke="{colour}" stroke-width="{width:g}"/>'
    )


def polyline(points: list[tuple[float, float]], *, colour: str, is_dashed: bool = False) -> str:
    """Straight pieces through all points."""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="4 3"' if is_dashed else ""
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.8"{dashes}/>'


def marker(x: float, y: float, kind: str, *, colour: str, is_filled: bool = True) -> str:
    """A circle, square, diamond or triangle about `(x, y)`."""
    paint = f'fill="{colour if is_filled else PAPER}" stroke="{colour}" stroke-width="1.6"'
    if kind == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" {paint}/>'
    corners = {
        "square": ((-3.8, -3.8), (3.8, -3.8), (3.8, 3.8), (-3.8, 3.8)),
        "diamond": ((0.0, -5.4), (5.4, 0.0), (0.0, 5.4), (-5.4, 0.0)),
        "triangle": ((0.0, -5.2), (5.0, 3.8), (-5.0, 3.8)),
    }[kind]
    places = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{places}" {paint}/>'


def text_width(content: str, size: float) -> float:
    """Width in pixels, about."""
    return len(content) * size * CHARACTER_SHARE


def document(width: float, height: float, elements: list[str], *, title: str) -> str:
    """A whole file on a white ground, so that it reads on dark pages too."""
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" role="img">'
    ground = f'<rect width="{width:g}" height="{height:g}" fill="{PAPER}"/>'
    return "\n".join([head, f"<title>{escape(title, quote=False)}</title>", ground, *elements, "</svg>\n"])
