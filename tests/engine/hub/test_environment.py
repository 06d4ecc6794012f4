"""What the environment decides: tokens and who sees them, mirrors, offline use; the Hub's own client beside ours."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.hub_client import ROOT, HubClient
from tests.helpers.hub_server import HubServer
from ul_engine.hub.verify import verify_model
from ul_engine.model_folder import MANIFEST_NAME

MODULES = (
    "card",
    "connection",
    "download",
    "endpoint",
    "figures",
    "files",
    "importing",
    "local",
    "place",
    "progress",
    "publish",
)


def test_nothing_heavy_and_no_hub_client_is_loaded() -> None:
    names = ", ".join(
        f"ul_engine.hub.{name}" for name in (*MODULES, "refusals", "remote", "sources", "transfer", "verify")
    )
    program = f"import sys, {names}, ul_engine.cli.models, ul_engine.cli.hub; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert not loaded & {"torch", "cv2", "torchmetrics", "huggingface_hub", "httpx2", "filelock", "PySide6"}


def test_the_token_of_the_environment(hub: HubServer, tmp_path: Path) -> None:
    hub.repos["owner/tiny"].is_private = True
    with HubClient(hub.endpoint, tmp_path, HF_TOKEN="owner-token") as client:
        assert client.download("owner/tiny", into=str(tmp_path / "a"))["is_new"]
        # The same server under another name is a mirror that was not named by the environment: it sees no token.
        mirror = hub.endpoint.replace("127.0.0.1", "localhost")
        hub.forget()
        assert client.download("owner/tiny", into=str(tmp_path / "b"), endpoint=mirror)["kind"] == "not-found"
        assert {seen.token for seen in hub.requests} == {None}
        found = client.download("owner/tiny", into=str(tmp_path / "b"), endpoint=mirror, token="owner-token")
        assert found["origin"]["endpoint"] == mirror


def test_the_token_of_the_login_and_the_folder_of_the_models(hub: HubServer, tmp_path: Path) -> None:
    hub.repos["owner/tiny"].is_private = True
    (tmp_path / "huggingface").mkdir()
    (tmp_path / "huggingface" / "token").write_text("owner-token\n")
    with HubClient(hub.endpoint, tmp_path) as client:
        found = client.cli("download", "owner/tiny")
        folder = Path(found["out"].strip())
        assert found["code"] == 0
        assert folder.is_relative_to(tmp_path / "data")
        assert "commit" in found["err"]
        listed = client.cli("list")
        assert "tiny: Tiny, 16 px, text condition, can generate and reconstruct, 0.2 M parameters" in listed["out"]
        assert "owner/tiny, " in listed["out"]
        info = client.cli("info", "tiny")["out"]
        assert f"owner/tiny at main, commit {hub.repos['owner/tiny'].refs['main']}" in info
        assert client.cli("download", "owner/tiny")["err"].endswith("is here already, every file as published\n")


def test_offline(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    """huggingface_hub itself fills its cache from our server, and offline the model is taken from there."""
    with HubClient(hub.endpoint, tmp_path) as online:
        snapshot = Path(online.do("snapshot", repo="owner/tiny")["folder"])
        online.download("owner/tiny", into=str(tmp_path / "fetched"))
    hub.forget()
    with HubClient(hub.endpoint, tmp_path, HF_HUB_OFFLINE="1") as offline:
        absent = offline.download("owner/other", into=str(tmp_path))
        assert (absent["kind"], "HF_HUB_OFFLINE" in absent["text"]) == ("offline", True)
        assert offline.download("owner/tiny", into=str(tmp_path), revision="v2")["kind"] == "offline"
        there = offline.download("owner/tiny", into=str(tmp_path / "fetched"))
        assert (there["is_new"], there["fetched"]) == (False, 0)
        found = offline.download("owner/tiny", into=str(tmp_path / "cached"))
        assert verify_model(found["folder"]).is_intact
        assert found["origin"]["commit"] == hub.repos["owner/tiny"].refs["main"]
        assert not (Path(found["folder"]) / "model.bin").exists()
        assert not (Path(found["folder"]) / "base.safetensors").is_symlink()
        assert offline.do("search", query="tiny")["kind"] == "offline"
        (snapshot / "base.safetensors").unlink()
        torn = offline.download("owner/tiny", into=str(tmp_path / "torn"))
        assert (torn["kind"], "base.safetensors" in torn["text"]) == ("offline", True)
        assert (snapshot / MANIFEST_NAME).exists()
    assert not hub.requests


@pytest.mark.parametrize("json", [False, True])
def test_search(hub: HubServer, client: HubClient, tiny_files: dict[str, bytes], json: bool) -> None:
    hub.add("else/tiny-llama", tiny_files, tags=("text-generation",))
    hub.add("else/tiny-clips", tiny_files, is_gated=True)
    hub.add("else/large", tiny_files)
    found = client.do("search", query="tiny")["found"]
    assert [model["repo"] for model in found] == ["owner/tiny", "else/tiny-clips"]
    assert (found[1]["is_gated"], found[1]["updated"], found[1]["task"]) == (True, "2026-11-20", "text-to-image")
    assert len(client.do("search", limit=1)["found"]) == 1
    printed = client.cli("search", "tiny", *(["--json"] if json else []))["out"]
    assert ("else/tiny-clips: text-to-image, 7 downloads, 2 likes, 2026-11-20, terms to accept" in printed) != json
    assert "nothing was found" in client.cli("search", "zebra")["out"]
