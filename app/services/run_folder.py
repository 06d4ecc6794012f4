"""Reads what a run folder says beside its events: how the run stands, its settings, checkpoints and log."""

import json
import math
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.run_news import CheckpointFacts, RunCondition, RunFacts, RunSummary, Standing
from trainer.launch import attach
from trainer.protocol import RunStatus
from trainer.run_dir import CHECKPOINT_NAME, RunDir, checkpoint_step, is_alive
from ul_engine.model_folder import MANIFEST_NAME

CONSOLE_BYTES, CONSOLE_LINES = 64 * 1024, 400
NUM_BANDS = 8
MAX_DEPTH = 3
INNER_FOLDERS = frozenset(
    ("checkpoints", "previews", "evidence", "tensorboard", "commands", "model", "latents", "base-model")
)
ENDED = {
    "paused": RunCondition.PAUSED,
    "stopped": RunCondition.STOPPED,
    "finished": RunCondition.FINISHED,
    "failed": RunCondition.FAILED,
}


def standing_of(folder: Path) -> Standing:
    """How the run stands: its status, held against the processes of this machine."""
    run = RunDir(folder)
    status = run.read_status()
    process = attach(folder)
    if status is None:
        condition = RunCondition.STARTING if process is not None else RunCondition.UNSTARTED
        return Standing(condition, pid=process.pid if process is not None else 0)
    condition = _condition(status, process.started if process is not None else None)
    is_live = condition.is_live
    return Standing(
        condition=condition,
        step=status.step,
        num_steps=status.num_steps,
        reason="" if is_live else status.reason,
        advice=() if is_live else status.advice,
        can_retry=status.can_retry,
        host=status.host,
        pid=status.pid,
        num_ranks=status.num_ranks,
        heartbeat_s=status.heartbeat,
        is_here=status.host in ("", socket.gethostname()),
    )


def _condition(status: RunStatus, process_started: float | None) -> RunCondition:
    """A process that was started after the last word of a run is a new beginning; one that was there before it only
    takes its time to end."""
    if status.state == "running":
        if is_alive(status):
            return RunCondition.RUNNING
        return RunCondition.STARTING if process_started is not None else RunCondition.INTERRUPTED
    if process_started is not None and process_started > status.heartbeat:
        return RunCondition.STARTING
    return ENDED[status.state]


def facts_of(folder: Path) -> RunFacts:
    """What the settings say; whatever is missing or odd stays empty: they may be another version's."""
    try:
        data = json.loads(RunDir(folder).settings.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return RunFacts()
    config = _Section(data)
    model, latent, loss = (
        config.section("model"),
        config.section("model", "latent"),
        config.section("model", "decoder_loss"),
    )
    image_px, noise_px = model.number("image_px"), loss.number("noise_px", 32.0)
    shift = 2 * math.log(noise_px / image_px) if image_px > 0 and noise_px > 0 else 0.0
    return RunFacts(
        stage=config.text("stage"),
        preset=config.text("preset"),
        model_name=model.text("name"),
        data=_data_text(config.section("data")),
        num_steps=int(config.number("num_steps")),
        batch_size=int(config.number("batch_size")),
        image_px=int(image_px),
        loss_factor=loss.number("loss_factor") or None,
        init_from=config.text("init_from"),
        keep_checkpoints=int(config.section("cadence").number("keep_checkpoints", 2)),
        milestone_every=int(config.section("cadence").number("milestone_every")),
        prior_band_edges=_edges(latent.number("logsnr_min", -10.0), latent.number("logsnr_max", 5.0)),
        decoder_band_edges=_edges(loss.number("logsnr_min", -10.0) + shift, loss.number("logsnr_max", 10.0)),
    )


class _Section:
    """A part of JSON settings whose shape is not trusted."""

    def __init__(self, data: Any) -> None:
        self._data: Mapping[str, Any] = data if isinstance(data, dict) else {}

    def section(self, *names: str) -> "_Section":
        found = self
        for name in names:
            found = _Section(found._data.get(name))
        return found

    def text(self, name: str) -> str:
        value = self._data.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str, otherwise: float = 0.0) -> float:
        value = self._data.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _edges(low: float, high: float) -> tuple[float, ...]:
    return tuple(low + (high - low) * place / NUM_BANDS for place in range(NUM_BANDS + 1))


def _data_text(data: _Section) -> str:
    """What is trained on, in a few words."""
    if data.text("kind") == "scenes":
        return "Scenes"
    return Path(data.text("path")).name or data.text("dataset") or data.text("kind")


def checkpoints_of(folder: Path) -> tuple[CheckpointFacts, ...]:
    """Finished checkpoints, newest first."""
    found = []
    pinned = RunDir(folder).pinned_steps()
    for path in reversed(RunDir(folder).checkpoint_folders()):
        try:
            num_bytes = sum(entry.stat().st_size for entry in os.scandir(path) if entry.is_file())
            saved_s = (path / CHECKPOINT_NAME).stat().st_mtime
        except OSError:  # it was thinned out just now
            continue
        step = checkpoint_step(path)
        found.append(CheckpointFacts(step, str(path), num_bytes, saved_s, step in pinned))
    return tuple(found)


def best_scores_of(folder: Path) -> Mapping[int, float]:
    """Scores of steps that were measured, more is better."""
    try:
        data = json.loads((RunDir(folder).checkpoints / "best.json").read_text(encoding="utf-8"))
        return {int(step): float(score) for step, score in data.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def has_model(folder: Path) -> bool:
    """Whether the run has exported its model."""
    return (RunDir(folder).model / MANIFEST_NAME).is_file()


def console_tail(folder: Path) -> str:
    """The last lines that the run printed."""
    try:
        with RunDir(folder).console.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - CONSOLE_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-CONSOLE_LINES:])


def is_run(folder: Path) -> bool:
    """Whether a folder is one of a run."""
    run = RunDir(folder)
    if run.events.is_file() or run.status.is_file():
        return True
    return run.settings.is_file() and (run.checkpoints.is_dir() or run.commands.is_dir())


def run_folders(root: Path) -> Iterator[Path]:
    """The runs below a folder, sweeps' points and stages among them; the folder itself if it is one."""
    yield from _runs_below(root, MAX_DEPTH)


def _runs_below(folder: Path, depth: int) -> Iterator[Path]:
    if is_run(folder):
        yield folder
        return
    if depth == 0:
        return
    try:
        below = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return
    for path in below:
        if os.path.basename(path) not in INNER_FOLDERS:
            yield from _runs_below(Path(path), depth - 1)


def summary_of(folder: Path, name: str, facts: RunFacts) -> RunSummary:
    """A row of the list; `facts` are read seldom, the standing each time."""
    run = RunDir(folder)
    changed_s = max(_changed_s(path) for path in (run.status, run.events, run.settings))
    return RunSummary(str(folder), name, standing_of(folder), facts, changed_s)


def _changed_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
