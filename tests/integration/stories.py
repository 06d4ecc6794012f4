"""Programs with the real engine and without a window, and what happens to them."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from app.models.results import Tile
from app.program import EngineSetup, Places, Program
from app.services.engine_client import WORKER_COMMAND, EngineTimes
from tests.app.conftest import until

START_S = 120.0
COMMAND = (*WORKER_COMMAND, "--threads=1")


@contextlib.asynccontextmanager
async def running(
    root: Path, model: Path, *, outputs: Path | None = None, command: tuple[str, ...] = COMMAND
) -> AsyncIterator[Program]:
    """A program whose real engine is ready; it is closed at the end."""
    places = Places((model.parent,), outputs or root / "outputs", root / "config" / "settings.json", root / "runs")
    program = Program(places, EngineSetup(command, EngineTimes(grace_s=5.0, backoff_s=(0.05, 0.05))))
    try:
        program.load()
        program.client.start()
        await until(lambda: program.client.is_ready, timeout_s=START_S)
        yield program
    finally:
        await program.close()
        program.deleteLater()


def ask(program: Program, **values: Any) -> None:
    """Queue pictures."""
    program.session.form.update(prompt="a red cube", **{"base_steps": 2, "decoder_steps": 2, "num_images": 1} | values)
    assert program.runner.generate(), program.session.form.errors


async def idle(program: Program, timeout_s: float = START_S) -> list[Tile]:
    """All that was asked for is over, and saved or not."""
    await until(lambda: program.session.queue.view.is_idle, timeout_s=timeout_s)
    tiles = program.session.results.done_tiles()
    await until(lambda: all(tile.path or tile.problem for tile in program.session.results.done_tiles()))
    return program.session.results.done_tiles() if tiles else []


def titles(program: Program) -> list[str]:
    """Of all notices, newest first."""
    return [notice.title for notice in program.session.notices.notices]
