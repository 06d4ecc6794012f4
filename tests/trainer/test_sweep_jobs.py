"""Jobs of child processes: order, several at once, failures that stay their own, stopping, and left-over children."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from trainer.run_dir import read_json, write_json
from trainer.sweep.children import Step, stop_left_over
from trainer.sweep.folders import StateName
from trainer.sweep.jobs import Slot, StopRequest, run_jobs
from trainer.sweep.running import RunOptions, num_cores
from ul_engine.errors import ConfigError, OutputError

WRITES = "import os, sys; open(sys.argv[1], 'w').write(os.environ.get('PLACE', ''))"
WAITS = """
import signal, sys, time
def stop(number, frame):
    open(sys.argv[1], 'w').write('saved')
    sys.exit(3)
signal.signal(signal.SIGTERM, stop)
open(sys.argv[1] + '.ready', 'w').close()
time.sleep(60)
"""


@dataclass
class ScriptJob:
    """A job of small Python programs; each is done when its file is there."""

    place: Path
    scripts: dict[str, str]
    title: str = "job"
    notes: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.place.mkdir(parents=True, exist_ok=True)

    def steps(self, slot: Slot) -> list[Step]:
        def step(name: str, script: str) -> Step:
            file = self.place / name
            command = (sys.executable, "-S", "-c", script, str(file), slot.device)
            return Step(name, command, self.place / f"{name}.log", file.is_file)

        return [step(*each) for each in self.scripts.items()]

    def note(self, state: StateName, reason: str, step: str, took_s: float) -> None:
        self.notes.append((state, reason, step))


class RefusingJob(ScriptJob):
    def steps(self, slot: Slot) -> list[Step]:
        raise OutputError("cannot be written", path=self.place)


def run(*jobs: ScriptJob, workers: int = 1, stop: StopRequest | None = None) -> list[str]:
    said: list[str] = []
    slots = [Slot(f"device{number}", {"PLACE": str(number)}) for number in range(workers)]
    run_jobs(jobs, slots, stop or StopRequest(), said.append)
    return said


def test_steps_run_in_order_and_finished_ones_are_passed_over(tmp_path: Path) -> None:
    job = ScriptJob(tmp_path / "a", {"one": WRITES, "two": WRITES, "three": WRITES})
    (job.place / "one").touch()
    run(job)
    assert [step for state, _, step in job.notes if state == "running"] == ["two", "two", "three", "three"]
    assert job.notes[-1][0] == "done"
    assert (job.place / "two").read_text() == "0"
    assert not (job.place / "process.json").exists()


def test_workers_run_beside_each_other_each_in_its_own_slot(tmp_path: Path) -> None:
    meets = "import os, sys, time\nopen(sys.argv[1], 'w').write(os.environ['PLACE'])\n"
    meets += "other = sys.argv[1].replace('/a/', '/x/').replace('/b/', '/a/').replace('/x/', '/b/')\n"
    meets += "end = time.time() + 20\nwhile not os.path.exists(other) and time.time() < end: time.sleep(0.01)\n"
    meets += "sys.exit(0 if os.path.exists(other) else 1)"
    jobs = [ScriptJob(tmp_path / name, {"meet": meets}) for name in "ab"]
    run(*jobs, workers=2)
    assert [job.notes[-1][0] for job in jobs] == ["done", "done"]
    assert {(job.place / "meet").read_text() for job in jobs} == {"0", "1"}


def test_a_failed_job_says_why_and_ends_no_other(tmp_path: Path) -> None:
    explained = "import sys; print('working'); print('ul-train: the disk is full', file=sys.stderr); sys.exit(1)"
    jobs = [
        ScriptJob(tmp_path / "a", {"one": explained, "two": WRITES}),
        ScriptJob(tmp_path / "b", {"one": "raise RuntimeError('odd')"}),
        ScriptJob(tmp_path / "c", {"one": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"}),
        ScriptJob(tmp_path / "d", {"one": "pass"}),
        RefusingJob(tmp_path / "e", {}),
        ScriptJob(tmp_path / "f", {"one": WRITES}),
    ]
    run(*jobs)
    assert [job.notes[-1][0] for job in jobs] == ["failed"] * 5 + ["done"]
    reasons = [job.notes[-1][1] for job in jobs]
    assert reasons[0] == "the disk is full"
    assert "ended with code 1" in reasons[1]
    assert "RuntimeError: odd" in reasons[1]
    assert "ended by signal 9" in reasons[2]
    assert "ended with code 0" in reasons[3]  # it did not do what it should have
    assert "cannot be written" in reasons[4]
    assert not (jobs[0].place / "two").exists()


def test_a_stop_lets_every_child_save(tmp_path: Path) -> None:
    jobs = [ScriptJob(tmp_path / name, {"one": WAITS}) for name in "abc"]
    stop = StopRequest()

    def when_ready() -> None:
        while not all((tmp_path / name / "one.ready").exists() for name in "ab"):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=when_ready)
    before = signal.getsignal(signal.SIGTERM)
    with stop.listening():
        watcher.start()
        said = run(*jobs, workers=2, stop=stop)
        watcher.join()
    assert signal.getsignal(signal.SIGTERM) == before
    assert [(tmp_path / name / "one").exists() for name in "abc"] == [True, True, False]
    assert [job.notes[-1][0] if job.notes else None for job in jobs] == ["stopped", "stopped", None]
    assert any("stopping 2" in line for line in said)


def test_a_child_that_stopped_by_itself_is_no_failure(tmp_path: Path) -> None:
    job = ScriptJob(tmp_path / "a", {"one": "import sys; sys.exit(3)", "two": WRITES})
    run(job)
    assert job.notes[-1] == ("stopped", "", "one")


def test_children_left_over_by_a_killed_sweep_are_stopped_first(tmp_path: Path) -> None:
    file = tmp_path / "one"
    child = subprocess.Popen([sys.executable, "-S", "-c", WAITS, str(file)])
    while not (tmp_path / "one.ready").exists():
        time.sleep(0.01)
    created = psutil.Process(child.pid).create_time()
    note = tmp_path / "process.json"
    write_json(note, {"pid": child.pid, "created": created + 100.0})
    stop_left_over(note)  # another process that happens to have this number
    assert child.poll() is None
    write_json(note, {"pid": child.pid, "created": created})
    stop_left_over(note)
    child.wait(5)  # its code is gone: psutil has waited for it already
    assert file.read_text() == "saved"
    assert not note.exists()
    stop_left_over(note)


def test_cores_are_shared_out_and_devices_taken_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    slots = RunOptions(3, ("cuda:0", "cuda:1")).slots()
    assert [slot.device for slot in slots] == ["cuda:0", "cuda:1", "cuda:0"]
    assert {slot.variables["OMP_NUM_THREADS"] for slot in slots} == {str(max(1, num_cores() // 3))}
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert RunOptions().slots()[0].variables["OMP_NUM_THREADS"] == "1"
    with pytest.raises(ConfigError, match="workers"):
        RunOptions(0).slots()


def test_the_number_of_the_running_child_is_kept(tmp_path: Path) -> None:
    looks = "import json, os, sys, time\nnote = os.path.join(os.path.dirname(sys.argv[1]), 'process.json')\n"
    looks += "end = time.time() + 20\nwhile not os.path.exists(note) and time.time() < end: time.sleep(0.01)\n"
    looks += "json.dump([os.getpid(), json.load(open(note))['pid']], open(sys.argv[1], 'w'))"
    job = ScriptJob(tmp_path / "a", {"one": looks})
    run(job)
    own, noted = read_json(job.place / "one")
    assert own == noted
