"""The window starts without the heavy libraries, and its command line explains itself."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_window_brings_neither_torch_nor_opencv() -> None:
    code = (
        "import sys, app.main, app.smoke; "
        "print([name for name in ('torch', 'cv2', 'numpy', 'PIL', 'safetensors') if name in sys.modules])"
    )
    result = run("-c", code)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


def test_help() -> None:
    result = run("-m", "app.main", "--help")
    assert result.returncode == 0
    for option in ("--smoke", "--model", "--outputs", "--theme"):
        assert option in result.stdout


def test_a_model_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    result = run("-m", "app.main", "--model", "/nowhere/at/all", "--smoke", str(tmp_path / "out"))
    assert result.returncode == 2
    assert result.stderr == "ul-studio: /nowhere/at/all: there is no such folder\n"
    assert not (tmp_path / "out").exists()


def test_numbers_keep_their_point_in_every_country() -> None:
    code = "import locale, app.main as main; main._application(); print(locale.localeconv()['decimal_point'])"
    assert run("-c", code, LC_ALL="", LANG="de_DE.UTF-8").stdout.strip() == "."
