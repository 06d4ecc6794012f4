"""The tour: four steps over the real window, once, skippable, and again from the palette."""

import asyncio

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from app.shell import Shell
from app.ui.widgets.overlay.tour import Tour
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click


def opened(shell: Shell) -> Tour:
    assert QTest.qWaitForWindowActive(shell.window, 5000)
    shell.window.open_tour()
    assert shell.window.tour is not None
    return shell.window.tour


def test_four_steps_each_beside_what_it_is_about(make_shell: Make) -> None:
    shell = make_shell()
    tour = opened(shell)
    lit: list[QRect] = []
    for number in range(1, 5):
        assert tour._count.text() == f"{number} of 4"
        assert not tour._lit().intersects(tour.card.geometry())
        assert tour.rect().contains(tour.card.geometry())
        for label in tour.card.findChildren(QLabel):
            if label.wordWrap():
                assert label.height() >= label.heightForWidth(label.width()), label.text()
        lit.append(tour._lit())
        assert tour.isVisible()
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return if number % 2 else Qt.Key.Key_Space)
    assert not tour.isVisible()
    assert len({rect.topLeft().toTuple() for rect in lit}) == 4
    assert shell.program.session.preferences.state.has_seen_tour


def test_it_can_be_skipped_and_is_not_closed_by_a_stray_click(make_shell: Make) -> None:
    shell = make_shell()
    tour = opened(shell)
    QTest.mouseClick(tour, Qt.MouseButton.LeftButton, pos=QPoint(900, 600))
    assert tour.isVisible()
    click(tour.next_button)
    click(tour.back_button)
    assert tour.step == 0
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert not tour.isVisible()
    assert shell.program.session.preferences.state.has_seen_tour
    shell.program.session.commands.run("window.tour")
    again = shell.window.tour
    assert again is not None
    assert again.isVisible()
    click(again.skip_button)
    assert not again.isVisible()


def test_it_comes_once_by_itself(make_shell: Make, run_async: RunAsync) -> None:
    async def story(shell: Shell) -> bool:
        shell.offers_tour = True
        run = asyncio.get_running_loop().create_task(shell.run())
        await until(lambda: shell.program.client.is_ready)
        was_shown = shell.window.tour is not None and shell.window.tour.isVisible()
        if shell.window.tour is not None:
            shell.window.tour.dismiss()
        shell.program.memory.save(shell.settings())
        shell.closed.set()
        await run
        return was_shown

    assert run_async(story(make_shell()))
    assert not run_async(story(make_shell()))
