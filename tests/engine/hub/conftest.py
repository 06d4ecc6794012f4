"""A local Hub with tiny real models on it, and a client process that speaks with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.hub_client import HubClient
from tests.helpers.hub_server import HubServer
from tests.helpers.tiny import save_tiny, text_conditioning, tiny_config

PNG = b"\x89PNG\r\n\x1a\n" + b"not much of a picture"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny text model; not to be changed."""
    folder = tmp_path_factory.mktemp("tiny") / "tiny"
    save_tiny(folder, tiny_config(conditioning=text_conditioning()))
    return folder


@pytest.fixture(scope="session")
def tiny_files(tiny_folder: Path) -> dict[str, bytes]:
    """Its files by name."""
    return {path.name: path.read_bytes() for path in tiny_folder.iterdir()}


@pytest.fixture(scope="session")
def _server() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


@pytest.fixture
def hub(_server: HubServer, tiny_files: dict[str, bytes]) -> Iterator[HubServer]:
    """The server with one repository, ``owner/tiny``, in which foreign files lie about too."""
    _server.repos.clear()
    _server.large.clear()
    _server.commits.clear()
    foreign = {"model.bin": b"a pickle", "modeling.py": b"import os", "extra.safetensors": b"unnamed", "a/b.png": PNG}
    _server.add("owner/tiny", tiny_files | foreign | {"preview.png": PNG})
    yield _server
    _server.forget()


@pytest.fixture(scope="session")
def client(_server: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubClient]:
    """A client process for all tests that need no environment of their own."""
    with HubClient(_server.endpoint, tmp_path_factory.mktemp("home")) as process:
        yield process
