"""Settings are remembered, and a file that cannot be used is kept, never lost."""

import errno
import json
import os
from pathlib import Path

import pytest

from app.services.settings import CONFIG_VARIABLE, Settings, SettingsFile, config_dir
from ul_engine.errors import OutputError


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "config" / "settings.json")


def test_no_file_means_defaults_without_a_word(file: SettingsFile) -> None:
    loaded = file.load()
    assert (loaded.settings, loaded.problem) == (Settings(), "")


def test_settings_come_back(file: SettingsFile) -> None:
    settings = Settings(theme="light", outputs="/mnt/täst", tile_px=300, form={"prompt": "a cube"})
    file.save(settings)
    assert file.load().settings == settings
    assert [path.name for path in file.path.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "damaged"),
        (b"", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b'{"version": ' + b"1" * 5000 + b"}", "damaged"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"[]", "bad value"),
        (json.dumps({"version": 99}).encode(), "newer version"),
        (json.dumps({"theme": "pink"}).encode(), "bad value at theme"),
        (json.dumps({"them": "dark"}).encode(), "bad value at them"),
    ],
)
def test_an_unusable_file_is_put_aside(file: SettingsFile, content: bytes, words: str) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    loaded = file.load()
    assert loaded.settings == Settings()
    assert words in loaded.problem
    assert Path(loaded.kept_aside).read_bytes() == content
    assert not file.path.exists()


def test_earlier_files_put_aside_are_kept_too(file: SettingsFile) -> None:
    file.path.parent.mkdir()
    for content in ("{1", "{2"):
        file.path.write_text(content)
        file.load()
    assert sorted(path.read_text() for path in file.path.parent.iterdir()) == ["{1", "{2"]


def test_a_failed_save_leaves_the_old_file(file: SettingsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.save(Settings(theme="light"))

    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="disk is full"):
        file.save(Settings(theme="dark"))
    assert file.load().settings.theme == "light"


def test_the_place_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path))
    assert config_dir() == tmp_path
    monkeypatch.delenv(CONFIG_VARIABLE)
    assert config_dir().name == "UL Studio"
