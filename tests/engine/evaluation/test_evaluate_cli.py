"""``ul-engine evaluate``: table, files, going on, and every problem explained in one line."""

import json
import re
from pathlib import Path

import pytest

from tests.helpers.tiny import save_tiny, simple_pictures
from tests.helpers.tiny_clips import clip_config
from ul_engine import protocol
from ul_engine.cli import main
from ul_engine.cli.evaluate import CountedProgress, progress_text
from ul_engine.data.image_files import write_picture

FAST = ["--base-steps", "2", "--decoder-steps", "3", "--bitrate-times", "2", "--device", "cpu"]


def run(model: Path, data: Path, out: Path, *options: str) -> int:
    return main(["evaluate", str(model), str(data), "--out", str(out), *FAST, *options])


def report(out: Path) -> dict[str, dict[str, dict[str, object]]]:
    return json.loads((out / "evaluation.json").read_text())


def test_table_and_files(model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(model, pictures, out, "--metrics", "all", "--sampler", "ddim", "--seed", "5", "--batch-size", "4") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "Tiny: 6 samples; one sampled decode of 3 steps (ddim), fp32" in captured.out
    for words in ("PSNR, dB", "Bits per pixel, prior (bound)", "Bits per pixel, base model (bound)", "rFD-Small"):
        assert words in captured.out
    assert re.search(r"rfid \(rFID\), gfid \(gFID\), kid \(KID\): .* put pt_inception", captured.out)
    assert re.search(r"rfvd \(rFVD\), .*fd-clip \(FD-Small-clip\): it is for clips", captured.out)
    assert "upper bound on the information" in captured.out
    assert "Worst first (psnr_db):" in captured.out
    assert captured.out.rstrip().endswith(str(out / "evaluation.json"))
    metrics = report(out)["metrics"]
    psnr = metrics["psnr"]["mean"]
    assert isinstance(psnr, float)
    assert f"{psnr:.2f}" in captured.out
    assert "put pt_inception" in str(metrics["rfid"]["unavailable"])
    assert {path.name for path in out.iterdir()} == {
        "evaluation.json",
        "per-sample.csv",
        "rate-distortion.csv",
        "journal.jsonl",
        "features",
        "report.html",
        "thumbnails",
    }


def test_news_for_a_program(model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(model, pictures, out, "--metrics", "psnr,codecs", "--json-progress", "--batch-size", "2") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    news = [protocol.read_evaluation_line(line) for line in captured.out.splitlines()]
    *progress, last = news
    assert {type(each) for each in progress} == {protocol.EvaluationProgress}
    measuring = [(each.done, each.total) for each in progress if each.doing == "measuring samples"]
    assert measuring == [(0, 6), (2, 6), (4, 6), (6, 6)]
    assert isinstance(last, protocol.EvaluationFinished)
    assert (last.num_samples, last.num_broken) == (6, 0)
    assert [Path(path).name for path in last.tables] == ["per-sample.csv", "rate-distortion.csv"]
    assert all(Path(path).is_absolute() and Path(path).is_file() for path in (last.report, last.page, *last.tables))


def test_a_failure_for_a_program(
    model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "a" / "0.png").write_text("text")
    assert run(model, pictures, tmp_path / "out", "--json-progress", "--metrics", "psnr") == 1
    captured = capsys.readouterr()
    last = protocol.read_evaluation_line(captured.out.splitlines()[-1])
    assert isinstance(last, protocol.EvaluationFailed)
    assert last.kind == "DataError"
    assert "0.png" in last.message
    assert last.message in captured.err
    assert run(model, pictures, tmp_path / "out", "--json-progress", "--metrics", "psnr", "--skip-broken") == 0
    last = protocol.read_evaluation_line(capsys.readouterr().out.splitlines()[-1])
    assert isinstance(last, protocol.EvaluationFinished)
    assert (last.num_samples, last.num_broken) == (5, 1)


def test_lines_that_are_no_news() -> None:
    for line in ("", "text", "{}", '{"type": "evaluation_progress"}', "[1]"):
        assert protocol.read_evaluation_line(line) is None


def test_the_same_command_goes_on_and_another_needs_restart(
    model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(model, pictures, out, "--metrics", "psnr") == 0
    first, journal = report(out), (out / "journal.jsonl").read_bytes()
    assert run(model, pictures, out, "--metrics", "psnr", "--batch-size", "1") == 0
    assert (report(out), (out / "journal.jsonl").read_bytes()) == (first, journal)
    capsys.readouterr()
    assert run(model, pictures, out, "--metrics", "psnr", "--seed", "9") == 1
    error = capsys.readouterr().err
    assert "settings.seed was 0, is 9" in error
    assert "--restart" in error
    assert error.count("\n") == 1
    assert report(out) == first
    assert run(model, pictures, out, "--metrics", "psnr", "--seed", "9", "--restart") == 0
    assert report(out)["metrics"]["psnr"] != first["metrics"]["psnr"]
    save_tiny(tmp_path / "other", seed=3)
    assert run(tmp_path / "other", pictures, out, "--metrics", "psnr", "--seed", "9") == 1
    assert "model." in capsys.readouterr().err
    write_picture(pictures / "c.png", simple_pictures(1, seed=5)[0])
    assert run(model, pictures, out, "--metrics", "psnr", "--seed", "9") == 1
    assert "data.num_samples was 6, is 7" in capsys.readouterr().err


def test_precision(model: Path, pictures: Path, tmp_path: Path) -> None:
    for precision in ("fp32", "bf16"):
        assert run(model, pictures, tmp_path / precision, "--metrics", "psnr,bits", "--precision", precision) == 0
    fine, coarse = report(tmp_path / "fp32"), report(tmp_path / "bf16")
    assert (fine["settings"]["precision"], coarse["settings"]["precision"]) == ("fp32", "bf16")
    assert fine["metrics"] != coarse["metrics"]
    assert coarse["metrics"]["psnr"]["mean"] == pytest.approx(fine["metrics"]["psnr"]["mean"], abs=0.5)


def test_broken_files(model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pictures / "b" / "4.png").write_text("text")
    assert run(model, pictures, tmp_path / "out", "--metrics", "psnr") == 1
    assert "b/4.png: is no picture" in capsys.readouterr().err
    assert not (tmp_path / "out" / "journal.jsonl").exists()
    assert run(model, pictures, tmp_path / "out", "--metrics", "psnr", "--skip-broken") == 0
    assert "5 samples, 1 broken ones left out" in capsys.readouterr().out
    assert [each["file"] for each in report(tmp_path / "out")["data"]["broken"]] == ["b/4.png"]


def test_prompts_of_a_file(model: Path, pictures: Path, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a red cube\n\n  a blue sphere\n")
    assert run(model, pictures, tmp_path / "out", "--metrics", "gfd", "--prompts", str(prompts), "--guidance", "3") == 0
    found = report(tmp_path / "out")
    assert found["metrics"]["gfd"]["condition"] == "2 prompts in turn"
    assert found["settings"]["sampling"]["guidance"]["weight"] == 3
    assert found["settings"]["num_prompts"] == 2


PROBLEMS = {
    "no such metric": (["--metrics", "fid"], "'fid' is no metric"),
    "no weights": (["--metrics", "psnr,lpips"], "alexnet-owt"),
    "no Inception": (["--metrics", "gfid"], "put pt_inception"),
    "for clips": (["--metrics", "flicker"], "for clips"),
    "limit": (["--limit", "0"], "limit"),
    "size": (["--size", "4"], "size_px"),
    "decodes": (["--decodes", "0"], "num_decodes"),
    "generated": (["--num-generated", "1"], "num_generated"),
    "no prompts": (["--prompts", "absent.txt"], "cannot be read as a text of prompts"),
    "empty prompts": (["--prompts", "EMPTY"], "has no prompt in it"),
    "continue": (["--continue"], "without frames to continue from"),
    "out is a file": (["--out", "EMPTY"], "cannot be written"),
    "batch size": (["--batch-size", "0"], "batch_size"),
    "preset": (["--preset", "Best"], "it has Preview, Balanced, Paper"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_problems_come_before_the_work_in_one_line(
    problem: str,
    model: Path,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "EMPTY").write_text("\n")
    options, reason = PROBLEMS[problem]
    assert run(model, pictures, tmp_path / "out", *options) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("ul-engine: ")
    assert captured.err.count("\n") == 1
    assert reason in captured.err
    assert not (tmp_path / "out" / "journal.jsonl").exists()


def test_rates_of_videos(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tiny(tmp_path / "m", clip_config(4))
    assert run(tmp_path / "m", pictures, tmp_path / "out", "--fps", "fast") == 1
    assert "write a number, model or file" in capsys.readouterr().err
    # Three pictures without a rate count as 24 per second: one frame at the model's 8, three of the file.
    assert run(tmp_path / "m", pictures, tmp_path / "out") == 1
    assert "has 1 frames at 8 frames per second" in capsys.readouterr().err
    assert run(tmp_path / "m", pictures, tmp_path / "out", "--fps", "file") == 1
    assert "has 3 frames; clips of this model have 8" in capsys.readouterr().err


def test_a_model_that_is_not_there(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "nowhere", pictures, tmp_path / "out") == 1
    assert "is no folder, and no model is named so" in capsys.readouterr().err


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    assert progress_text(12, 24, 0, 37.2) == "12 / 24 · 3.1 s each · 38 s left"
    assert progress_text(5, 24, 5, 9.0) == "5 / 24"
    assert progress_text(6, 1006, 5, 9.0) == "6 / 1006 · 9 s each · 2 h 30 min left"
    assert progress_text(2, 3, 0, 600.0) == "2 / 3 · 3e+02 s each · 5 min left"
    progress = CountedProgress()
    progress.show("measuring samples", 1, 3)
    progress.clear()
    assert capsys.readouterr().err == ""  # no terminal, and not a minute since
