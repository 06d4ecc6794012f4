"""The start, the first picture, a long job, and how fast Stop is obeyed."""

import asyncio
import time
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.bench.driving import BenchFailed, click, until
from app.bench.gaps import GapMeter
from app.first_paint import process_age_s
from app.models.job_queue import JobState
from app.shell import Shell

NUM_PICTURES = 8
PROMPT = "a red sphere"


async def first_picture(shell: Shell) -> dict[str, Any]:
    """From the start of the process to a picture on the disk."""
    _ask(shell, num_images=1)
    await until(lambda: shell.program.session.results.num_done == 1, "no picture was made")
    seconds = process_age_s()
    await _saved(shell)
    return {"first_picture_s": round(seconds, 3)}


async def generating(shell: Shell) -> dict[str, Any]:
    """A job of several pictures with previews on."""
    meter = GapMeter(shell)
    before = shell.program.session.results.num_done
    meter.start()
    _ask(shell, num_images=NUM_PICTURES)
    seconds = await until(
        lambda: shell.program.session.results.num_done == before + NUM_PICTURES, "the pictures were not made", 600.0
    )
    await _saved(shell)
    gaps = meter.stop()
    return {"num_pictures": NUM_PICTURES, "seconds": round(seconds, 3), "gaps": gaps}


async def stopping(shell: Shell) -> dict[str, Any]:
    """Esc in the middle of a long job: until the window says so, and until the engine has stopped."""
    queue = shell.program.session.queue
    shell.program.session.form.update(base_steps=200, decoder_steps=200, batch_size=NUM_PICTURES)
    click_generate(shell, num_images=NUM_PICTURES)
    await until(lambda: queue.progress.fraction > 0.005, "the long job did not begin")
    began = time.perf_counter()
    QTest.keyClick(shell.window, Qt.Key.Key_Escape)
    job = queue.view.running
    if job is not None and job.state is not JobState.STOPPING:
        raise BenchFailed("Esc was not taken for Stop")
    await asyncio.sleep(0)  # one turn of the event loop: what changed is painted
    acknowledged_s = time.perf_counter() - began
    await until(lambda: queue.view.running is None, "the job did not stop")
    return {
        "acknowledged_ms": round(acknowledged_s * 1000, 2),
        "stopped_ms": round((time.perf_counter() - began) * 1000, 2),
    }


def click_generate(shell: Shell, **values: Any) -> None:
    """Set the form and press the button."""
    form = shell.program.session.form
    if form.model is None:
        raise BenchFailed("there is no usable model")
    examples = form.grammar.examples if form.grammar else ()
    form.update(prompt=examples[0] if examples else PROMPT, **values)
    click(shell.window.generate_page.panel.bar.generate_button)
    if shell.program.session.queue.view.is_idle:
        raise BenchFailed(f"nothing was queued; the form says: {form.errors}")


def _ask(shell: Shell, **values: Any) -> None:
    click_generate(shell, **values)


async def _saved(shell: Shell) -> None:
    results = shell.program.session.results
    await until(lambda: all(tile.path or tile.problem for tile in results.done_tiles()), "the files were not written")
