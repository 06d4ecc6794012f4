"""What is set once reaches what it concerns, survives a restart, and a bad value spoils only itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.models.engine_state import EnginePhase
from app.models.preferences import Preferences, PreferenceState
from app.services.engine_client import EngineTimes
from app.services.settings import RUNS_VARIABLE, Settings, usual_runs
from tests.app.conftest import RunAsync, until
from tests.app.model_folders import write_model


def test_changes_are_told_once(qapp: Any, owned: Callable[[Any], Any]) -> None:
    preferences, seen = owned(Preferences()), []
    preferences.preferences_changed.connect(seen.append)
    preferences.update(threads=3)
    preferences.update(threads=3)
    assert [state.threads for state in seen] == [3]
    with pytest.raises(ValidationError):
        preferences.update(threads=-1)
    assert preferences.values() == {"threads": 3}


def test_one_bad_value_spoils_only_itself(qapp: Any, owned: Callable[[Any], Any]) -> None:
    preferences = owned(Preferences())
    preferences.restore(
        {"threads": "many", "device": "cpu", "of_the_future": 1, "scale_percent": 137, "notifies": False}
    )
    assert preferences.state == PreferenceState(device="cpu", notifies=False)


def test_folders_follow(make_program: Callable[..., Any], tmp_path: Path) -> None:
    program = make_program()
    session, seen = program.session, []
    session.folders.folders_changed.connect(seen.append)
    write_model(tmp_path / "mine", "cubes", name="Cubes")
    session.preferences.update(models_folder=str(tmp_path / "mine"), runs_folder=str(tmp_path / "drills"))
    assert session.folders.places.models == tmp_path / "mine"
    assert session.folders.places.runs == tmp_path / "drills"
    assert session.folders.places.outputs == tmp_path / "outputs"
    assert [entry.name for entry in session.library.usable] == ["Cubes"]
    session.preferences.update(models_folder="")
    assert [entry.name for entry in session.library.usable] == ["Scenes"]
    assert seen


def test_the_usual_runs_of_a_checkout_and_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert usual_runs().name == "runs"
    assert (usual_runs().parent / "pyproject.toml").is_file()
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "elsewhere"))
    assert usual_runs() == tmp_path / "elsewhere"


def test_another_device_starts_another_engine_when_the_job_is_done(
    make_program: Callable[..., Any], run_async: RunAsync
) -> None:
    async def story() -> None:
        program = make_program(step_s=0.02)
        session, client = program.session, program.client
        client.start()
        await until(lambda: client.is_ready)
        pid = client.pid
        session.form.update(prompt="a red cube", num_images=1, base_steps=10, decoder_steps=1)
        program.runner.generate()
        await until(lambda: session.queue.view.running is not None)
        session.preferences.update(device="cuda:1", threads=2)
        assert client.pid == pid
        await until(lambda: session.results.num_done == 1)
        await until(lambda: client.is_ready and client.pid not in (None, pid))
        assert client.command[-2:] == ("--device=cuda:1", "--threads=2")
        assert not session.notices.notices
        session.preferences.update(device="auto", threads=0)
        assert not any(part.startswith("--") for part in client.command)

    run_async(story())


def test_a_released_engine_is_gone_until_it_is_wanted(make_program: Callable[..., Any], run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program()
        session, client = program.session, program.client
        client.start()
        await until(lambda: client.is_ready)
        client.release()
        await until(lambda: session.engine.status.phase is EnginePhase.RELEASED)
        assert client.pid is None
        assert not session.notices.notices
        session.preferences.update(device="cpu")
        assert client.pid is None
        session.form.update(prompt="a red cube", num_images=1, base_steps=1, decoder_steps=1)
        program.runner.generate()
        await until(lambda: session.results.num_done == 1)
        assert session.engine.status.device == "cpu"
        await until(lambda: all(tile.path for tile in session.results.done_tiles()))

    run_async(story())


def test_preferences_survive_in_the_file(make_program: Callable[..., Any], tmp_path: Path) -> None:
    program = make_program()
    program.session.preferences.update(device="cpu", keeps_request=False)
    assert program.memory.save(Settings(preferences=program.session.preferences.values())) == ""
    again = make_program()
    assert again.session.preferences.state == PreferenceState(device="cpu", keeps_request=False)
    assert again.client.command[-1] == "--device=cpu"


def test_release_also_holds_before_a_restart_and_while_starting(
    make_program: Callable[..., Any], run_async: RunAsync
) -> None:
    async def story() -> None:
        times = EngineTimes(grace_s=1.0, backoff_s=(30.0, 30.0))
        program = make_program("instant_death", times=times)
        session, client = program.session, program.client
        client.start()
        await until(lambda: session.engine.status.phase is EnginePhase.RESTARTING)
        client.release()
        await until(lambda: session.engine.status.phase is EnginePhase.RELEASED)
        assert (client.pid, client.is_released) == (None, True)
        slow = make_program(start_s=5)
        slow.client.start()
        slow.client.release()
        await until(lambda: slow.session.engine.status.phase is EnginePhase.RELEASED)
        assert slow.client.pid is None

    run_async(story())
