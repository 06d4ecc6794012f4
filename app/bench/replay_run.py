"""Plays a finished run's events into another run folder, as fast as asked: a training run that costs no training."""

import itertools
import json
import shutil
import sys
import time
from pathlib import Path

from trainer.protocol import RunState, RunStatus
from trainer.run_dir import RunDir

NUM_STEPS = 1_000_000
PREVIEW_EVERY = 25


def main() -> int:
    """``replay_run SOURCE TARGET EVENTS_PER_SECOND SECONDS``."""
    source, target = Path(sys.argv[1]), RunDir(Path(sys.argv[2]))
    rate, seconds = float(sys.argv[3]), float(sys.argv[4])
    target.create()
    shutil.copy(source / "config.json", target.config)
    lines = (source / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    previews = [event for event in events if event["type"] == "preview"]
    others = [event for event in events if event["type"] in ("step", "validation")]
    began = time.time()
    with target.events.open("a", encoding="utf-8") as out:
        _append(out, events[0], 0)
        for number, event in enumerate(itertools.cycle(others), start=1):
            due = began + number / rate
            time.sleep(max(0.0, due - time.time()))
            if time.time() - began > seconds:
                break
            _append(out, event, number)
            if previews and number % PREVIEW_EVERY == 0:
                _append(
                    out, _preview(previews[number // PREVIEW_EVERY % len(previews)], source, target, number), number
                )
            if number % 10 == 0:
                target.write_status(_status("running", number), is_durable=False)
    target.write_status(_status("finished", number), is_durable=False)
    return 0


def _status(state: RunState, step: int) -> RunStatus:
    return RunStatus(state=state, step=step, num_steps=NUM_STEPS)


def _preview(event: dict[str, object], source: Path, target: RunDir, number: int) -> dict[str, object]:
    """Its picture under another name, in place before the event tells of it."""
    name = f"reconstruction-{number:07}.png"
    shutil.copy(source / "previews" / str(event["file"]), target.previews / name)
    return {**event, "file": name}


def _append(out: object, event: dict[str, object], number: int) -> None:
    line = json.dumps({**event, "step": number, "time": time.time()})
    out.write(f"{line}\n")  # type: ignore[attr-defined]
    out.flush()  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
