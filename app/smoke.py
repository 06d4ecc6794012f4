"""The program drives itself once: real keys and clicks on the real window, real pictures, and screenshots."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt

from app.first_paint import FirstPaint
from app.models.model_offers import offers_of
from app.shell import Shell
from ul_engine.model_folder import ModelEntry, list_models

POLL_S = 0.05
FALLBACK_PROMPT = "a red sphere"


class SmokeFailed(Exception):
    """The run cannot succeed any more; the message says why."""


async def smoke(shell: Shell, folder: Path, *, timeout_s: float) -> int:
    """Make pictures into `folder` through the window, with screenshots beside them, and a clip where a model of clips
    lies beside the model it starts with; 0 only if all of these are there."""
    folder.mkdir(parents=True, exist_ok=True)
    first_paint = FirstPaint(shell)
    shell.window.installEventFilter(first_paint)
    deadline = time.monotonic() + timeout_s
    run = asyncio.get_running_loop().create_task(shell.run())
    try:
        await _until(lambda: first_paint.seconds > 0, deadline, "the window was not painted")
        _say(f"First paint {first_paint.seconds:.2f} s after the start of the process.")
        _ask_for_pictures(shell)
        await _until(lambda: _is_over(shell), deadline, "the pictures were not finished in time")
        files = await _saved_files(shell, deadline)
        files += await _screenshots(shell, folder)
        files += await _clip(shell, deadline)
    except SmokeFailed as failure:
        _say(f"Failed: {failure}.")
        _report_notices(shell)
        return 1
    finally:
        shell.closed.set()
        await run
    for path in files:
        _say(path)
    return 0


async def _clip(shell: Shell, deadline: float) -> list[str]:
    """One clip of the first model of clips beside the model in use, unless that is one; nothing where there is none."""
    form, results = shell.program.session.form, shell.program.session.results
    assert form.model is not None
    beside = list_models([Path(form.model.path).parent])
    model = next((entry for entry in beside if _makes_clips(entry)), None)
    if model is None or _makes_clips(form.model):
        return []
    before = {tile.path for tile in results.done_tiles()}
    form.choose_model(model)
    form.update(num_images=1)
    _ask_for_pictures(shell)
    await _until(lambda: _is_over(shell), deadline, "the clip was not finished in time")
    if not any(tile.is_moving for tile in results.done_tiles()):
        raise SmokeFailed(f"{model.name} made no clip")
    return [path for path in await _saved_files(shell, deadline) if path not in before]


def _makes_clips(entry: ModelEntry) -> bool:
    return entry.manifest is not None and entry.manifest.can_generate and offers_of(entry).makes_clips


def _ask_for_pictures(shell: Shell) -> None:
    """As a person would: type a prompt, press Generate."""
    from PySide6.QtTest import QTest  # not before the first paint

    panel, form = shell.window.generate_page.panel, shell.program.session.form
    if form.model is None:
        problems = [entry.problem for entry in shell.program.session.library.entries if entry.problem]
        raise SmokeFailed("there is no usable model" + "".join(f"; {problem}" for problem in problems))
    if form.condition_kind == "text":
        editor = panel.prompt_field.editor
        examples = form.grammar.examples if form.grammar else ()
        editor.setFocus()
        editor.selectAll()
        QTest.keyClicks(editor, examples[0] if examples else FALLBACK_PROMPT)
        QTest.keyClick(editor, Qt.Key.Key_Escape)
    QTest.mouseClick(
        panel.bar.generate_button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(20, 10)
    )
    if shell.program.session.queue.view.is_idle:
        raise SmokeFailed(f"nothing was queued; the form says: {form.errors}")


def _is_over(shell: Shell) -> bool:
    return shell.program.session.queue.view.is_idle


async def _saved_files(shell: Shell, deadline: float) -> list[str]:
    results = shell.program.session.results
    if not results.num_done:
        raise SmokeFailed("no picture was made")
    await _until(
        lambda: all(tile.path or tile.problem for tile in results.done_tiles()), deadline, "the pictures were not saved"
    )
    paths = [tile.path for tile in results.done_tiles() if tile.path]
    if len(paths) < results.num_done:
        raise SmokeFailed("some pictures could not be saved")
    return paths


async def _screenshots(shell: Shell, folder: Path) -> list[str]:
    paths = []
    for name in ("dark", "light"):
        shell.theme.set_wish(name)
        await asyncio.sleep(0.2)  # a turn of the event loop for the new style
        path = folder / f"window-{name}.png"
        if not shell.window.grab().save(str(path)):
            raise SmokeFailed(f"{path} could not be written")
        paths.append(str(path))
    return paths


async def _until(condition: Callable[[], bool], deadline: float, complaint: str) -> None:
    while not condition():
        if time.monotonic() > deadline:
            raise SmokeFailed(complaint)
        await asyncio.sleep(POLL_S)


def _report_notices(shell: Shell) -> None:
    for notice in shell.program.session.notices.notices:
        _say(f"{notice.severity.value}: {notice.title}. {notice.sentence}")
        if notice.details:
            _say(notice.details)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
