"""How commands end."""

import subprocess
import sys

import pytest

from ul_engine.console import run_command
from ul_engine.errors import ConfigError

MANY_LINES = """
import sys
from ul_engine.console import run_command

def command():
    for number in range(200_000):
        print(number)
    return 0

sys.exit(run_command(command, "name"))
"""
ONE_LINE = MANY_LINES.replace("200_000", "1")


@pytest.mark.parametrize("program", [MANY_LINES, ONE_LINE], ids=["many lines", "one line"])
def test_a_reader_that_goes_is_no_error(program: str) -> None:
    """As in ``| head -1``: whether the pipe breaks in a print or only at the end, nothing is said about it."""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(30) == 141


def test_another_broken_pipe_is_an_error() -> None:
    def command() -> int:
        raise BrokenPipeError("of a child")

    with pytest.raises(BrokenPipeError, match="of a child"):
        run_command(command, "name")


def test_problems_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    def failing() -> int:
        raise ConfigError("no such thing", field="name")

    def interrupted() -> int:
        raise KeyboardInterrupt

    assert run_command(failing, "ul-train") == 1
    assert run_command(interrupted, "ul-train") == 130
    assert run_command(lambda: 3, "ul-train") == 3
    said = capsys.readouterr().err
    assert "ul-train: " in said
    assert "no such thing" in said
    assert said.endswith("ul-train: stopped\n")
