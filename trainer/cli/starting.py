"""From checked settings to a run: here, as several processes, in the background, or only on paper."""

import argparse
import sys
import time
from pathlib import Path

from trainer.config import RunConfig, ScenesData
from trainer.launch import LaunchPlan, RunningProcess, exit_code, start, stop_group
from trainer.run_dir import RunDir
from ul_engine.errors import ConfigError

POLL_S = 0.2


def start_run(config: RunConfig, folder: Path, arguments: argparse.Namespace) -> int:
    """0 when the run finished (or was started in the background), 1 for a failure, 3 when it stopped before the end."""
    if arguments.dry_run:
        return _dry_run(config, folder, arguments)
    if arguments.processes < 1:
        raise ConfigError(f"{arguments.processes} is too few; at least 1", field="processes")
    if arguments.processes == 1 and not arguments.detach:
        from trainer.processor import make_quick  # torch: only once the arguments are known to be good
        from trainer.train import run_training

        make_quick(arguments.device)
        return 0 if run_training(config, folder, device=arguments.device) == "finished" else 3
    return _start_processes(config, folder, arguments)


def _start_processes(config: RunConfig, folder: Path, arguments: argparse.Namespace) -> int:
    run = RunDir(folder)
    run.create()
    plan = LaunchPlan(folder.resolve(), num_processes=arguments.processes, device=arguments.device)
    began = time.time()
    running = start(plan, config.model_dump(mode="json"))
    if arguments.detach:
        print(f"{folder}: started (process {running.pid}); ul-train status {folder} tells how it goes")
        return 0
    try:
        _follow(run.console, running)
    except KeyboardInterrupt:
        print("stopping: the state is saved first", file=sys.stderr)
        stop_group(running)
    return exit_code(folder, since=began)


def _follow(console: Path, running: RunningProcess) -> None:
    """Show what the run prints until it ends."""
    with console.open(encoding="utf-8", errors="replace") as stream:
        stream.seek(0, 2)
        while True:
            is_running = running.is_running()
            text = stream.read()
            if text:
                print(text, end="", flush=True)
            if not is_running:
                return
            time.sleep(POLL_S)


def _dry_run(config: RunConfig, folder: Path, arguments: argparse.Namespace) -> int:
    """Settings as the run would have them, and what it would cost. The data is opened; of Scenes only a few are
    rendered, to see how long they take."""
    from trainer.conditioning import settled_condition
    from trainer.data.opening import open_data
    from trainer.estimates import estimate, text
    from trainer.processor import make_quick
    from trainer.train import settled_precision
    from ul_engine.devices import pick_device

    make_quick(arguments.device)
    device = pick_device(arguments.device)
    config, num_samples = settled_precision(config, device), None
    if not isinstance(config.data, ScenesData):
        train, _ = open_data(config.data, seed=config.seed)
        config, num_samples = settled_condition(config, train), len(train)
    ranks = arguments.processes
    found = estimate(config, device=device, measure=True, num_ranks=ranks, num_samples=num_samples, folder=folder)
    if arguments.json:
        print(found.model_dump_json(indent=1))
    else:
        print(config.model_dump_json(indent=1))
        print(text(found))
    return 0
