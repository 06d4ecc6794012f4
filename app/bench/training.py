"""The page Train while events arrive at fifty a second, with previews among them."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from app.bench.driving import until
from app.bench.gaps import GapMeter
from app.bench.short_run import train_shortly
from app.shell import Shell

EVENTS_PER_S = 50
SECONDS = 15


async def watching(shell: Shell) -> dict[str, Any]:
    """A run that another process replays into its folder, opened live."""
    runs = shell.program.session.folders.places.runs
    source, target = runs.with_name("recorded"), runs / "replayed"
    await train_shortly(source)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.bench.replay_run", str(source), str(target), str(EVENTS_PER_S), str(SECONDS + 5))
    )
    try:
        return await _watch(shell, target)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        shell.window.show_page("generate")


async def _watch(shell: Shell, target: Path) -> dict[str, Any]:
    session, meter = shell.program.session, GapMeter(shell)
    shell.window.show_page("train")
    await until(lambda: (target / "status.json").exists(), "the replay did not begin")
    shell.window.train_page.open_run(str(target))
    await until(lambda: session.runs.current is not None, "the run was not opened")
    await asyncio.sleep(1.0)
    meter.start()
    await asyncio.sleep(SECONDS - 2)
    return {"events_per_s": EVENTS_PER_S, "gaps": meter.stop()}
