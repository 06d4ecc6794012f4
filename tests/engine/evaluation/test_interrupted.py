"""Evaluations that are stopped, killed and cut, and end as if nothing had happened."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.evaluation.tasks import MakeTask
from tests.helpers.engine_process import ROOT
from ul_engine.cli import main
from ul_engine.errors import OutputError
from ul_engine.evaluation import evaluate
from ul_engine.evaluation.run import JOURNAL_NAME

METRICS = "psnr,flip,bits,rfd,gfd,kd"
RESULTS = ("evaluation.json", "per-sample.csv")


def results(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in RESULTS]


def stopped_after(num_batches: int) -> Callable[[str, int, int], None]:
    """Interrupts before the batch after so many."""
    begun = 0

    def observe(doing: str, done: int, total: int) -> None:
        nonlocal begun
        if doing != "checking files" and done < total:
            begun += 1
            if begun > num_batches:
                raise KeyboardInterrupt

    return observe


def test_stopped_after_every_batch(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    asked = task(pictures, METRICS, batch_size=2, num_generated=5)
    evaluate(asked, tmp_path / "whole")
    for _ in range(5):  # 3 batches of samples, 3 of generated ones
        with pytest.raises(KeyboardInterrupt):
            evaluate(asked, tmp_path / "parts", observe=stopped_after(1))
        assert not (tmp_path / "parts" / "evaluation.json").exists()
    evaluate(asked, tmp_path / "parts", observe=stopped_after(1))
    assert results(tmp_path / "parts") == results(tmp_path / "whole")


def test_a_journal_cut_anywhere(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    asked = task(pictures, METRICS, batch_size=4, num_generated=4)
    out = tmp_path / "out"
    evaluate(asked, out)
    whole, expected = (out / JOURNAL_NAME).read_bytes(), results(out)
    for share in (0.0, 0.6, 0.95):
        (out / JOURNAL_NAME).write_bytes(whole[: round(share * len(whole))])
        evaluate(asked, out)
        assert results(out) == expected, share
        assert sorted((out / JOURNAL_NAME).read_bytes().splitlines()) == sorted(whole.splitlines())


def test_features_that_went_missing_are_not_taken_for_zeros(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    asked = task(pictures, METRICS, num_generated=4)
    evaluate(asked, tmp_path)
    (tmp_path / "features" / "small-original.npy").unlink()
    with pytest.raises(OutputError, match="is gone"):
        evaluate(asked, tmp_path)
    evaluate(asked, tmp_path, restart=True)


def test_ctrl_c_says_that_nothing_is_lost(
    model: Path,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["evaluate", str(model), str(pictures), "--metrics", "psnr", "--batch-size", "2", "--device", "cpu"]
    command += ["--decoder-steps", "3", "--out", str(tmp_path / "out")]
    interrupt = stopped_after(1)
    monkeypatch.setattr("ul_engine.cli.evaluate.CountedProgress.show", lambda self, *news: interrupt(*news))
    assert main(command) == 130
    assert capsys.readouterr().err == (
        "what is finished is kept; the same command goes on from there\nul-engine: stopped\n"
    )
    assert (tmp_path / "out" / JOURNAL_NAME).read_bytes().count(b"\n") == 3
    monkeypatch.undo()
    assert main(command) == 0


def test_killed_in_the_middle(model: Path, pictures: Path, tmp_path: Path) -> None:
    command = ["evaluate", str(model), str(pictures), "--metrics", METRICS, "--batch-size", "1", "--threads", "1"]
    command += ["--device", "cpu", "--decoder-steps", "12", "--base-steps", "12", "--num-generated", "4"]
    out, journal = tmp_path / "killed", tmp_path / "killed" / JOURNAL_NAME
    child = subprocess.Popen(
        [sys.executable, "-m", "ul_engine.cli", *command, "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert journal.read_bytes().count(b"\n") < 1 + 6 + 4
    assert main([*command, "--out", str(out)]) == 0
    assert main([*command, "--out", str(tmp_path / "whole")]) == 0
    assert results(out) == results(tmp_path / "whole")
