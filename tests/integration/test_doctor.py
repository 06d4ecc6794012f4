"""The check of the machine, as people and as the window read it."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def doctor(outputs: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ul_engine.cli", "doctor", *more],
        cwd=ROOT,
        env=os.environ | {"UL_STUDIO_OUTPUTS": str(outputs)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_findings_for_people_and_for_programs_are_the_same(tmp_path: Path) -> None:
    findings = json.loads(doctor(tmp_path, "--json").stdout)
    assert {tuple(sorted(finding)) for finding in findings} == {("is_good", "mend", "text")}
    texts = [finding["text"] for finding in findings]
    assert any(text.startswith("torch ") for text in texts)
    assert any(text.startswith(f"outputs go to {tmp_path}") for text in texts)
    assert all(finding["mend"] for finding in findings if not finding["is_good"])
    lines = doctor(tmp_path).stdout.splitlines()
    told = [line[5:] for line in lines if line[:4] in ("ok  ", "FAIL")]
    assert [text.split(" (")[0] for text in told] == [text.split(" (")[0] for text in texts]
