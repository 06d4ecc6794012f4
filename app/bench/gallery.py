"""The library with twenty-five thousand results: how fast a search answers, how smoothly it scrolls."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from app.bench.driving import until
from app.bench.gaps import GapMeter, percentile
from app.shell import Shell
from ul_engine.outputs import save_picture
from ul_engine.requests import GenerateRequest

NUM_RESULTS, NUM_KINDS = 25_000, 250
SCROLLS = 300


async def browsing(shell: Shell) -> dict[str, Any]:
    """Fill the folder of results, wait for the index, then search and scroll."""
    session, page = shell.program.session, shell.window.library_page
    await asyncio.to_thread(_fill, session.folders.places.outputs)
    began = time.perf_counter()
    shell.window.show_page("library")
    shell.program.late.gallery.index.rescan()
    await until(lambda: session.gallery.list.rowCount() >= NUM_RESULTS, "the index was not built", 900.0)
    await until(lambda: not session.gallery.scan.is_running, "the index was not built", 900.0)
    indexed_s = time.perf_counter() - began
    searches = sorted([await _search(shell, f"kind{number:03}") for number in range(0, NUM_KINDS, 5)])
    session.gallery.set_filter(text="")
    session.gallery.search()
    await until(lambda: session.gallery.list.rowCount() >= NUM_RESULTS, "the search was not undone")
    meter, bar = GapMeter(shell), page.grid.verticalScrollBar()
    meter.start()
    for step in range(SCROLLS):
        bar.setValue(round(bar.maximum() * (step / SCROLLS)))
        await asyncio.sleep(0.01)
    gaps = meter.stop()
    shell.window.show_page("generate")
    return {
        "num_results": session.gallery.list.rowCount(),
        "indexed_s": round(indexed_s, 2),
        "search_median_ms": round(percentile(searches, 0.5) * 1000, 2),
        "search_ms": round(percentile(searches, 0.99) * 1000, 2),
        "gaps": gaps,
    }


async def _search(shell: Shell, text: str) -> float:
    """Until its results are there."""
    gallery = shell.program.session.gallery
    before = gallery.list.ids
    gallery.set_filter(text=text)
    return await until(lambda: gallery.list.ids and gallery.list.ids != before, f"{text} was not found")


def _fill(root: Path) -> None:
    """A few real files, and many names for each."""
    side = 8
    made = [
        save_picture(
            bytes((kind % 256, 90, 160)) * (side * side),
            GenerateRequest(model="scenes", prompt=f"a kind{kind:03} thing", num_images=1, seed=kind),
            0,
            root,
            shape=(1, side, side, 3),
        )
        for kind in range(NUM_KINDS)
    ]
    for number in range(NUM_RESULTS - NUM_KINDS):
        path = made[number % NUM_KINDS]
        os.link(path, path.with_name(f"9{number:05}-{path.name}"))
