"""Notices that only inform: over the page, and gone by themselves."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QHBoxLayout, QLineEdit, QPushButton, QWidget

from app.errors import Notice, NoticeAction, Severity
from app.models.notices import NoticeBoard
from app.ui.theme.tokens import DARK, LIGHT
from app.ui.widgets.notices_bar import NoticesBar
from app.ui.widgets.toasts import AFTER_HOLD_S, SHOWN_S, SHOWN_WITH_DEEDS_S, WIDEST_PX, Toasts
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, laid_out, started, texts

Own = Callable[[Any], Any]
SAVED = Notice(Severity.INFO, "Saved", "/home/anna/Pictures/cube.png", key="save", is_passing=True)
WITH_DEED = replace(SAVED, title="Exported", key="export", actions=(NoticeAction("show", "Show in folder", "it"),))


class Scene:
    """A window with a page, toasts over it, and a clock that is turned by hand."""

    def __init__(self, owned: Own) -> None:
        self.now = 0.0
        self.board = NoticeBoard()
        self.window = owned(QWidget())
        row = QHBoxLayout(self.window)
        self.page = QLineEdit()
        self.page.setSizePolicy(self.page.sizePolicy().horizontalPolicy(), self.page.sizePolicy().Policy.Expanding)
        row.addWidget(self.page)
        self.toasts = Toasts(self.board, self.page, self.window, clock=lambda: self.now)
        self.window.resize(900, 600)
        self.window.show()
        self.window.activateWindow()
        QTest.qWaitForWindowActive(self.window)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.toasts.look()

    @property
    def titles(self) -> list[str]:
        return [card.notice.title for card in self.toasts.cards]

    def button(self, text: str) -> QAbstractButton:
        return next(b for b in self.toasts.findChildren(QAbstractButton) if text in (b.text(), b.toolTip()))


@pytest.fixture
def scene(qapp: Any, owned: Own) -> Scene:
    return Scene(owned)


def test_a_toast_goes_by_itself(scene: Scene) -> None:
    scene.board.post(SAVED)
    assert scene.toasts.isVisible()
    assert scene.toasts._timer.isActive()
    scene.pass_time(SHOWN_S - 1)
    assert scene.titles == ["Saved"]
    scene.pass_time(2)
    assert scene.titles == []
    assert scene.board.notices == ()
    assert scene.toasts.isHidden()
    assert not scene.toasts._timer.isActive()


def test_one_with_something_to_do_stays_longer(scene: Scene) -> None:
    scene.board.post(WITH_DEED)
    scene.pass_time(SHOWN_S + 1)
    assert scene.titles == ["Exported"]
    scene.pass_time(SHOWN_WITH_DEEDS_S)
    assert scene.titles == []


def test_what_is_said_again_begins_anew(scene: Scene) -> None:
    scene.board.post(SAVED)
    scene.pass_time(SHOWN_S - 1)
    scene.board.post(SAVED)
    scene.pass_time(SHOWN_S - 1)
    assert scene.titles == ["Saved"]
    scene.board.post(replace(SAVED, sentence="/home/anna/Pictures/another.png"))
    scene.pass_time(SHOWN_S - 1)
    assert scene.titles == ["Saved"]


def test_the_time_before_it_came_does_not_count(scene: Scene) -> None:
    scene.now += 1000
    scene.board.post(SAVED)
    scene.pass_time(1)
    assert scene.titles == ["Saved"]


def test_nothing_goes_from_under_the_pointer(scene: Scene) -> None:
    scene.board.post(SAVED)
    scene.board.post(replace(SAVED, title="Copied", key="copy"))
    scene.pass_time(SHOWN_S - 1)
    at = QPointF(5, 5)
    QApplication.sendEvent(scene.toasts, QEnterEvent(at, at, at))
    assert scene.toasts.underMouse()
    scene.pass_time(SHOWN_S * 10)
    assert scene.titles == ["Copied", "Saved"]
    QApplication.sendEvent(scene.toasts, QEvent(QEvent.Type.Leave))
    scene.pass_time(AFTER_HOLD_S - 0.5)
    assert scene.titles == ["Copied", "Saved"]
    scene.pass_time(1)
    assert scene.titles == []


def test_the_keyboard_reaches_it_holds_it_and_goes_back(scene: Scene) -> None:
    scene.page.setFocus()
    scene.board.post(WITH_DEED)
    assert scene.page.hasFocus()
    QTest.keyClick(scene.page, Qt.Key.Key_Tab)
    assert scene.button("Show in folder").hasFocus()
    scene.pass_time(SHOWN_WITH_DEEDS_S * 10)
    assert scene.titles == ["Exported"]
    assert scene.toasts.close_focused()
    assert scene.titles == []
    assert scene.page.hasFocus()
    assert not scene.toasts.close_focused()


def test_nothing_goes_while_the_person_is_in_another_program(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.board.post(SAVED)
    scene.pass_time(SHOWN_S - 1)
    monkeypatch.setattr(QApplication, "activeWindow", lambda: None)
    scene.pass_time(SHOWN_S * 10)
    assert scene.titles == ["Saved"]
    monkeypatch.undo()
    scene.pass_time(AFTER_HOLD_S + 1)
    assert scene.titles == []


def test_its_deeds_and_its_cross_are_those_of_every_notice(scene: Scene) -> None:
    choices: list[Any] = []
    scene.board.action_chosen.connect(choices.append)
    scene.board.post(SAVED)
    assert scene.toasts.cards[0].accessibleName() == "Saved. /home/anna/Pictures/cube.png"
    click(scene.button("Close this notice"))
    assert scene.board.notices == ()
    scene.board.post(WITH_DEED)
    click(scene.button("Show in folder"))
    assert [(choice.name, choice.argument) for choice in choices] == [("show", "it")]
    assert scene.board.notices == ()


def test_only_what_informs_in_passing_is_a_toast(scene: Scene, owned: Own) -> None:
    bar = owned(NoticesBar(scene.board, is_shown=lambda notice: not notice.only_informs))
    scene.board.post(SAVED)
    assert bar.isHidden()
    for other in (
        replace(SAVED, severity=Severity.WARNING, title="Odd", key="odd"),
        replace(SAVED, severity=Severity.ERROR, title="Broken", key="broken"),
        replace(SAVED, is_passing=False, title="To stay", key="stay"),
    ):
        scene.board.post(other)
        assert bar.cards[0].notice == other
        assert scene.titles == ["Saved"]
    scene.pass_time(SHOWN_S + 1)
    assert scene.titles == []
    assert len(scene.board.notices) == 3


def test_two_at_most_the_newest_on_top_in_the_corner_whatever_the_size(scene: Scene) -> None:
    for number in range(3):
        scene.board.post(replace(WITH_DEED, title=f"{number}", sentence="long words " * 20, key=f"{number}"))
    assert scene.titles == ["2", "1"]
    for size in ((900, 600), (1300, 700), (380, 500)):
        scene.window.resize(*size)
        QTest.qWait(0)
        toasts, page = scene.toasts.geometry(), scene.page.geometry()
        upper, lower = scene.toasts.cards
        assert upper.geometry().bottom() < lower.geometry().top()
        assert page.contains(toasts)
        assert toasts.width() == min(WIDEST_PX, page.width() - 32)
        assert (page.right() - toasts.right(), page.bottom() - toasts.bottom()) == (16, 16)
        for card in scene.toasts.cards:
            assert card.height() >= card.heightForWidth(card.width())


# ---- in the window ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_page_stays_in_its_place_when_something_is_told(make_shell: Make, run_async: RunAsync, theme: str) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        window = shell.window
        window.resize(1280, 720)
        window.show()
        shell.theme.set_wish(theme)
        await laid_out(window)
        page = window.generate_page
        before = (page.mapTo(window, QPoint()), page.size())
        shell.program.session.notices.post(WITH_DEED)
        await laid_out(window)
        assert "Exported" in texts(window.toasts)
        assert (page.mapTo(window, QPoint()), page.size()) == before
        toasts = window.toasts
        assert toasts.geometry().bottom() < window.status.mapTo(toasts.parentWidget(), QPoint()).y()
        card = toasts.cards[0]
        spot = card.mapTo(window, QPoint(card.width() // 2, 6))
        tint = {"dark": DARK, "light": LIGHT}[theme].accent_tint
        assert window.grab().toImage().pixelColor(spot).name() == tint
        button = next(b for b in card.findChildren(QPushButton) if b.text() == "Show in folder")
        button.setFocus()
        shell.window._on_escape()
        await until(lambda: not toasts.isVisible())

    run_async(story())
