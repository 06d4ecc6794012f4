"""Session, fake engine and files tied together, without a window: what a person asks for happens, and is explained."""

import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.models.engine_state import EnginePhase
from app.models.form_state import SeedMode
from app.models.job_queue import JobState
from app.models.results import Heading, TileState
from app.program import Program
from app.services.engine_client import EngineTimes
from app.services.settings import Settings
from app.studio import actions
from tests.app.conftest import RunAsync, until
from tests.app.model_folders import write_model
from ul_engine.errors import CheckpointError
from ul_engine.media.reading import probe
from ul_engine.metadata import read_request

Usage = namedtuple("Usage", "total used free")
Make = Callable[..., Program]


async def started(program: Program) -> None:
    program.client.start()
    await until(lambda: program.client.is_ready)


def ask(program: Program, **changes: Any) -> None:
    values = {"prompt": "a red cube", "num_images": 2, "base_steps": 6, "decoder_steps": 6} | changes
    program.session.form.update(**values)
    assert program.runner.generate()


def titles(program: Program) -> list[str]:
    return [notice.title for notice in program.session.notices.notices]


def choose(program: Program, name: str) -> None:
    notice = program.session.notices.notices[0]
    action = next(action for action in notice.actions if action.name == name)
    program.session.notices.choose(notice, action.name, action.argument)


def idle(program: Program) -> Callable[[], bool]:
    return lambda: program.session.queue.view.is_idle


def paths(program: Program) -> list[str]:
    return [tile.path for tile in program.session.results.done_tiles()]


def test_pictures_are_made_and_saved_with_their_settings(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program()
        await started(program)
        ask(program, seed="7", seed_mode=SeedMode.FIXED)
        await until(lambda: len([path for path in paths(program) if path]) == 2)
        await until(idle(program))
        embedded = read_request(paths(program)[1])
        assert (embedded.request.seed, embedded.request.prompt, embedded.model_name) == (8, "a red cube", "Scenes")
        heading = program.session.results.entry(0)
        assert isinstance(heading, Heading)
        assert (heading.job.state, heading.job.num_done) == (JobState.FINISHED, 2)
        assert program.session.engine.status.phase is EnginePhase.READY

    run_async(story())


def test_clips_are_made_and_saved_with_their_settings(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program(frames=4)
        await started(program)
        ask(program, seed="7", seed_mode=SeedMode.FIXED)
        await until(lambda: len([path for path in paths(program) if path]) == 2)
        assert [Path(path).suffix for path in paths(program)] == [".mp4", ".mp4"]
        assert (probe(paths(program)[0]).num_frames, read_request(paths(program)[1]).request.seed) == (4, 8)
        assert all(tile.is_moving for tile in program.session.results.done_tiles())

    run_async(story())


def test_pictures_may_be_asked_for_before_the_engine_is_there(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program(start_s=0.2)
        ask(program)
        program.client.start()
        assert len(program.session.queue.view.waiting) == 1
        await until(lambda: len([path for path in paths(program) if path]) == 2)

    run_async(story())


def test_stop_is_seen_at_once_and_the_rest_is_held(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program(step_s=0.02)
        await started(program)
        ask(program)
        ask(program, num_images=1)
        await until(lambda: program.session.queue.progress.fraction > 0)
        program.session.queue.stop()
        assert program.session.queue.view.running.state is JobState.STOPPING
        await until(lambda: program.session.queue.view.running is None)
        assert program.session.queue.view.is_paused
        assert program.session.results.rowCount() == 0
        program.session.queue.set_paused(False)
        await until(idle(program))
        assert program.session.results.num_done == 1

    run_async(story())


def test_previews_become_pictures(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program(step_s=0.01)
        await started(program)
        states: list[TileState] = []

        def note() -> None:
            states.append(program.session.results.entry(1).state)

        program.session.results.dataChanged.connect(note)
        ask(program)
        await until(idle(program))
        assert states[0] is TileState.PREVIEW
        assert states[-1] is TileState.DONE

    run_async(story())


def test_an_engine_that_dies_costs_one_job_and_says_so(make_program: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        program = make_program("dies", die_once=tmp_path / "died")
        await started(program)
        ask(program)
        ask(program, num_images=1)
        await until(lambda: titles(program))
        notice = program.session.notices.notices[0]
        assert notice.title == "The engine stopped while working"
        assert "Killed by signal 9 (SIGKILL)" in notice.sentence
        assert "It is being restarted." in notice.sentence
        assert "on hold" in notice.sentence
        assert "fault in the fake driver" in notice.details
        heading = program.session.results.entry(0)
        assert heading.job.state is JobState.FAILED
        await until(lambda: program.client.is_ready)
        assert program.session.queue.view.is_paused
        choose(program, actions.CONTINUE_QUEUE)
        await until(lambda: program.session.results.num_done == 1)

    run_async(story())


def test_a_lost_job_can_be_tried_again(make_program: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        program = make_program("dies", die_once=tmp_path / "died")
        await started(program)
        ask(program)
        await until(lambda: titles(program))
        choose(program, actions.TRY_AGAIN)
        await until(lambda: program.session.results.num_done == 2)

    run_async(story())


def test_an_engine_that_cannot_live_is_restarted_by_hand_only(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program("instant_death")
        program.client.start()
        await until(lambda: program.session.engine.status.phase is EnginePhase.DOWN)
        notice = program.session.notices.notices[0]
        assert "several times in a row" in notice.sentence
        assert [action.name for action in notice.actions] == [actions.RESTART_ENGINE]
        choose(program, actions.RESTART_ENGINE)
        await until(lambda: program.session.engine.status.phase is EnginePhase.RESTARTING)

    run_async(story())


def test_too_little_memory_offers_what_helps(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program("oom")
        await started(program)
        ask(program, num_images=4, width_px=256)
        await until(lambda: titles(program) == ["Not enough memory"])
        notice = program.session.notices.notices[0]
        assert [action.label for action in notice.actions] == ["Make 2 at a time", "Use the trained size"]
        assert "made up" in notice.details
        choose(program, actions.SMALLER_BATCH)
        assert program.session.form.state.batch_size == 2
        await until(lambda: titles(program) == ["Not enough memory"])
        choose(program, actions.TRAINED_SIZE)
        assert program.session.form.state.width_px is None
        await until(lambda: titles(program) == ["Not enough memory"])
        assert [action.label for action in program.session.notices.notices[0].actions] == ["Make one at a time"]

    run_async(story())


def test_other_failures_are_named(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program("fails")
        await started(program)
        ask(program)
        await until(lambda: titles(program) == ["The pictures came out broken"])
        assert "not finite" in program.session.notices.notices[0].sentence
        assert program.session.engine.status.phase is EnginePhase.READY

    run_async(story())


def test_an_engine_that_does_not_stop_can_be_ended(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program("hangs", times=EngineTimes(grace_s=0.5, cancel_s=0.05), step_s=0.05)
        await started(program)
        ask(program)
        await until(lambda: program.session.queue.progress.fraction > 0)
        program.session.queue.stop()
        await until(lambda: titles(program) == ["The engine does not stop"])
        choose(program, actions.RESTART_ENGINE)
        await until(idle(program))
        await until(lambda: program.client.is_ready)
        assert titles(program) == []

    run_async(story())


def test_pictures_on_a_full_disk_stay_in_the_window(
    make_program: Make, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def story() -> None:
        program = make_program()
        await started(program)
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "disk_usage", lambda _path: Usage(10, 10, 0))
            ask(program)
            await until(lambda: all(tile.problem for tile in program.session.results.done_tiles()) and idle(program)())
        both = {"Pictures are not being saved", "The queue is not being kept"}
        await until(lambda: set(titles(program)) == both)
        program.keeper.set_outputs(tmp_path / "elsewhere")
        await until(lambda: all(paths(program)))
        assert Path(paths(program)[0]).is_relative_to(tmp_path / "elsewhere")
        assert not any(tile.problem for tile in program.session.results.done_tiles())

    run_async(story())


def test_settings_of_a_picture_are_offered_applied_and_undone(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program()
        await started(program)
        ask(program, seed="7", seed_mode=SeedMode.FIXED)
        await until(lambda: all(paths(program)) and idle(program)())
        offers: list[Any] = []
        program.keeper.restore_offered.connect(offers.append)
        before = program.session.form.state
        program.keeper.read_settings(paths(program)[0])
        await until(lambda: titles(program) == ["Nothing to change"])
        program.session.form.update(prompt="a cone", seed="99")
        program.keeper.read_settings(paths(program)[0])
        await until(lambda: offers)
        assert [change.label for change in offers[0].changes] == ["Prompt", "Seed"]
        assert program.session.form.state.prompt == "a cone"  # nothing changes by itself
        program.keeper.apply(offers[0].changes)
        assert program.session.form.state == before
        choose(program, actions.UNDO_RESTORE)
        assert program.session.form.state.prompt == "a cone"

    run_async(story())


def test_foreign_files_are_explained(make_program: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        program = make_program()
        (tmp_path / "letter.txt").write_text("Dear reader")
        program.keeper.read_settings(str(tmp_path / "letter.txt"))
        await until(lambda: titles(program) == ["No settings to take over"])
        sentence = program.session.notices.notices[0].sentence
        assert sentence == "letter.txt is no picture or clip that can keep settings."

    run_async(story())


def test_the_form_is_remembered(make_program: Make, run_async: RunAsync, model_root: Path) -> None:
    async def story() -> None:
        write_model(model_root, "other", name="Another")
        program = make_program()
        program.session.form.choose_model(program.session.library.by_path(str(model_root / "other")))
        program.session.form.update(prompt="a cone", base_steps=3)
        assert program.memory.save(Settings(form=program.memory.form_values())) == ""
        again = make_program()
        assert again.session.form.state == program.session.form.state

    run_async(story())


def test_damaged_settings_are_told(make_program: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "settings.json").write_text("{oops")
        program = make_program()
        assert titles(program) == ["Settings were put aside"]
        assert "settings.aside-1.json" in program.session.notices.notices[0].sentence
        assert program.session.form.preset == "Balanced"

    run_async(story())


def test_a_model_can_be_named(make_program: Make, run_async: RunAsync, model_root: Path, tmp_path: Path) -> None:
    async def story() -> None:
        elsewhere = write_model(tmp_path / "elsewhere", "mine", name="Mine")
        write_model(model_root, "other", name="Another")
        program = make_program()
        for name in ("other", "Another", str(model_root / "other")):
            program.load(name)
            assert program.session.form.model.name == "Another"
        program.load(str(elsewhere))
        assert program.session.form.model.name == "Mine"
        with pytest.raises(CheckpointError, match="no such folder"):
            program.load(str(tmp_path / "nowhere"))

    run_async(story())


def test_a_broken_model_is_told_when_read(make_program: Make, run_async: RunAsync, model_root: Path) -> None:
    async def story() -> None:
        program = make_program()
        from ul_engine.protocol import ModelFailed

        program.client.model_failed.emit(ModelFailed(path="x", message="x: weights are cut short"))
        assert titles(program) == ["The model cannot be used"]

    run_async(story())


def test_requests_hold_what_the_manifest_says(make_program: Make, run_async: RunAsync, model_root: Path) -> None:
    async def story() -> None:
        program = make_program()
        data = json.loads((model_root / "scenes" / "config.json").read_text())
        ask(program, width_px=32)
        job = program.session.queue.view.waiting[0]
        assert job.size_px == (32, data["model"]["image_px"])
        assert job.preset == ""

    run_async(story())
