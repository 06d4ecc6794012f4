"""The models on this machine: what a list shows, finding one by any name, verifying, removing only one's own."""

import json
import shutil
from pathlib import Path

import pytest

from tests.helpers.tiny import save_tiny, tiny_config
from ul_engine.assets import assets_dir
from ul_engine.errors import Cancelled, CheckpointError
from ul_engine.hub.download import DOWNLOADS_NAME, forget_download, unfinished_downloads
from ul_engine.hub.local import find_model, list_facts, remove_model
from ul_engine.hub.verify import require_intact, verify_model
from ul_engine.model_folder import user_models_dir

BUNDLED = assets_dir() / "models" / "scenes"
ALL_BUNDLED = sorted(folder.name for folder in BUNDLED.parent.iterdir() if folder.is_dir())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_folder: Path) -> Path:
    """The person's models: one good, one broken."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    models = user_models_dir()
    shutil.copytree(tiny_folder, models / "mine")
    (models / "broken").mkdir()
    (models / "broken" / "config.json").write_text("{")
    return models


def test_what_a_list_shows(place: Path, tiny_files: dict[str, bytes]) -> None:
    facts = {model.folder: model for model in list_facts()}
    assert set(facts) == {"mine", "broken", *ALL_BUNDLED}
    mine, broken, bundled = facts["mine"], facts["broken"], facts["scenes"]
    assert (mine.name, mine.image_px, mine.conditioning, mine.is_bundled) == ("Tiny", 16, "text", False)
    assert mine.size_bytes == sum(len(content) for name, content in tiny_files.items() if name.endswith("tensors"))
    assert mine.num_parameters == sum(network.num_parameters for network in mine.networks)
    assert (mine.can_generate, mine.can_reconstruct, mine.problem) == (True, True, None)
    assert broken.problem is not None
    assert bundled.is_bundled
    assert bundled.num_parameters == 9_606_780


def test_finding_by_any_name(place: Path, tmp_path: Path) -> None:
    assert find_model(place / "mine") == place / "mine"
    assert find_model("mine") == place / "mine"
    assert find_model("tiny") == place / "mine"
    assert find_model("scenes") == BUNDLED
    (tmp_path / "mine").mkdir()
    assert find_model("mine") == Path("mine")
    with pytest.raises(CheckpointError, match=f"there are: {', '.join(('broken', *ALL_BUNDLED, 'mine'))}"):
        find_model("absent")
    with pytest.raises(CheckpointError, match="no model is named so"):
        find_model(".downloads")
    save_tiny(place / "other", tiny_config())
    with pytest.raises(CheckpointError, match="more than one model"):
        find_model("Tiny")


def test_removing_ones_own(place: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()  # not this one
    assert remove_model("mine") == place / "mine"
    assert remove_model("broken") == place / "broken"
    assert list(place.iterdir()) == []
    assert (tmp_path / "mine").exists()


def test_removing_a_link_leaves_what_it_shows(place: Path, tiny_folder: Path) -> None:
    (place / "link").symlink_to(tiny_folder)
    remove_model("link")
    assert not (place / "link").exists()
    assert verify_model(tiny_folder).is_intact


@pytest.mark.parametrize("name", ["scenes", "Scenes", "TINY", "PLACE", "PLACE/mine/..", "absent", "", "..", "notes"])
def test_nothing_else_is_removed(place: Path, tiny_folder: Path, name: str) -> None:
    (place / "notes").mkdir()
    name = {"TINY": str(tiny_folder)}.get(name, name.replace("PLACE", str(place)))
    before = sorted(path.name for path in place.iterdir())
    with pytest.raises(CheckpointError):
        remove_model(name)
    assert sorted(path.name for path in place.iterdir()) == before
    assert (BUNDLED / "config.json").exists()
    assert verify_model(tiny_folder).is_intact


def test_unfinished_downloads_are_listed_and_forgotten(place: Path) -> None:
    begun = place / DOWNLOADS_NAME / "some--model"
    begun.mkdir(parents=True)
    (begun / "base.safetensors.partial").write_bytes(b"x" * 1000)
    (unfinished,) = unfinished_downloads(place)
    assert (unfinished.repo, unfinished.done_bytes) == ("some/model", 1000)
    forget_download(unfinished)
    assert unfinished_downloads(place) == ()
    assert not begun.exists()


def test_the_bundled_model_is_as_published() -> None:
    found = verify_model(BUNDLED)
    assert (found.problems, found.foreign) == ((), ())


def test_verifying(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(tiny_folder, folder)
    (folder / "weights.bin").write_bytes(b"a pickle")
    (folder / "logs").mkdir()
    content = bytearray((folder / "base.safetensors").read_bytes())
    content[-1] ^= 0x80
    (folder / "base.safetensors").write_bytes(content)
    (folder / "prior.safetensors").unlink()
    (folder / "encoder.safetensors").unlink()
    (folder / "encoder.safetensors").mkdir()
    found = verify_model(folder)
    assert [problem.split(" ")[0] for problem in found.problems] == [
        f"{name}.safetensors:" for name in ("encoder", "prior", "base")
    ]
    assert "SHA-256" in found.problems[2]
    assert "missing" in found.problems[1]
    assert found.foreign == ("logs/", "weights.bin")
    with pytest.raises(CheckpointError, match="encoder"):
        require_intact(folder)
    with pytest.raises(Cancelled):
        verify_model(tiny_folder, is_cancelled=lambda: True)


def test_a_promise_of_other_parameters(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(tiny_folder, folder)
    manifest = json.loads((folder / "config.json").read_text())
    manifest["networks"]["base"]["num_parameters"] += 1
    (folder / "config.json").write_text(json.dumps(manifest))
    (problem,) = verify_model(folder).problems
    assert "121,012 parameters where 121,013 were promised" in problem
    (folder / "config.json").write_text(json.dumps(manifest | {"networks": {}}))
    with pytest.raises(CheckpointError, match="names no weights"):
        verify_model(folder)
