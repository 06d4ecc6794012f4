"""Children that answer one question: their news, their end, and that stopping them leaves nothing behind."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.services.child_lines import MAX_CHARACTERS, lines_of
from app.services.dataset_check import DatasetCheck, problem_of
from app.services.dry_run import DryRun
from app.services.tool_process import ToolEnd, ToolProcess
from tests.app.conftest import RunAsync, until

SAYS = "import sys; sys.stderr.write('one\\ntwo\\n'); print('answer'); sys.exit(int(sys.argv[1]))"
WAITS = (
    "import subprocess, sys, time; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "sys.stderr.write(f'{child.pid}\\n'); sys.stderr.flush(); time.sleep(600)"
)


def tool(code: str) -> ToolProcess:
    return ToolProcess((sys.executable, "-c", code))


def test_lines_output_and_end(run_async: RunAsync) -> None:
    async def story() -> None:
        process = tool(SAYS)
        lines: list[str] = []
        ends: list[ToolEnd] = []
        process.line_read.connect(lines.append)
        process.ended.connect(ends.append)
        process.start(["3"])
        assert process.is_running
        await until(lambda: ends)
        assert lines == ["one", "two"]
        assert (ends[0].code, ends[0].output.strip(), ends[0].lines) == (3, "answer", ("one", "two"))
        assert not process.is_running
        await process.close()

    run_async(story())


@pytest.mark.parametrize("how", ["stop", "close", "start another"])
def test_stopping_ends_the_whole_family_and_nothing_more_is_heard(run_async: RunAsync, how: str) -> None:
    async def story() -> None:
        process = tool(WAITS)
        lines: list[str] = []
        ends: list[ToolEnd] = []
        process.line_read.connect(lines.append)
        process.ended.connect(ends.append)
        process.start([])
        await until(lambda: lines)
        grandchild = psutil.Process(int(lines[0]))
        if how == "start another":
            process.start([])
            await until(lambda: len(lines) == 2)
        elif how == "stop":
            process.stop()
        await process.close()
        await until(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)
        assert ends == []

    run_async(story())


def test_a_tool_that_cannot_be_started_says_so(run_async: RunAsync) -> None:
    async def story() -> None:
        process = ToolProcess(("/nowhere/at/all",))
        ends: list[ToolEnd] = []
        process.ended.connect(ends.append)
        process.start([])
        await until(lambda: ends)
        assert "cannot be started (No such file" in ends[0].words
        await process.close()

    run_async(story())


def test_what_a_tool_needs_and_cannot_get_is_said(run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        process = tool(SAYS)
        ends: list[ToolEnd] = []
        process.ended.connect(ends.append)
        process.start(lambda: [(tmp_path / "missing" / "settings.json").write_text("{}") and "0"])
        await until(lambda: ends)
        assert ends[0].words == "what it needs cannot be written (No such file or directory)"
        process.start(lambda: ["3"])
        await until(lambda: len(ends) == 2)
        assert ends[1].code == 3
        await process.close()

    run_async(story())


@pytest.mark.parametrize("what", ["estimate", "check"])
def test_without_room_for_its_settings_a_question_ends_in_words(
    run_async: RunAsync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """As with a full disk: nothing is raised into the window, and the answer says why."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    async def story() -> None:
        problems: list[Any] = []
        asked: Any
        if what == "estimate":
            asked = DryRun((sys.executable, "-c", SAYS))
            asked.estimate_failed.connect(lambda failure: problems.append(failure.problem))
            asked.estimate("key", {"stage": "stage1"}, tmp_path / "run")
        else:
            asked = DatasetCheck((sys.executable, "-c", SAYS))
            asked.check_failed.connect(problems.append)
            asked.check({"path": str(tmp_path)})
        await until(lambda: problems)
        assert problems[0].words.startswith("what it needs cannot be written")
        await asked.close()

    run_async(story())


def test_lines_are_whole_however_they_come(run_async: RunAsync) -> None:
    """Cut within a letter, ended by a carriage return, or without an end at all."""

    async def story() -> list[str]:
        stream = asyncio.StreamReader()
        lines: list[str] = []

        async def read() -> None:
            async for line in lines_of(stream):
                lines.append(line)

        reading = asyncio.get_running_loop().create_task(read())
        for piece in ("größe".encode()[:3], "größe".encode()[3:] + b"\r", b"50%\r\nlast \xff"):
            stream.feed_data(piece)
            await asyncio.sleep(0)
        stream.feed_eof()
        await reading
        return lines

    assert run_async(story()) == ["größe", "50%", "last \ufffd"]


def test_a_line_without_an_end_does_not_fill_the_memory(run_async: RunAsync) -> None:
    async def story() -> list[int]:
        stream = asyncio.StreamReader()
        stream.feed_data(b"x" * (2 * MAX_CHARACTERS + 5))
        stream.feed_eof()
        return [len(line) async for line in lines_of(stream)]

    found = run_async(story())
    assert sum(found) == 2 * MAX_CHARACTERS + 5
    assert max(found) < 2 * MAX_CHARACTERS


def test_words_of_an_end() -> None:
    said = ToolEnd(1, "", ("ul-train: /x: there is no such folder", '{"doing": "x"}'))
    assert said.words == "/x: there is no such folder"
    assert "killed by signal 9" in ToolEnd(-9, "", ()).words
    assert ToolEnd(1, "", ("Traceback", "ValueError: no")).words.endswith("ValueError: no")
    assert problem_of(said).details == "ul-train: /x: there is no such folder"


def test_the_tool_is_the_trainers_own_command_line(run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        process = ToolProcess()
        ends: list[Any] = []
        process.ended.connect(ends.append)
        process.start(["recipe", "show", "tiny"])
        await until(lambda: ends, timeout_s=60)
        assert ends[0].code == 0
        assert "preset: tiny" in ends[0].output
        await process.close()

    run_async(story())
