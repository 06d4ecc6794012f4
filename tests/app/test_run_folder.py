"""What a run folder says: how it stands against its processes, its settings, its checkpoints, its log."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from app.run_news import RunCondition
from app.services.run_folder import (
    CONSOLE_LINES,
    best_scores_of,
    checkpoints_of,
    console_tail,
    facts_of,
    run_folders,
    standing_of,
    summary_of,
)
from tests.app.run_folders import make_run, write_checkpoint, write_events, write_launcher, write_status
from tests.helpers.tiny import tiny_config
from trainer.figures import band_edges
from ul_engine.objectives import picture_schedule_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def condition(folder: Path) -> RunCondition:
    return standing_of(folder).condition


def test_a_run_that_nobody_started(folder: Path) -> None:
    make_run(folder)
    assert condition(folder) is RunCondition.UNSTARTED


def test_a_run_whose_process_lives_is_running(folder: Path) -> None:
    write_status(make_run(folder), "running")
    standing = standing_of(folder)
    assert (standing.condition, standing.step, standing.num_steps) == (RunCondition.RUNNING, 40, 400)


def test_a_run_whose_process_is_gone_was_interrupted(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    started = psutil.Process(child.pid).create_time()
    child.wait()
    write_status(make_run(folder), "running", pid=child.pid, pid_started=started)
    assert condition(folder) is RunCondition.INTERRUPTED


def test_a_pid_that_another_process_has_now_is_not_the_run(folder: Path) -> None:
    """The machine was started anew, and the run's number belongs to somebody else: to this test."""
    write_status(make_run(folder), "running", pid_started=psutil.Process().create_time() - 3600)
    assert condition(folder) is RunCondition.INTERRUPTED


def test_a_launcher_whose_pid_another_process_has_now_is_not_the_run(folder: Path) -> None:
    run = make_run(folder)
    write_status(run, "paused", heartbeat=1.0)
    write_launcher(run, started=psutil.Process().create_time() - 3600)
    assert condition(folder) is RunCondition.PAUSED


def test_a_process_that_has_said_nothing_yet_is_starting(folder: Path) -> None:
    run = make_run(folder)
    write_launcher(run)
    assert condition(folder) is RunCondition.STARTING
    write_status(run, "paused", heartbeat=psutil.Process().create_time() - 60)
    assert condition(folder) is RunCondition.STARTING  # it was paused before this process began


def test_a_launcher_that_is_still_ending_does_not_hide_the_end(folder: Path) -> None:
    run = make_run(folder)
    write_launcher(run)
    for state, expected in (("finished", RunCondition.FINISHED), ("failed", RunCondition.FAILED)):
        write_status(run, state, reason="the disk is full")
        assert condition(folder) is expected
    assert standing_of(folder).reason == "the disk is full"


def test_workers_that_are_started_again_are_no_interruption(folder: Path) -> None:
    """torchrun lives, its worker has died and comes back."""
    run = make_run(folder)
    write_launcher(run)
    write_status(run, "running", pid_started=psutil.Process().create_time() - 3600)
    assert condition(folder) is RunCondition.STARTING


def test_a_run_on_another_machine_lives_by_its_heartbeat(folder: Path) -> None:
    run = make_run(folder)
    write_status(run, "running", host="elsewhere")
    assert condition(folder) is RunCondition.RUNNING
    write_status(run, "running", host="elsewhere", heartbeat=time.time() - 600)
    standing = standing_of(folder)
    assert (standing.condition, standing.is_here) == (RunCondition.INTERRUPTED, False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "dancing"}'])
def test_a_status_that_cannot_be_read_is_none(folder: Path, text: str) -> None:
    make_run(folder).status.write_text(text)
    assert condition(folder) is RunCondition.UNSTARTED


def test_settings_in_short(folder: Path) -> None:
    make_run(folder)
    facts = facts_of(folder)
    assert (facts.stage, facts.preset, facts.data, facts.loss_factor) == ("stage1", "tiny", "flowers", 4.0)
    assert (facts.prior_band_edges[0], facts.prior_band_edges[-1]) == (-10.0, 5.0)
    assert facts.decoder_band_edges[0] == pytest.approx(-11.386, abs=1e-3)  # -10 + 2 ln(32 / 64)
    assert facts.decoder_band_edges[-1] == 10.0


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"model": 3, "data": null, "num_steps": "many"}'])
def test_odd_settings_say_nothing(folder: Path, text: str) -> None:
    make_run(folder).config.write_text(text)
    assert facts_of(folder).num_steps == 0


def test_band_edges_are_those_the_trainer_sums_by(folder: Path) -> None:
    config = tiny_config()
    facts = facts_of(make_run(folder, config={"model": config.model_dump(mode="json")}).root)
    picture = picture_schedule_of(config)
    latent = config.latent
    assert facts.decoder_band_edges == pytest.approx(tuple(band_edges(picture.logsnr_min, picture.logsnr_max)))
    assert facts.prior_band_edges == pytest.approx(tuple(band_edges(latent.logsnr_min, latent.logsnr_max)))


def test_checkpoints_newest_first(folder: Path) -> None:
    run = make_run(folder)
    for step in (20, 100, 40):
        write_checkpoint(run, step, score=-1.0 / step)
    (run.checkpoints / ".step-60.tmp").mkdir()
    (run.checkpoints / "step-80").mkdir()  # without its seal: half-written
    found = checkpoints_of(folder)
    assert [facts.step for facts in found] == [100, 40, 20]
    assert found[0].num_bytes > 5000
    assert not any(facts.is_pinned for facts in found)
    run.set_pinned(40, is_pinned=True)
    assert [facts.is_pinned for facts in checkpoints_of(folder)] == [False, True, False]
    assert best_scores_of(folder) == {20: -0.05, 100: -0.01, 40: -0.025}


def test_the_last_lines_of_the_log(folder: Path) -> None:
    run = make_run(folder)
    assert console_tail(folder) == ""
    run.console.write_bytes(b"".join(b"line %d\n" % line for line in range(20_000)) + b"\xff torn")
    lines = console_tail(folder).splitlines()
    assert len(lines) == CONSOLE_LINES
    assert lines[-2:] == ["line 19999", "\ufffd torn"]


def test_runs_are_found_below_sweeps_but_not_inside_runs(tmp_path: Path) -> None:
    for name in ("plain", "sweep/point-1/stage1", "sweep/point-1/stage2", "too/deep/down/there"):
        write_events(make_run(tmp_path / name), 2)
    (tmp_path / "plain" / "model").mkdir()
    (tmp_path / "plain" / "model" / "config.json").write_text("{}")
    (tmp_path / ".hidden").mkdir()
    write_events(make_run(tmp_path / ".hidden" / "run"), 2)
    found = {str(path.relative_to(tmp_path)) for path in run_folders(tmp_path)}
    assert found == {"plain", "sweep/point-1/stage1", "sweep/point-1/stage2"}
    assert list(run_folders(tmp_path / "plain")) == [tmp_path / "plain"]
    assert list(run_folders(tmp_path / "nowhere")) == []


def test_a_row_of_the_list_says_when_something_happened(folder: Path) -> None:
    run = make_run(folder)
    write_events(run, 3)
    row = summary_of(folder, "run", facts_of(folder))
    assert row.changed_s >= run.events.stat().st_mtime
    assert summary_of(folder / "gone", "gone", row.facts).changed_s == 0.0
