"""Ways, grids, clips and ladders asked of a real engine worker: what the pipe carries is what was made."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.engine_process import EngineProcess
from tests.helpers.tiny import save_tiny, simple_pictures, text_conditioning, tiny_config
from tests.helpers.tiny_clips import clip_config
from ul_engine import protocol as p
from ul_engine.data.image_files import write_picture
from ul_engine.outputs import write_clip
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

SHORT = SamplingSettings(base=SamplerSettings(num_steps=3), decoder=SamplerSettings(num_steps=4))
Received = list[tuple[p.News, bytes]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_tiny(folder / "pictures", tiny_config(conditioning=text_conditioning()))
    save_tiny(folder / "clips", clip_config(2, num_frames=8, context_frames=3))
    return folder


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    with EngineProcess() as engine:
        engine.receive()
        yield engine


def finished(engine: EngineProcess, request: Request) -> Received:
    received = engine.run(p.RunJob(job_id="job", request=request))
    assert isinstance(received[-1][0], p.JobFinished), received[-1][0]
    fractions = [news.fraction for news, _ in received if isinstance(news, p.JobProgress)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    return received


def results(received: Received) -> list[tuple[p.ImageResult, np.ndarray]]:
    return [
        (news, np.frombuffer(payload, np.uint8).reshape(news.shape))
        for news, payload in received
        if isinstance(news, p.ImageResult)
    ]


def test_a_way(engine: EngineProcess, models: Path) -> None:
    request = InterpolateRequest(
        model=str(models / "pictures"), prompt="a red cube", num_steps=5, batch_size=2, sampling=SHORT
    )
    made = results(finished(engine, request))
    assert [news.index for news, _ in made] == [0, 1, 2, 3, 4]
    assert len({picture.tobytes() for _, picture in made}) == 5
    single = request.generation_of(2)
    assert single is not None
    ((_, alone),) = results(finished(engine, single))
    assert np.abs(alone.astype(int) - made[2][1]).max() <= 1


def test_a_grid(engine: EngineProcess, models: Path) -> None:
    shared = GenerateRequest(model=str(models / "pictures"), prompt="a red cube", sampling=SHORT)
    request = GridRequest(
        request=shared,
        x=GridAxis(field="sampling.guidance.weight", values=(1, 4.5)),
        y=GridAxis(field="prompt", values=("a red cube", "")),
    )
    made = results(finished(engine, request))
    assert [news.index for news, _ in made] == [0, 1, 2, 3]
    assert {news.shape for news, _ in made} == {(1, 16, 16, 3)}
    assert np.array_equal(made[2][1], made[3][1])  # guidance leads nowhere without a prompt
    assert not np.array_equal(made[0][1], made[1][1])


def test_a_clip_and_how_it_goes_on(engine: EngineProcess, models: Path, tmp_path: Path) -> None:
    request = GenerateRequest(
        model=str(models / "clips"), num_images=2, num_frames=10, width_px=20, batch_size=1, sampling=SHORT
    )
    received = finished(engine, request)
    made = results(received)
    assert [(news.shape, news.fps) for news, _ in made] == [((10, 16, 20, 3), 8.0)] * 2
    for news, payload in received:
        if isinstance(news, p.JobPreview):
            assert len(payload) == int(np.prod(news.shape)) == 16 * 20 * 3
    write_clip(tmp_path / "a.mp4", made[0][1], 8)
    further = request.model_copy(update={"continue_from": str(tmp_path / "a.mp4"), "num_images": 1, "num_frames": 7})
    ((news, clip),) = results(finished(engine, further))
    assert clip.shape == (7, 16, 20, 3)
    assert news.fps == 8.0


def test_ladders_spreads_and_bits(engine: EngineProcess, models: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", np.tile(simple_pictures(1)[0], (1, 2, 1))[:14, :22])
    request = ReconstructRequest(
        model=str(models / "pictures"),
        inputs=(str(tmp_path / "a.png"),),
        decoder_logsnrs=(2.0,),
        num_decodes=3,
        sampling=SHORT,
        bitrate_times=4,
    )
    received = finished(engine, request)
    spreads = [(news, payload) for news, payload in received if isinstance(news, p.SpreadResult)]
    assert [(news.decoder_logsnr, news.shape) for news, _ in spreads] == [(None, (1, 14, 22, 3)), (2.0, (1, 14, 22, 3))]
    assert {len(payload) for _, payload in spreads} == {14 * 22 * (3 + 4)}
    ((bits, payload),) = [(news, payload) for news, payload in received if isinstance(news, p.BitMapResult)]
    assert bits.shape == (1, 4, 6)
    assert len(payload) == 4 * 6 * 4
    assert float(np.frombuffer(payload, np.float32).sum()) == pytest.approx(bits.bits_per_pixel * 14 * 22, rel=1e-4)


def test_a_start_and_its_failure(engine: EngineProcess, models: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", simple_pictures(1)[0])
    request = GenerateRequest(
        model=str(models / "pictures"), num_images=1, init_image=str(tmp_path / "a.png"), sampling=SHORT
    )
    assert len(results(finished(engine, request))) == 1
    absent = request.model_copy(update={"init_image": str(tmp_path / "b.png")})
    failure = engine.run(p.RunJob(job_id="absent", request=absent))[-1][0]
    assert isinstance(failure, p.JobFailed)
    assert failure.kind == "DataError"
    assert str(tmp_path / "b.png") in failure.message
