"""The end of long work is told where a person will see it, and nowhere else; the title tells how far it is."""

import os
from pathlib import Path
from typing import Any

import pytest

from app.models.job_queue import WorkDone
from app.services.notifier import Notifier, notify_command
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, prepare, started


class Told(Notifier):
    """Keeps what would be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[tuple[str, str]] = []

    def send(self, title: str, sentence: str) -> None:
        self.words.append((title, sentence))


def test_only_long_work_behind_other_windows_is_told(make_program: Any, owned: Any) -> None:
    program = make_program()
    session, telling, told = program.session, program.telling, owned(Told())
    telling._notifier = told
    session.queue.all_done.emit(WorkDone(1, 4, 0, 29.0))
    assert told.words == []
    session.queue.all_done.emit(WorkDone(2, 1, 1, 95.0))
    assert told.words == [("Done, but not all of it succeeded", "1 result in 1 min 35 s. Jobs that failed: 1.")]
    telling.is_in_front = lambda: True
    session.queue.all_done.emit(WorkDone(1, 4, 0, 300.0))
    telling.is_in_front = lambda: False
    session.preferences.update(notifies=False)
    session.long_work.tell("Training is done", "", 300.0)
    assert len(told.words) == 1
    session.preferences.update(notifies=True)
    session.long_work.tell("Training is done", "It took long.", 300.0)
    assert told.words[1:] == [("Training is done", "It took long.")]


def test_the_window_says_whether_it_is_in_front(make_shell: Make) -> None:
    shell = make_shell()
    assert shell.program.telling.is_in_front() == shell.window.isActiveWindow()


@pytest.mark.parametrize("program", ["notify-send", "gdbus"])
def test_the_system_is_asked_by_its_own_program(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_async: RunAsync
) -> None:
    script, seen = tmp_path / program, tmp_path / "seen"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {seen}.new && mv {seen}.new {seen}\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin" if program == "notify-send" else str(tmp_path))
    if program == "gdbus":
        script.write_text(f'#!/bin/sh\nfor a in "$@"; do echo "$a"; done > {seen}\n')
    assert Path(notify_command("a", "b", "linux")[0]).name == program

    async def story() -> None:
        notifier = Notifier()
        notifier.send("Done", "a < b & c")
        await until(lambda: seen.exists() and "b" in seen.read_text())
        await until(lambda: not notifier._tasks)
        assert "a &lt; b &amp; c" in seen.read_text()
        await notifier.close()

    run_async(story())


def test_where_nothing_listens_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_async: RunAsync
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert notify_command("a", "b", "linux") == ()
    assert notify_command("a", "b", "win32") == ()

    async def story() -> None:
        notifier = Notifier()
        notifier.send("Done", "")
        await notifier.close()

    run_async(story())


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for the system's program")
def test_a_system_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_async: RunAsync
) -> None:
    script = tmp_path / "notify-send"
    begun = tmp_path / "begun"
    script.write_text(f"#!/bin/sh\n: > {begun}\nexec /bin/sleep 600\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("app.services.notifier.PATIENCE_S", 600.0)

    async def story() -> None:
        notifier = Notifier()
        notifier.send("Done", "")
        await until(begun.exists)
        await notifier.close()
        assert not notifier._tasks

    run_async(story())


def test_the_title_tells_how_far_it_is(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.02)
        titles: list[str] = []
        shell.window.windowTitleChanged.connect(titles.append)
        await started(shell)
        prepare(shell, num_images=1, base_steps=20)
        shell.program.runner.generate()
        await until(lambda: shell.program.session.results.num_done == 1)
        await until(lambda: shell.program.session.queue.view.is_idle)
        assert any(title.endswith("% · UL Studio") for title in titles)
        assert shell.window.windowTitle() == "UL Studio"
        await until(lambda: all(tile.path for tile in shell.program.session.results.done_tiles()))

    run_async(story())
