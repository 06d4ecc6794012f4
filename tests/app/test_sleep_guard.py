"""The computer stays awake while long work is done, and not a moment longer."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.models.job_queue import JobState
from app.models.session import Session
from app.models.sweeps.reading import SweepReport
from app.services.sleep_guard import WATCHER, SleepGuard, inhibitor
from app.studio.keep_awake import KeepAwake
from tests.helpers.qt import wait_until
from ul_engine.requests import GenerateRequest

WATCH = (sys.executable, "-c", WATCHER)


@pytest.fixture
def guard(owned: Callable[[Any], Any]) -> Any:
    made = owned(SleepGuard(WATCH))
    yield made
    made.close()


def test_awake_from_the_first_holder_to_the_last(guard: SleepGuard) -> None:
    assert not guard.is_awake
    guard.set_held("a run", True)
    assert guard.is_awake
    guard.set_held("queue", True)
    guard.set_held("a run", False)
    assert guard.is_awake
    assert guard.holders == {"queue"}
    guard.set_held("queue", False)
    assert not guard.is_awake


def test_one_lock_however_many_hold_it(guard: SleepGuard) -> None:
    before = {child.pid for child in psutil.Process().children()}
    for name in "abc":
        guard.set_held(name, True)
    assert len({child.pid for child in psutil.Process().children()} - before) == 1


def test_the_lock_dies_with_the_program(tmp_path: Path) -> None:
    """Even if it is killed: what it held ends because nobody writes to it any more."""
    code = (
        "import sys, time; from app.services.sleep_guard import SleepGuard, WATCHER; "
        "guard = SleepGuard((sys.executable, '-c', WATCHER)); guard.set_held('x', True); "
        "print(guard._child.pid, flush=True); time.sleep(600)"
    )
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    holder = psutil.Process(int(program.stdout.readline()))
    program.kill()
    program.wait()
    program.stdout.close()
    wait_until(lambda: not holder.is_running() or holder.status() == psutil.STATUS_ZOMBIE)


def test_a_lost_lock_is_taken_anew(guard: SleepGuard) -> None:
    guard.set_held("a run", True)
    assert guard._child is not None
    guard._child.kill()
    guard._child.wait()
    assert not guard.is_awake
    guard.set_held("a run", True)
    assert guard.is_awake


def test_without_means_nothing_breaks(owned: Callable[[Any], Any]) -> None:
    guard = owned(SleepGuard(()))
    guard.set_held("a run", True)
    assert (guard.is_able, guard.is_awake) == (False, False)
    broken = owned(SleepGuard(("/nowhere/at/all",)))
    broken.set_held("a run", True)
    assert not broken.is_awake


def test_each_system_has_its_own_means() -> None:
    def has(*names: str) -> Callable[[str], str | None]:
        return lambda name: f"/usr/bin/{name}" if name in names else None

    assert inhibitor(has("caffeinate"), "darwin")[:2] == ("caffeinate", "-i")
    assert inhibitor(has("systemd-inhibit"), "linux")[:2] == ("systemd-inhibit", "--what=sleep:idle")
    assert inhibitor(has("gnome-session-inhibit"), "linux")[0] == "gnome-session-inhibit"
    assert inhibitor(has(), "linux") == ()


def test_jobs_and_sweeps_keep_it_awake_once_they_take_a_while(guard: SleepGuard, owned: Callable[[Any], Any]) -> None:
    session = owned(Session(()))
    owned(KeepAwake(session, guard, after_ms=30))
    session.queue.add(GenerateRequest(model="m"), "m", (64, 64))
    session.queue.take_next()
    assert not guard.is_awake
    wait_until(lambda: guard.holders == {"queue"})
    session.sweeps.note_reports((SweepReport("/x", "x", is_running=True),))
    wait_until(lambda: guard.holders == {"queue", "sweeps"})
    session.queue.skip()
    session.queue.end(session.queue.view.running.job_id, JobState.STOPPED)
    assert guard.holders == {"sweeps"}
    session.sweeps.note_reports(())
    assert not guard.is_awake


def test_many_short_jobs_keep_it_awake_as_one_long_one(guard: SleepGuard, owned: Callable[[Any], Any]) -> None:
    session = owned(Session(()))
    owned(KeepAwake(session, guard, after_ms=300))

    def is_held_after_another_job() -> bool:
        session.queue.add(GenerateRequest(model="m"), "m", (64, 64))
        if session.queue.view.running is not None:
            session.queue.end(session.queue.view.running.job_id, JobState.FINISHED)
        else:
            session.queue.add(GenerateRequest(model="m"), "m", (64, 64))
        session.queue.take_next()
        return guard.holders == {"queue"}

    wait_until(is_held_after_another_job)
    session.queue.set_paused(True)
    session.queue.end(session.queue.view.running.job_id, JobState.FINISHED)
    assert not guard.is_awake, "a queue that is held does nothing"
