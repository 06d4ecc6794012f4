"""The worker as a real child process with a tiny model: what it says, when it stops, what it survives."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.helpers.engine_process import ROOT, EngineProcess
from tests.helpers.qt import wait_until
from tests.helpers.tiny import save_tiny, simple_pictures, text_conditioning, tiny_config
from ul_engine import protocol as p
from ul_engine.data.image_files import write_picture
from ul_engine.requests import GenerateRequest, ReconstructRequest, SamplerSettings, SamplingSettings

LONG = SamplingSettings(base=SamplerSettings(num_steps=1000), decoder=SamplerSettings(num_steps=1000))
SHORT = SamplingSettings(base=SamplerSettings(num_steps=4), decoder=SamplerSettings(num_steps=6))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_tiny(folder, tiny_config(conditioning=text_conditioning()))
    return str(folder)


@pytest.fixture(scope="module")
def started() -> Iterator[EngineProcess]:
    with EngineProcess() as engine:
        engine.ready = engine.receive()
        yield engine


@pytest.fixture
def engine(started: EngineProcess) -> EngineProcess:
    """The shared worker with nothing unread: a Pong is the last thing it said."""
    assert started.process.poll() is None, started.errors()
    started.send(p.Ping())
    started.until(p.Pong)
    return started


def generate(model: str, job_id: str, **fields: object) -> p.RunJob:
    options: dict[str, object] = {"prompt": "a red cube", "num_images": 3, "batch_size": 2, "sampling": SHORT}
    return p.RunJob(job_id=job_id, request=GenerateRequest(model=model, **(options | fields)))


def news_of(received: list[tuple[p.News, bytes]], kind: type[p.Message]) -> list[p.News]:
    return [news for news, _ in received if isinstance(news, kind)]


def test_first_message_introduces_it(started: EngineProcess) -> None:
    assert started.ready is not None
    news, payload = started.ready
    assert isinstance(news, p.EngineReady)
    assert payload == b""
    assert news.protocol_version == p.PROTOCOL_VERSION
    assert news.pid == started.process.pid
    assert news.device == "cpu"
    assert news.num_threads == 1
    assert news.total_memory_bytes == psutil.virtual_memory().total


def test_generate(engine: EngineProcess, tmp_path: Path) -> None:
    save_tiny(tmp_path / "m", tiny_config(conditioning=text_conditioning()))
    received = engine.run(generate(str(tmp_path / "m"), "g1", seed=5))
    assert [type(news).__name__ for news, _ in received[:3]] == ["JobStarted", "ModelLoading", "ModelLoaded"]
    assert isinstance(received[-1][0], p.JobFinished)
    assert {news.job_id for news, _ in received if hasattr(news, "job_id")} == {"g1"}

    progress = news_of(received, p.JobProgress)
    fractions = [news.fraction for news in progress]
    assert fractions == sorted(fractions)
    assert fractions[0] > 0
    assert fractions[-1] == pytest.approx(1.0)
    assert max(fractions) <= 1.0 + 1e-9
    assert [(news.phase, news.step, news.first_index, news.batch_size) for news in progress] == [
        (phase, step, first, size)
        for first, size in ((0, 2), (2, 1))
        for phase, count in (("base", 4), ("decoder", 6))
        for step in range(1, count + 1)
    ]

    results = [(news, payload) for news, payload in received if isinstance(news, p.ImageResult)]
    assert [news.index for news, _ in results] == [0, 1, 2]
    assert [news.seed for news, _ in results] == [5, 6, 7]
    assert {news.shape for news, _ in results} == {(1, 16, 16, 3)}
    assert {len(payload) for _, payload in results} == {16 * 16 * 3}
    assert len({payload for _, payload in results}) == 3

    previews = [(news, payload) for news, payload in received if isinstance(news, p.JobPreview)]
    assert previews
    for news, payload in previews:
        assert len(payload) == int(np.prod(news.shape))
        assert news.shape[1:] == (16, 16, 3)


def test_a_model_is_loaded_once(engine: EngineProcess, model: str) -> None:
    engine.run(generate(model, "once-1", num_images=1))
    received = engine.run(generate(model, "once-2", num_images=1))
    assert not news_of(received, p.ModelLoading)
    engine.send(p.LoadModel(path=model))
    engine.send(p.Ping())
    assert not news_of(engine.until(p.Pong), p.ModelLoading)


def test_the_same_seed_alone_and_in_a_batch(engine: EngineProcess, model: str) -> None:
    together = engine.run(generate(model, "b1", seed=5, preview=False))
    alone = engine.run(generate(model, "b2", seed=6, num_images=1, preview=False))
    assert not news_of(together, p.JobPreview)
    _, first, *_ = [payload for news, payload in together if isinstance(news, p.ImageResult)]
    (second,) = [payload for news, payload in alone if isinstance(news, p.ImageResult)]
    difference = np.frombuffer(first, np.uint8).astype(int) - np.frombuffer(second, np.uint8)
    assert np.abs(difference).max() <= 1


def test_reconstruct(engine: EngineProcess, model: str, tmp_path: Path) -> None:
    picture = np.tile(simple_pictures(1)[0], (1, 2, 1))[:14, :22]
    write_picture(tmp_path / "a.png", picture)
    request = ReconstructRequest(
        model=model,
        inputs=(str(tmp_path / "a.png"),),
        latent_logsnrs=(5.0, 1.0, 7.0),
        sampling=SHORT,
        bitrate_times=4,
    )
    received = engine.run(p.RunJob(job_id="r1", request=request))
    assert isinstance(received[-1][0], p.JobFinished), received[-1]
    results = [(news, payload) for news, payload in received if isinstance(news, p.ReconstructionResult)]
    assert [news.latent_logsnr for news, _ in results] == [5.0, 1.0, 7.0]
    for news, payload in results:
        assert news.shape == (1, 14, 22, 3)
        assert len(payload) == 14 * 22 * 3
        assert news.bits_per_pixel > 0
    ((original, payload),) = [(news, payload) for news, payload in received if isinstance(news, p.OriginalResult)]
    assert np.array_equal(np.frombuffer(payload, np.uint8).reshape(original.shape)[0], picture)
    fractions = [news.fraction for news in news_of(received, p.JobProgress)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)


def test_ping_is_answered_and_cancelling_takes_effect_within_one_step(engine: EngineProcess, model: str) -> None:
    for phase in ("base", "decoder"):
        sampling = LONG if phase == "base" else LONG.model_copy(update={"base": SamplerSettings(num_steps=2)})
        engine.send(generate(model, f"c-{phase}", sampling=sampling))
        while True:
            news, _ = engine.receive()
            if isinstance(news, p.JobProgress) and news.phase == phase and news.step >= 5:
                break
        engine.send(p.CancelJob(job_id=f"c-{phase}"))
        engine.send(p.Ping())  # read after the cancel: by its answer the worker knows of it
        answered = engine.until(p.Pong)
        assert [news.job_id for news in news_of(answered, p.CancelNoted)] == [f"c-{phase}"]
        rest = [] if news_of(answered, p.JobCancelled) else engine.until(p.JobCancelled)
        assert len(news_of(rest, p.JobProgress)) <= 1
        assert not news_of(rest, p.ImageResult)


def test_results_before_a_cancel_stay(engine: EngineProcess, model: str) -> None:
    engine.send(generate(model, "half", num_images=200, batch_size=1))
    first = engine.until(p.ImageResult)
    engine.send(p.CancelJob(job_id="half"))
    rest = engine.until(p.JobCancelled)
    assert news_of(first, p.ImageResult)[0].index == 0
    assert len(news_of(rest, p.ImageResult)) < 100


def test_a_queued_job_can_be_dropped(engine: EngineProcess, model: str) -> None:
    engine.send(generate(model, "front", sampling=LONG))
    engine.send(generate(model, "back"))
    engine.send(generate(model, "last", num_images=1))
    engine.send(p.CancelJob(job_id="back"))
    engine.until(p.JobProgress)
    engine.send(p.CancelJob(job_id="front"))
    received = engine.until(p.JobFinished)
    ends = [(type(news).__name__, news.job_id) for news, _ in received if type(news).__name__.startswith("JobC")]
    assert ends == [("JobCancelled", "front"), ("JobCancelled", "back")]
    assert {news.job_id for news in news_of(received, p.JobStarted)} == {"last"}
    assert isinstance(received[-1][0], p.JobFinished)


# Once: the id of a job that was dropped from the queue stays cancelled for ever, as does one cancelled too late.
def test_a_cancelled_id_can_be_used_again(engine: EngineProcess, model: str) -> None:
    engine.send(generate(model, "block", sampling=LONG))
    engine.send(generate(model, "again", num_images=1))
    engine.send(p.CancelJob(job_id="again"))
    engine.send(p.CancelJob(job_id="block"))
    engine.until(p.JobCancelled)
    engine.until(p.JobCancelled)
    assert isinstance(engine.run(generate(model, "again", num_images=1))[-1][0], p.JobFinished)


@pytest.mark.parametrize(
    ("fields", "kind", "reason"),
    [
        ({"model": "nowhere/at/all"}, "CheckpointError", "there is no such folder"),
        ({"class_label": 1, "prompt": ""}, "ConfigError", "takes no class"),
    ],
)
def test_a_failing_job_is_explained_and_work_goes_on(
    engine: EngineProcess, model: str, fields: dict[str, object], kind: str, reason: str
) -> None:
    received = engine.run(generate(**({"model": model, "job_id": f"bad-{kind}"} | fields)))
    failure = received[-1][0]
    assert isinstance(failure, p.JobFailed)
    assert failure.kind == kind
    assert reason in failure.message
    assert "Traceback" not in failure.message
    assert "Traceback" in failure.details
    good = engine.run(generate(model, f"good-{kind}", num_images=1))
    assert isinstance(good[-1][0], p.JobFinished)


def test_a_broken_input_is_explained(engine: EngineProcess, model: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    request = ReconstructRequest(model=model, inputs=(str(tmp_path / "a.png"),), sampling=SHORT)
    failure = engine.run(p.RunJob(job_id="bad-input", request=request))[-1][0]
    assert isinstance(failure, p.JobFailed)
    assert failure.kind == "DataError"
    assert str(tmp_path / "a.png") in failure.message


def test_loading_ahead(engine: EngineProcess, model: str, tmp_path: Path) -> None:
    engine.send(p.LoadModel(path=str(tmp_path)))
    received = engine.until(p.ModelFailed)
    assert "config.json" in received[-1][0].message
    engine.send(p.LoadModel(path=model))
    assert isinstance(engine.until(p.ModelLoaded, p.ModelFailed)[-1][0], p.ModelLoaded)


def test_a_replaced_model_is_loaded_again(engine: EngineProcess, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    pictures = []
    for seed in (1, 2):
        save_tiny(folder, tiny_config(), seed=seed)
        received = engine.run(generate(str(folder), f"s{seed}", prompt="", num_images=1))
        assert news_of(received, p.ModelLoaded)
        pictures += [payload for news, payload in received if isinstance(news, p.ImageResult)]
    assert pictures[0] != pictures[1]


# ---- the end of it; each of these starts a worker of its own --------------------------------------------------------


NOISY = """
import os, sys
import ul_engine.worker as worker
carry_out = worker.run
def noisy(*arguments):
    print("a library says hello", flush=True)
    os.write(1, b"raw bytes\\n")
    carry_out(*arguments)
worker.run = noisy
sys.exit(worker.main())
"""


def test_stray_prints_do_not_spoil_the_stream_and_it_ends_with_its_input(model: str) -> None:
    with EngineProcess(("-c", NOISY)) as engine:
        engine.until(p.EngineReady)
        received = engine.run(generate(model, "n", num_images=1))
        assert isinstance(received[-1][0], p.JobFinished)
        assert news_of(received, p.ImageResult)
        assert "a library says hello" in engine.errors()
        assert "raw bytes" in engine.errors()
        engine.send(generate(model, "long", sampling=LONG))  # the end of the input stops a running job, too
        engine.until(p.JobProgress)
        engine.close_input()
        assert engine.process.wait(15) == 0
        assert "Traceback" not in engine.errors()


# Once: a command that this version cannot read (a later program's, or a number that is not finite, which JSON
# writes as null) ends the whole worker with a traceback, though its frame was whole; the model has to be loaded again.
def test_a_command_that_cannot_be_read_does_not_end_the_worker() -> None:
    with EngineProcess() as engine:
        engine.until(p.EngineReady)
        text = b'{"type": "a_later_command"}'
        engine.write(p.HEADER.pack(p.MAGIC, len(text), 0) + text)
        engine.send(p.Ping())
        engine.until(p.Pong, timeout_s=20)


def test_noise_in_place_of_commands_ends_it() -> None:
    with EngineProcess() as engine:
        engine.until(p.EngineReady)
        engine.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert engine.process.wait(15) != 0


PARENT = """
import subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-m", "ul_engine.worker", "--device", "cpu"], stdin=int(sys.argv[1]), stdout=sys.stdout
)
print(child.pid, file=sys.stderr, flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the end of the input has to do")
def test_it_dies_with_its_parent() -> None:
    """Its input stays open here, so that nothing but the death of its parent can end it."""
    read_end, write_end = os.pipe()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(read_end)],
        pass_fds=(read_end,),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    with parent:
        os.close(read_end)
        worker = psutil.Process(int(parent.stderr.readline()))
        assert parent.stdout.read(4) == p.MAGIC  # it is ready, and so has asked to die with its parent
        parent.send_signal(signal.SIGKILL)
        wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, timeout_s=10)
    os.close(write_end)
