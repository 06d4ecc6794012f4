"""Start a run's processes, find them again, stop them. No torch.

One process is plain Python, so that one device works everywhere; several are torchrun's, which starts them again when
one dies. They outlive the window or terminal that started them and write to the run's console log. How a run ended
stands in its status: torchrun ends with 1 whatever its workers said, so an exit code tells nothing (`exit_code`).
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from trainer.protocol import Command, request_command
from trainer.run_dir import RunDir, is_alive, read_json, write_json
from ul_engine.errors import CheckpointError, ConfigError, OutputError

LAUNCHER_NAME: Final = "launcher.json"
"""Who started the run's processes: pid, its start, host, command."""
WORKER: Final = "trainer.worker"
SHUTDOWN_S: Final = 90
"""Seconds that torchrun lets its workers save after a stop signal (its own default is 30), and `stop_group` with it."""
JOIN_S: Final = 1800
"""Seconds that nodes wait for each other: a replaced machine needs minutes to come up."""
START_TOLERANCE_S: Final = 1.0
_LAUNCHER_VARIABLES = re.compile(
    r"(TORCHELASTIC|PET)_\w+|((GROUP|ROLE|LOCAL)_)?(RANK|WORLD_SIZE)|ROLE_NAME|MASTER_(ADDR|PORT)"
)
"""Of a launcher that this process may run under itself."""


@dataclass(frozen=True)
class LaunchPlan:
    """How the run in the folder `run`, whose settings stand in it, is to be started.

    `num_processes` counts a node's; `num_nodes` is a number, or (fewest, most) for a run that grows and shrinks;
    `rendezvous` is ``host:port`` of node 0, needed by several nodes; `node_rank` says which node this is (None: the
    nodes find out by their addresses who hosts the rendezvous); `threads` are CPU threads of a process, 0: an even
    share of the cores.
    """

    run: Path
    num_processes: int = 1
    num_nodes: int | tuple[int, int] = 1
    rendezvous: str | None = None
    node_rank: int | None = None
    max_restarts: int = 3
    device: str = "auto"
    threads: int = 0
    python: str = sys.executable
    module: str = WORKER

    @property
    def most_nodes(self) -> int:
        """Nodes that take part at most."""
        return self.num_nodes if isinstance(self.num_nodes, int) else self.num_nodes[1]

    @property
    def uses_torchrun(self) -> bool:
        """Whether there can be more than one process."""
        return self.num_processes > 1 or self.most_nodes > 1


def command(plan: LaunchPlan) -> list[str]:
    """The command line, the same on every node; raises ConfigError for a plan that cannot work."""
    _check(plan)
    worker = [plan.module, str(plan.run), *(("--device", plan.device) if plan.device != "auto" else ())]
    if not plan.uses_torchrun:
        return [plan.python, "-m", *worker]
    restarts = ["--nproc-per-node", str(plan.num_processes), "--max-restarts", str(plan.max_restarts)]
    return [plan.python, "-m", "torch.distributed.run", *_nodes(plan), *restarts, "-m", *worker]


def _nodes(plan: LaunchPlan) -> list[str]:
    if plan.most_nodes == 1 or plan.rendezvous is None:
        # Without the address torchrun asks for the host's full name, which laptops and containers cannot resolve.
        return ["--standalone", "--local-addr", "127.0.0.1"]
    few_many = plan.num_nodes if isinstance(plan.num_nodes, tuple) else (plan.num_nodes,)
    name = "ul-" + re.sub(r"[^A-Za-z0-9_-]+", "-", plan.run.name)
    meeting = ["--rdzv-backend", "c10d", "--rdzv-endpoint", plan.rendezvous, "--rdzv-id", name]
    return ["--nnodes", ":".join(map(str, few_many)), *meeting]


def _check(plan: LaunchPlan) -> None:
    few, many = (plan.num_nodes, plan.num_nodes) if isinstance(plan.num_nodes, int) else plan.num_nodes
    for field, value, least in (
        ("num_processes", plan.num_processes, 1),
        ("num_nodes", few, 1),
        ("max_restarts", plan.max_restarts, 0),
        ("threads", plan.threads, 0),
    ):
        if value < least:
            raise ConfigError(f"{value} is too few; at least {least}", field=field)
    if few > many:
        raise ConfigError(f"{few}:{many} is no range; write the fewest nodes first", field="num_nodes")
    if many > 1 and not re.fullmatch(r"\S+:\d+", plan.rendezvous or ""):
        raise ConfigError("several nodes need the address of node 0, as host:port", field="rendezvous")


def environment(plan: LaunchPlan) -> dict[str, str]:
    """Variables that the processes need beside the inherited ones."""
    variables = {"PYTHONUNBUFFERED": "1"}
    if plan.threads or plan.uses_torchrun:
        fair = max(1, (os.cpu_count() or 1) // plan.num_processes)
        variables["OMP_NUM_THREADS"] = str(plan.threads or fair)
    if not plan.uses_torchrun:
        return variables
    variables |= {
        "TORCH_NCCL_ASYNC_ERROR_HANDLING": "1",  # a dead peer ends the others instead of hanging them
        "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": str(SHUTDOWN_S),
        # Otherwise restarted workers find the dead ones' addresses in the store: 4 of 5 restarts failed with gloo, in
        # torch 2.13, and none of 5 with this.
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
    }
    if plan.most_nodes > 1:
        host = [] if plan.node_rank is None else [f"is_host={int(plan.node_rank == 0)}"]
        variables["PET_RDZV_CONF"] = ",".join([*host, f"join_timeout={JOIN_S}"])
    if sys.platform == "win32":
        variables["USE_LIBUV"] = "0"  # torch is built without it there
    return variables


@dataclass(frozen=True)
class RunningProcess:
    """The first process of a run on this machine: torchrun, or the only worker. `child` is None where another program
    started it."""

    run: Path
    pid: int
    started: float
    child: "subprocess.Popen[bytes] | None" = None

    def is_running(self) -> bool:
        """Whether it has not ended."""
        if self.child is not None:
            return self.child.poll() is None
        return _process(self.pid, self.started) is not None

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended within `timeout_s` seconds."""
        with suppress(subprocess.TimeoutExpired, psutil.TimeoutExpired):
            if self.child is not None:
                self.child.wait(timeout_s)
            elif process := _process(self.pid, self.started):
                process.wait(timeout_s)
        return not self.is_running()

    def release(self) -> None:
        """Wait for it no more, because this program ends and the run goes on: Python would warn of a child left. After
        that `attach` tells whether it runs, not this object."""
        if self.child is not None and self.child.returncode is None:
            self.child.returncode = 0


def start(plan: LaunchPlan, requested: Mapping[str, Any] | None = None) -> RunningProcess:
    """Start the run's processes in a session of their own, output appended to the console log. `requested` are the
    settings they begin from; None: those in the folder. GPUs are counted as the driver counts them, unless
    CUDA_DEVICE_ORDER says otherwise: cuda:1 is the card that nvidia-smi and the window call so.

    Raises CheckpointError where the folder holds no settings, OutputError where the run is running already or nothing
    can be written, ConfigError for a plan that cannot work.
    """
    run, words = RunDir(plan.run), command(plan)
    if (running := attach(plan.run)) is not None:
        raise OutputError(f"process {running.pid} is training here already; stop it first", path=plan.run)
    if requested is not None:
        write_json(run.requested, dict(requested))
    read_json(run.settings)
    inherited = {name: value for name, value in os.environ.items() if not _LAUNCHER_VARIABLES.fullmatch(name)}
    try:
        with run.console.open("ab") as console:
            child = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env={"CUDA_DEVICE_ORDER": "PCI_BUS_ID", **inherited, **environment(plan)},
                **detached(),
            )
    except OSError as error:
        raise OutputError(f"the run cannot be started ({error.strerror})", path=plan.run) from error
    running = RunningProcess(plan.run, child.pid, psutil.Process(child.pid).create_time(), child)
    who = {"pid": running.pid, "pid_started": running.started, "host": socket.gethostname(), "command": words}
    write_json(plan.run / LAUNCHER_NAME, who)
    return running


def detached() -> Mapping[str, Any]:
    """Options of `subprocess.Popen`: a closed terminal or a killed parent does not reach a process started so."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def launched_s(run: Path) -> float | None:
    """When the launch that this process came from began, in seconds since 1970; None where it was not launched."""
    try:
        who = read_json(run / LAUNCHER_NAME)
        pid, started, host = int(who["pid"]), float(who["pid_started"]), str(who["host"])
        me = psutil.Process()
        line = (me, *me.parents())
        is_mine = any(each.pid == pid and abs(each.create_time() - started) < START_TOLERANCE_S for each in line)
    except (CheckpointError, KeyError, TypeError, ValueError, psutil.Error):
        return None
    return started if is_mine and host == socket.gethostname() else None


def attach(run: Path) -> RunningProcess | None:
    """The run's first process on this machine, whoever started it; None where none runs. A worker that lost its
    launcher is found through the run's status."""
    try:
        who = read_json(run / LAUNCHER_NAME)
        pid, started, host = int(who["pid"]), float(who["pid_started"]), str(who["host"])
    except (CheckpointError, KeyError, TypeError, ValueError):
        pid, started, host = 0, 0.0, ""
    if host == socket.gethostname() and _process(pid, started) is not None:
        return RunningProcess(run, pid, started)
    status = RunDir(run).read_status()
    if status is None or status.host != socket.gethostname() or not is_alive(status):
        return None
    return RunningProcess(run, status.pid, status.pid_started)


def _process(pid: int, started: float) -> psutil.Process | None:
    """The process, if it runs and is the one that started then: pids are used again."""
    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - started) < START_TOLERANCE_S
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def stop_group(running: RunningProcess, *, grace_s: float = SHUTDOWN_S + 10) -> bool:
    """Ask the run to save and end; kill all its processes that are left after `grace_s` seconds. True if none was
    killed.

    The signal goes to the first process alone: torchrun passes it on, and a worker's loaders must live while it saves.
    Where there are no such signals (Windows), the command file asks.
    """
    family = _family(running)
    with suppress(OSError):
        if sys.platform == "win32":
            request_command(running.run, Command.STOP)
        elif running.is_running():
            os.kill(running.pid, signal.SIGTERM)
    running.wait(grace_s)
    _, left = psutil.wait_procs({*family, *_family(running)}, timeout=1.0)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()  # psutil kills no process that merely has the same pid
    psutil.wait_procs(left, timeout=10.0)
    running.wait(10.0)
    return not left


def _family(running: RunningProcess) -> list[psutil.Process]:
    """The process and all that come from it; signals to a group miss torchrun's workers, each in its own session."""
    process = _process(running.pid, running.started)
    if process is None:
        return []
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def exit_code(run: Path, *, since: float = 0.0) -> int:
    """How the run ended by its own account: 0 finished, 3 stopped or paused before the end, 1 otherwise. `since` is the
    time of its start (seconds since 1970): what an earlier start left says nothing of this one."""
    status = RunDir(run).read_status()
    if status is None or status.heartbeat < since:
        return 1
    return {"finished": 0, "stopped": 3, "paused": 3}.get(status.state, 1)
