"""The queue: one runs, the others wait; every verb does what it says."""

from typing import Any

import pytest

from app.models.job_queue import Job, JobQueue, JobState, QueueView, WorkDone
from app.models.requested import rest_of, singles
from ul_engine.protocol import JobProgress
from ul_engine.requests import GenerateRequest, GridAxis, GridRequest, InterpolateRequest, ReconstructRequest, Request

REQUEST = GenerateRequest(model="m", prompt="a cube", num_images=2)


@pytest.fixture
def queue(qapp: Any) -> JobQueue:
    return JobQueue(clock=lambda: 100.0)


def add(queue: JobQueue, count: int = 1) -> list[Job]:
    return [queue.add(REQUEST, "Model", (64, 64)) for _ in range(count)]


def test_jobs_run_in_their_order(queue: JobQueue) -> None:
    first, second = add(queue, 2)
    taken = queue.take_next()
    assert taken is not None
    assert (taken.job_id, taken.state) == (first.job_id, JobState.RUNNING)
    assert queue.take_next() is None
    queue.end(first.job_id, JobState.FINISHED)
    taken = queue.take_next()
    assert taken is not None
    assert taken.job_id == second.job_id


def test_stop_is_acknowledged_at_once_and_holds_the_rest(queue: JobQueue) -> None:
    first, _ = add(queue, 2)
    queue.take_next()
    asked: list[Job] = []
    queue.stop_requested.connect(asked.append)
    queue.stop()
    assert queue.view.running is not None
    assert queue.view.running.state is JobState.STOPPING
    assert [job.job_id for job in asked] == [first.job_id]
    assert queue.view.is_paused
    queue.stop()
    assert len(asked) == 1  # a second press asks no second time
    queue.end(first.job_id, JobState.STOPPED)
    assert queue.take_next() is None
    queue.set_paused(False)
    assert queue.take_next() is not None


def test_skip_goes_on_with_the_next(queue: JobQueue) -> None:
    first, second = add(queue, 2)
    queue.take_next()
    queue.skip()
    queue.end(first.job_id, JobState.STOPPED)
    taken = queue.take_next()
    assert taken is not None
    assert taken.job_id == second.job_id


def test_hold_lets_the_running_one_finish(queue: JobQueue) -> None:
    first, _ = add(queue, 2)
    queue.take_next()
    queue.set_paused(True)
    assert queue.view.running is not None
    assert queue.view.running.state is JobState.RUNNING
    queue.end(first.job_id, JobState.FINISHED)
    assert queue.take_next() is None


def test_asking_for_more_ends_a_pause(queue: JobQueue) -> None:
    add(queue, 2)
    queue.set_paused(True)
    add(queue)
    assert not queue.view.is_paused


def test_stopping_with_nothing_running_holds_what_waits(queue: JobQueue) -> None:
    add(queue, 2)
    queue.stop()
    assert queue.view.is_paused
    assert len(queue.view.waiting) == 2


def test_what_was_dropped_can_be_had_back(queue: JobQueue) -> None:
    first, second = add(queue, 2)
    dropped: list[tuple[Job, ...]] = []
    queue.jobs_dropped.connect(dropped.append)
    queue.clear_waiting()
    assert queue.view == QueueView()
    queue.put_back(dropped[0])
    queue.put_back(dropped[0])  # twice is once
    assert queue.view.waiting == (first, second)


def test_a_marked_job_waits_for_a_persons_word(queue: JobQueue) -> None:
    culprit = Job("", REQUEST, "Model", (64, 64), problem="it fell")
    queue.restore([culprit], is_paused=True)
    (later,) = add(queue)
    taken = queue.take_next()
    assert taken is not None
    assert taken.job_id == later.job_id
    queue.end(later.job_id, JobState.FINISHED)
    assert queue.view.is_idle
    assert queue.take_next() is None
    queue.release(queue.view.waiting[0].job_id)
    taken = queue.take_next()
    assert taken is not None
    assert (taken.problem, taken.request) == ("", REQUEST)


def test_the_end_of_all_work_is_told_once_with_its_sum(queue: JobQueue) -> None:
    told: list[WorkDone] = []
    queue.all_done.connect(told.append)
    first, second = add(queue, 2)
    queue.take_next()
    queue.note_picture(first.job_id)
    queue.end(first.job_id, JobState.FINISHED)
    assert told == []
    queue.take_next()
    queue.end(second.job_id, JobState.FAILED)
    assert told == [WorkDone(num_jobs=2, num_results=1, num_failed=1, elapsed_s=0.0)]


def test_work_that_a_person_stopped_is_not_told(queue: JobQueue) -> None:
    told: list[WorkDone] = []
    queue.all_done.connect(told.append)
    (job,) = add(queue)
    queue.take_next()
    queue.stop()
    queue.end(job.job_id, JobState.STOPPED)
    assert told == []


def test_the_rest_of_a_generation_makes_exactly_what_is_missing() -> None:
    whole = GenerateRequest(model="m", num_images=5, seed=3, variation_seed=50)
    rest = rest_of(whole, 2)
    assert isinstance(rest, GenerateRequest)
    assert [one.model_dump() for one in singles(rest) if one] == [one.model_dump() for one in singles(whole)[2:] if one]
    assert rest_of(whole, 0) is whole


def test_single_jobs_can_be_dropped(queue: JobQueue) -> None:
    first, second = add(queue, 2)
    queue.remove(first.job_id)
    assert [job.job_id for job in queue.view.waiting] == [second.job_id]


def test_a_pause_without_work_is_none(queue: JobQueue) -> None:
    queue.set_paused(True)
    assert not queue.view.is_paused
    add(queue)
    queue.take_next()
    queue.set_paused(True)
    queue.end(queue.view.running.job_id if queue.view.running else "", JobState.FINISHED)
    assert not queue.view.is_paused


def test_pictures_and_time_are_counted(qapp: Any) -> None:
    now = [10.0]
    queue = JobQueue(clock=lambda: now[0])
    (job,) = add(queue)
    ended: list[Job] = []
    queue.job_ended.connect(ended.append)
    queue.take_next()
    now[0] = 14.5
    queue.note_picture(job.job_id)
    queue.note_picture("another")
    queue.end("another", JobState.FAILED)
    queue.end(job.job_id, JobState.FAILED, "why")
    assert [(j.num_done, j.elapsed_s, j.message, j.is_over) for j in ended] == [(1, 4.5, "why", True)]


def test_progress_of_others_is_ignored(queue: JobQueue) -> None:
    (job,) = add(queue)
    queue.take_next()
    news = JobProgress(job_id="x", phase="base", step=1, num_steps=2, first_index=0, batch_size=2, fraction=0.5)
    queue.note_progress(news)
    assert queue.progress.fraction == 0.0
    queue.note_progress(news.model_copy(update={"job_id": job.job_id}))
    assert queue.progress.fraction == 0.5
    queue.end(job.job_id, JobState.FINISHED)
    assert queue.progress.fraction == 0.0


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        (REQUEST, 2),
        (InterpolateRequest(model="m", num_steps=7), 7),
        (GridRequest(request=REQUEST, x=GridAxis(field="seed", values=(1, 2, 3))), 3),
        (ReconstructRequest(model="m", inputs=("a.png", "b.png")), 2),
    ],
)
def test_any_request_is_a_job(queue: JobQueue, request_: Request, count: int) -> None:
    job = queue.add(request_, "Model", (64, 64), page="compare")
    assert (job.num_results, job.page) == (count, "compare")
    assert queue.take_next() is not None


def test_what_a_person_waits_for_may_go_before_the_others(queue: JobQueue) -> None:
    first, second = add(queue, 2)
    queue.take_next()
    urgent = queue.add(REQUEST, "Model", (64, 64), is_next=True)
    assert [job.job_id for job in queue.view.waiting] == [urgent.job_id, second.job_id]
    assert queue.is_running(first.job_id)
