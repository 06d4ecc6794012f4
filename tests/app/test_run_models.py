"""Runs as models: a view that grows, alarms, progress, previews, notices, the list; without widgets or files."""

import math
from typing import Any

import pytest

from app.models.runs.alarms import AlarmKind, alarms_of
from app.models.runs.chart_specs import specs_for
from app.models.runs.previews import sheet_of, strands_of
from app.models.runs.report import report_of
from app.models.runs.run_notices import RESUME, RunNotices
from app.models.runs.run_view import RunView
from app.models.runs.runs import MAX_OVERLAYS, ChartOptions, RunEnd, Runs
from app.models.runs.words import ago, standing_line
from app.run_news import (
    Block,
    CheckpointFacts,
    Happening,
    RunCondition,
    RunFacts,
    RunNews,
    RunSummary,
    Standing,
)
from trainer.protocol import Command

PATH = "/runs/flowers"
RUNNING = Standing(RunCondition.RUNNING, 40, 400, pid=7, heartbeat_s=1000.0)


def block(values: list[float], *, every: int = 1, first: int = 1, second_s: float = 0.5) -> Block:
    found = Block()
    for place, value in enumerate(values):
        step = first + place * every
        found.add(step, 1000.0 + step * second_s, value)
    return found


def news(**changes: Any) -> RunNews:
    return RunNews(PATH, **changes)


@pytest.fixture
def view(qapp: Any) -> RunView:
    view = RunView(PATH, clock=lambda: 1010.0)
    view.take(news(is_from_start=True, standing=RUNNING, facts=RunFacts("stage1", "tiny", batch_size=32)))
    return view


# ---- the view -----------------------------------------------------------------------------------------------------


def test_a_view_grows(view: RunView) -> None:
    told: list[str] = []
    view.figures_changed.connect(lambda: told.append("figures"))
    view.take(news(blocks={"step/loss": block([3.0, 2.0])}))
    view.take(news(blocks={"step/loss": block([1.0], first=3)}))
    assert list(view.figure("step/loss").values) == [3.0, 2.0, 1.0]
    assert view.last("step/loss") == 1.0
    assert told == ["figures", "figures"]
    assert view.last("step/other") is None


def test_a_file_that_begins_anew_is_another_past(view: RunView) -> None:
    view.take(news(blocks={"step/loss": block([3.0, 2.0])}))
    view.take(news(is_from_start=True, blocks={"step/loss": block([9.0])}))
    assert list(view.figure("step/loss").values) == [9.0]
    assert view.standing == RUNNING


def test_the_progress_line(view: RunView) -> None:
    view.take(news(happenings=(Happening("run_started", 0, 999.0, {}),)))
    assert view.progress.line == "Step 40 / 400 · estimating time left"
    steps = {"step/loss": block([1.0] * 39), "step/step_s": block([0.3125] * 39)}
    view.take(news(blocks=steps, standing=Standing(RunCondition.RUNNING, 40, 1400)))
    assert view.progress.line == "Step 40 / 1\u2009400 · 3.2 it/s · 11 min left"
    assert view.progress.fraction == pytest.approx(40 / 1400)


def test_the_pace_of_before_a_pause_says_nothing(view: RunView) -> None:
    view.take(news(blocks={"step/loss": block([1.0] * 20)}))
    view.take(news(happenings=(Happening("run_started", 20, 9000.0, {}),)))
    assert view.progress.seconds_left is None


def test_figures_of_checkpoints(view: RunView) -> None:
    facts = tuple(CheckpointFacts(step, f"/c/{step}", 100, 0.0) for step in (40, 20, 10))
    view.take(
        news(
            checkpoints=facts,
            best_scores={10: -3.0, 20: -1.0, 40: -2.0, 99: 5.0},
            facts=RunFacts(keep_checkpoints=1, milestone_every=10),
            blocks={"validation/psnr_db": block([11.0, 22.0], first=20, every=20)},
        )
    )
    rows = view.checkpoints()
    assert [(row.facts.step, row.is_newest, row.is_best) for row in rows] == [
        (40, True, False),
        (20, False, True),
        (10, False, False),
    ]
    assert dict(rows[0].figures) == {"psnr_db": 22.0}
    assert all(row.is_milestone for row in rows)


def test_what_was_asked_is_pending_until_it_happened(view: RunView) -> None:
    view.expect(Command.PREVIEW)
    view.expect(Command.PAUSE)
    assert view.pending == {Command.PREVIEW, Command.PAUSE}
    view.take(news(happenings=(preview(50),)))
    assert view.pending == {Command.PAUSE}
    view.take(news(standing=Standing(RunCondition.PAUSED, 50, 400)))
    assert not view.pending


def test_latents_are_encoded_first(view: RunView) -> None:
    view.take(news(happenings=(Happening("latents", 0, 1.0, {"done": 512, "total": 47952}),)))
    assert view.phase == (512, 47952)
    view.take(news(happenings=(Happening("latents", 0, 2.0, {"done": 47952, "total": 47952}),)))
    assert view.phase is None


def test_the_name_of_a_sweeps_point(qapp: Any) -> None:
    assert RunView("/runs/sweep/loss-factor-2/stage1").name == "loss-factor-2/stage1"
    assert RunView("/runs/flowers").name == "flowers"


def test_a_report_says_all(view: RunView) -> None:
    failed = Standing(RunCondition.FAILED, 40, 400, reason="the disk is full", advice=("free some space",))
    view.take(news(standing=failed, console="one\ntwo", blocks={"step/loss": block([2.5])}))
    report = report_of(view)
    for part in (
        PATH,
        "Failed at step 40 / 400",
        "Reason: the disk is full",
        "Advice: free some space",
        "step/loss 2.5",
        "two",
    ):
        assert part in report


# ---- alarms -------------------------------------------------------------------------------------------------------


def kinds(
    figures: dict[str, Block], standing: Standing = RUNNING, happenings: Any = (), now_s: float = 1010.0
) -> set[AlarmKind]:
    return {alarm.kind for alarm in alarms_of(figures, happenings, standing, now_s)}


def test_a_healthy_run_is_quiet() -> None:
    figures = {
        "step/loss": block([3.0 / (1 + step / 20) for step in range(300)]),
        "step/gradient_norm": block([1.0 + 0.3 * math.sin(step) for step in range(300)]),
        "step/data_wait_share": block([0.02] * 300),
        "validation/shuffle_gap_db": block([0.0, 2.0, 5.0, 8.0], first=0, every=100),
        "validation/bits_per_pixel": block([3.0, 0.5, 0.3, 0.28], first=0, every=100),
        "validation/psnr_db": block([7.0, 15.0, 18.0, 20.0], first=0, every=100),
    }
    assert kinds(figures) == set()


def test_no_gap_before_the_first_steps_is_no_collapse() -> None:
    assert kinds({"validation/shuffle_gap_db": block([0.0], first=0)}) == set()


def test_collapse() -> None:
    figures = {"validation/shuffle_gap_db": block([0.0, 3.0, 0.05], first=0, every=100)}
    (alarm,) = alarms_of(figures, (), RUNNING, 1010.0)
    assert (alarm.kind, alarm.is_grave) == (AlarmKind.COLLAPSE, True)
    assert "0.05 dB" in alarm.sentence
    assert kinds({"validation/shuffle_gap_db": block([0.0, 8.0, 1.0], first=0, every=100)}) == {AlarmKind.FADING}


@pytest.mark.parametrize("name", ["step/loss", "step/gradient_norm", "validation/bits_per_pixel"])
def test_not_a_number(name: str) -> None:
    assert kinds({name: block([1.0, math.nan])}) == {AlarmKind.NOT_FINITE}
    assert kinds({name: block([math.nan, 1.0])}) == set()  # it is over


def test_bits_that_run_away() -> None:
    figures = {
        "validation/bits_per_pixel": block([0.2, 0.1, 0.15, 0.3, 0.6], every=100),
        "validation/psnr_db": block([20.0, 20.0, 20.0, 20.0, 20.1], every=100),
    }
    assert kinds(figures) == {AlarmKind.RUNAWAY}
    figures["validation/psnr_db"] = block([20.0, 20.0, 21.0, 23.0, 25.0], every=100)
    assert kinds(figures) == set()  # they buy quality


def test_a_loss_that_rises_and_a_gradient_that_spikes() -> None:
    assert kinds({"step/loss": block([1.0] * 100 + [2.0] * 30)}) == {AlarmKind.RISING}
    norms = [1.0] * 100 + [30.0] + [1.0] * 10
    assert kinds({"step/gradient_norm": block(norms)}) == {AlarmKind.SPIKE}
    assert kinds({"step/gradient_norm": block(norms + [1.0] * 30)}) == set()  # long ago


def test_waiting_silence_and_steps_not_taken() -> None:
    assert kinds({"step/data_wait_share": block([0.7] * 6)}) == {AlarmKind.WAITING}
    assert kinds({}, now_s=1200.0) == {AlarmKind.SILENT}
    paused = Standing(RunCondition.PAUSED, 40, 400, heartbeat_s=1000.0)
    assert kinds({"step/data_wait_share": block([0.7] * 6)}, paused, now_s=1200.0) == set()
    bad = Happening("bad_step", 12, 1.0, {"reason": "the loss is nan.", "action": "rollback"})
    assert kinds({}, happenings=(bad,)) == {AlarmKind.BAD_STEP}


# ---- notices ------------------------------------------------------------------------------------------------------


def test_an_alarm_that_was_closed_stays_closed_until_it_is_over(view: RunView) -> None:
    notices = RunNotices()
    notices.set_run(view)
    view.take(news(blocks={"step/data_wait_share": block([0.7] * 6)}))
    (notice,) = notices.board.notices
    notices.board.dismiss(notice)
    view.take(news(blocks={"step/data_wait_share": block([0.9] * 6, first=7)}))
    assert notices.board.notices == ()
    view.take(news(blocks={"step/data_wait_share": block([0.0] * 6, first=13)}))
    view.take(news(blocks={"step/data_wait_share": block([0.8] * 6, first=19)}))
    assert len(notices.board.notices) == 1


def test_the_figures_in_an_alarm_do_not_twitch(qapp: Any) -> None:
    now = [1000.0]
    view = RunView("/runs/first", clock=lambda: now[0])
    told: list[int] = []
    view.alarms_changed.connect(lambda: told.append(1))
    running = Standing(RunCondition.RUNNING, heartbeat_s=1000.0)
    view.take(news(blocks={"step/data_wait_share": block([0.5] * 6)}, standing=running))
    (first,) = view.alarms
    for number in range(1, 6):
        now[0] += 0.2
        view.take(news(blocks={"step/data_wait_share": block([0.5 + number / 20] * 6, first=6 * number + 1)}))
    assert view.alarms == (first,)
    now[0] += 5.0
    view.check_alarms()
    assert [alarm.kind for alarm in view.alarms] == [first.kind]
    assert view.alarms != (first,)
    view.take(news(blocks={"step/data_wait_share": block([0.0] * 6, first=37)}))
    assert view.alarms == ()
    assert len(told) == 3


def test_an_interrupted_run_says_where_it_goes_on(view: RunView) -> None:
    notices = RunNotices()
    notices.set_run(view)
    saved = (CheckpointFacts(300, "/c", 1, 0.0),)
    view.take(news(checkpoints=saved, console="last words"))
    view.take(news(standing=Standing(RunCondition.INTERRUPTED, 340, 400)))
    (notice,) = notices.board.notices
    assert notice.title == "Interrupted at step 340"
    assert "checkpoint of step 300" in notice.sentence
    assert "last words" in notice.details
    assert notice.actions[0].name == RESUME
    view.take(news(standing=RUNNING))
    assert notices.board.notices == ()


def test_a_failed_run_says_why_and_what_helps(view: RunView) -> None:
    notices = RunNotices()
    notices.set_run(view)
    failed = Standing(RunCondition.FAILED, 7, 400, reason="cuda ran out of memory", advice=("--set batch_size=16",))
    view.take(news(standing=failed))
    (notice,) = notices.board.notices
    assert (notice.title, notice.sentence) == ("The run failed at step 7", "Cuda ran out of memory.")
    assert "--set batch_size=16" in notice.details


# ---- previews -----------------------------------------------------------------------------------------------------


def preview(
    step: int, names: tuple[str, ...] = ("original", "reconstruction"), kind: str = "reconstruction"
) -> Happening:
    values = {"kind": kind, "file": f"{kind}-{step:07d}.png", "row_names": list(names), "columns": 3}
    return Happening("preview", step, 1.0, values | {"cell_width_px": 16, "cell_height_px": 8})


def test_previews_become_rows_by_step_below_the_originals(view: RunView) -> None:
    view.take(news(happenings=(preview(0), preview(20), preview(40))))
    (strand,) = strands_of(view.sheets)
    assert [(row.step, row.is_original) for row in strand.rows] == [(40, True), (0, False), (20, False), (40, False)]
    assert strand.rows[2].cells[1].rect == (16, 8, 16, 8)
    assert strand.rows[2].cells[1].title == "reconstruction 2, step 20"


def test_a_preview_drawn_again_replaces_the_one_before(view: RunView) -> None:
    view.take(news(happenings=(preview(0), preview(20), preview(40), preview(20))))
    assert [sheet.step for sheet in view.sheets] == [0, 20]


def test_clips_and_prompts_have_a_strand_each() -> None:
    clips = ("original 1", "reconstruction 1", "original 2", "reconstruction 2")
    sheets = [sheet for each in (preview(0, clips), preview(10, clips)) if (sheet := sheet_of(each, PATH))]
    assert [strand.title for strand in strands_of(sheets)] == ["reconstruction 1", "reconstruction 2"]
    assert [row.cells[0].row for row in strands_of(sheets)[1].rows] == [2, 3, 3]
    prompts = [sheet for each in (preview(5, ("a cube", "a cone"), "samples"),) if (sheet := sheet_of(each, PATH))]
    assert [(strand.title, len(strand.rows)) for strand in strands_of(prompts)] == [("a cube", 1), ("a cone", 1)]


@pytest.mark.parametrize(
    "changes",
    [{"file": "../../secret.png"}, {"columns": 0}, {"columns": "many"}, {"row_names": []}, {"cell_width_px": None}],
)
def test_a_preview_event_that_makes_no_sense_is_passed_over(changes: dict[str, Any]) -> None:
    event = preview(0)
    assert sheet_of(Happening("preview", 0, 1.0, {**event.values, **changes}), PATH) is None


# ---- all of them --------------------------------------------------------------------------------------------------


def summary(name: str, condition: RunCondition, step: int = 1, changed_s: float = 0.0) -> RunSummary:
    return RunSummary(f"/runs/{name}", name, Standing(condition, step, 10), RunFacts(), changed_s)


def test_a_run_that_ends_is_told_once(qapp: Any) -> None:
    now = [100.0]
    runs = Runs(clock=lambda: now[0])
    ends: list[RunEnd] = []
    runs.ended.connect(ends.append)
    runs.take_list((summary("old", RunCondition.FINISHED),))
    runs.take_list((summary("a", RunCondition.RUNNING),))
    now[0] = 160.0
    for _ in range(2):
        runs.take_list((summary("a", RunCondition.FAILED),))
    assert [(end.run.name, end.seen_s) for end in ends] == [("a", 60.0)]


def test_the_list_tells_only_what_shows(qapp: Any) -> None:
    runs, told = Runs(), []
    runs.list.runs_changed.connect(lambda: told.append(1))
    for changed_s in (1.0, 2.0, 3.0):
        runs.take_list((summary("a", RunCondition.RUNNING, changed_s=changed_s),))
    assert len(told) == 1
    runs.take_list((summary("a", RunCondition.RUNNING, step=2),))
    assert len(told) == 2
    assert runs.list.num_live == 1


def test_runs_over_each_other(qapp: Any) -> None:
    runs, watched = Runs(), []
    runs.watched_changed.connect(watched.append)
    runs.open("/runs/a")
    runs.set_overlaid("/runs/b", True)
    runs.set_overlaid("/runs/a", True)  # it is in front already
    assert watched[-1] == ("/runs/a", "/runs/b")
    runs.open("/runs/b")
    assert (runs.watched, runs.overlays) == (("/runs/b",), ())
    for place in range(20):
        runs.set_overlaid(f"/runs/{place}", True)
    assert len(runs.overlays) == MAX_OVERLAYS
    runs.set_overlaid("/runs/3", False)
    assert "/runs/3" not in runs.watched
    runs.take(RunNews("/runs/nobody-watches", blocks={"step/loss": block([1.0])}))
    runs.close_current()
    assert runs.current is None


def test_options_are_told_when_they_change(qapp: Any) -> None:
    runs, told = Runs(), []
    runs.options_changed.connect(told.append)
    runs.set_options(ChartOptions())
    runs.set_options(ChartOptions(smoothing=0.9))
    assert told == [ChartOptions(smoothing=0.9)]


def test_charts_for_what_there_is(qapp: Any) -> None:
    stage1 = ["step/prior_bits_per_pixel", "validation/bits_per_pixel", "validation/psnr_db", "step/prior_band_bits/0"]
    assert [spec.name for spec in specs_for(stage1)] == ["trail", "losses", "bits", "psnr", "prior-bands"]
    assert [spec.name for spec in specs_for(["step/student_error", "step/images_seen"])] == ["step/student_error"]


def test_words() -> None:
    assert standing_line(Standing(RunCondition.INTERRUPTED, 1340, 10_000, heartbeat_s=1000.0), 1000.0 + 12 * 60) == (
        "Interrupted at step 1\u2009340 / 10\u2009000, 12 min ago"
    )
    assert standing_line(Standing()) == "Not started"
    assert ago(0.0, 30.0) == "just now"
    assert ago(0.0, 7300.0) == "2 h ago"
