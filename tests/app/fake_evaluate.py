"""A stand-in for ``ul-engine evaluate --json-progress``: the same lines, with nothing computed.

    python fake_evaluate.py MODE ARGUMENTS...

Modes: normal, slow (until it is ended), deaf (even to being asked to end), chatty (a long progress bar), fails, other
(belongs to another evaluation), dies.
"""

import json
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # it runs as a script

from ul_engine.protocol import EvaluationFailed, EvaluationFinished, EvaluationProgress


def say(news: EvaluationProgress | EvaluationFinished | EvaluationFailed) -> None:
    print(news.model_dump_json(), flush=True)


def main() -> int:
    mode, *arguments = sys.argv[1:]
    out = Path(arguments[arguments.index("--out") + 1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "arguments.json").write_text(json.dumps(arguments))
    print("a warning of some library", file=sys.stderr, flush=True)
    say(EvaluationProgress(doing="checking files", done=2, total=2))
    say(EvaluationProgress(doing="measuring samples", done=1, total=2))
    if mode == "chatty":
        sys.stderr.write("step\r" * 2**18 + "\n")
    if mode == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say(EvaluationProgress(doing="measuring samples", done=2, total=2))
    if mode in ("slow", "deaf"):
        time.sleep(60)
    if mode == "dies":
        return 9
    if mode == "fails":
        say(EvaluationFailed(kind="DataError", message="no pictures are in it"))
        return 2
    if mode == "other" and "--restart" not in arguments:
        say(
            EvaluationFailed(
                kind="OutputError", message="belongs to another evaluation, or begin anew here (--restart)"
            )
        )
        return 2
    report = out / "evaluation.json"
    report.write_text(json.dumps({"worst_first": {"by": "psnr_db", "samples": [{"file": "b.png"}, {"file": "a.png"}]}}))
    page, table = str(out / "report.html"), str(out / "per-sample.csv")
    say(EvaluationFinished(num_samples=2, num_broken=1, report=str(report), page=page, tables=(table,)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
