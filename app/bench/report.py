"""The figures of a bench run, the machine they belong to, and what they should be."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from PySide6.QtCore import qVersion

AIMS: dict[str, float] = {
    "start.first_paint_s": 0.6,
    "generate.gaps.longest_ms": 50.0,
    "generate.gaps.p99_ms": 16.0,
    "stop.acknowledged_ms": 100.0,
    "train.gaps.longest_ms": 50.0,
    "train.gaps.p99_ms": 16.0,
    "compare.gaps.longest_ms": 50.0,
    "compare.scrub_p99_ms": 16.0,
    "library.gaps.longest_ms": 50.0,
    "library.search_ms": 100.0,
}
"""Figure by its dotted name, and the most it should be, on two idle cores with warm files."""


class Report:
    """Sections of figures, written as one JSON object."""

    def __init__(self) -> None:
        self._sections: dict[str, Any] = {"machine": _machine()}

    def add(self, name: str, figures: Mapping[str, Any]) -> None:
        """The figures of one station."""
        self._sections[name] = {key: asdict(value) if _is_figures(value) else value for key, value in figures.items()}

    def add_problem(self, name: str, words: str) -> None:
        """A station that could not be measured."""
        self._sections[name] = {"problem": words}

    @property
    def problems(self) -> dict[str, str]:
        """Stations that could not be measured, and why."""
        return {name: part["problem"] for name, part in self._sections.items() if "problem" in part}

    def verdicts(self) -> list[tuple[str, float, float]]:
        """Every figure with an aim: its name, value and aim."""
        found = ((name, _at(self._sections, name), aim) for name, aim in AIMS.items())
        return [(name, value, aim) for name, value, aim in found if value is not None]

    def write(self, path: Path) -> None:
        """Write everything."""
        self._sections["machine"]["load_after"] = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
        aims = [{"figure": n, "value": v, "aim": a, "is_met": v <= a} for n, v, a in self.verdicts()]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**self._sections, "aims": aims}, indent=1) + "\n", encoding="utf-8")


def _machine() -> dict[str, Any]:
    return {
        "when": datetime.now().isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "qt": qVersion(),
        "num_cores": len(psutil.Process().cpu_affinity())
        if hasattr(psutil.Process, "cpu_affinity")
        else os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _is_figures(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _at(sections: Mapping[str, Any], name: str) -> float | None:
    value: Any = sections
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) else None
