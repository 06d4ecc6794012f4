"""The queue in its file: it survives a restart, and a crash brings it back held with the culprit marked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.models.job_queue import JobState
from app.program import Program
from app.services.queue_file import QueueFile, StoredJob
from app.services.state_writer import StateWriter, WriteProblem
from app.studio import actions
from tests.app.conftest import RunAsync, until
from ul_engine.requests import GenerateRequest, GridAxis, GridRequest, ReconstructRequest

Make = Callable[..., Program]
REQUEST = GenerateRequest(model="m", prompt="a cube", num_images=3, seed=7)


@pytest.fixture
def writer(qapp: Any, owned: Callable[[Any], Any]) -> Any:
    writer = owned(StateWriter())
    yield writer
    writer.close()


def stored(**changes: Any) -> StoredJob:
    return StoredJob(request=REQUEST, model_name="Model", size_px=(64, 64), **changes)


def queue_path(program: Program) -> Path:
    return program.queue_keeper._file.path


def add(program: Program, **changes: Any) -> None:
    request = REQUEST.model_copy(update=changes)
    program.session.queue.add(request, "Model", (64, 64), "Balanced")


async def reopened(program: Program, make: Make, *, is_crash: bool) -> Program:
    """The program as it is after the next start."""
    if not is_crash:
        await program.close()
        return make()
    path = queue_path(program)
    await until(lambda: path.exists() and any(job["is_running"] for job in json.loads(path.read_text())["jobs"]))
    content = path.read_bytes()
    await program.close()
    path.write_bytes(content)  # as a killed program leaves it
    return make()


def test_what_was_stored_comes_back(writer: StateWriter, tmp_path: Path) -> None:
    grid = StoredJob(
        request=GridRequest(request=REQUEST, x=GridAxis(field="seed", values=(1, 2))), model_name="M", size_px=(8, 8)
    )
    file = QueueFile(tmp_path / "deep" / "queue.json", writer)
    file.save([stored(is_running=True), grid], is_paused=True, is_open=True)
    writer.close()
    loaded = file.load()
    assert loaded.jobs == (stored(is_running=True), grid)
    assert (loaded.was_paused, loaded.has_crashed, loaded.problem) == (True, True, "")


def test_a_goodbye_is_no_crash(writer: StateWriter, tmp_path: Path) -> None:
    file = QueueFile(tmp_path / "queue.json", writer)
    file.save([stored()], is_paused=False, is_open=True)
    file.save([stored()], is_paused=False, is_open=False)
    writer.close()
    assert not file.load().has_crashed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{oops", "damaged"),
        ('{"version": 99, "jobs": []}', "newer version"),
        ('{"version": 1, "jobs": [{"request": {"kind": "magic"}}]}', "cannot be read"),
        ('{"version": 1, "jobs": 3}', "cannot be read"),
        ("[]", "damaged"),
        ("[" * 100_000, "cannot be read"),
        ('{"version": ' + "1" * 5000 + "}", "cannot be read"),
    ],
    ids=["damaged", "newer", "unknown", "odd", "list", "bottomless", "endless"],
)
def test_a_file_that_cannot_be_used_is_put_aside(writer: StateWriter, tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "queue.json"
    path.write_text(content)
    loaded = QueueFile(path, writer).load()
    assert loaded.jobs == ()
    assert words in loaded.problem
    assert Path(loaded.kept_aside).read_text() == content
    assert not path.exists()


def test_a_disk_that_refuses_is_told(writer: StateWriter, tmp_path: Path, run_async: RunAsync) -> None:
    (tmp_path / "blocked").write_text("a file where a folder should be")
    problems: list[WriteProblem] = []
    writer.write_failed.connect(problems.append)

    async def story() -> None:
        QueueFile(tmp_path / "blocked" / "queue.json", writer).save([stored()], is_paused=False, is_open=True)
        await until(lambda: problems)

    run_async(story())
    assert problems[0].path.endswith("queue.json")


def test_of_many_versions_the_last_one_stays(writer: StateWriter, tmp_path: Path) -> None:
    for number in range(200):
        writer.write(tmp_path / "a.json", lambda number=number: str(number).encode())  # type: ignore[misc]
    writer.close()
    assert (tmp_path / "a.json").read_text() == "199"


def test_waiting_jobs_survive_a_restart_and_go_on(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program()
        add(program)
        add(program, seed=90)
        again = await reopened(program, make_program, is_crash=False)
        view = again.session.queue.view
        assert [job.request.seed for job in view.waiting] == [7, 90]
        assert [job.preset for job in view.waiting] == ["Balanced"] * 2
        assert not view.is_paused
        assert not again.session.notices.notices

    run_async(story())


def test_a_held_queue_is_held_after_a_restart(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program()
        add(program)
        program.session.queue.set_paused(True)
        again = await reopened(program, make_program, is_crash=False)
        assert again.session.queue.view.is_paused

    run_async(story())


def test_closing_while_a_job_runs_keeps_what_is_missing_of_it(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program(step_s=0.005)
        program.client.start()
        add(program, batch_size=1)
        await until(lambda: program.session.results.num_done == 1, timeout_s=30)
        again = await reopened(program, make_program, is_crash=False)
        (job,) = again.session.queue.view.waiting
        assert (job.request.seed, job.num_results, job.problem) == (8, 2, "")

    run_async(story())


def test_after_a_crash_the_queue_is_held_and_the_culprit_marked(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program(step_s=0.05)
        add(program)
        add(program, seed=90)
        program.session.queue.take_next()
        again = await reopened(program, make_program, is_crash=True)
        view = again.session.queue.view
        assert view.is_paused
        assert [bool(job.problem) for job in view.waiting] == [True, False]
        notice = again.session.notices.notices[0]
        assert notice.title == "Jobs came back"
        assert "marked" in notice.sentence
        again.session.notices.choose(notice, actions.CONTINUE_QUEUE)
        again.client.start()
        await until(lambda: again.session.queue.view.running is not None)
        assert again.session.queue.view.running.request.seed == 90
        again.session.queue.stop()
        await until(lambda: again.session.queue.view.running is None)
        third = await reopened(again, make_program, is_crash=False)
        assert [bool(job.problem) for job in third.session.queue.view.waiting] == [True]  # still marked

    run_async(story())


def test_jobs_of_compare_are_not_kept(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program()
        compared = ReconstructRequest(model="m", inputs=("a.png",))
        program.session.queue.add(compared, "Model", (8, 8), page="compare")
        again = await reopened(program, make_program, is_crash=False)
        assert again.session.queue.view.waiting == ()

    run_async(story())


def test_dropping_can_be_undone(make_program: Make) -> None:
    program = make_program()
    add(program)
    add(program)
    program.session.queue.clear_waiting()
    notice = program.session.notices.notices[0]
    assert notice.title == "2 jobs dropped"
    program.session.notices.choose(notice, actions.UNDO_DROP)
    assert len(program.session.queue.view.waiting) == 2


def test_a_finished_queue_leaves_an_empty_file(make_program: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        program = make_program(step_s=0)
        program.client.start()
        add(program, num_images=1)
        await until(lambda: program.session.results.num_done == 1, timeout_s=30)
        await until(lambda: program.session.queue.view.is_idle)
        await program.close()
        assert json.loads(queue_path(program).read_text())["jobs"] == []
        assert JobState.FINISHED in {program.session.results.entry(0).job.state}

    run_async(story())
