"""Shows the window and notes its first paint, before anything is read that only measuring needs."""

import asyncio
import sys
from pathlib import Path

from app.first_paint import FirstPaint
from app.shell import Shell

PATIENCE_S = 120.0


async def bench(shell: Shell, path: Path, only: str = "") -> int:
    """Measure the window and write the figures; 0 only if all could be measured."""
    first_paint = FirstPaint(shell)
    shell.window.installEventFilter(first_paint)
    run = asyncio.get_running_loop().create_task(shell.run())
    try:
        await asyncio.wait_for(first_paint.happened.wait(), PATIENCE_S)
        from app.bench.course import measure

        return await measure(shell, path, only, first_paint_s=first_paint.seconds)
    except TimeoutError:
        sys.stderr.write(f"ul-studio: the window was not painted within {PATIENCE_S:.0f} s\n")
        return 1
    finally:
        shell.closed.set()
        await run
