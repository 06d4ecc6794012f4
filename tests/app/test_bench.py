"""The bench measures what it says: a deaf window is found, a missed aim is told, and the whole course runs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QTimer

from app.bench.gaps import GapMeter, percentile
from app.bench.report import Report
from tests.app.conftest import ROOT
from tests.helpers.qt import spin


def work(seconds: float) -> None:
    """Uses the processor, as a slow slot would."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_a_deaf_window_is_found(qapp: Any, owned: Callable[[Any], Any]) -> None:
    meter = owned(GapMeter())
    meter.start()
    spin(60)
    QTimer.singleShot(0, lambda: work(0.08))
    spin(60)
    gaps = meter.stop()
    assert gaps.num_ticks > 3
    assert gaps.longest_ms >= 80.0
    assert gaps.longest_own_ms >= 80.0
    assert gaps.num_over_50_ms >= 1


def test_sleep_of_the_system_is_not_blamed_on_the_window(qapp: Any, owned: Callable[[Any], Any]) -> None:
    meter = owned(GapMeter())
    meter.start()
    QTimer.singleShot(0, lambda: time.sleep(0.08))
    spin(120)
    gaps = meter.stop()
    assert gaps.longest_ms >= 80.0
    assert gaps.num_over_50_ms == 0


def test_percentiles() -> None:
    values = [float(value) for value in range(100)]
    assert percentile(values, 0.99) == 99.0
    assert percentile(values, 0.5) == 50.0
    assert percentile([], 0.99) == 0.0


def test_a_report_says_what_was_missed(tmp_path: Path) -> None:
    report = Report()
    report.add("start", {"first_paint_s": 0.7})
    report.add("stop", {"acknowledged_ms": 20.0})
    report.add_problem("train", "no run")
    report.write(tmp_path / "deep" / "bench.json")
    data = json.loads((tmp_path / "deep" / "bench.json").read_text())
    assert {aim["figure"]: aim["is_met"] for aim in data["aims"]} == {
        "start.first_paint_s": False,
        "stop.acknowledged_ms": True,
    }
    assert report.problems == {"train": "no run"}
    assert data["machine"]["num_cores"] >= 1


@pytest.mark.stress
def test_a_course_with_the_real_engine(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "app.main", "--bench", str(tmp_path / "bench.json"), "--bench-only", "generate,stop"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    data = json.loads((tmp_path / "bench.json").read_text())
    assert data["generate"]["gaps"]["num_ticks"] > 0
    assert data["stop"]["acknowledged_ms"] > 0.0
