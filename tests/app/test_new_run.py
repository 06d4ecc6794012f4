"""The way to a new run without widgets or children: what follows from each choice, and what stands in the way."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.models.new_run.base_settings import Goal, base_settings
from app.models.new_run.blockers import SMALLER_MICRO_BATCH
from app.models.new_run.facts import cost_facts, counted, data_facts
from app.models.new_run.launching import LaunchSettings, proposed_name
from app.models.new_run.lengths import for_duration
from app.models.new_run.new_run import NewRun
from app.models.new_run.problem_words import problem_words
from app.models.new_run.recipes import recipe_cards
from app.models.new_run.starts import StartPoint, find_starts, read_start
from app.ui.widgets.train.new_run.cost_card import CostCard
from tests.helpers.qt import wait_until
from tests.helpers.tiny import tiny_config
from trainer.config import ClipsData, PicturesData, RunConfig, ScenesData, Stage, parse_config, resolved_config
from trainer.cost import DiskEstimate, MemoryEstimate, NetworkEstimate, RunEstimate, StepTime
from trainer.data.check.report import DataReport, Level, Problem, ProblemKind, Suggestion, Verdict
from trainer.recipes import recipe
from trainer.run_dir import RunDir, write_json
from ul_engine.assets import assets_dir
from ul_engine.errors import ConfigError
from ul_engine.presets import MODEL_PRESETS

GB = 10**9


def report(data: Any = None, **changes: Any) -> DataReport:
    data = data or PicturesData(path="/pictures", size_px=64)
    preset = "motion-64" if isinstance(data, ClipsData) else "tiny"
    fields: dict[str, Any] = {
        "data": data,
        "num_train": 200,
        "num_valid": 20,
        "verdict": Verdict.READY,
        "suggestion": Suggestion(size_px=data.size_px, fit="crop", preset=preset, command=()),
        "elapsed_s": 1.0,
        "num_processes": 1,
    }
    return DataReport(**(fields | changes))


def estimate(**changes: Any) -> RunEstimate:
    memory = {"micro_batch": 32, "needed": 3 * GB, "fixed": GB, "per_sample": 10**7, "free": 8 * GB, "total": 8 * GB}
    memory |= {"usable": 7 * GB, "largest_micro_batch": 32} | changes.pop("memory", {})
    disk = {"checkpoint": 10**8, "num_checkpoints": 3, "model": 10**7, "latents": None, "previews": 10**6}
    disk |= {"free": 10**11} | changes.pop("disk", {})
    fields: dict[str, Any] = {
        "stage": Stage.STAGE1,
        "device": "cpu",
        "device_name": "A processor",
        "num_ranks": 1,
        "networks": {"encoder": NetworkEstimate(parameters=10**6, multiply_adds=10**7, is_trained=True)},
        "flops_per_step": 7 * 10**10,
        "memory": MemoryEstimate(**memory),
        "step": StepTime(seconds=0.5, is_measured=True, how="measured", flops_per_s=1e9),
        "encoding_s": None,
        "total_s": 2000.0,
        "disk": DiskEstimate(**disk),
    }
    return RunEstimate(**(fields | changes))


@pytest.fixture
def new_run(owned: Callable[[Any], Any], tmp_path: Path) -> NewRun:
    return owned(NewRun(tmp_path / "runs"))


def heard(signal: Any) -> list[Any]:
    found: list[Any] = []
    signal.connect(found.append)
    return found


# ---- settings from choices ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", [name for name, each in MODEL_PRESETS.items() if each.config.video is None])
@pytest.mark.parametrize("fit", ["crop", "pad", "buckets"])
def test_every_model_gets_right_settings_for_pictures(preset: str, fit: str) -> None:
    found = base_settings(Goal.FRESH, report(PicturesData(path="/p/holiday", fit=fit)), preset, None)
    assert (found.stage, found.data.kind, found.model.name) == (Stage.STAGE1, "pictures", "holiday")
    assert found.data.fit == fit
    assert found.init_from is None


@pytest.mark.parametrize("preset", ["scenes-motion", "motion-64", "kinetics-600"])
def test_every_model_of_clips_gets_as_many_frames_as_it_takes(preset: str) -> None:
    found = base_settings(Goal.FRESH, report(ClipsData(path="/clips", num_frames=9)), preset, None)
    assert found.data.num_frames == MODEL_PRESETS[preset].config.num_frames


def test_the_suggested_size_stays_with_the_suggested_model() -> None:
    small = report(PicturesData(path="/p", size_px=32))
    assert base_settings(Goal.FRESH, small, "tiny", None).data.size_px == 32
    assert base_settings(Goal.FRESH, small, "scenes", None).data.size_px == 64


def test_scenes_are_drawn_in_the_numbers_of_the_recipe() -> None:
    few = report(ScenesData(size_px=64, num_train=192, num_valid=64))
    assert base_settings(Goal.FRESH, few, "tiny", None).data.num_train == 40_000


@pytest.mark.parametrize("preset", ["scenes-motion", "motion-64", "kinetics-600"])
def test_scenes_move_for_a_model_of_clips(preset: str) -> None:
    few = report(ScenesData(size_px=64, num_train=192, num_valid=64))
    found = base_settings(Goal.FRESH, few, preset, None)
    assert found.model.video is not None
    assert (found.data.kind, found.data.num_frames, found.data.fps) == ("scenes", 16, found.model.video.fps)
    assert found.data.size_px == found.model.image_px
    assert found.data.num_train == 20_000


@pytest.mark.parametrize("goal", [Goal.STAGE2, Goal.TUNE])
def test_what_goes_on_on_scenes_sees_those_it_was_trained_on(goal: Goal) -> None:
    pairs = ScenesData(num_train=500, num_objects_max=2, two_object_share=0.5)
    point = start_point()
    run = resolved_config(recipe("scenes", "stage1") | {"data": pairs.model_dump(mode="json")})
    found = base_settings(goal, report(ScenesData(num_train=192, num_valid=64)), "", replace(point, run=run))
    assert found.data == pairs


def test_it_is_what_the_command_line_would_do(tmp_path: Path) -> None:
    found = base_settings(Goal.FRESH, report(), "desktop-128-4gb", None)
    same = resolved_config(
        recipe("desktop-128-4gb", "stage1")
        | {"data": {"kind": "pictures", "path": "/pictures", "size_px": 128}}
        | {"model": {"name": "pictures"}}
    )
    assert found == same


def test_little_data_gets_a_small_batch(qapp: Any) -> None:
    few = report(PicturesData(path="/p", num_valid=2), num_train=37, num_valid=2)
    for preset in ("tiny", "imagenet-512"):
        found = base_settings(Goal.FRESH, few, preset, None)
        assert (found.batch_size, found.validation.num_images) == (32, 2)


def start_point() -> StartPoint:
    found = read_start(assets_dir() / "models" / "scenes")
    assert found is not None
    return found


def test_going_on_from_a_model_takes_its_shapes_and_spares_the_ramp() -> None:
    found = base_settings(Goal.TUNE, report(), "", start_point())
    assert found.init_from == start_point().path
    assert found.collapse.prior_gradient_ramp == 0.0
    assert found.model == start_point().model
    assert found.preset is None


def test_stage_2_stands_on_the_model_and_other_data() -> None:
    found = base_settings(Goal.STAGE2, report(), "", start_point())
    assert (found.stage, found.init_from, found.data.path) == (Stage.STAGE2, start_point().path, "/pictures")
    assert found.condition_on == "auto"
    shaped = base_settings(Goal.STAGE2, report(PicturesData(path="/p", fit="buckets")), "", start_point())
    assert shaped.latents.source == "encoder"


@pytest.mark.parametrize("goal", [Goal.TUNE, Goal.STAGE2])
def test_nothing_to_start_from_is_said(goal: Goal) -> None:
    with pytest.raises(ConfigError, match="choose what to start from"):
        base_settings(goal, report(), "", None)


def test_runs_and_models_that_can_be_built_on(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "runs" / "first-stage1")
    run.create()
    config = parse_config(
        {"stage": "stage1", "model": tiny_config().model_dump(mode="json"), "data": {"kind": "scenes", "size_px": 16}}
    )
    write_json(run.config, config.model_dump(mode="json"))
    assert find_starts(tmp_path / "runs", ()) == ()
    bundled = assets_dir() / "models" / "scenes"
    run.model.mkdir()
    (run.model / "config.json").write_bytes((bundled / "config.json").read_bytes())
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "config.json").write_text("{")
    first, second = find_starts(tmp_path / "runs", [str(bundled)])
    assert (first.name, first.run, first.can_carry_stage2) == ("first-stage1", config, True)
    assert (second.name, second.run) == ("Scenes", None)
    carried = base_settings(Goal.STAGE2, None, "", first)
    assert carried.data == config.data


# ---- models to choose ---------------------------------------------------------------------------------------------


def test_only_what_fits_the_computer_is_recommended() -> None:
    cards = recipe_cards(is_clips=False, device_bytes=None, suggested="tiny")
    assert (cards[0].name, cards[0].is_recommended) == ("tiny", True)
    assert {card.name for card in cards if card.fits} == {"tiny", "scenes"}
    assert not any(card.is_recommended for card in recipe_cards(is_clips=False, device_bytes=None, suggested="x"))
    twelve = recipe_cards(is_clips=False, device_bytes=12 * GB, suggested="desktop-128-12gb")
    assert {"desktop-64-4gb", "desktop-128-12gb"} <= {card.name for card in twelve if card.fits}
    assert "desktop-128-24gb" not in {card.name for card in twelve if card.fits}
    clips = {card.name for card in recipe_cards(is_clips=True, device_bytes=None)}
    assert clips == {"scenes-motion", "motion-64", "kinetics-600"}
    both = {card.name for card in recipe_cards(is_clips=None, device_bytes=None)}
    assert both == clips | {card.name for card in cards}


# ---- the way ------------------------------------------------------------------------------------------------------


def test_the_built_in_scenes_suit_models_of_pictures_and_of_clips(new_run: NewRun) -> None:
    sheets = heard(new_run.sheet_wanted)
    new_run.choose_data("scenes")
    new_run.note_report(report(ScenesData(size_px=64, num_train=192, num_valid=64)))
    assert {"tiny", "scenes", "scenes-motion", "motion-64"} <= {card.name for card in new_run.state.cards}
    assert new_run.config is not None
    assert new_run.config.model.video is None
    new_run.choose_recipe("scenes-motion")
    assert new_run.config.data.num_frames == new_run.config.model.num_frames == 16
    assert new_run.config.data.num_train == 20_000
    new_run.set_estimating(True)
    assert sheets[-1].data["num_frames"] == 16
    assert sheets[-1].data["num_train"] < 50  # a look takes seconds


def test_a_beginner_accepts_everything(new_run: NewRun, tmp_path: Path) -> None:
    checks, launches = heard(new_run.check_wanted), heard(new_run.launch_wanted)
    estimates = heard(new_run.estimate_wanted)
    assert [each.sentence for each in new_run.data_blockers()] == ["Choose the pictures to train on."]
    new_run.choose_data("/pictures")
    assert checks == [{"path": "/pictures"}]
    assert [each.sentence for each in new_run.data_blockers()] == ["The data is still being looked through."]
    new_run.note_progress("reading files", 5, 10)
    assert new_run.state.doing is not None
    assert new_run.state.doing.share == 0.5
    new_run.note_report(report())
    assert new_run.data_blockers() == []
    assert new_run.state.recipe == "tiny"
    new_run.set_estimating(True)
    assert estimates[0].settings["data"]["path"] == "/pictures"
    new_run.note_estimate(estimates[0].key, estimate())
    assert new_run.blockers() == []
    assert new_run.launch()
    assert not new_run.launch()
    assert launches[0].plan.run == tmp_path / "runs" / "pictures-stage1"
    assert parse_config(dict(launches[0].settings)) == new_run.config


def test_blocked_data_blocks_with_what_to_do(new_run: NewRun) -> None:
    broken = Problem(
        kind=ProblemKind.UNREADABLE,
        level=Level.BLOCKS,
        count=1,
        what="1 file cannot be read: a.png.",
        remedy="Repair or remove it.",
    )
    new_run.choose_data("/pictures")
    new_run.note_report(report(problems=(broken,), verdict=Verdict.BLOCKED))
    assert [each.sentence for each in new_run.data_blockers()] == ["1 file cannot be read: a.png. Repair or remove it."]
    assert not new_run.launch()


def test_data_that_cannot_be_opened_says_why(new_run: NewRun) -> None:
    new_run.choose_data("/nowhere")
    new_run.note_check_failed("/nowhere: there is no such file or folder.", "details")
    assert "there is no such file or folder. Choose another" in new_run.data_blockers()[0].sentence


def test_stopping_the_check_forgets_the_data(new_run: NewRun) -> None:
    unwanted = []
    new_run.check_unwanted.connect(lambda: unwanted.append(1))
    new_run.choose_data("/pictures")
    new_run.stop_check()
    assert (new_run.state.data, new_run.state.doing, unwanted) == ("", None, [1])


def ready(new_run: NewRun, **changes: Any) -> None:
    new_run.choose_data("/pictures")
    new_run.note_report(report(**changes))
    new_run.set_estimating(True)


def test_too_little_memory_is_mended_with_one_click(new_run: NewRun) -> None:
    wishes = heard(new_run.estimate_wanted)
    ready(new_run)
    new_run.note_estimate(wishes[-1].key, estimate(memory={"needed": 9 * GB, "largest_micro_batch": 8}))
    (blocker,) = new_run.blockers()
    assert (blocker.deed, blocker.label) == (SMALLER_MICRO_BATCH, "Take 8 at a time")
    assert "9 GB" in blocker.sentence
    new_run.do(blocker)
    assert new_run.form is not None
    assert new_run.form.value("scale.micro_batch") == 8
    assert new_run.state.is_estimate_old
    wait_until(lambda: len(wishes) == 2)
    new_run.note_estimate(wishes[0].key, estimate())
    assert new_run.state.is_estimating, "an answer to an old question"
    new_run.note_estimate(wishes[1].key, estimate())
    assert new_run.blockers() == []


def test_settings_that_were_measured_before_need_no_waiting(new_run: NewRun) -> None:
    wishes, unwanted = heard(new_run.estimate_wanted), []
    new_run.estimate_unwanted.connect(lambda: unwanted.append(True))
    ready(new_run)
    new_run.note_estimate(wishes[-1].key, estimate())
    assert new_run.form is not None
    before = new_run.form.value("batch_size")
    new_run.form.set("batch_size", before + 1)
    wait_until(lambda: new_run.state.is_estimating)
    unwanted.clear()
    new_run.form.set("batch_size", before)
    assert not new_run.state.is_estimating
    assert len(unwanted) == 1
    assert not new_run.state.is_estimate_old


def test_no_memory_at_all_and_no_disk(new_run: NewRun) -> None:
    wishes = heard(new_run.estimate_wanted)
    ready(new_run)
    tight = estimate(memory={"needed": 9 * GB, "largest_micro_batch": 0}, disk={"free": 10**6})
    new_run.note_estimate(wishes[-1].key, tight)
    memory, disk = (blocker.sentence for blocker in new_run.blockers())
    assert "Choose a smaller model" in memory
    assert "Free some space" in disk


def test_wrong_settings_and_too_large_a_batch_block(new_run: NewRun) -> None:
    ready(new_run)
    assert new_run.form is not None
    new_run.form.set("num_steps", 0)
    assert "It must be at least 1." in new_run.blockers()[0].sentence
    new_run.form.reset_all()
    new_run.form.set("batch_size", 500)
    assert "larger than the 200 samples" in new_run.blockers()[0].sentence
    new_run.form.reset_all()
    new_run.launch_form.set("name", "no/such name")
    assert len(new_run.blockers()) == 1
    new_run.launch_form.set("name", "good")
    new_run.launch_form.set("num_nodes", 2)
    assert list(new_run.launch_form.errors) == ["rendezvous"]
    new_run.launch_form.set("rendezvous", "first:29500")
    assert new_run.blockers() == []
    plan = new_run.launch_form.result.plan(Path("/runs"))
    assert (plan.num_nodes, plan.rendezvous) == (2, "first:29500")


def test_a_time_becomes_steps(new_run: NewRun) -> None:
    wishes = heard(new_run.estimate_wanted)
    ready(new_run)
    new_run.note_estimate(wishes[-1].key, estimate())
    new_run.choose_length(3600.0)
    assert new_run.config is not None
    assert new_run.config.num_steps == 5000
    assert new_run.config.cadence.preview_every == 312


def test_a_time_counts_from_the_press_of_the_button(new_run: NewRun) -> None:
    """An hour, of which twenty minutes go into rendering and ten into encoding: half of the steps are left."""
    wishes = heard(new_run.estimate_wanted)
    ready(new_run)
    new_run.note_estimate(wishes[-1].key, estimate(rendering_s=1200.0, encoding_s=600.0))
    new_run.choose_length(3600.0)
    assert new_run.config is not None
    assert new_run.config.num_steps == 2500
    assert new_run.state.estimate is not None
    assert new_run.state.estimate.total_s == 1800.0 + 2500 * 0.5


def test_a_time_that_leaves_none_to_learn_is_not_offered(owned: Callable[[Any], Any], new_run: NewRun) -> None:
    """Ten minutes, when rendering takes half an hour."""
    wishes = heard(new_run.estimate_wanted)
    ready(new_run)
    card = owned(CostCard(new_run))
    new_run.note_estimate(wishes[-1].key, estimate())
    assert [chip.isEnabled() for chip in card.length_chips] == [True, True, True]
    new_run.note_estimate(wishes[-1].key, estimate(rendering_s=1800.0))
    assert [chip.isEnabled() for chip in card.length_chips] == [False, True, True]
    assert "before the first steps" in card.length_chips[0].toolTip()
    before = new_run.config
    new_run.choose_length(600.0)
    assert new_run.config == before


def test_a_short_run_does_not_spend_its_time_on_looking(new_run: NewRun) -> None:
    """A validation costs as much as eight steps here: of a hundred steps, three of them are enough."""
    values = base_settings(Goal.FRESH, report(), "tiny", None).model_dump(mode="json")
    found = for_duration(values, 5.0, 600.0)
    assert (found["num_steps"], found["cadence.validate_every"]) == (84, 28)


@pytest.mark.parametrize("budget_s", [1.0, 600.0, 30_000.0])
@pytest.mark.parametrize("step_s", [0.02, 1.0, 90.0])
@pytest.mark.parametrize("preset", ["tiny", "imagenet-512"])
def test_every_length_gives_right_settings(preset: str, step_s: float, budget_s: float) -> None:
    config = base_settings(Goal.FRESH, report(), preset, None)
    values = config.model_dump(mode="json")
    for path, value in for_duration(values, step_s, budget_s).items():
        section, _, name = path.rpartition(".")
        (values[section] if section else values)[name] = value
    found = parse_config(values)
    assert found.num_steps * step_s <= max(1.05 * budget_s, 20 * step_s)
    assert found.optimizer.warmup_steps < found.num_steps


def test_how_pictures_fit_is_chosen_beside_them_and_drawn_anew(new_run: NewRun) -> None:
    sheets = heard(new_run.sheet_wanted)
    new_run.choose_data("/pictures")
    new_run.note_report(report())
    new_run.choose_look(fit="buckets", flip=True)
    assert (sheets[-1].data["fit"], sheets[-1].data["flip"]) == ("buckets", True)
    assert new_run.config is not None
    assert isinstance(new_run.config.data, PicturesData)
    assert (new_run.config.data.fit, new_run.config.data.bucket_step_px) == ("buckets", 8)
    new_run.choose_look(fit="buckets", flip=True)
    assert len(sheets) == 1


def test_another_size_is_drawn_anew_with_the_cost(new_run: NewRun) -> None:
    sheets, wishes = heard(new_run.sheet_wanted), heard(new_run.estimate_wanted)
    ready(new_run)
    assert sheets == []
    assert new_run.form is not None
    new_run.form.set("data.size_px", 32)
    wait_until(lambda: len(wishes) == 2)
    assert [sheet.data["size_px"] for sheet in sheets] == [32]


def test_what_does_not_cost_is_not_measured_again(new_run: NewRun) -> None:
    """Other steps or rates change at most the time, which follows at once; a return to what was measured is known."""
    wishes = heard(new_run.estimate_wanted)
    ready(new_run)
    new_run.note_estimate(wishes[-1].key, estimate())
    assert new_run.form is not None
    assert new_run.state.estimate is not None
    assert new_run.state.estimate.total_s == 4000 * 0.5
    new_run.form.set("optimizer.learning_rate", 0.01)
    new_run.form.set("num_steps", 100)
    assert new_run.state.estimate.total_s == 50.0
    assert not new_run.state.is_estimate_old
    new_run.form.set("batch_size", 16)
    assert new_run.state.is_estimate_old
    new_run.form.set("batch_size", 64)
    assert not new_run.state.is_estimate_old
    assert len(wishes) == 1
    new_run.form.set("batch_size", 16)
    wait_until(lambda: len(wishes) == 2)


def test_a_clone_leads_straight_to_the_start(new_run: NewRun) -> None:
    config = base_settings(Goal.FRESH, report(), "tiny", None)
    new_run.note_clone(config, "holiday-stage1")
    assert new_run.is_clone
    assert new_run.config == config
    assert new_run.launch_form.value("name") == "holiday-stage1"
    assert new_run.blockers() == []
    new_run.choose_data("/others")
    assert not new_run.is_clone


def test_beginning_anew_forgets(new_run: NewRun, tmp_path: Path) -> None:
    clones = heard(new_run.clone_wanted)
    ready(new_run)
    new_run.begin(tmp_path / "elsewhere", "/runs/x")
    assert (new_run.state.data, new_run.form, clones) == ("", None, ["/runs/x"])


def test_a_launch_that_fails_says_so_and_can_be_tried_again(new_run: NewRun) -> None:
    ready(new_run)
    assert new_run.launch()
    new_run.note_launch_failed("the disk is full")
    assert (new_run.state.launch_trouble, new_run.state.is_launching) == ("the disk is full", False)
    assert new_run.launch()


# ---- words --------------------------------------------------------------------------------------------------------


def test_names_of_runs_are_free_and_plain(tmp_path: Path) -> None:
    assert proposed_name("My pictures!", "stage1", tmp_path) == "My-pictures-stage1"
    (tmp_path / "x-stage1").mkdir()
    (tmp_path / "x-stage1-2").mkdir()
    assert proposed_name("x", "stage1", tmp_path) == "x-stage1-3"
    assert LaunchSettings(name=proposed_name("…", "stage2", tmp_path)).name == "run-stage2"


def test_options_of_the_command_line_are_told_as_controls_of_the_window(qapp: Any) -> None:
    cut = Problem(
        kind=ProblemKind.CUT_OFF, level=Level.INFORMS, count=3, what="Squares cut off 30 %.", remedy="--fit pad adds."
    )
    assert problem_words(cut) == "Squares cut off 30 %. “Whole pictures” or “Several shapes” below keep more of them."
    for kind in ProblemKind:
        assert "--" not in problem_words(cut.model_copy(update={"kind": kind}))
    plain = cut.model_copy(update={"remedy": "Remove it."})
    assert problem_words(plain) == "Squares cut off 30 %. Remove it."


def test_facts_in_words(qapp: Any) -> None:
    facts = {fact.title: fact for fact in data_facts(report(), is_scenes=False)}
    assert (facts["To learn from"].value, facts["Captions"].value) == ("200", "none")
    prepared = {fact.title: fact for fact in cost_facts(estimate(rendering_s=300.0), num_steps=4000)}
    assert prepared["Time"].note.endswith("; 5 min before the first")
    costs = {fact.title: fact for fact in cost_facts(estimate(), num_steps=4000)}
    assert costs["Time"].value == "about 33 min"
    assert costs["Time"].note == "500 ms a step"
    assert costs["Peak memory"].value == "3 GB"
    assert counted(73_937_190_912) == "73.9 G"
    config: RunConfig = base_settings(Goal.FRESH, report(), "tiny", None)
    assert config.num_steps == 4000
