"""Every test of data has caches of its own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_caches(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of indexes and copies, empty at first."""
    folder = tmp_path_factory.mktemp("caches")
    monkeypatch.setenv("UL_STUDIO_CACHE", str(folder))
    return folder
