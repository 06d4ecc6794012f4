"""Downloading: what is fetched and what never is, pinned revisions, resuming at any byte, cancelling, taken places."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.hub.conftest import PNG
from tests.helpers.hub_client import HubClient
from tests.helpers.hub_server import Fault, HubServer, until
from tests.helpers.tiny import save_tiny
from ul_engine.hub.download import DOWNLOADS_NAME, unfinished_downloads
from ul_engine.hub.verify import verify_model
from ul_engine.model_folder import list_models

Files = dict[str, bytes]


def content_of(folder: str | Path) -> Files:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_a_model_arrives_whole_and_nothing_else(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path
) -> None:
    found = client.download("owner/tiny", into=str(tmp_path))
    assert Path(found["folder"]) == tmp_path / "tiny"
    here = content_of(found["folder"])
    origin = json.loads(here.pop("origin.json"))
    assert here == tiny_files | {"preview.png": PNG}
    assert origin["repo"] == "owner/tiny"
    assert origin["commit"] == hub.repos["owner/tiny"].refs["main"]
    assert verify_model(found["folder"]).is_intact
    assert [entry.problem for entry in list_models([tmp_path])] == [None]
    asked = {seen.path.rpartition("/")[2] for seen in hub.requests if "/resolve/" in seen.path}
    assert asked == set(tiny_files) | {"preview.png"}
    assert not [seen for seen in hub.requests if "agent" in seen.path]
    assert found["fetched"] == sum(map(len, here.values()))


def test_the_news_of_a_download(hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path) -> None:
    news = client.download("owner/tiny", into=str(tmp_path))["news"]
    total = sum(map(len, tiny_files.values())) + len(PNG)
    done = [entry["done_bytes"] for entry in news]
    assert done == sorted(done)
    assert done[-1] == total
    assert {entry["total_bytes"] for entry in news} == {0, total}
    assert (news[0]["state"], news[-1]["state"]) == ("asking", "done")
    assert all(entry["kept_bytes"] == 0 for entry in news)
    assert news[-1]["bytes_per_s"] > 0


def test_the_same_commit_is_not_fetched_twice(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    client.download("owner/tiny", into=str(tmp_path))
    hub.forget()
    again = client.download("owner/tiny", into=str(tmp_path))
    assert (again["is_new"], again["fetched"]) == (False, 0)
    assert not hub.asked("/resolve/")


def test_a_damaged_copy_of_the_same_commit_is_mended(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path
) -> None:
    client.download("owner/tiny", into=str(tmp_path))
    (tmp_path / "tiny" / "base.safetensors").write_bytes(b"damaged")
    assert client.download("owner/tiny", into=str(tmp_path))["is_new"]
    assert content_of(tmp_path / "tiny")["base.safetensors"] == tiny_files["base.safetensors"]


def test_a_page_address_and_another_name_do_too(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    found = client.download("https://huggingface.co/owner/tiny/tree/main", into=str(tmp_path), name="other")
    assert Path(found["folder"]).name == "other"


def test_revisions_are_pinned(hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path) -> None:
    first = hub.repos["owner/tiny"].refs["main"]
    save_tiny(tmp_path / "second", seed=5)
    second_files = content_of(tmp_path / "second")
    second = hub.push("owner/tiny", second_files)
    hub.repos["owner/tiny"].refs["v1"] = first
    place = str(tmp_path / "models")
    assert client.download("owner/tiny", into=place, revision="v1")["origin"]["commit"] == first
    moved = client.download("owner/tiny", into=place)
    assert moved["error"] == "OutputError"
    assert first[:12] in moved["text"]
    assert second[:12] in moved["text"]
    assert content_of(tmp_path / "models" / "tiny")["base.safetensors"] == tiny_files["base.safetensors"]
    assert client.download("owner/tiny", into=place, replace=True)["origin"]["commit"] == second
    assert content_of(tmp_path / "models" / "tiny")["base.safetensors"] == second_files["base.safetensors"]
    assert client.download("owner/tiny", into=place, revision=first, name="old")["origin"]["commit"] == first


def test_a_taken_name_is_told_before_anything_is_asked(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    save_tiny(tmp_path / "tiny")
    before = content_of(tmp_path / "tiny")
    refused = client.download("owner/tiny", into=str(tmp_path))
    assert refused["error"] == "OutputError"
    assert "--replace" in refused["text"]
    assert "--name" in refused["text"]
    assert not hub.requests
    assert content_of(tmp_path / "tiny") == before
    assert client.download("owner/tiny", into=str(tmp_path), replace=True)["is_new"]
    assert not [path for path in tmp_path.iterdir() if path.name not in ("tiny", DOWNLOADS_NAME)]


def test_only_models_are_ever_replaced(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "letter.txt").write_text("dear")
    assert "no model folder" in client.download("owner/tiny", into=str(tmp_path), replace=True)["text"]
    assert (tmp_path / "tiny" / "letter.txt").read_text() == "dear"


def test_a_broken_connection_goes_on_where_it_broke(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path
) -> None:
    base = tiny_files["base.safetensors"]
    path = f"/large/{hashlib.sha256(base).hexdigest()}"
    hub.faults += [Fault(path, cut_after=100_000), Fault(path, cut_after=50_000)]
    found = client.download("owner/tiny", into=str(tmp_path))
    parts = hub.sent(base)
    assert [seen.start for seen in parts] == [None, 100_000, 150_000]
    assert [seen.sent_bytes for seen in parts] == [100_000, 50_000, len(base) - 150_000]
    assert content_of(found["folder"])["base.safetensors"] == base
    assert [entry["note"] for entry in found["news"] if entry["state"] == "waiting"]
    assert found["fetched"] == found["news"][-1]["total_bytes"]


def test_a_killed_process_leaves_what_the_next_one_goes_on_from(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path
) -> None:
    base = tiny_files["base.safetensors"]
    hub.faults.append(Fault(f"/large/{hashlib.sha256(base).hexdigest()}", pause_s=0.05))
    place = tmp_path / "models"
    with HubClient(hub.endpoint, tmp_path) as victim:
        victim.begin("download", repo="owner/tiny", into=str(place))
        until(lambda: any(path.stat().st_size > 2**15 for path in place.rglob("base*.partial")))
        victim.kill()
    (partial,) = place.rglob("base*.partial")
    length = partial.stat().st_size
    assert 0 < length < len(base)
    assert not (place / "tiny").exists()
    (begun,) = unfinished_downloads(place)
    assert (begun.repo, begun.done_bytes > length) == ("owner/tiny", True)
    hub.forget()
    found = client.download("owner/tiny", into=str(place))
    (rest,) = hub.sent(base)
    assert (rest.start, rest.sent_bytes) == (length, len(base) - length)
    whole = ("encoder.safetensors", "prior.safetensors", "decoder.safetensors")
    assert not any(hub.sent(tiny_files[name]) for name in whole)
    assert content_of(found["folder"])["base.safetensors"] == base
    assert unfinished_downloads(place) == ()
    assert found["news"][-1]["kept_bytes"] == length + sum(len(tiny_files[name]) for name in whole)


def test_cancelling_keeps_what_came(hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path) -> None:
    hub.faults.append(Fault("/large/", times=99, pause_s=0.01))
    stopped = client.download("owner/tiny", into=str(tmp_path), stop_after_bytes=60_000)
    assert stopped["error"] == "Cancelled"
    assert not (tmp_path / "tiny").exists()
    (begun,) = unfinished_downloads(tmp_path)
    assert 60_000 <= begun.done_bytes < 200_000
    hub.forget()
    again = client.download("owner/tiny", into=str(tmp_path))
    total = sum(map(len, tiny_files.values())) + len(PNG)
    assert again["fetched"] == total - again["news"][-1]["kept_bytes"]
    assert again["news"][-1]["kept_bytes"] > 50_000


def test_cancelling_before_the_first_weights_leaves_nothing(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    assert client.download("owner/tiny", into=str(tmp_path), stop_after_bytes=0)["error"] == "Cancelled"
    assert unfinished_downloads(tmp_path) == ()


def test_a_server_without_ranges_sends_all_again(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path
) -> None:
    base = tiny_files["base.safetensors"]
    path = f"/large/{hashlib.sha256(base).hexdigest()}"
    hub.faults += [Fault(path, cut_after=100_000), Fault(path, ignores_range=True)]
    found = client.download("owner/tiny", into=str(tmp_path))
    assert content_of(found["folder"])["base.safetensors"] == base
    assert found["news"][-1]["done_bytes"] == found["news"][-1]["total_bytes"]
    assert found["fetched"] == found["news"][-1]["total_bytes"] + 100_000


@pytest.mark.parametrize("rot", [b"rotten" * 1000, b"far longer than the file" * 100_000])
def test_a_rotten_partial_is_found_out(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path, rot: bytes
) -> None:
    base = tiny_files["base.safetensors"]
    staging = tmp_path / DOWNLOADS_NAME / "owner--tiny"
    staging.mkdir(parents=True)
    (staging / f"base.safetensors.{hashlib.sha256(base).hexdigest()[:16]}.partial").write_bytes(rot)
    (staging / "base.safetensors.0123456789abcdef.partial").write_bytes(b"of another revision")
    (staging / "old").mkdir()
    found = client.download("owner/tiny", into=str(tmp_path))
    assert content_of(found["folder"])["base.safetensors"] == base
    assert set(content_of(found["folder"])) == set(tiny_files) | {"preview.png", "origin.json"}
    assert found["news"][-1]["kept_bytes"] == 0


def test_two_at_the_same_download(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.faults.append(Fault("/large/", pause_s=0.2))
    with HubClient(hub.endpoint, tmp_path / "home") as other:
        other.begin("download", repo="owner/tiny", into=str(tmp_path))
        until(lambda: bool(hub.asked("/large/")))
        assert client.download("owner/tiny", into=str(tmp_path))["kind"] == "busy"
        hub.forget()
        other.result()


def test_previews_that_are_no_pictures_are_not_kept(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path
) -> None:
    hub.push("owner/tiny", tiny_files | {"a.png": b"MZ a program", "b.webp": b"RIFF\x10\0\0\0WEBPVP8 "})
    found = client.download("owner/tiny", into=str(tmp_path))
    assert set(content_of(found["folder"])) == set(tiny_files) | {"b.webp", "origin.json"}


def test_the_token_is_shown_to_the_hub_and_never_to_its_storage(
    hub: HubServer, client: HubClient, tmp_path: Path
) -> None:
    client.download("owner/tiny", into=str(tmp_path), token="owner-token")
    assert {seen.token for seen in hub.requests if seen.host == "127.0.0.1"} == {"owner-token"}
    assert {seen.token for seen in hub.asked("/large/")} == {None}
    assert {seen.host for seen in hub.asked("/large/")} == {"localhost"}


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of Unix")
def test_a_disk_that_takes_no_more(hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path) -> None:
    place = tmp_path / "models"
    with HubClient(hub.endpoint, tmp_path) as poor:
        poor.do("limit_files", num_bytes=100_000)
        answer = poor.download("owner/tiny", into=str(place))
    assert (answer["error"], "File too large" in answer["text"]) == ("OutputError", True)
    assert not (place / "tiny").exists()
    found = client.download("owner/tiny", into=str(place))
    assert found["news"][-1]["kept_bytes"] > 100_000
    assert content_of(found["folder"])["base.safetensors"] == tiny_files["base.safetensors"]


def refused(hub: HubServer, client: HubClient, place: Path, **arguments: Any) -> dict[str, Any]:
    """A download that must fail, leaving nothing that looks like a model."""
    answer = client.download(arguments.pop("repo", "owner/tiny"), into=str(place), **arguments)
    assert "error" in answer, answer
    assert list_models([place]) == []
    return answer


def test_what_is_no_model_is_refused_before_its_weights(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path
) -> None:
    foreign = {"config.json": b'{"model_type": "llama"}', "model.safetensors": b"gigabytes"}
    hub.add("other/llama", foreign)
    answer = refused(hub, client, tmp_path, repo="other/llama")
    assert answer["kind"] == "not-a-model"
    assert "another kind of model" in answer["text"]
    hub.add("other/bare", {"model.safetensors": b"gigabytes"})
    assert refused(hub, client, tmp_path, repo="other/bare")["kind"] == "not-a-model"
    hub.add("other/torn", tiny_files | {"config.json": tiny_files["config.json"][:-50]})
    assert refused(hub, client, tmp_path, repo="other/torn")["kind"] == "not-a-model"
    assert not hub.asked("safetensors")
    assert not hub.asked("/large/")
    assert unfinished_downloads(tmp_path) == ()


def test_a_repository_that_contradicts_its_manifest_is_refused_before_its_weights(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path
) -> None:
    hub.repos["owner/tiny"].claimed["base.safetensors"] = "0" * 64
    answer = refused(hub, client, tmp_path)
    assert answer["kind"] == "wrong-hash"
    hub.add("owner/part", {name: content for name, content in tiny_files.items() if name != "prior.safetensors"})
    answer = refused(hub, client, tmp_path, repo="owner/part")
    assert answer["kind"] == "file-not-found"
    assert "prior.safetensors" in answer["text"]
    assert not hub.asked("/large/")


def test_too_large_for_its_parameters(hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path) -> None:
    manifest = json.loads(tiny_files["config.json"])
    hub.add("owner/card", tiny_files | {"README.md": b"x" * (2**20 + 1)})
    assert refused(hub, client, tmp_path, repo="owner/card")["kind"] == "not-a-model"
    manifest["networks"] = {}
    hub.add("owner/empty", tiny_files | {"config.json": json.dumps(manifest).encode()})
    assert "names no weights" in refused(hub, client, tmp_path, repo="owner/empty")["text"]


def test_other_content_than_promised_is_thrown_away(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path
) -> None:
    encoder = tiny_files["encoder.safetensors"]
    path = f"/large/{hashlib.sha256(encoder).hexdigest()}"
    hub.faults.append(Fault(path, body=bytes(len(encoder))))
    answer = refused(hub, client, tmp_path)
    assert answer["kind"] == "wrong-hash"
    assert not list(tmp_path.rglob("encoder*"))
    hub.forget()
    assert client.download("owner/tiny", into=str(tmp_path))["is_new"]


def test_right_hashes_of_what_is_no_safetensors_file(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path
) -> None:
    manifest = json.loads(tiny_files["config.json"])
    pickle = b"\x80\x04 not weights at all"
    manifest["networks"]["encoder"]["sha256"] = hashlib.sha256(pickle).hexdigest()
    hub.add("owner/pickle", tiny_files | {"encoder.safetensors": pickle, "config.json": json.dumps(manifest).encode()})
    answer = refused(hub, client, tmp_path, repo="owner/pickle")
    assert answer["kind"] == "not-a-model"
    assert "no safetensors file" in answer["text"]
    assert not list(tmp_path.rglob("encoder*"))


@pytest.mark.parametrize("fault", [{"short_by": 1000}, {"body": b"<html>Welcome to the hotel</html>"}])
def test_another_file_in_its_place_spoils_nothing(
    hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path, fault: dict[str, Any]
) -> None:
    base = tiny_files["base.safetensors"]
    path = f"/large/{hashlib.sha256(base).hexdigest()}"
    hub.faults += [Fault(path, cut_after=100_000), Fault(path, times=99, ignores_range=True, **fault)]
    answer = refused(hub, client, tmp_path)
    assert answer["kind"] == "truncated"
    (partial,) = tmp_path.rglob("base*.partial")
    assert partial.read_bytes() == base[:100_000]
    hub.forget()
    assert client.download("owner/tiny", into=str(tmp_path))["fetched"] < len(base)
    assert hub.sent(base)[0].start == 100_000


def test_a_file_that_ends_before_its_end(hub: HubServer, client: HubClient, tiny_files: Files, tmp_path: Path) -> None:
    base = tiny_files["base.safetensors"]
    path = f"/large/{hashlib.sha256(base).hexdigest()}"
    hub.faults.append(Fault(path, times=99, short_by=1000, is_chunked=True))
    assert refused(hub, client, tmp_path)["kind"] == "truncated"
    (partial,) = tmp_path.rglob("base*.partial")
    assert partial.stat().st_size == len(base) - 1000
