"""Programs without windows and shells with them, driven by a fake engine; and a way to run coroutines under Qt."""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.model_folders import write_model

FAKE_WORKER = Path(__file__).with_name("fake_worker.py")
ROOT = Path(__file__).resolve().parents[2]

RunAsync = Callable[[Coroutine[Any, Any, Any]], Any]


def fake_command(mode: str = "normal", **options: object) -> tuple[str, ...]:
    """The command line of a fake engine."""
    return (sys.executable, str(FAKE_WORKER), mode, *(f"{name}={value}" for name, value in options.items()))


async def until(predicate: Callable[[], object], *, timeout_s: float = 10.0, message: str = "") -> None:
    """Waits until the predicate is true, with the event loop running."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not predicate():
        if loop.time() > deadline:
            pytest.fail(f"Waited {timeout_s} s in vain. {message}".rstrip())
        await asyncio.sleep(0.005)


@pytest.fixture(autouse=True, scope="package")
def imports_out_of_sight() -> Iterator[None]:
    """Whatever the imports of the whole suite brought (torch: some 300 000 objects) is left out of every later search
    for garbage and leaks; otherwise each test here takes a quarter of a second longer."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def run_async(qapp: Any) -> Iterator[RunAsync]:
    """`run_async(coroutine)`: runs it to its end in an event loop that serves Qt as well."""
    from qasync import QEventLoop

    errors: list[dict[str, Any]] = []
    loop = QEventLoop(qapp)
    loop.set_exception_handler(lambda _loop, context: errors.append(context))
    try:
        yield loop.run_until_complete
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    if errors:
        pytest.fail(f"An exception escaped into the event loop: {errors}", pytrace=False)


@pytest.fixture
def model_root(tmp_path: Path) -> Path:
    """A folder with one text model in it."""
    write_model(tmp_path / "models")
    return tmp_path / "models"


@pytest.fixture
def make_program(
    qapp: Any, tmp_path: Path, model_root: Path, owned: Callable[[Any], Any], run_async: RunAsync
) -> Iterator[Callable[..., Any]]:
    """`make_program(mode, times=..., **options)`: session, fake engine and files, without a window.

    It is closed when the test ends.
    """
    from app.program import EngineSetup, Places, Program
    from app.services.engine_client import EngineTimes

    programs: list[Any] = []

    def make(mode: str = "normal", times: EngineTimes | None = None, **options: object) -> Any:
        settings = tmp_path / "config" / "settings.json"
        places = Places((model_root,), tmp_path / "outputs", settings, runs=tmp_path / "runs")
        setup = EngineSetup(fake_command(mode, **options), times or EngineTimes(grace_s=1.0, backoff_s=(0.01, 0.01)))
        program = owned(Program(places, setup))
        program.load()
        programs.append(program)
        return program

    yield make
    for program in programs:
        run_async(program.close())


@pytest.fixture
def make_shell(qapp: Any, make_program: Callable[..., Any], owned: Callable[[Any], Any]) -> Callable[..., Any]:
    """`make_shell(mode, ...)`: the same with its window, 1280 x 720, shown."""
    from app.shell import Shell

    def make(mode: str = "normal", **options: Any) -> Any:
        program = make_program(mode, **options)
        shell = owned(Shell(program, qapp, "dark"))
        owned(shell.window)
        shell.window.resize(1280, 720)
        shell.window.show()
        shell.window.activateWindow()
        return shell

    return make
