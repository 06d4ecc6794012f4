"""One rank of a run whose settings lie in its folder: ``python -m trainer.worker RUN``, alone or under torchrun."""

import argparse
import ctypes
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from trainer.config import parse_config
from trainer.protocol import RunStatus
from trainer.run_dir import RunDir, read_json
from ul_engine.errors import EngineError

PR_SET_PDEATHSIG = 1


def main(argv: list[str] | None = None) -> int:
    """0 when the run finished or was stopped or paused, as its status says; 1 for a failure that was explained.

    torchrun starts all ranks again when one fails. Where that cannot help, they end at once, and well, the second time.
    """
    parser = argparse.ArgumentParser(prog="trainer.worker", description="Train the run in a folder.")
    parser.add_argument("run", type=Path, help="run folder with its config.json")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    arguments = parser.parse_args(argv)
    run = RunDir(arguments.run)
    if _is_hopeless(run):
        return 0
    _end_with_launcher()
    from trainer.processor import make_quick
    from trainer.train import RunTaken, run_training

    began = time.time()
    try:
        config = parse_config(read_json(run.settings))
        make_quick(arguments.device)
        run_training(config, arguments.run, device=arguments.device)
    except EngineError as error:
        print(f"ul-train: {error}", file=sys.stderr)
        if not isinstance(error, RunTaken):
            _note_failure(run, str(error), began)
        return 1
    return 0


def _note_failure(run: RunDir, reason: str, began: float) -> None:
    """Write down why a start failed that came to nothing before it could say so itself."""
    status = run.read_status()
    if status is not None and status.heartbeat >= began:
        return
    before = status or RunStatus(state="failed", step=0, num_steps=1)
    changes = {"state": "failed", "reason": reason, "can_retry": False, "advice": ()}
    run.write_status(before.model_copy(update=changes))


def _is_hopeless(run: RunDir) -> bool:
    """Whether torchrun starts this rank again after a failure that would only happen again."""
    if os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0":
        return False
    status = run.read_status()
    return status is not None and status.state == "failed" and not status.can_retry


def _end_with_launcher() -> None:
    """Have the system send SIGTERM (save and stop) when torchrun is killed: nobody else would tell its workers."""
    if sys.platform == "linux" and "TORCHELASTIC_RUN_ID" in os.environ:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _leave(code: int) -> None:
    """End at once: ranks of a group sometimes abort while Python tears itself down, which would look like a failure."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    try:
        exit_code = main()
    except Exception:  # noqa: BLE001 - the trainer's entry: everything else ends here, with its traceback in the log
        traceback.print_exc()
        exit_code = 1
    _leave(exit_code)
