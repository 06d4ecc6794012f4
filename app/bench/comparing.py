"""Moving along a ladder whose rungs are all decoded: from the key to the paint."""

import asyncio
import time
from typing import Any

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from app.bench.driving import BenchFailed, until
from app.bench.gaps import GapMeter, percentile
from app.shell import Shell

ROUNDS = 12


class PaintWatch(QObject):
    """Notes the last time when anything below a widget was painted."""

    def __init__(self, root: QWidget) -> None:
        super().__init__(root)
        self.painted_s = 0.0
        for widget in (root, *root.findChildren(QWidget)):
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Looks, never eats."""
        if event.type() == QEvent.Type.Paint:
            self.painted_s = time.perf_counter()
        return False


async def scrubbing(shell: Shell) -> dict[str, Any]:
    """Every rung of the latent's ladder, back and forth."""
    session, page = shell.program.session, shell.window.compare_page
    await load_picture(shell)
    if page.center is None:
        raise BenchFailed("the page Compare was not built")
    watch, meter = PaintWatch(page.center), GapMeter(shell)
    compare = session.compare
    rungs = [*compare.form.rungs(compare.view.view.ladder)]
    meter.start()
    latencies = []
    for rung in (*rungs, *reversed(rungs)) * ROUNDS:
        before = watch.painted_s
        began = time.perf_counter()
        compare.view.set_rung(rung)
        QApplication.sendPostedEvents()
        while watch.painted_s <= before and time.perf_counter() - began < 0.25:
            await asyncio.sleep(0)
        if watch.painted_s > before:
            latencies.append(watch.painted_s - began)
        await asyncio.sleep(0.005)
    gaps = meter.stop()
    shell.window.show_page("generate")
    ordered = sorted(latencies)
    if len(ordered) < len(rungs):
        raise BenchFailed("moving along the ladder painted nothing")
    return {
        "num_rungs": len(rungs),
        "num_moves": len(ordered),
        "scrub_median_ms": round(percentile(ordered, 0.5) * 1000, 2),
        "scrub_p99_ms": round(percentile(ordered, 0.99) * 1000, 2),
        "gaps": gaps,
    }


async def load_picture(shell: Shell) -> None:
    """A picture of this session on the ladder, every rung decoded."""
    session = shell.program.session
    paths = [tile.path for tile in session.results.done_tiles() if tile.path]
    shell.window.show_page("compare")
    session.compare.add_files(paths[:1])
    await until(lambda: session.compare.inputs.current is not None, "the picture was not taken in")
    await until(lambda: session.compare.run() or not session.queue.view.is_idle, "nothing was asked for")
    await until(lambda: session.queue.view.is_idle, "the comparison was not made", 900.0)
    await asyncio.sleep(0.5)
