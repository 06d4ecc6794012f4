"""Many generations in fast forward: what the window has forgotten to let go of."""

import asyncio
import gc
import sys
from typing import Any

import psutil

from app.bench.driving import until
from app.bench.generating import click_generate
from app.shell import Shell

SIDE_PX = 128
WARM_JOBS, MORE_JOBS = 60, 240
PICTURES_PER_JOB = 4
_MIB = 2**20


async def growth(shell: Shell) -> dict[str, Any]:
    """Memory per thousand pictures, after the pictures that are kept for show are counted out."""
    client, session = shell.program.client, shell.program.session
    usual = client.command
    client.set_command((sys.executable, "-m", "app.bench.replay_engine", str(SIDE_PX)))
    client.restart()
    await until(lambda: session.engine.status.device_name == "Replay", "the stand-in engine did not start")
    try:
        await _run_jobs(shell, WARM_JOBS)
        before = await _resident_mib(shell)
        await _run_jobs(shell, MORE_JOBS)
        after = await _resident_mib(shell)
    finally:
        client.set_command(usual)
        client.restart()
    num_pictures = MORE_JOBS * PICTURES_PER_JOB
    return {
        "num_pictures": num_pictures,
        "resident_mib": round(after, 1),
        "growth_kib_per_picture": round((after - before) * 1024 / num_pictures, 2),
    }


async def _run_jobs(shell: Shell, count: int) -> None:
    """The list is emptied in between, as a person would; the files stay."""
    results = shell.program.session.results
    for _ in range(count):
        click_generate(shell, num_images=PICTURES_PER_JOB)
        await until(lambda: shell.program.session.queue.view.is_idle, "a job did not end")
        await until(lambda: all(t.path or t.problem for t in results.done_tiles()), "a picture was not saved")
        if results.num_done >= 50:
            results.clear()
    results.clear()


async def _resident_mib(shell: Shell) -> float:
    shell.program.session.results.clear()
    await asyncio.sleep(0.3)
    gc.collect()
    return float(psutil.Process().memory_info().rss) / _MIB
