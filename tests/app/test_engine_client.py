"""The engine client against a fake worker on real pipes: every way a worker can behave and misbehave."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.services.engine_client import EngineClient, EngineTimes
from app.services.engine_news import EngineDeath, EngineDelay, FinishedPicture, JobResult, PreviewPictures
from app.services.engine_process import exit_words
from tests.app.conftest import RunAsync, fake_command, until
from ul_engine.protocol import OriginalResult, ReconstructionResult
from ul_engine.requests import (
    GenerateRequest,
    GridAxis,
    GridRequest,
    InterpolateRequest,
    ReconstructRequest,
    Request,
    SamplerSettings,
    SamplingSettings,
)

SAMPLING = SamplingSettings(base=SamplerSettings(num_steps=6), decoder=SamplerSettings(num_steps=6))
REQUEST = GenerateRequest(model="m", num_images=3, seed=5, batch_size=2, sampling=SAMPLING)
QUICK = EngineTimes(grace_s=0.5, backoff_s=(0.01, 0.01), ping_s=0.05)


class Log:
    """All that a client tells, in order."""

    def __init__(self, client: EngineClient) -> None:
        self.entries: list[tuple[str, Any]] = []
        for name in (
            "engine_became_ready",
            "engine_died",
            "start_delayed",
            "stop_delayed",
            "pong_received",
            "model_loaded",
            "job_started",
            "job_progressed",
            "preview_arrived",
            "picture_arrived",
            "result_arrived",
            "job_finished",
            "job_cancelled",
            "job_failed",
        ):
            getattr(client, name).connect(self._keeper(name))
        client.engine_launched.connect(lambda: self.entries.append(("engine_launched", None)))

    def _keeper(self, name: str) -> Callable[[Any], None]:
        return lambda news: self.entries.append((name, news))

    def of(self, name: str) -> list[Any]:
        return [news for each, news in self.entries if each == name]

    def has(self, name: str, count: int = 1) -> Callable[[], bool]:
        return lambda: len(self.of(name)) >= count


@pytest.fixture
def with_client(run_async: RunAsync, owned: Callable[[Any], Any]) -> Callable[..., None]:
    """`with_client(story, mode, ...)`: starts a client, runs the story, closes the client, finds no process left."""

    def run(
        story: Callable[[EngineClient, Log], Awaitable[None]],
        mode: str = "normal",
        times: EngineTimes = QUICK,
        **options: object,
    ) -> None:
        async def whole() -> None:
            client = owned(EngineClient(fake_command(mode, **options), times))
            log = Log(client)
            client.start()
            try:
                await story(client, log)
            finally:
                pid = client.pid
                await client.close()
            assert pid is None or not psutil.pid_exists(pid)

        run_async(whole())

    return run


def test_a_job_from_start_to_finish(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        assert client.is_ready
        client.load_model("m")
        client.run_job("j", REQUEST)
        await until(log.has("job_finished"))
        pictures: list[FinishedPicture] = log.of("picture_arrived")
        assert [(p.index, p.seed, p.pixels.shape) for p in pictures] == [(i, 5 + i, (16, 16, 3)) for i in range(3)]
        assert pictures[0].pixels.data[2] == 5 * 53 % 256
        previews: list[PreviewPictures] = log.of("preview_arrived")
        assert previews[0].first_index == 0
        assert len(previews[0].pictures) == 2
        assert log.of("model_loaded")[0].path == "m"
        await until(log.has("pong_received", 2))

    with_client(story)


def test_clips_arrive_whole(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        client.run_job("j", REQUEST.model_copy(update={"num_images": 1}))
        await until(log.has("job_finished"))
        (made,) = log.of("picture_arrived")
        assert (len(made.clip.frames), made.clip.fps, made.clip.is_moving) == (3, 8.0, True)
        assert [frame.data[2] for frame in made.clip.frames] == [seed * 53 % 256 for seed in (5, 15, 25)]
        assert made.pixels is made.clip.frames[1]

    with_client(story, frames=3)


@pytest.mark.parametrize(
    "request_",
    [
        InterpolateRequest(model="m", num_steps=3, sampling=SAMPLING),
        GridRequest(request=REQUEST, x=GridAxis(field="seed", values=(1, 2, 3))),
    ],
    ids=["interpolation", "grid"],
)
def test_other_requests_bring_pictures_too(with_client: Callable[..., None], request_: Request) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        client.run_job("j", request_)
        await until(log.has("job_finished"))
        assert [picture.index for picture in log.of("picture_arrived")] == [0, 1, 2]

    with_client(story)


def test_results_that_only_the_asker_understands_come_as_they_are(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        asked = ReconstructRequest(model="m", inputs=("a.png",), latent_logsnrs=(5.0, 2.0), want_bit_map=False)
        client.run_job("j", asked)
        await until(log.has("job_finished"))
        results: list[JobResult] = log.of("result_arrived")
        assert {result.job_id for result in results} == {"j"}
        kinds = [type(result.message) for result in results]
        assert kinds == [OriginalResult, ReconstructionResult, ReconstructionResult]
        assert [len(result.payload) for result in results] == [16 * 16 * 3] * 3
        assert log.of("picture_arrived") == []

    with_client(story)


def test_the_last_progress_is_never_lost_and_comes_before_the_end(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        client.run_job("j", REQUEST)
        await until(log.has("job_finished"))
        await asyncio.sleep(0.15)
        assert log.of("job_progressed")[-1].fraction == pytest.approx(1.0)
        names = [name for name, _ in log.entries if name != "pong_received"]
        assert names[-1] == "job_finished"

    with_client(story, step_s=0)


def test_news_come_no_faster_than_eyes_can_follow(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        began = time.monotonic()
        client.run_job("j", REQUEST.model_copy(update={"batch_size": 1}))  # 36 steps, 18 previews
        await until(log.has("job_finished"))
        elapsed = time.monotonic() - began
        ends = 3 * 2  # a finished picture lets the next news pass
        assert len(log.of("job_progressed")) <= elapsed / 0.05 + ends + 2
        assert len(log.of("preview_arrived")) <= elapsed / 0.1 + ends + 2

    with_client(story, step_s=0.005)


def test_cancelling(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        client.run_job("j", REQUEST)
        await until(log.has("job_progressed"))
        client.cancel_job("j")
        await until(log.has("job_cancelled"))
        client.run_job("k", REQUEST.model_copy(update={"num_images": 1}))
        await until(log.has("job_finished"))
        assert log.of("engine_died") == []

    with_client(story, step_s=0.02)


def test_a_worker_that_does_not_stop_is_told_on_and_can_be_ended(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        client.run_job("j", REQUEST)
        await until(log.has("job_progressed"))
        client.cancel_job("j")
        await until(log.has("stop_delayed"))
        delay: EngineDelay = log.of("stop_delayed")[0]
        assert delay.waited_s == 0.05
        client.restart()
        await until(log.has("engine_became_ready", 2))
        assert log.of("engine_died")[0].was_asked

    with_client(story, "hangs", EngineTimes(grace_s=0.5, cancel_s=0.05), step_s=0.05)


def test_a_death_in_the_middle_is_explained_and_repaired(with_client: Callable[..., None], tmp_path: Path) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        client.run_job("j", REQUEST)
        await until(log.has("engine_became_ready", 2))
        death: EngineDeath = log.of("engine_died")[0]
        assert death.words.startswith("killed by signal 9 (SIGKILL)")
        assert death.stderr_tail[-1] == "fake worker: a fault in the fake driver"
        assert death.restart_in_s == 0.01
        client.run_job("k", REQUEST)
        await until(log.has("job_finished"))

    with_client(story, "dies", die_once=tmp_path / "died")


def test_after_quick_deaths_in_a_row_it_stays_down_until_asked(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_died", 3))
        assert [death.restart_in_s for death in log.of("engine_died")] == [0.01, 0.01, None]
        assert log.of("engine_died")[-1].words == "it ended with exit code 3"
        assert "cannot find its brain" in log.of("engine_died")[-1].stderr_tail[-1]
        await asyncio.sleep(0.1)
        assert len(log.of("engine_launched")) == 3
        client.restart()
        await until(log.has("engine_launched", 4))

    with_client(story, "instant_death")


@pytest.mark.parametrize(
    ("mode", "words"), [("garbage", "unreadable"), ("old", "version 0 of the protocol")], ids=["garbage", "old"]
)
def test_a_worker_that_speaks_strangely_is_ended(with_client: Callable[..., None], mode: str, words: str) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        if mode == "garbage":
            await until(log.has("engine_became_ready"))
            client.run_job("j", REQUEST)
        await until(log.has("engine_died"))
        assert words in log.of("engine_died")[0].words

    with_client(story, mode)


def test_a_worker_that_never_gets_ready_is_told_on(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("start_delayed"))
        assert not client.is_ready
        assert log.of("start_delayed")[0].waited_s == 0.3
        assert "".join(log.of("start_delayed")[0].stderr_tail) in ("", "fake worker: hello")  # on a busy machine: ""

    with_client(story, "never_ready", EngineTimes(grace_s=0.5, ready_s=0.3))


def test_a_command_that_does_not_exist(run_async: RunAsync, owned: Callable[[Any], Any]) -> None:
    async def whole() -> None:
        client = owned(EngineClient(("/no/such/program",), QUICK))
        log = Log(client)
        client.start()
        await until(log.has("engine_died", 3))
        assert "could not be started" in log.of("engine_died")[0].words
        await client.close()

    run_async(whole())


def test_a_stubborn_worker_is_killed_at_the_end(with_client: Callable[..., None]) -> None:
    began = time.monotonic()

    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))

    with_client(story, "stubborn", EngineTimes(grace_s=0.2))
    assert time.monotonic() - began < 5


def test_closing_while_it_starts(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(lambda: client.pid)

    with_client(story, start_s=30)


def test_closing_twice_and_without_a_start(run_async: RunAsync, owned: Callable[[Any], Any]) -> None:
    async def whole() -> None:
        client = owned(EngineClient(fake_command(), QUICK))
        await client.close()
        await client.close()

    run_async(whole())


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are a matter of POSIX")
def test_the_worker_leads_a_group_of_its_own(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        assert client.pid is not None
        assert os.getpgid(client.pid) == client.pid != os.getpgid(0)

    with_client(story)


def test_the_window_is_not_held_up_by_large_payloads(with_client: Callable[..., None]) -> None:
    async def story(client: EngineClient, log: Log) -> None:
        await until(log.has("engine_became_ready"))
        gaps, last, is_over = [0.0], time.monotonic(), log.has("job_finished")
        client.run_job("j", REQUEST.model_copy(update={"num_images": 4, "batch_size": 4}))
        while not is_over():
            await asyncio.sleep(0.001)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
        assert max(gaps) < 0.5  # usually 0.02; the rest is for busy machines

    with_client(story, side=128)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "it ended with exit code 0"),
        (-9, "killed by signal 9 (SIGKILL); often the computer ran out of memory"),
        (-11, "killed by signal 11 (SIGSEGV); a fault in a library or driver"),
        (-15, "killed by signal 15 (SIGTERM)"),
        (-200, "killed by signal 200 (unknown)"),
    ],
)
def test_ends_in_words(code: int, words: str) -> None:
    assert exit_words(code) == words
