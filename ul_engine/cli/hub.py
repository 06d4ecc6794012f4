"""``ul-engine models download|publish|search``: what needs the Hugging Face Hub."""

import argparse
import dataclasses
import json
import os
import sys
import time

from ul_engine.hub.download import download
from ul_engine.hub.endpoint import connect
from ul_engine.hub.local import find_model
from ul_engine.hub.progress import DownloadProgress
from ul_engine.hub.publish import Plan, Upload, plan_publication, publish
from ul_engine.hub.remote import FoundModel, search
from ul_engine.hub.weights import fetch_weights
from ul_engine.hub.wording import seconds_text, size_text
from ul_engine.metrics.feature_networks import metrics_dir

LOG_EVERY_S = 10.0
"""Where standard error is no terminal, a line of its own so often."""


def download_command(arguments: argparse.Namespace) -> int:
    """Fetch a model; the folder goes to standard output, everything else to standard error."""
    hub = connect(endpoint=arguments.endpoint, token=arguments.token)
    line = _ProgressLine()
    try:
        found = download(
            arguments.repo,
            revision=arguments.revision,
            into=arguments.to,
            name=arguments.name,
            replace=arguments.replace,
            hub=hub,
            progress=line.show,
        )
    except KeyboardInterrupt:
        line.clear()
        print("ul-engine: what came is kept; the same command goes on from it", file=sys.stderr)
        raise
    finally:
        line.clear()
    state = f"fetched, {size_text(found.fetched_bytes)}" if found.is_new else "is here already, every file as published"
    print(f"{found.manifest.model.name} at commit {found.origin.commit[:12]}: {state}", file=sys.stderr)
    print(found.folder)
    return 0


def weights_command(arguments: argparse.Namespace) -> int:
    """Fetch the weights of a metric's network; the file goes to standard output, everything else to standard error."""
    hub = connect(endpoint=arguments.endpoint, token=arguments.token)
    line = _ProgressLine()
    try:
        path = fetch_weights(
            arguments.repo,
            arguments.file,
            arguments.to or metrics_dir(),
            revision=arguments.revision,
            hub=hub,
            progress=line.show,
        )
    finally:
        line.clear()
    print(path)
    return 0


class _ProgressLine:
    """One line on a terminal that is rewritten; elsewhere a line now and then."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty() and "TERM" in os.environ
        self._logged_at = time.monotonic()

    def show(self, progress: DownloadProgress) -> None:
        """The listener of a download."""
        text = progress_text(progress)
        if self._is_live:
            print(f"\r{text:<110.110}", end="", file=sys.stderr, flush=True)
        elif progress.state == "waiting" or time.monotonic() - self._logged_at >= LOG_EVERY_S:
            self._logged_at = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the line."""
        if self._is_live:
            print(f"\r{'':<110}\r", end="", file=sys.stderr, flush=True)


def progress_text(progress: DownloadProgress) -> str:
    """One line: state, how much of how much, how fast, how long still."""
    if progress.state in ("asking", "done"):
        return {"asking": "asking what there is", "done": "done"}[progress.state]
    if progress.state == "waiting":
        return f"waiting: {progress.note}"
    left = progress.seconds_left
    rate = f", {size_text(progress.bytes_per_s)}/s" if progress.bytes_per_s else ""
    rest = f", {seconds_text(left)} left" if left is not None and progress.state == "downloading" else ""
    done = f"{size_text(progress.done_bytes)} of {size_text(progress.total_bytes)}"
    return f"{progress.state} {progress.file}: {done} ({progress.fraction:.0%}){rate}{rest}"


def publish_command(arguments: argparse.Namespace) -> int:
    """Publish a model, or with --dry-run only say what would be sent."""
    folder = find_model(arguments.model)
    plan = plan_publication(folder, arguments.repo, license_id=arguments.license, is_new_card=arguments.new_card)
    _print_plan(plan)
    if arguments.dry_run:
        print(f"\n{plan.card}\nnothing was sent (dry run)")
        return 0
    hub = connect(endpoint=arguments.endpoint, token=arguments.token)
    done = publish(
        plan,
        hub=hub,
        is_private=arguments.private,
        branch=arguments.branch,
        on_file=_say_sending,
        shows_bars=sys.stderr.isatty(),
    )
    print(f"published at {done.url}, commit {done.commit}")
    return 0


def _print_plan(plan: Plan) -> None:
    for upload in plan.uploads:
        note = f"  ({plan.card_note})" if upload.content is not None else ""
        print(f"{upload.name:<24} {size_text(upload.size_bytes):>8}{note}")
    if plan.left_out:
        print(f"left out, for they belong to no model: {', '.join(plan.left_out)}")
    print(
        f"licence: {plan.licence}"
        if plan.licence
        else "no licence is stated, so nobody else may use the model; give --license, such as apache-2.0"
    )


def _say_sending(upload: Upload) -> None:
    print(f"sending {upload.name}, {size_text(upload.size_bytes)}", file=sys.stderr, flush=True)


def search_command(arguments: argparse.Namespace) -> int:
    """Models on the Hub that carry the tag unified-latents."""
    hub = connect(endpoint=arguments.endpoint, token=arguments.token)
    found = search(arguments.query, hub=hub, limit=arguments.limit)
    if arguments.json:
        print(json.dumps([dataclasses.asdict(model) for model in found], indent=1))
        return 0
    for model in found:
        print(_found_line(model))
    if not found:
        print("nothing was found")
    return 0


def _found_line(model: FoundModel) -> str:
    marks = [word for word, is_so in (("terms to accept", model.is_gated), ("private", model.is_private)) if is_so]
    facts = [model.task, f"{model.downloads:,} downloads", f"{model.likes:,} likes", model.updated, *marks]
    return f"{model.repo}: {', '.join(fact for fact in facts if fact)}"
