"""Deeds on model folders that need no network: moving, removing, cards, tokens; and the words for what happens."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.models.desk.facts import DeskTask
from app.models.desk.words import kind_words, plain, task_line
from app.services.desk import local
from app.services.desk.client import COMMAND
from app.services.desk.moving import move_folder
from app.studio.desk_failures import desk_failure
from app.ui.widgets.models.model_details import tame_markdown
from tests.app.model_folders import manifest, write_model
from ul_engine.errors import Cancelled, CheckpointError, OutputError
from ul_engine.model_folder import NetworkFile


def nothing(**_news: Any) -> None:
    """A listener that does not listen."""


def never() -> bool:
    return False


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    root = tmp_path / "own"
    write_model(root, "one")
    write_model(root, "two")
    (root / ".downloads" / "a--b").mkdir(parents=True)
    (root / ".downloads" / "a--b" / "x.partial").write_bytes(b"half")
    return root


def test_everything_moves_unfinished_downloads_too(own: Path, tmp_path: Path) -> None:
    before, told = files_of(own), []
    done = move_folder(own, tmp_path / "new" / "place", lambda **news: told.append(news), never)
    assert files_of(tmp_path / "new" / "place") == before
    assert not own.exists()
    assert done["left"] == ""
    assert told[-1]["done_bytes"] == told[-1]["total_bytes"] == sum(map(len, before.values()))


def test_a_move_that_is_stopped_leaves_all_where_it_was(own: Path, tmp_path: Path) -> None:
    before = files_of(own)
    calls = iter([False, False, True])
    with pytest.raises(Cancelled):
        move_folder(own, tmp_path / "new", nothing, lambda: next(calls, True))
    assert files_of(own) == before
    assert not (tmp_path / "new").exists()


def test_a_move_that_fails_leaves_all_where_it_was(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files_of(own)
    (tmp_path / "new").mkdir()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="disk is full"):
        move_folder(own, tmp_path / "new", nothing, never)
    assert files_of(own) == before
    assert list((tmp_path / "new").iterdir()) == []


def test_what_comes_while_the_folder_moves_is_not_lost(own: Path, tmp_path: Path) -> None:
    before = files_of(own)

    def late(**news: Any) -> None:
        if news["state"] == "moving":
            (own / "late").mkdir(exist_ok=True)
            (own / "late" / "config.json").write_text("{}")

    with pytest.raises(OutputError, match="changed while it was copied"):
        move_folder(own, tmp_path / "new", late, never)
    assert files_of(own) == before | {"late/config.json": b"{}"}
    assert not (tmp_path / "new").exists()


def test_only_what_was_copied_is_removed(own: Path, tmp_path: Path) -> None:
    before = files_of(own)

    def later(**news: Any) -> None:
        if news["state"] == "finishing":
            (own / "later.json").write_text("{}")

    move_folder(own, tmp_path / "new", later, never)
    assert files_of(tmp_path / "new") == before
    assert files_of(own) == {"later.json": b"{}"}


def test_what_others_put_into_the_new_place_is_not_taken_away(own: Path, tmp_path: Path) -> None:
    before = files_of(own)

    def meanwhile() -> bool:
        (tmp_path / "new" / "notes").mkdir(exist_ok=True)
        (tmp_path / "new" / "notes" / "mine.txt").write_text("mine")
        return True

    with pytest.raises(Cancelled):
        move_folder(own, tmp_path / "new", nothing, meanwhile)
    assert files_of(own) == before
    assert files_of(tmp_path / "new") == {"notes/mine.txt": b"mine"}


def test_one_file_that_stays_does_not_keep_the_others(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, unlink = files_of(own), Path.unlink

    def held(path: Path, missing_ok: bool = False) -> None:
        if path == own / "one" / "config.json":
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", held)
    done = move_folder(own, tmp_path / "new", nothing, never)
    assert done["left"] == f"{own / 'one' / 'config.json'}: Permission denied"
    assert files_of(tmp_path / "new") == before
    assert list(files_of(own)) == ["one/config.json"]


def test_a_place_that_cannot_be_looked_into_is_told_in_words(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "new").mkdir()
    monkeypatch.setattr(Path, "iterdir", locked)
    with pytest.raises(OutputError, match="not allowed"):
        move_folder(own, tmp_path / "new", nothing, never)


def test_closing_the_window_while_models_move_leaves_nothing_half_moved(own: Path, tmp_path: Path) -> None:
    """The process has a moment to take back what it has copied."""
    before = files_of(own)
    with (own / "one" / "huge.safetensors").open("wb") as stream:
        stream.truncate(2**30)
    child = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    task = {"id": "1", "do": "move", "source": str(own), "target": str(tmp_path / "new")}
    child.stdin.write((json.dumps(task) + "\n").encode())
    child.stdin.flush()
    assert json.loads(child.stdout.readline())["news"] == "progress"
    child.stdin.close()
    child.stdout.read()
    assert child.wait() == 0
    child.stdout.close()
    assert not (tmp_path / "new").exists()
    (own / "one" / "huge.safetensors").unlink()
    assert files_of(own) == before


def test_a_link_to_a_folder_is_neither_copied_nor_lost(own: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (own / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="is a link"):
        move_folder(own, tmp_path / "new", nothing, never)
    assert (own / "linked").is_symlink()


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (lambda own: own, "already"),
        (lambda own: own / "inside", "inside the other"),
        (lambda own: own.parent, "inside the other"),
        (lambda own: own.parent / "taken", "holds something"),
    ],
    ids=["same", "inside", "around", "taken"],
)
def test_places_that_make_no_sense(own: Path, where: Callable[[Path], Path], words: str) -> None:
    (own.parent / "taken").mkdir()
    (own.parent / "taken" / "file").touch()
    before = files_of(own)
    with pytest.raises(OutputError, match=words):
        move_folder(own, where(own), nothing, never)
    assert files_of(own) == before


def test_a_removed_model_comes_back(own: Path) -> None:
    before = files_of(own / "one")
    gone = local.remove(own / "one", own)
    assert not (own / "one").exists()
    (entry,) = local.facts([str(own)], str(own))["bin"]
    assert (entry["path"], entry["batch"]) == ("one", gone["batch"])
    assert local.restore(gone["batch"], own) == {"folders": [str(own / "one")]}
    assert files_of(own / "one") == before


def test_only_models_of_ones_own_are_removed(own: Path, tmp_path: Path) -> None:
    other = write_model(tmp_path / "bundled")
    (own / "notes").mkdir()
    for folder in (other, own / "notes"):
        with pytest.raises(CheckpointError, match="not removed"):
            local.remove(folder, own)
        assert folder.exists()


def test_what_the_disk_knows(own: Path) -> None:
    file = NetworkFile(file="base.safetensors", sha256="0" * 64, num_parameters=1)
    folder = write_model(own, "three", networks={"base": file})
    (folder / "setup.py").write_text("import os")
    (folder / "weights.safetensors").unlink()
    found = local.facts([str(own)], str(own))
    assert found["models"][str(folder)]["foreign"] == ["setup.py"]
    assert found["own_bytes"] == sum(len(data) for name, data in files_of(own).items() if ".downloads" not in name)
    assert found["unfinished"] == [{"repo": "a/b", "done_bytes": 4}]
    assert found["free_bytes"] > 0


def test_a_card_is_its_text(own: Path) -> None:
    (own / "one" / "README.md").write_text("---\nlicense: mit\n---\n# Title\n\nWords.\n")
    assert local.card_text(own / "one") == "# Title\n\nWords."
    assert local.card_text(own / "two") == ""


def test_cards_load_and_run_nothing() -> None:
    card = 'See ![a cat](file:///etc/passwd) and <img src="http://x/y.png"><script>alert(1)</script> here.'
    tame = tame_markdown(card)
    assert "passwd" not in tame
    assert "<" not in tame
    assert tame.startswith("See a cat and")


def test_kinds_in_words() -> None:
    assert kind_words(manifest()) == "Pictures from text"
    assert kind_words(manifest(kind="class")) == "Pictures of classes"
    assert kind_words(manifest(kind="none")) == "Pictures without a prompt"


def test_progress_in_words() -> None:
    task = DeskTask("1", "download", "a/b", "downloading", 12_300_000, 24_600_000, 3_075_000.0)
    assert task_line(task) == "12.3 MB of 24.6 MB · 3.08 MB/s · 4 s left"
    assert "estimating" in task_line(DeskTask("1", "download", "a/b", "downloading", 1, 10))
    waiting = DeskTask("1", "download", "a/b", "waiting", note="https://x does not answer; check the network")
    assert task_line(waiting) == "Waiting to try again: Https://x does not answer; check the network."


@pytest.mark.parametrize(
    ("kind", "words", "deeds"),
    [
        ("gated", "Accept them on its page", ["enter_token", "open_page"]),
        ("not-found", "There is no a/b on the Hub", ["enter_token", "open_page"]),
        ("offline", "Switch it off in Settings", []),
        ("no-network", "choose a mirror in Settings", ["fetch_again"]),
        ("died", "Try again", ["fetch_again"]),
        ("not-a-model", "no Unified Latents model", []),
    ],
)
def test_refusals_say_what_to_do(kind: str, words: str, deeds: list[str]) -> None:
    text = {
        "no-network": "https://x cannot be reached (refused); check the network, or set HF_ENDPOINT to a mirror",
        "not-a-model": "a/b is no Unified Latents model: it has no config.json. Nothing more was fetched",
    }.get(kind, "give a token (--token, HF_TOKEN or `hf auth login`)")
    notice = desk_failure("download", "a/b", {"kind": kind, "text": text, "url": "https://x/a/b"})
    assert words in notice.sentence
    assert [action.name for action in notice.actions] == deeds
    assert not any(sign in notice.sentence for sign in ("--", "HF_"))


def test_hints_for_the_command_line_are_left_out() -> None:
    assert plain("is there already; choose another name (--name), or replace it (--replace)") == (
        "Is there already; choose another name, or replace it."
    )
