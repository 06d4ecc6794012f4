"""Takes the pictures: every page, dark and light, at two sizes, small enough for a repository."""

import asyncio
import io
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QCoreApplication, QIODevice
from PySide6.QtGui import QGuiApplication, QImage

from app.bench.driving import BenchFailed, until
from app.bench.short_run import train_shortly
from app.screenshots import scenes
from app.shell import Shell

SIZES = {"": (1280, 720), "-large": (1920, 1080)}
THEMES = ("dark", "light")
NUM_COLOURS = 255
MAX_BYTES = 150_000

PATIENCE_S = 60.0
STILL_S = 0.2
"""A picture that stays the same for so long is whole."""

Scene = Callable[[Shell], Awaitable[None]]
PAGES: dict[str, Scene] = {
    "generate": scenes.generate,
    "compare": scenes.compare,
    "train": scenes.train,
    "library": scenes.library,
    "models": scenes.models,
    "settings": scenes.settings,
}

DRAWN: dict[str, Callable[[Shell], bool]] = {
    "train": scenes.is_train_drawn,
    "library": scenes.is_library_drawn,
    "models": scenes.is_card_there,
}
"""What must be true before the picture of a page is taken, in every size and palette anew."""


async def take_all(shell: Shell, folder: Path, run_folder: str = "") -> int:
    """Everything into `folder`; 1 if a page could not be shown as it should.

    `run_folder` names a training run to show on the page Train; without one, a short one is made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    QGuiApplication.styleHints().setCursorFlashTime(0)  # nothing blinks
    run = asyncio.get_running_loop().create_task(shell.run())
    problems = []
    try:
        await until(lambda: shell.program.client.is_ready, "the engine did not start")
        await _prepare_run(shell.program.session.folders.places.runs, run_folder)
        for name, scene in PAGES.items():
            try:
                await scene(shell)
                await _take(shell, folder, name)
            except BenchFailed as failure:
                problems.append(f"{name}: {failure}")
        await _take_overlays(shell, folder)
        await scenes.generating(shell)
        await _save(_grabbed(shell), folder / "generating-dark.png")
        await scenes.stop(shell)
        if scenes.continuing_model(shell) is not None:  # last, for it leaves its model and prompt behind
            await scenes.clips(shell)
            await _take(shell, folder, "clips")
    except BenchFailed as failure:
        problems.append(str(failure))
    finally:
        shell.closed.set()
        await run
    for problem in problems:
        sys.stdout.write(f"FAIL {problem}\n")
    return 1 if problems else 0


async def _prepare_run(runs: Path, run_folder: str) -> None:
    if not run_folder:
        await train_shortly(runs / "scenes-tiny-stage1")
        return
    leave_out = shutil.ignore_patterns("checkpoints", "commands", "tensorboard")
    await asyncio.to_thread(shutil.copytree, run_folder, runs / Path(run_folder).name, ignore=leave_out)


async def _take(shell: Shell, folder: Path, name: str) -> None:
    """One page in both palettes and both sizes."""
    shell.program.session.notices.dismiss_passing()
    for suffix, size in SIZES.items():
        shell.window.resize(*size)
        for theme in THEMES:
            shell.theme.set_wish(theme)
            await _save(await _whole(shell, name), folder / f"{name}-{theme}{suffix}.png")
    shell.window.resize(*SIZES[""])
    shell.theme.set_wish("dark")


async def _take_overlays(shell: Shell, folder: Path) -> None:
    """What lies over the window: palette, shortcuts, tour."""
    window = shell.window
    window.show_page("generate")
    for name, show in (
        ("palette", window.open_palette),
        ("shortcuts", window.open_shortcuts),
        ("tour", window.open_tour),
    ):
        show()
        await _save(await _whole(shell, name), folder / f"{name}-dark.png")
    if window.tour is not None:
        window.tour.dismiss()


async def _whole(shell: Shell, name: str) -> QImage:
    """The window, once everything on it is there and nothing moves any more."""
    is_drawn = DRAWN.get(name, lambda _: True)
    before, now = QImage(), _grabbed(shell)
    began = time.monotonic()
    while now != before or not is_drawn(shell):  # type: ignore[no-untyped-call]
        if time.monotonic() - began > PATIENCE_S:
            raise BenchFailed(f"the picture of {name} was not whole within {PATIENCE_S:.0f} s")
        await asyncio.sleep(STILL_S)
        before, now = now, _grabbed(shell)
    return now


def _grabbed(shell: Shell) -> QImage:
    QCoreApplication.sendPostedEvents()
    return shell.window.grab().toImage()


async def _save(image: QImage, path: Path) -> None:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    await asyncio.to_thread(_shrink, bytes(buffer.data().data()), path)
    sys.stdout.write(f"{path}\n")
    sys.stdout.flush()


def _shrink(png: bytes, path: Path) -> None:
    """In true colours if that stays small, else with a palette, which can hardly be seen."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        whole = picture.convert("RGB")
    whole.save(path, "PNG", optimize=True)
    if path.stat().st_size > MAX_BYTES:
        small = whole.quantize(NUM_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        small.save(path, "PNG", optimize=True)
