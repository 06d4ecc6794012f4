"""``ul-train status``, ``stop``, ``pause``, ``save``, ``preview`` and ``pin``: look at a run and steer it."""

import argparse
import time
from functools import partial
from pathlib import Path

from trainer.cli.options import run_folder
from trainer.launch import attach
from trainer.protocol import COMMANDS, Command, RunStatus, request_command
from trainer.run_dir import RunDir, is_alive


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    status = commands.add_parser("status", help="tell how a run stands")
    status.add_argument("folder", type=run_folder, metavar="RUN")
    status.add_argument("--json", action="store_true", help="as JSON")
    status.set_defaults(run=_status)
    for command in Command:
        steer = commands.add_parser(command.value, help=COMMANDS[command])
        steer.add_argument("folder", type=run_folder, metavar="RUN")
        steer.set_defaults(run=partial(_request, command))
    pin = commands.add_parser("pin", help="Let a checkpoint stay, however many come after it.")
    pin.add_argument("folder", type=run_folder, metavar="RUN")
    pin.add_argument("step", type=int, help="the checkpoint's step")
    pin.add_argument("--off", action="store_true", help="let it go with the others of its age")
    pin.set_defaults(run=_pin)


def _request(command: Command, arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder
    status = RunDir(folder).read_status()
    if status is None or not is_alive(status):
        print(f"{folder}: {state_text(status)}; there is nobody to ask")
        return 1
    request_command(folder, command)
    print(f"{folder}: asked to {command.value}, after the step it is at")
    return 0


def _pin(arguments: argparse.Namespace) -> int:
    RunDir(arguments.folder).set_pinned(arguments.step, is_pinned=not arguments.off)
    print(f"{arguments.folder}: step {arguments.step:,} {'is no longer pinned' if arguments.off else 'stays'}")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    status = RunDir(arguments.folder).read_status()
    if arguments.json:
        print(status.model_dump_json(indent=1) if status is not None else "null")
        return 0
    print(f"{arguments.folder}: {state_text(status)}")
    if status is not None and not is_alive(status) and status.state == "running" and attach(arguments.folder) is None:
        print(f"ul-train resume {arguments.folder} goes on from the newest checkpoint")
    for line in status.advice if status is not None else ():
        print(f"  {line}")
    return 0


def state_text(status: RunStatus | None) -> str:
    """How a run stands, in plain words; a run whose process is gone was interrupted."""
    if status is None:
        return "has not begun"
    where = f"step {status.step:,} of {status.num_steps:,}"
    if status.state == "running":
        if is_alive(status):
            return f"running, {where} (process {status.pid} on {status.host})"
        ago = max(0.0, time.time() - status.heartbeat)
        return f"interrupted at {where}, {ago / 60:.0f} minutes ago"
    reason = f": {status.reason}" if status.reason else ""
    return f"{status.state} at {where}{reason}"
