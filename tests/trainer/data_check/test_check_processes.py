"""Work spread over processes: complete, orderly when one dies, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.trainer.data_check.tasks import Squares, sleep
from trainer.data.check.processes import ProcessEnded, spread


def test_every_item_is_done_once_in_other_processes() -> None:
    results = list(spread(Squares(), list(range(50)), num_processes=2))
    assert sorted(square for square, _ in results) == [number**2 for number in range(50)]
    assert len({pid for _, pid in results}) == 2
    assert os.getpid() not in {pid for _, pid in results}


@pytest.mark.parametrize(("items", "num_processes"), [([3], 4), ([1, 2, 3], 1)])
def test_little_work_is_done_here(items: list[int], num_processes: int) -> None:
    results = list(spread(Squares(), items, num_processes=num_processes))
    assert results == [(number**2, os.getpid()) for number in items]


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(ProcessEnded):
        list(spread(Squares(fatal=7), list(range(20)), num_processes=2))


def test_stopping_early_does_not_wait_for_the_work() -> None:
    started = time.monotonic()
    with closing(spread(sleep, [0.0, 60.0, 60.0, 60.0], num_processes=2)) as results:
        assert next(results) == 0.0
    assert time.monotonic() - started < 20


SLEEPERS = """
import signal
import sys
from tests.trainer.data_check.tasks import sleep
from trainer.data.check.processes import spread

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background of a shell it would be ignored
    for result in spread(sleep, [0.0, 0.0, *[float(sys.argv[1])] * 4], num_processes=2):
        print("going", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "seconds"), [(signal.SIGINT, 60), (signal.SIGKILL, 1)])
def test_the_processes_end_with_their_parent(number: signal.Signals, seconds: int, tmp_path: Path) -> None:
    script = tmp_path / "sleepers.py"
    script.write_text(SLEEPERS, encoding="utf-8")
    command = [sys.executable, str(script), str(seconds)]
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, start_new_session=True) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        assert parent.stdout.readline() == b"going\n"
        children = [each for each in psutil.Process(parent.pid).children() if "spawn_main" in " ".join(each.cmdline())]
        assert len(children) == 2
        if number == signal.SIGINT:
            os.killpg(parent.pid, number)  # as Ctrl+C does
        else:
            os.kill(parent.pid, number)
        parent.wait(30)
        _, alive = psutil.wait_procs(children, timeout=15)
        assert not alive
        assert b"data-check" not in parent.stderr.read()  # no child was interrupted
