"""Driving the whole window as a person would."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from app.models.results import Tile
from app.shell import Shell
from tests.app.conftest import until

Make = Callable[..., Shell]


async def started(shell: Shell) -> None:
    shell.program.client.start()
    await until(lambda: shell.program.client.is_ready)


def prepare(shell: Shell, **changes: Any) -> None:
    values = {"prompt": "a red cube", "num_images": 2, "base_steps": 4, "decoder_steps": 4} | changes
    shell.program.session.form.update(**values)


def tiles(shell: Shell) -> list[Tile]:
    return shell.program.session.results.done_tiles()


async def made(shell: Shell, **changes: Any) -> list[Tile]:
    """Pictures on the disk, asked for by a click."""
    before = len(tiles(shell))
    prepare(shell, **changes)
    click(shell.window.generate_page.panel.bar.generate_button)
    count = shell.program.session.form.state.num_images
    await until(lambda: len([tile for tile in tiles(shell) if tile.path]) == before + count)
    await until(lambda: shell.program.session.queue.view.is_idle)
    return tiles(shell)


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def told(shell: Shell) -> str:
    """What the window says in notices now, on top of the page and over it."""
    return texts(shell.window.notices) + "\n" + texts(shell.window.toasts)


async def laid_out(window: QWidget) -> None:
    """Waits until every widget keeps its place from one turn of the loop to the next."""
    before: list[object] = []

    def is_still() -> bool:
        nonlocal before
        QCoreApplication.sendPostedEvents()
        now = [(widget.geometry().getRect(), widget.isVisible()) for widget in window.findChildren(QWidget)]
        before, last = now, before
        return now == last

    await until(is_still)
