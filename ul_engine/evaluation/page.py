"""The report as one page for a browser, the worst samples first, with their pictures inside; it refers to nothing."""

import base64
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ul_engine.evaluation.plan import Plan
from ul_engine.evaluation.report import sort_metric, worst_first
from ul_engine.evaluation.tables import number_text, summary_text
from ul_engine.evaluation.thumbnails import BRIGHTER, NUM_KEPT

Row = Mapping[str, Any]

STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #767676; }
@media (prefers-color-scheme: dark) { :root { --quiet: #9a9a9a; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
pre { font: 13px/1.45 ui-monospace, monospace; overflow-x: auto; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 0.25rem; }
p.quiet { color: var(--quiet); margin-top: 0; }
article { border-top: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; padding: 0.9rem 0; }
article img { display: block; max-width: 100%; height: auto; }
article h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
article > div:last-child { flex: 1 1 16rem; }
dl { display: grid; gap: 0 1rem; grid-template-columns: max-content max-content; margin: 0.3rem 0 0; }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
dt { color: var(--quiet); }
"""


def page(plan: Plan, report: Row, rows: Sequence[Row], picture_of: Callable[[int], bytes | None]) -> str:
    """HTML of a finished evaluation; `picture_of` gives the JPEG of a sample by its index, None where it has none."""
    name = escape(report["model"]["name"])
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{name}: evaluation</title><style>{STYLE}</style></head><body>",
            f"<h1>{name}: evaluation</h1>",
            f"<pre>{escape(_text(report))}</pre>",
            *_samples(plan, rows, picture_of),
            "</body></html>\n",
        )
    )


def _text(report: Row) -> str:
    """The table of the terminal, and what was left out."""
    broken = [f"  {each['file']}: {each['reason']}" for each in report["data"]["broken"]]
    return "\n".join([summary_text(report), *(["", "Could not be read:", *broken] if broken else [])])


def _samples(plan: Plan, rows: Sequence[Row], picture_of: Callable[[int], bytes | None]) -> Iterator[str]:
    found = sort_metric(plan)
    if found is None or not rows:
        return
    titles = {metric.key: metric.title for metric in plan.per_sample} | {
        f"bits_per_pixel_{name}": _bits_title(name) for name in plan.restorers
    }
    worst = worst_first(plan, rows)
    yield f"<h2>Worst first, by {escape(titles[found[0]])}</h2>"
    shown = [(row, picture_of(row["index"])) for row in worst[:NUM_KEPT]]
    sentences = []
    if any(picture is not None for _, picture in shown):
        sentences.append(f"From left to right: original, reconstruction, difference ({BRIGHTER} times as bright).")
    if len(shown) < len(rows):
        sentences.append(f"These are {len(shown)} of {len(rows)} samples; all are in per-sample.csv.")
    yield f'<p class="quiet">{" ".join(sentences)}</p>'
    yield from (_sample(plan, row, picture) for row, picture in shown)


def _sample(plan: Plan, row: Row, picture: bytes | None) -> str:
    name = escape(row["file"]) + ("" if row["start"] is None else f", from frame {row['start']}")
    figures = [(metric.title, metric.unit, row.get(metric.key)) for metric in plan.per_sample]
    figures += [(_bits_title(each), "", row.get(f"bits_per_pixel_{each}")) for each in plan.restorers]
    terms = "".join(f"<dt>{escape(title)}</dt><dd>{_figure(value, unit)}</dd>" for title, unit, value in figures)
    size = f"{row['width']} × {row['height']}" + (f" × {row['frames']} frames" if row["frames"] > 1 else "")
    image = ""
    if picture is not None:
        data, alt = base64.b64encode(picture).decode(), f"Original, reconstruction and difference of {name}"
        image = f'<div><img alt="{alt}" src="data:image/jpeg;base64,{data}"></div>'
    return (
        f'<article>{image}<div><h3>{name}</h3><p class="quiet">{size}, seed {row["seed"]}</p><dl>{terms}</dl></div>'
        "</article>"
    )


def _bits_title(restorer: str) -> str:
    return f"Bits per pixel, {'base model' if restorer == 'base' else restorer} (bound)"


def _figure(value: Any, unit: str) -> str:
    if value is None:
        return "too small"
    figure = float(value)
    return "identical" if math.isinf(figure) else escape(f"{number_text(figure)} {unit}".strip())
