"""``ul-engine evaluate``."""

import argparse
import math
import os
import sys
import time
from pathlib import Path

import torch
from pydantic import ValidationError

from ul_engine import protocol
from ul_engine.cli.sampling import sampling_of
from ul_engine.cli.session import Session, explained, open_session
from ul_engine.errors import ConfigError, DataError, EngineError
from ul_engine.evaluation import EvaluationSettings, Task, parse_metrics
from ul_engine.evaluation import evaluate as run_evaluation
from ul_engine.evaluation.inventory import Observe
from ul_engine.evaluation.results import PAGE_NAME, REPORT_NAME, TABLE_NAMES, Evaluation
from ul_engine.evaluation.tables import summary_text, worst_text
from ul_engine.hub.local import find_model
from ul_engine.model_folder import read_manifest
from ul_engine.requests import TilingSettings

LOG_INTERVAL_S = 60.0


def evaluate(arguments: argparse.Namespace) -> int:
    """Measure, write the files, print the table; or print news as lines of JSON for a program."""
    if arguments.json_progress:
        return _evaluate_for_a_program(arguments)
    progress = CountedProgress()
    try:
        found = _evaluated(arguments, progress.show)
    except KeyboardInterrupt:
        progress.clear()
        print("what is finished is kept; the same command goes on from there", file=sys.stderr)
        raise
    finally:
        progress.clear()
    print(summary_text(found.report))
    worst = found.report["worst_first"]
    if worst is not None and len(found.rows) > 1:
        print(f"\n{worst_text(worst['samples'], worst['by'])}")
    print(f"\n{arguments.out / PAGE_NAME}\n{arguments.out / REPORT_NAME}")
    return 0


def _evaluate_for_a_program(arguments: argparse.Namespace) -> int:
    """The same with the lines of `ul_engine.protocol.evaluation` on standard output, and nothing else there."""

    def send(news: protocol.EvaluationNews) -> None:
        print(news.model_dump_json(), flush=True)

    try:
        found = _evaluated(
            arguments,
            lambda doing, done, total: send(protocol.EvaluationProgress(doing=doing, done=done, total=total)),
        )
    except EngineError as error:
        send(protocol.EvaluationFailed(kind=type(error).__name__, message=str(error)))
        raise
    out = arguments.out.resolve()
    tables = tuple(str(out / name) for name in TABLE_NAMES if (out / name).is_file())
    send(
        protocol.EvaluationFinished(
            num_samples=len(found.rows),
            num_broken=len(found.report["data"]["broken"]),
            report=str(out / REPORT_NAME),
            page=str(out / PAGE_NAME),
            tables=tables,
        )
    )
    return 0


def _evaluated(arguments: argparse.Namespace, observe: Observe) -> Evaluation:
    choice = parse_metrics(arguments.metrics)
    arguments.model = find_model(arguments.model)
    settings = _settings(arguments, arguments.model)
    session = open_session(arguments)
    settings = settings.model_copy(update={"precision": _precision(session)})
    task = Task(
        session.pipeline,
        session.manifest,
        session.folder,
        tuple(arguments.data),
        choice,
        settings=settings,
        weights=arguments.metric_weights,
    )
    return run_evaluation(task, arguments.out, restart=arguments.restart, observe=observe)


def _settings(arguments: argparse.Namespace, folder: Path) -> EvaluationSettings:
    try:
        return EvaluationSettings(
            limit=arguments.limit,
            size_px=arguments.size,
            seed=arguments.seed,
            sampling=sampling_of(arguments, folder),
            tiling=TilingSettings(mode=arguments.tiles, tile_px=arguments.tile_px),
            num_decodes=arguments.decodes,
            bitrate_times=arguments.bitrate_times,
            restorer=arguments.restorer,
            batch_size=arguments.batch_size,
            clip_stride=arguments.stride,
            clip_fps=_fps(arguments.fps, folder),
            num_generated=arguments.num_generated,
            prompts=_prompts(arguments.prompts),
            continues=arguments.continues,
            skip_broken=arguments.skip_broken,
        )
    except ValidationError as error:
        raise explained(error) from error


def _fps(text: str, folder: Path) -> float | None:
    """None: the file's own frames."""
    video = read_manifest(folder).model.video
    if video is None or text == "file":
        return None
    try:
        return video.fps if text == "model" else float(text)
    except ValueError:
        raise ConfigError(f"{text!r}: write a number, model or file", field="fps") from None


def _prompts(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as a text of prompts ({error})", path=path) from error
    prompts = tuple(line.strip() for line in lines if line.strip())
    if not prompts:
        raise DataError("has no prompt in it; write one per line", path=path)
    return prompts


def _precision(session: Session) -> str:
    return "bf16" if session.pipeline.dtype is torch.bfloat16 else "fp32"


class CountedProgress:
    """``measuring samples · 12 / 24 · 3.1 s each · 1 min left`` on standard error: one line that is rewritten on a
    terminal, elsewhere a new line at most every minute."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty() and "TERM" in os.environ
        self._doing = ""
        self._first, self._started = 0, 0.0
        self._last_line = time.monotonic()

    def show(self, doing: str, done: int, total: int) -> None:
        """Show how far it is; the pace counts from where this run began."""
        now = time.monotonic()
        if doing != self._doing:
            self._doing, self._first, self._started = doing, done, now
        text = f"{doing} · {progress_text(done, total, self._first, now - self._started)}"
        if self._is_live:
            print(f"\r{text:<70}", end="", file=sys.stderr, flush=True)
        elif now - self._last_line >= LOG_INTERVAL_S:
            self._last_line = now
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the line."""
        if self._is_live:
            print(f"\r{'':<70}\r", end="", file=sys.stderr, flush=True)


def progress_text(done: int, total: int, first: int, elapsed_s: float) -> str:
    """``12 / 24 · 3.1 s each · 1 min left``; no pace before anything was done since `first`."""
    if done <= first:
        return f"{done} / {total}"
    each_s = elapsed_s / (done - first)
    return f"{done} / {total} · {each_s:.2g} s each · {_duration((total - done) * each_s)} left"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
