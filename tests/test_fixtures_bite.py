"""Every guard of tests/helpers fails the careless test it is made for, and leaves the careful one alone."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parent.parent
CARELESS = ROOT / "tests" / "helpers" / "careless.py"
NAMES = re.findall(r"^def (test_\w+)", CARELESS.read_text(encoding="utf-8"), re.MULTILINE)

EXPECTED = {
    "test_bad_thread": "thread: Thread Thread-",
    "test_bad_process": "process ",
    "test_bad_orphan": "process ",
    "test_bad_log": "WARNING studio: the disk is nearly full",
    "test_bad_other_log": "ERROR studio: the moon is nearly full",
    "test_bad_warning": "DeprecationWarning: old",
    "test_bad_exception_in_thread": "PytestUnhandledThreadExceptionWarning",
    "test_bad_unraisable": "ValueError: in a destructor",
    "test_bad_open_file": "ResourceWarning: unclosed file",
    "test_bad_mark_after_failure_is_reported_once": "the failure itself",
    "test_bad_qt_warning": "WARNING qt: a layout without a widget",
    "test_bad_slot": "ZeroDivisionError",
    "test_bad_paint": "while painting",
    "test_bad_timer": "running: <PySide6.QtCore.QTimer",
    "test_bad_single_shot": "running: <PySide6.QtCore.QTimer",
    "test_bad_qthread": "running: <PySide6.QtCore.QThread",
    "test_bad_widget": "widget: <PySide6.QtWidgets.QWidget",
    "test_bad_widget_in_a_cycle_that_is_kept": "widget: <PySide6.QtWidgets.QWidget",
    "test_bad_waiting_in_vain": "was not emitted",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The failure messages of each careless test; an empty list for one that passed."""
    report = tmp_path_factory.mktemp("careless") / "report.xml"
    command = [sys.executable, "-m", "pytest", str(CARELESS), f"--junitxml={report}", "-q", "-o", "leak_grace_s=0.4"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert report.exists(), run.stdout + run.stderr
    messages: dict[str, list[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        failures = [node.text or "" for node in case if node.tag in ("failure", "error")]
        messages.setdefault(case.attrib["name"], []).extend(failures)
    return messages


def test_every_careless_test_is_judged(outcomes: dict[str, list[str]]) -> None:
    assert set(outcomes) == set(NAMES)
    assert {name for name in NAMES if name.startswith("test_bad_")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_guard_fails_the_careless(outcomes: dict[str, list[str]], name: str) -> None:
    assert len(outcomes[name]) == 1, outcomes[name]
    assert EXPECTED[name] in outcomes[name][0]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("test_good_")])
def test_guard_passes_the_careful(outcomes: dict[str, list[str]], name: str) -> None:
    assert outcomes[name] == []
