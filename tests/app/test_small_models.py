"""Notices, engine state and model library: they compare, store and tell."""

import json
from pathlib import Path
from typing import Any

from app.errors import Notice, Severity
from app.models.engine_state import EnginePhase, EngineState
from app.models.model_library import ModelLibrary, titles_of
from app.models.notices import MAX_NOTICES, ActionChoice, NoticeBoard
from tests.app.model_folders import write_model
from ul_engine.config import ModelConfig, VideoConfig
from ul_engine.metadata import EmbeddedRequest
from ul_engine.protocol import EngineReady, Pong
from ul_engine.requests import GenerateRequest


def notice(title: str, **changes: Any) -> Notice:
    return Notice(Severity.INFO, title, "sentence", **changes)


def titles(board: NoticeBoard) -> list[str]:
    return [each.title for each in board.notices]


def test_notices_newest_first_and_one_per_key(qapp: Any) -> None:
    board = NoticeBoard()
    for each in (notice("a", key="k"), notice("b"), notice("c", key="k"), notice("b")):
        board.post(each)
    assert titles(board) == ["b", "c"]
    board.dismiss_key("k")
    assert titles(board) == ["b"]


def test_notices_do_not_pile_up(qapp: Any) -> None:
    board = NoticeBoard()
    for number in range(MAX_NOTICES + 5):
        board.post(notice(str(number)))
    assert len(board.notices) == MAX_NOTICES


def test_passing_notices_pass(qapp: Any) -> None:
    board = NoticeBoard()
    board.post(notice("stays"))
    board.post(notice("passes", is_passing=True))
    board.dismiss_passing()
    assert titles(board) == ["stays"]


def test_a_choice_is_passed_on_and_ends_the_notice(qapp: Any) -> None:
    board, choices = NoticeBoard(), []
    board.action_chosen.connect(choices.append)
    board.post(notice("a"))
    board.choose(board.notices[0], "restart", "x")
    assert choices == [ActionChoice(notice("a"), "restart", "x")]
    assert board.notices == ()


READY = EngineReady(pid=1, device="cuda:0", device_name="H", num_threads=4, total_memory_bytes=8 * 2**30, startup_s=1.0)


def test_the_engines_life(qapp: Any) -> None:
    engine, phases = EngineState(), []
    engine.status_changed.connect(lambda status: phases.append(status.phase))
    engine.set_phase(EnginePhase.BUSY)  # it is not up: nothing to be busy
    engine.set_ready(READY)
    engine.set_phase(EnginePhase.BUSY)
    engine.set_died(is_restarting=True)
    engine.set_launched()
    engine.set_died(is_restarting=False)
    assert phases == [
        EnginePhase.READY,
        EnginePhase.BUSY,
        EnginePhase.RESTARTING,
        EnginePhase.STARTING,
        EnginePhase.DOWN,
    ]


def test_memory_is_told_where_it_is_scarce(qapp: Any) -> None:
    engine = EngineState()
    engine.set_ready(READY)
    engine.set_memory(Pong(host_bytes=5, device_bytes=0))
    assert engine.status.memory_bytes == 5
    engine.set_memory(Pong(host_bytes=5, device_bytes=7))
    assert engine.status.memory_bytes == 7


def test_models_of_all_folders_usable_or_not(qapp: Any, tmp_path: Path) -> None:
    write_model(tmp_path / "mine", "b")
    write_model(tmp_path / "shipped", "a", name="Alpha")
    broken = write_model(tmp_path / "mine", "c")
    (broken / "config.json").write_text("{")
    headless = write_model(tmp_path / "mine", "d", networks={})
    library = ModelLibrary((tmp_path / "shipped", tmp_path / "mine", tmp_path / "missing"))
    library.refresh()
    assert [entry.name for entry in library.usable] == ["Alpha", "Scenes"]
    assert str(broken) in [entry.path for entry in library.generators]
    assert str(headless) not in [entry.path for entry in library.generators]


def test_a_new_model_is_found_on_the_second_look(qapp: Any, tmp_path: Path) -> None:
    library, told = ModelLibrary((tmp_path,)), []
    library.models_changed.connect(told.append)
    library.refresh()
    write_model(tmp_path, "new")
    library.refresh()
    library.refresh()
    assert [len(entries) for entries in told] == [1]


def test_models_of_one_name_are_told_apart_by_their_folders(qapp: Any, tmp_path: Path) -> None:
    for folder, name in (("first", "One"), ("second", "One"), ("third", "Two")):
        write_model(tmp_path, folder, name=name)
    library = ModelLibrary((tmp_path,))
    library.refresh()
    assert titles_of(library.usable) == ("One (first)", "One (second)", "Two")


def test_a_pictures_model_is_found_by_folder_then_by_name(qapp: Any, tmp_path: Path) -> None:
    write_model(tmp_path, "first", name="One")
    write_model(tmp_path, "second", name="Two")
    library = ModelLibrary((tmp_path,))
    library.refresh()

    def match(folder: str, name: str) -> str | None:
        entry = library.match(EmbeddedRequest(request=GenerateRequest(model=folder), model_name=name))
        return entry.name if entry else None

    assert match("second", "One") == "Two"
    assert match("renamed", "One") == "One"
    assert match("renamed", "Three") is None


def test_a_manifest_too_new_is_told(qapp: Any, tmp_path: Path) -> None:
    path = write_model(tmp_path, "new")
    data = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(data | {"format_version": 99}))
    library = ModelLibrary((tmp_path,))
    library.refresh()
    assert "newer" in (library.entries[0].problem or "")


def test_a_model_of_clips_can_be_chosen(qapp: Any, tmp_path: Path) -> None:
    clips = ModelConfig(name="Motion", image_px=64, video=VideoConfig(num_frames=8))
    write_model(tmp_path, "motion", model=clips)
    library = ModelLibrary((tmp_path,))
    library.refresh()
    (entry,) = library.usable
    assert entry.problem is None
    assert entry.manifest is not None
