"""Paths as people read them."""

from pathlib import Path

import pytest

from app.ui.widgets.shown_path import shown_path


@pytest.mark.skipif("os.name != 'posix'")
@pytest.mark.parametrize(
    ("home", "path", "shown"),
    [
        ("/home/anna", "/home/anna/Pictures/a.png", "~/Pictures/a.png"),
        ("/home/anna", "/home/anna", "~"),
        ("/home/anna", "/home/annabel/a.png", "/home/annabel/a.png"),
        ("/home/anna", "/media/stick/home/anna/a.png", "/media/stick/home/anna/a.png"),
        ("/", "/srv/a.png", "~/srv/a.png"),
    ],
)
def test_the_own_folder_is_a_tilde(monkeypatch: pytest.MonkeyPatch, home: str, path: str, shown: str) -> None:
    monkeypatch.setenv("HOME", home)
    assert shown_path(path) == shown
    assert Path(shown_path(path)).expanduser() == Path(path)  # what is copied leads there


def test_a_long_path_may_be_broken_behind_its_slashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    assert shown_path("/srv/models", is_breakable=True) == "/\u200bsrv/\u200bmodels"
