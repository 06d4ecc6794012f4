"""Starting a run's processes, finding them again, stopping them: real processes, one and two of them."""

import json
import os
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.helpers.qt import wait_until
from trainer.launch import (
    LaunchPlan,
    RunningProcess,
    attach,
    command,
    environment,
    exit_code,
    start,
    stop_group,
)
from trainer.run_dir import RunDir, write_json
from ul_engine.errors import CheckpointError, ConfigError, OutputError

Start = Callable[[LaunchPlan], RunningProcess]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with settings that nobody reads here."""
    folder = tmp_path / "run"
    RunDir(folder).create()
    write_json(RunDir(folder).config, {})
    return folder


@pytest.fixture
def started() -> Iterator[Start]:
    """Starts plans with the stand-in worker; whatever is left is killed."""
    running: list[RunningProcess] = []

    def begin(plan: LaunchPlan) -> RunningProcess:
        running.append(start(replace(plan, module="tests.helpers.launched")))
        return running[-1]

    yield begin
    for process in running:
        stop_group(process, grace_s=0.0)


def step(run: Path) -> int:
    status = RunDir(run).read_status()
    return status.step if status is not None else -1


def wait_for_step(run: Path, number: int, timeout_s: float = 60.0) -> None:
    def has_come() -> bool:
        return step(run) >= number

    wait_until(has_come, timeout_s=timeout_s, message=f"no step {number} in {run}")


def console(run: Path) -> str:
    return RunDir(run).console.read_text()


# ------------------------------------------------------------------------------------------- command and environment


def test_one_process_is_plain_python(run: Path) -> None:
    assert command(LaunchPlan(run)) == [sys.executable, "-m", "trainer.worker", str(run)]
    assert command(LaunchPlan(run, device="cuda:1"))[-2:] == ["--device", "cuda:1"]
    assert environment(LaunchPlan(run)) == {"PYTHONUNBUFFERED": "1"}
    assert environment(LaunchPlan(run, threads=3))["OMP_NUM_THREADS"] == "3"


def test_several_processes_are_torchruns(run: Path) -> None:
    words = command(LaunchPlan(run, num_processes=4, max_restarts=7))
    assert words[:3] == [sys.executable, "-m", "torch.distributed.run"]
    assert "--standalone" in words
    assert words[-7:] == ["--nproc-per-node", "4", "--max-restarts", "7", "-m", "trainer.worker", str(run)]
    assert {"TORCH_NCCL_ASYNC_ERROR_HANDLING", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"} <= environment(
        LaunchPlan(run, num_processes=2)
    ).keys()


def test_the_command_is_the_same_on_every_node(run: Path) -> None:
    plans = [LaunchPlan(run, num_nodes=(1, 4), rendezvous="here:29400", node_rank=rank) for rank in range(2)]
    first, second = map(command, plans)
    assert first == second
    assert first[first.index("--nnodes") + 1] == "1:4"
    assert first[first.index("--rdzv-endpoint") + 1] == "here:29400"
    assert [environment(plan)["PET_RDZV_CONF"].split(",")[0] for plan in plans] == ["is_host=1", "is_host=0"]
    assert "is_host" not in environment(replace(plans[0], node_rank=None))["PET_RDZV_CONF"]


def test_torchrun_understands_the_command(run: Path) -> None:
    from torch.distributed.run import parse_args

    plan = LaunchPlan(run, num_processes=8, num_nodes=2, rendezvous="node0:29400", device="cuda")
    parsed = parse_args(command(plan)[3:])
    assert (parsed.nnodes, parsed.nproc_per_node, parsed.rdzv_endpoint) == ("2", "8", "node0:29400")
    assert (parsed.module, parsed.training_script) == (True, "trainer.worker")
    assert parsed.training_script_args == [str(run), "--device", "cuda"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"num_processes": 0}, "num_processes"),
        ({"num_nodes": (0, 2)}, "num_nodes"),
        ({"num_nodes": (4, 2)}, "num_nodes"),
        ({"num_nodes": 2}, "rendezvous"),
        ({"num_nodes": 2, "rendezvous": "no-port"}, "rendezvous"),
        ({"max_restarts": -1}, "max_restarts"),
        ({"threads": -1}, "threads"),
    ],
)
def test_plans_that_cannot_work(run: Path, change: dict[str, object], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        command(LaunchPlan(run, **change))  # type: ignore[arg-type]
    assert caught.value.field == field


# ------------------------------------------------------------------------------------------------------- one process


def test_start_find_and_stop(run: Path, started: Start) -> None:
    assert attach(run) is None
    running = started(LaunchPlan(run))
    wait_for_step(run, 3)
    assert psutil.Process(running.pid).environ()["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    found = attach(run)
    assert found is not None
    assert (found.pid, found.child) == (running.pid, None)
    assert found.is_running()
    if sys.platform != "win32":
        assert os.getsid(running.pid) == running.pid  # a closed terminal does not reach it
    with pytest.raises(OutputError, match="is training here already"):
        start(LaunchPlan(run))
    assert stop_group(found)
    assert not running.is_running()
    assert attach(run) is None
    assert exit_code(run) == 3
    assert "rank 0 ends at step" in console(run)
    last = step(run)
    started(LaunchPlan(run))
    wait_for_step(run, last + 1)  # goes on where it stopped
    assert console(run).count("rank 0 ends") == 1  # the log is continued, not begun anew


def test_a_deaf_process_is_killed(run: Path, started: Start) -> None:
    (run / "stubborn").touch()
    running = started(LaunchPlan(run))
    wait_for_step(run, 1)
    assert not stop_group(running, grace_s=0.3)
    assert not running.is_running()
    assert exit_code(run) == 1  # its status still says running, and nobody is


def test_the_run_outlives_who_started_it(run: Path) -> None:
    """A program starts the run and is killed; the run is found again and stopped by another program."""
    code = (
        "import pathlib, sys, time; from trainer.launch import LaunchPlan, start;"
        "running = start(LaunchPlan(pathlib.Path(sys.argv[1]), module='tests.helpers.launched')); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(run)], start_new_session=True) as parent:
        wait_for_step(run, 2)
        os.killpg(parent.pid, signal.SIGKILL)
    wait_for_step(run, step(run) + 2)
    found = attach(run)
    assert found is not None
    assert stop_group(found)
    assert exit_code(run) == 3


def test_a_released_run_goes_on_without_a_word(run: Path, started: Start) -> None:
    """Python warns of a child that is forgotten while it runs; of this one it must not, and `attach` still finds it."""
    running = started(LaunchPlan(run))
    child = running.child
    assert child is not None
    running.release()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        child.__del__()
    assert found == []
    wait_for_step(run, 2)
    again = attach(run)
    assert again is not None
    assert stop_group(again)


def test_a_pid_that_was_used_again_is_not_ours(run: Path) -> None:
    mine = psutil.Process()
    who = {"pid": mine.pid, "pid_started": mine.create_time() - 100.0, "host": os.uname().nodename, "command": []}
    write_json(run / "launcher.json", who)
    assert attach(run) is None
    assert stop_group(RunningProcess(run, mine.pid, mine.create_time() - 100.0))  # and this test goes on


def test_another_machines_process_is_not_ours(run: Path) -> None:
    mine = psutil.Process()
    who = {"pid": mine.pid, "pid_started": mine.create_time(), "host": "elsewhere", "command": []}
    write_json(run / "launcher.json", who)
    assert attach(run) is None


def test_no_settings_no_start(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json"):
        start(LaunchPlan(tmp_path))


def test_a_python_that_is_not_there(run: Path) -> None:
    with pytest.raises(OutputError, match="cannot be started"):
        start(LaunchPlan(run, python=str(run / "python")))


def test_variables_of_a_launcher_around_us_are_not_passed_on(
    run: Path, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    started(LaunchPlan(run))
    wait_for_step(run, 1)
    assert (run / "rank-0").exists()


# ----------------------------------------------------------------------------------------------------- two processes


@pytest.mark.stress
def test_torchrun_replaces_a_killed_rank_and_stops_both(run: Path, started: Start) -> None:
    running = started(LaunchPlan(run, num_processes=2, threads=1))
    wait_for_step(run, 5)
    first = [int((run / f"rank-{rank}").read_text()) for rank in range(2)]
    os.kill(first[1], signal.SIGKILL)

    def is_replaced() -> bool:
        status = RunDir(run).read_status()
        return status is not None and status.pid not in first

    wait_until(is_replaced, timeout_s=60, message=f"no restart; {console(run)[-2000:]}")
    wait_for_step(run, step(run) + 2)
    assert json.loads((run / "launcher.json").read_text())["pid"] == running.pid
    assert stop_group(running)
    assert exit_code(run) == 3
    assert {f"rank {rank} ends" in console(run) for rank in range(2)} == {True}


@pytest.mark.stress
def test_a_lost_node_is_replaced(run: Path, started: Start) -> None:
    """Two launchers stand for two nodes; the second is killed with its worker, a new one takes its place."""
    plan = LaunchPlan(run, num_nodes=2, rendezvous=f"127.0.0.1:{free_port()}", node_rank=0, threads=1)
    first = started(plan)
    words = command(replace(plan, module="tests.helpers.launched"))
    variables = {**os.environ, **environment(replace(plan, node_rank=1))}
    quiet = {"env": variables, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, **quiet) as second:
        wait_for_step(run, 5)
        for process in (psutil.Process(second.pid), *psutil.Process(second.pid).children(recursive=True)):
            process.kill()
    lost = step(run)
    with subprocess.Popen(words, **quiet) as second:
        wait_for_step(run, lost + 5, timeout_s=120)
        second.terminate()  # all ranks agree to stop, on the other node too
    wait_until(lambda: exit_code(run) == 3, timeout_s=30)
    stop_group(first, grace_s=5)
    assert "rank 0 ends" in console(run) or "rank 1 ends" in console(run)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
