"""One file of weights for a metric: fetched, compared with the Hub's hash, resumed, or refused in plain words."""

from pathlib import Path

from tests.helpers.hub_client import HubClient
from tests.helpers.hub_server import Fault, HubServer

WEIGHTS = bytes(range(256)) * 2000


def repository(hub: HubServer) -> None:
    hub.add("owner/features", {"net.pth": WEIGHTS, "small.pt": b"tiny", "code.py": b"import os"})


def test_the_file_arrives_and_is_not_fetched_twice(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    repository(hub)
    words = ("weights", "owner/features", "net.pth", "--to", str(tmp_path))
    first = client.cli(*words)
    assert (first["code"], first["out"].strip()) == (0, str(tmp_path / "net.pth"))
    assert (tmp_path / "net.pth").read_bytes() == WEIGHTS
    hub.forget()
    assert client.cli(*words)["code"] == 0
    assert not [seen for seen in hub.requests if "/resolve/" in seen.path]
    assert [path.name for path in tmp_path.iterdir()] == ["net.pth"]


def test_a_damaged_file_is_fetched_again(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    repository(hub)
    (tmp_path / "net.pth").write_bytes(b"x" * len(WEIGHTS))
    assert client.cli("weights", "owner/features", "net.pth", "--to", str(tmp_path))["code"] == 0
    assert (tmp_path / "net.pth").read_bytes() == WEIGHTS


def test_what_is_no_file_of_weights_is_refused(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    repository(hub)
    for name, reason in (
        ("code.py", "is no file of weights"),
        ("../net.pth", "is no file of weights"),
        ("absent.pth", "holds no such file"),
        ("small.pt", "small file"),
    ):
        told = client.cli("weights", "owner/features", name, "--to", str(tmp_path))
        assert told["code"] == 1
        assert reason in told["err"]
    assert list(tmp_path.iterdir()) == []


def test_other_bytes_than_promised_are_thrown_away(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    repository(hub)
    hub.faults.append(Fault("/large/", body=WEIGHTS[::-1]))
    told = client.cli("weights", "owner/features", "net.pth", "--to", str(tmp_path))
    assert told["code"] == 1
    assert "another content than promised" in told["err"]
    assert list(tmp_path.iterdir()) == []
