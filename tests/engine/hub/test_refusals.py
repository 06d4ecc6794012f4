"""Every way in which the Hub, or the way there, refuses: a kind to act on, and words that say what to do."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.hub_client import HubClient
from tests.helpers.hub_server import Fault, HubServer, silent_port
from ul_engine.errors import HubError
from ul_engine.hub.connection import Patience
from ul_engine.hub.download import DOWNLOADS_NAME
from ul_engine.hub.endpoint import Hub, repo_id

NEW_TOKEN = "/settings/tokens"


def refused(client: HubClient, place: Path, kind: str, **arguments: Any) -> str:
    """The words of a download that must fail in one way, leaving nothing behind."""
    answer = client.download(arguments.pop("repo", "owner/tiny"), into=str(place), **arguments)
    assert (answer["error"], answer["kind"]) == ("HubError", kind), answer
    assert not [path for path in place.iterdir() if path.name != DOWNLOADS_NAME]
    return str(answer["text"])


def test_terms_of_use(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.repos["owner/tiny"].is_gated = True
    page = f"{hub.endpoint}/owner/tiny"
    anonymous = client.download("owner/tiny", into=str(tmp_path))
    assert (anonymous["kind"], anonymous["url"]) == ("gated", page)
    assert page in anonymous["text"]
    assert "--token" in anonymous["text"]
    stranger = refused(client, tmp_path, "gated", token="stranger-token")
    assert "account of your token" in stranger
    assert client.download("owner/tiny", into=str(tmp_path), token="owner-token")["is_new"]


def test_private_and_absent_ones_look_the_same(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.repos["owner/tiny"].is_private = True
    assert "--token" in refused(client, tmp_path, "not-found")
    assert "account of your token" in refused(client, tmp_path, "not-found", token="stranger-token")
    assert "owner/none" in refused(client, tmp_path, "not-found", repo="owner/none")
    assert client.download("owner/tiny", into=str(tmp_path), token="owner-token")["is_new"]


def test_a_wrong_token(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    words = refused(client, tmp_path, "token", token="hf_expired")
    assert NEW_TOKEN in words
    assert "hf_expired" not in words


def test_an_absent_revision(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    assert "'v9'" in refused(client, tmp_path, "revision-not-found", revision="v9")
    assert "'a/b'" in refused(client, tmp_path, "revision-not-found", revision="a/b")


def test_a_file_that_vanished(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.faults.append(Fault("/resolve/", status=404, headers={"X-Error-Code": "EntryNotFound"}))
    assert "config.json" in refused(client, tmp_path, "file-not-found")


def test_a_server_in_trouble_is_tried_again(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.faults.append(Fault("/api/models", status=503))
    found = client.download("owner/tiny", into=str(tmp_path), patience_s=2.0)
    assert found["is_new"]
    assert ["HTTP 503" in entry["note"] for entry in found["news"] if entry["state"] == "waiting"] == [True]


def test_every_trouble_has_its_own_patience(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.faults += [Fault("/api/models", status=503), Fault("/config.json", status=503)]
    assert client.download("owner/tiny", into=str(tmp_path), patience_s=0.6)["is_new"]


@pytest.mark.parametrize("path", ["/api/models", "/resolve/", "/large/"])
def test_a_server_that_stays_in_trouble(hub: HubServer, client: HubClient, tmp_path: Path, path: str) -> None:
    hub.faults.append(Fault(path, times=99, status=500))
    assert "HTTP 500" in refused(client, tmp_path, "server")


def test_an_expired_link_to_the_storage_is_made_anew(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.faults.append(Fault("/large/", status=403))
    assert client.download("owner/tiny", into=str(tmp_path), patience_s=2.0)["is_new"]


def test_asked_too_often_is_told_at_once(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.faults.append(Fault("/api/models", times=9, status=429, headers={"Retry-After": "90"}))
    assert "in 90 s" in refused(client, tmp_path, "rate-limited")
    assert len(hub.requests) == 1


def test_forbidden(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    headers = {"X-Error-Message": "Access to this resource is disabled."}
    hub.faults.append(Fault("/api/models", status=403, headers=headers))
    assert "disabled" in refused(client, tmp_path, "forbidden")
    hub.faults.append(Fault("/api/models", status=418))
    assert "HTTP 418" in refused(client, tmp_path, "refused")


def test_a_login_page_in_between(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.faults.append(Fault("/api/models", status=200, body=b"<html>Welcome to the hotel</html>"))
    assert "login" in refused(client, tmp_path, "server")
    hub.faults.append(Fault("/api/models", status=200, body=b'{"sha": "%s"}' % (b"0" * 40)))
    refused(client, tmp_path, "not-a-model")
    sizeless = b'{"sha": "%s", "siblings": [{"rfilename": "config.json"}]}' % (b"0" * 40)
    hub.faults.append(Fault("/api/models", status=200, body=sizeless))
    refused(client, tmp_path, "server")


def test_round_in_circles(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.faults.append(Fault("/api/models", times=99, status=302, headers={"Location": "/api/models/owner/tiny"}))
    assert "circles" in refused(client, tmp_path, "server")


def test_a_server_that_never_answers(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.faults.append(Fault("/api/models", times=9, is_silent=True))
    assert "does not answer" in refused(client, tmp_path, "timeout", silence_s=0.2, patience_s=0.3)


def test_a_connection_that_breaks_before_the_answer(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    hub.faults.append(Fault("/api/models", times=9, is_silent=True))
    client.begin("download", repo="owner/tiny", into=str(tmp_path), patience_s=0.3)
    while not hub.requests:
        time.sleep(0.005)
    hub.forget()
    answer = client.result()
    assert (answer.get("kind"), answer.get("is_new")) in (("cut", None), (None, True))


def test_no_network_is_told_within_seconds(client: HubClient, tmp_path: Path) -> None:
    with silent_port() as endpoint:
        begun = time.monotonic()
        words = refused(client, tmp_path, "no-network", endpoint=endpoint, patience_s=6.0)
        assert 2 < time.monotonic() - begun < 8
    assert endpoint in words
    assert "HF_ENDPOINT" in words


@pytest.mark.parametrize("endpoint", ["huggingface.co", "ftp://huggingface.co", "https://", "http://a:b", "http://[a"])
def test_an_endpoint_that_is_none(client: HubClient, tmp_path: Path, endpoint: str) -> None:
    refused(client, tmp_path, "bad-address", endpoint=endpoint)


@pytest.mark.parametrize(
    "text", ["tiny", "a/b--c", "../../etc", "a/..", "a b/c", "owner/", "", "-x/y", "a/" + "x" * 97]
)
def test_names_that_are_no_repository(text: str) -> None:
    with pytest.raises(HubError, match="user/name") as caught:
        repo_id(text)
    assert caught.value.kind == "bad-address"


@pytest.mark.parametrize(
    "text", ["a/b", " a/b/ ", "https://huggingface.co/a/b", "http://mirror.example/a/b/blob/main/x"]
)
def test_names_that_are_one(text: str) -> None:
    assert repo_id(text) == "a/b"


def test_a_token_is_not_in_what_is_printed() -> None:
    assert "secret" not in repr(Hub("https://huggingface.co", "secret"))


def test_only_the_hub_sees_the_token() -> None:
    hub = Hub("https://mirror.example", "secret")
    seen = [
        url
        for url in (
            "https://mirror.example/a",
            "https://huggingface.co/a",
            "http://mirror.example/a",
            "https://cdn.example/",
        )
        if "authorization" in hub.headers_for(url)
    ]
    assert seen == ["https://mirror.example/a", "https://huggingface.co/a"]


def test_patience_ends_and_is_renewed() -> None:
    waits: list[str] = []
    patience = Patience(0.6, on_wait=lambda error: waits.append(error.kind))
    cut = HubError("it broke", kind="cut")
    patience.after(cut)
    patience.renew()
    patience.after(cut)
    with pytest.raises(HubError):
        patience.after(cut)
    with pytest.raises(HubError):
        patience.after(HubError("no", kind="gated"))
    assert waits == ["cut", "cut"]
