"""A stand-in for the trainer's worker, run as a real process: counts steps, saves when told to stop.

``python -m tests.helpers.launched RUN [--device NAME]``. With torchrun, two gloo processes agree on every step. Rank 0
keeps the status; what a new process finds there it continues. ``RUN/stubborn`` makes it deaf to signals.
"""

import os
import signal
import sys
import time
from pathlib import Path

from trainer.protocol import RunStatus
from trainer.run_dir import RunDir

LAST_STEP = 10_000


def main() -> None:
    folder = Path(sys.argv[1])
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    agree = together() if size > 1 else bool
    former = RunDir(folder).read_status()
    step = former.step if former is not None else 0
    (folder / f"rank-{rank}").write_text(str(os.getpid()))
    while not agree(bool(told)) or (folder / "stubborn").exists():
        step += 1
        report(folder, rank, size, step, "running")
        time.sleep(0.02)
    report(folder, rank, size, step, "stopped")
    print(f"rank {rank} ends at step {step}", flush=True)
    os._exit(0)  # gloo sometimes aborts while the interpreter ends


def report(folder: Path, rank: int, size: int, step: int, state: str) -> None:
    if rank == 0:
        status = {"state": state, "step": step, "num_steps": LAST_STEP, "num_ranks": size}
        RunDir(folder).write_status(RunStatus.model_validate(status), is_durable=False)


def together():
    """A function that tells whether any rank said yes."""
    import torch
    from torch import distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group("gloo")

    def any_of_us(says_yes: bool) -> bool:
        votes = torch.tensor([float(says_yes)])
        try:
            dist.all_reduce(votes)
        except RuntimeError:  # the other one is gone
            os._exit(1)
        return bool(votes)

    return any_of_us


if __name__ == "__main__":
    main()
