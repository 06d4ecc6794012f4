"""The program's side of a test against a local Hub, in a process of its own: huggingface_hub reads its environment
once.

Run as a script it reads one JSON object per line (what to do) and writes one per line (what came of it).
"""

import contextlib
import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
NOT_OURS = "Use 'content="
"""How huggingface_hub 2.4.0 hands a file to its HTTP library."""


class HubClient:
    """A child process that downloads, publishes and runs ``ul-engine``; use as a context manager."""

    def __init__(self, endpoint: str, home: Path, **environment: str) -> None:
        self.home = home
        own = {
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(home / "huggingface"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "0",
            "XDG_DATA_HOME": str(home / "data"),
            "LOCALAPPDATA": str(home / "data"),
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHONPATH": str(ROOT),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-W", f"ignore:{NOT_OURS}:DeprecationWarning", __file__],
            cwd=ROOT,
            env={**os.environ, **own, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "HubClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait(10)
        self._process.stdout.close()  # type: ignore[union-attr]

    def begin(self, task: str, **arguments: Any) -> None:
        """Start a task without waiting for it."""
        self._process.stdin.write(json.dumps({"task": task, **arguments}) + "\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]

    def result(self) -> dict[str, Any]:
        """What came of the task that was begun."""
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        assert line, "the client process died"
        answer = dict(json.loads(line))
        assert answer.get("error") != "crash", answer["text"]
        return answer

    def do(self, task: str, **arguments: Any) -> dict[str, Any]:
        self.begin(task, **arguments)
        return self.result()

    def download(self, repo: str, **arguments: Any) -> dict[str, Any]:
        """`ul_engine.hub.download.download`: its result, news, or ``error``. Patience is short unless given."""
        return self.do("download", repo=repo, **arguments)

    def cli(self, *words: str) -> dict[str, Any]:
        """``ul-engine models`` with these words: code, out, err."""
        return self.do("cli", words=["models", *words])

    def kill(self) -> None:
        """End it as a crash or the task manager would."""
        self._process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        self._process.wait(10)


# ------------------------------------------------------------------------------------------------- inside the child


def _hub(arguments: dict[str, Any]) -> Any:
    from ul_engine.hub.endpoint import connect

    hub = connect(endpoint=arguments.pop("endpoint", None), token=arguments.pop("token", None))
    waits = {"silence_s": arguments.pop("silence_s", 10.0), "patience_s": arguments.pop("patience_s", 0.6)}
    return dataclasses.replace(hub, **waits)


def _download(arguments: dict[str, Any]) -> dict[str, Any]:
    from ul_engine.hub.download import download

    news: list[dict[str, Any]] = []
    stop_after = arguments.pop("stop_after_bytes", None)
    hub = _hub(arguments)
    found = download(
        hub=hub,
        progress=lambda progress: news.append(dataclasses.asdict(progress)),
        is_cancelled=lambda: stop_after is not None and bool(news) and _came(news) >= stop_after,
        **arguments,
    )
    return {
        "folder": str(found.folder),
        "is_new": found.is_new,
        "fetched": found.fetched_bytes,
        "origin": found.origin.model_dump(),
        "news": news,
    }


def _came(news: list[dict[str, Any]]) -> int:
    return max(entry["done_bytes"] for entry in news)


def _publish(arguments: dict[str, Any]) -> dict[str, Any]:
    from ul_engine.hub.publish import plan_publication, publish

    names = ("license_id", "is_new_card")
    planned = {name: arguments.pop(name) for name in names if name in arguments}
    stop_after = arguments.pop("stop_after_files", None)
    sent: list[str] = []
    plan = plan_publication(arguments.pop("folder"), arguments.pop("repo"), **planned)
    hub = _hub(arguments)
    done = publish(
        plan,
        hub=hub,
        on_file=lambda upload: sent.append(upload.name),
        is_cancelled=lambda: stop_after is not None and len(sent) >= stop_after,
        **arguments,
    )
    return {"commit": done.commit, "url": done.url, "sent": sent, "card_note": plan.card_note}


def _search(arguments: dict[str, Any]) -> dict[str, Any]:
    from ul_engine.hub.remote import search

    hub = _hub(arguments)
    return {"found": [dataclasses.asdict(model) for model in search(hub=hub, **arguments)]}


def _snapshot(arguments: dict[str, Any]) -> dict[str, Any]:
    """The Hub's own client, to fill its cache; and to see whether the server speaks its language."""
    from huggingface_hub import snapshot_download

    return {"folder": snapshot_download(arguments["repo"], max_workers=1)}


def _cli(arguments: dict[str, Any]) -> dict[str, Any]:
    from ul_engine.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments["words"])
        except SystemExit as stopped:
            code = int(stopped.code or 0)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def _limit_files(arguments: dict[str, Any]) -> dict[str, Any]:
    """From here on no file may grow beyond a size: what a full disk or a quota does to a program."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (arguments["num_bytes"], resource.RLIM_INFINITY))
    return {}


TASKS = {
    "limit_files": _limit_files,
    "download": _download,
    "publish": _publish,
    "search": _search,
    "snapshot": _snapshot,
    "cli": _cli,
}


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    from ul_engine.errors import Cancelled, EngineError

    try:
        return TASKS[task.pop("task")](task)
    except (EngineError, Cancelled) as error:
        kind = getattr(error, "kind", "")
        return {"error": type(error).__name__, "kind": kind, "text": str(error), "url": getattr(error, "url", None)}
    except Exception:  # noqa: BLE001  a mistake of ours: shown by the test, and the next test finds the process alive
        return {"error": "crash", "text": traceback.format_exc()}


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever is printed by mistake must not break the lines
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)
