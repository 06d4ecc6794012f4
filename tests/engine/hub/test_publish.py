"""Publishing through huggingface_hub itself: what is sent, what is not, and that it comes back the same."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.hub.conftest import PNG
from tests.helpers.hub_client import HubClient
from tests.helpers.hub_server import Fault, HubServer
from ul_engine.errors import CheckpointError
from ul_engine.hub.publish import plan_publication

OWNER = {"token": "owner-token"}


@pytest.fixture
def folder(hub: HubServer, tiny_folder: Path, tmp_path: Path) -> Path:
    """A model folder to be changed, with things in it that are nobody's business."""
    copy = tmp_path / "mine"
    shutil.copytree(tiny_folder, copy)
    (copy / "README.md").unlink()
    (copy / "origin.json").write_text('{"source": "a folder of mine"}')
    (copy / "diary.txt").write_text("dear")
    (copy / "optimizer.pt").write_bytes(b"a pickle")
    (copy / "picture.png").write_bytes(PNG)
    (copy / "fake.png").write_bytes(b"MZ")
    (copy / "runs").mkdir()
    hub.large.clear()  # so that the Hub has to be sent the weights
    return copy


def sent_names(hub: HubServer) -> set[str]:
    return {line["value"]["path"] for line in hub.commits[-1] if line["key"] != "header"}


def test_what_is_published_comes_back_the_same(
    hub: HubServer, client: HubClient, folder: Path, tiny_files: dict[str, bytes], tmp_path: Path
) -> None:
    done = client.do("publish", folder=str(folder), repo="owner/mine", license_id="mit", **OWNER)
    names = set(tiny_files) | {"picture.png"}
    assert set(done["sent"]) == sent_names(hub) == names
    assert done["url"] == f"{hub.endpoint}/owner/mine"
    assert done["commit"] == hub.repos["owner/mine"].refs["main"]
    assert not hub.repos["owner/mine"].is_private
    assert len(hub.asked("/large/", "PUT")) == 5
    weights = [line["value"]["path"] for line in hub.commits[-1] if line["key"] == "lfsFile"]
    assert len(weights) == 5
    found = client.download("owner/mine", into=str(tmp_path / "models"))
    back = {path.name: path.read_bytes() for path in Path(found["folder"]).iterdir()}
    card = back.pop("README.md").decode()
    back.pop("origin.json")
    assert back == {name: content for name, content in tiny_files.items() if name != "README.md"} | {"picture.png": PNG}
    assert "ul-engine models download owner/mine" in card
    assert "license: mit" in card


def test_only_what_changed_is_sent_again(hub: HubServer, client: HubClient, folder: Path) -> None:
    client.do("publish", folder=str(folder), repo="owner/mine", **OWNER)
    hub.forget()
    client.do("publish", folder=str(folder), repo="owner/mine", license_id="mit", **OWNER)
    assert not hub.asked("/large/", "PUT")
    assert len(hub.repos["owner/mine"].commits) == 3


def test_private_and_branch(hub: HubServer, client: HubClient, folder: Path) -> None:
    client.do("publish", folder=str(folder), repo="owner/mine", is_private=True, branch="trial", **OWNER)
    repo = hub.repos["owner/mine"]
    assert repo.is_private
    assert set(repo.commits[repo.refs["main"]]) == {".gitattributes"}
    assert "base.safetensors" in repo.commits[repo.refs["trial"]]


def test_the_persons_own_card_is_kept(hub: HubServer, client: HubClient, folder: Path) -> None:
    own = "---\nlicense: cc-by-4.0\ntags: [mine]\n---\n# My model\n\nAll by myself.\n"
    (folder / "README.md").write_text(own)
    done = client.do("publish", folder=str(folder), repo="owner/mine", **OWNER)
    card = hub.repos["owner/mine"].commits[done["commit"]]["README.md"].decode()
    head, _, body = card.removeprefix("---\n").partition("\n---\n")
    assert body == "# My model\n\nAll by myself.\n"
    assert yaml.safe_load(head)["tags"] == ["mine", "unified-latents", "diffusion", "arxiv:2602.17270"]
    assert yaml.safe_load(head)["license"] == "cc-by-4.0"
    assert done["card_note"].startswith("yours, with tags, library_name")
    assert (folder / "README.md").read_text() == own


def refused(client: HubClient, kind: str, folder: Path, **arguments: Any) -> str:
    answer = client.do("publish", folder=str(folder), repo=arguments.pop("repo", "owner/mine"), **arguments)
    assert (answer.get("error"), answer.get("kind")) == ("HubError", kind), answer
    return str(answer["text"])


def test_without_the_right_to_write(hub: HubServer, client: HubClient, folder: Path) -> None:
    assert "/settings/tokens" in refused(client, "token", folder)
    assert not hub.requests
    assert "only read" in refused(client, "forbidden", folder, token="reader-token")
    assert "not accepted" in refused(client, "token", folder, token="hf_expired")
    words = refused(client, "forbidden", folder, repo="owner/tiny", token="stranger-token")
    assert "rights to write" in words
    assert not hub.commits


def test_what_the_hub_rejects(hub: HubServer, client: HubClient, folder: Path) -> None:
    assert '"license" must be' in refused(client, "refused", folder, license_id="nonsense", **OWNER)
    assert not hub.asked("/large/", "PUT")
    assert "owner/mine" not in hub.repos
    hub.faults.append(Fault("/large/", times=99, status=400))
    refused(client, "server", folder, **OWNER)
    hub.faults.append(Fault("/api/repos/create", status=200, body=b"<html>Welcome to the hotel</html>"))
    refused(client, "refused", folder, repo="owner/else", **OWNER)
    assert not hub.commits


def test_a_damaged_model_is_not_published(hub: HubServer, client: HubClient, folder: Path) -> None:
    (folder / "base.safetensors").write_bytes(b"damaged")
    answer = client.do("publish", folder=str(folder), repo="owner/mine", **OWNER)
    assert (answer["error"], "SHA-256" in answer["text"]) == ("CheckpointError", True)
    assert not hub.requests


def test_cancelling_between_files(hub: HubServer, client: HubClient, folder: Path) -> None:
    answer = client.do("publish", folder=str(folder), repo="owner/mine", stop_after_files=2, **OWNER)
    assert answer["error"] == "Cancelled"
    assert not hub.commits


def test_dry_run_sends_nothing(hub: HubServer, client: HubClient, folder: Path) -> None:
    done = client.cli("publish", str(folder), "owner/mine", "--dry-run")
    assert done["code"] == 0
    assert not hub.requests
    for words in (
        "base.safetensors",
        "picture.png",
        "diary.txt, fake.png, optimizer.pt, runs/",
        "no licence",
        "# Tiny",
    ):
        assert words in done["out"]
    assert not (folder / "README.md").exists()


def test_publishing_from_the_command_line(hub: HubServer, client: HubClient, folder: Path) -> None:
    done = client.cli("publish", str(folder), "owner/mine", "--license", "mit", "--token", "owner-token")
    assert (done["code"], f"published at {hub.endpoint}/owner/mine" in done["out"]) == (0, True), done
    assert "sending base.safetensors" in done["err"]
    assert client.cli("publish", str(folder), "owner/mine")["err"].startswith("ul-engine: publishing needs a token")


def test_cards_that_cannot_be_kept(folder: Path) -> None:
    (folder / "README.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckpointError, match=r"README\.md: cannot be read"):
        plan_publication(folder, "owner/mine")
    (folder / "README.md").write_text("x" * (2**20 + 1))
    with pytest.raises(CheckpointError, match="far longer"):
        plan_publication(folder, "owner/mine")
    assert plan_publication(folder, "owner/mine", is_new_card=True).card_note == "generated from the manifest"
