"""Stage 2's latents: z_clean of the right encoder and data, encoded once, whatever kills the building of them."""

import json
import multiprocessing
import os
import pickle
import shutil
import signal
import threading
import time
from collections import namedtuple
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.helpers.sample_arrays import ArraySamples, clip_samples, picture_samples
from tests.helpers.tiny import tiny_config, tiny_model
from tests.helpers.tiny_clips import clip_config
from trainer.data.samples import Sample
from trainer.latent_cache import CacheSettings, LatentRows, Sharing, cached_latents, latent_cache_bytes, open_latents
from ul_engine.config import EncoderConfig
from ul_engine.data.pixels import to_signed
from ul_engine.errors import ConfigError, DataError, NumericsError, OutputError
from ul_engine.pipelines import Pipeline

SIGMA_0_SQUARED = 1.0 / (1.0 + np.exp(5.0))
Usage = namedtuple("Usage", "total used free")
COUNT = 37


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(tiny_model(), torch.device("cpu"))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight samples a chunk, three at once through the encoder."""
    monkeypatch.setattr("trainer.latent_cache.layout.MAX_CHUNK_SAMPLES", 8)
    monkeypatch.setattr("trainer.latent_cache.encoding.ENCODE_PIXELS", 3 * 16 * 16)


def settings(**changes: Any) -> CacheSettings:
    return CacheSettings(**({"encoder_hash": "a"} | changes))


def signed(samples: ArraySamples) -> torch.Tensor:
    return to_signed(torch.from_numpy(samples.frames).permute(0, 4, 1, 2, 3))


def every_row(rows: LatentRows) -> torch.Tensor:
    return rows.batch(np.arange(len(rows)))


def test_rows_are_z_clean_in_the_order_asked(tmp_path: Path, pipeline: Pipeline, small_chunks: None) -> None:
    samples = picture_samples(COUNT)
    rows = cached_latents(tmp_path, pipeline, samples, settings())
    wanted = np.array([30, 2, 2, 36, 0, 11])
    z = pipeline.encode(signed(samples))[wanted]
    assert rows.batch(wanted).shape == (6, 4, 1, 4, 4)
    torch.testing.assert_close(rows.batch(wanted), z, atol=2e-3, rtol=2e-3)  # far below the noise of 0.08 on z_0
    assert rows.context(wanted) is None


def test_mirrored_samples_stand_beside_their_own(tmp_path: Path, pipeline: Pipeline, small_chunks: None) -> None:
    samples = picture_samples(COUNT)
    rows = cached_latents(tmp_path, pipeline, samples, settings(is_mirrored=True))
    assert len(rows) == 2 * COUNT
    indices, are_mirrored = np.array([5, 5, 36, 9]), np.array([True, False, True, False])
    chosen = rows.layout.rows(indices, are_mirrored)
    assert chosen.tolist() == [rows.row(int(i), bool(m)) for i, m in zip(indices, are_mirrored, strict=True)]
    x = signed(samples)[indices]
    x[are_mirrored] = x[are_mirrored].flip(-1)
    torch.testing.assert_close(rows.batch(chosen), pipeline.encode(x), atol=2e-3, rtol=2e-3)
    plain = cached_latents(tmp_path, pipeline, samples, settings())
    assert plain.layout.rows(indices, are_mirrored).tolist() == indices.tolist()
    torch.testing.assert_close(plain.batch(indices[1:2]), rows.batch(chosen[1:2]), rtol=0, atol=0)


@pytest.mark.parametrize("storage", ["float16", "uint8"])
def test_clips_with_frames_to_continue(tmp_path: Path, storage: str, small_chunks: None) -> None:
    """The frames before are encoded alone, padded by repetition where they do not fill a latent frame."""
    pipeline = Pipeline(tiny_model(clip_config(2, num_frames=8, context_frames=3)), torch.device("cpu"))
    samples = clip_samples(11, 8)
    rows = cached_latents(tmp_path, pipeline, samples, settings(storage=storage, is_mirrored=True))
    x = signed(samples)
    chosen = np.arange(0, 22, 2)
    context = rows.context(chosen)
    assert rows.batch(chosen).shape == (11, 4, 4, 2, 2)
    assert context is not None
    assert context.shape == (11, 4, 2, 2, 2)
    tolerance = {"atol": 0.03, "rtol": 0.01}
    torch.testing.assert_close(rows.batch(chosen), pipeline.encode(x), **tolerance)
    torch.testing.assert_close(context, pipeline.encode(x[:, :, :3]), **tolerance)
    mirrored = rows.context(chosen + 1)
    torch.testing.assert_close(mirrored, pipeline.encode(x[:, :, :3].flip(-1)), **tolerance)


def test_uint8_adds_about_a_hundredth_to_the_noise(tmp_path: Path, pipeline: Pipeline) -> None:
    """Against sigma_0^2 = sigmoid(-5), for latents of standard deviation 1, which is where an encoder starts."""
    samples = picture_samples(256)
    exact = pipeline.encode(signed(samples))
    rows = cached_latents(tmp_path, pipeline, samples, settings(storage="uint8"))
    error = every_row(rows) - exact
    ranges = exact.amax((0, 2, 3, 4)) - exact.amin((0, 2, 3, 4))
    assert (error.abs().amax((0, 2, 3, 4)) <= 0.5001 * ranges / 255).all()  # nothing is clipped
    added = float((error.square().mean() / exact.var()) / SIGMA_0_SQUARED)
    assert 0.002 < added < 0.02
    bytes_of = [sum(f.stat().st_size for f in rows.folder.glob("latents.npy"))]
    half = cached_latents(tmp_path, pipeline, samples, settings())
    bytes_of.append(sum(f.stat().st_size for f in half.folder.glob("latents.npy")))
    assert bytes_of[1] / bytes_of[0] == pytest.approx(2.0, rel=0.02)
    assert bytes_of[1] == pytest.approx(latent_cache_bytes(pipeline.config, 16, 256, "float16"), rel=0.01)


def test_an_outlier_coarsens_its_own_chunk_only() -> None:
    from trainer.latent_cache.storage import restored, stored

    z = torch.randn(2, 64, 4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    z[0, 7, 1] *= 100.0
    errors = []
    for chunk in z:
        values, ranges = stored(chunk, "uint8")
        back = restored(torch.from_numpy(values), torch.from_numpy(ranges).expand(len(chunk), 4, 2))
        errors.append((back - chunk).square().mean((0, 2, 3, 4)))
    assert errors[0][1] > 100 * errors[1][1]
    assert errors[0][0] < 2 * errors[1][0]


def test_a_channel_that_never_changes() -> None:
    from trainer.latent_cache.storage import restored, stored

    z = torch.full((3, 2, 1, 2, 2), -1.25)
    values, ranges = stored(z, "uint8")
    assert torch.equal(restored(torch.from_numpy(values), torch.from_numpy(ranges).expand(3, 2, 2)), z)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_latents_that_cannot_be_stored(tmp_path: Path, value: float) -> None:
    model = tiny_model()
    assert model.encoder is not None
    with torch.no_grad():
        model.encoder.project.bias[0] = value
    with pytest.raises(NumericsError, match="cannot be trained on"):
        cached_latents(tmp_path, Pipeline(model, torch.device("cpu")), picture_samples(4), settings())


def test_learned_variance_is_drawn_by_the_samples_numbers(tmp_path: Path, small_chunks: None) -> None:
    config = tiny_config(
        encoder=EncoderConfig(channels=(16, 24), blocks_per_stage=1, blocks_last_stage=1, variance="learned")
    )
    pipeline = Pipeline(tiny_model(config), torch.device("cpu"))
    samples = picture_samples(COUNT)
    drawn, _ = pipeline.encode_sampled(signed(samples), range(COUNT))
    rows = cached_latents(tmp_path, pipeline, samples, settings(is_mirrored=True))
    torch.testing.assert_close(rows.batch(np.arange(0, 2 * COUNT, 2)), drawn, atol=3e-3, rtol=3e-3)
    same_seed, _ = pipeline.encode_sampled(signed(samples).flip(-1), range(COUNT))
    assert (rows.batch(np.arange(1, 2 * COUNT, 2)) - same_seed).abs().mean() > 0.01  # a draw of its own


def test_encoded_once_per_encoder_data_and_storage(tmp_path: Path, pipeline: Pipeline) -> None:
    samples = picture_samples(COUNT)
    cached_latents(tmp_path, pipeline, samples, settings())
    count = len(samples.read)
    cached_latents(tmp_path, pipeline, samples, settings())
    assert len(samples.read) - count <= 1  # one look at the size
    others = ArraySamples(picture_samples(COUNT + 1).frames[1:])
    half = Pipeline(pipeline.model, pipeline.device, torch.bfloat16)
    for part, data, wanted in (
        (pipeline, samples, settings(encoder_hash="b")),
        (pipeline, samples, settings(storage="uint8")),
        (pipeline, samples, settings(is_mirrored=True)),
        (pipeline, others, settings()),
        (half, samples, settings()),
    ):
        cached_latents(tmp_path, part, data, wanted)
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 6


def test_data_of_several_shapes(tmp_path: Path, pipeline: Pipeline) -> None:
    with pytest.raises(ConfigError, match=r"latents\.source"):
        cached_latents(tmp_path, pipeline, picture_samples(4, buckets=np.arange(4)), settings())


# ---- interruptions ----------------------------------------------------------------------------------------------


def build_in_child(root: Path, samples: ArraySamples) -> None:
    torch.set_num_threads(1)
    cached_latents(root, Pipeline(tiny_model(), torch.device("cpu")), samples, settings(storage="uint8"))
    os._exit(0)


def started_child(root: Path, samples: ArraySamples) -> Any:
    child = multiprocessing.get_context("fork").Process(target=build_in_child, args=(root, samples))
    child.start()
    return child


def test_killed_again_and_again(tmp_path: Path, pipeline: Pipeline, small_chunks: None) -> None:
    """kill -9 at many moments: no finished chunk is encoded twice, and the result is the uninterrupted one's."""
    whole = cached_latents(tmp_path / "whole", pipeline, picture_samples(COUNT), settings(storage="uint8"))
    root, trace = tmp_path / "killed", tmp_path / "trace"
    samples = picture_samples(COUNT, delay_s=0.004, trace=trace)
    num_kills, finished, seen = 0, set[int](), 0
    while True:
        child = started_child(root, samples)
        deadline = time.monotonic() + 0.05 + 0.01 * num_kills
        while time.monotonic() < deadline and child.is_alive():
            time.sleep(0.002)
        is_over = not child.is_alive()
        if not is_over:
            os.kill(child.pid, signal.SIGKILL)
        child.join()
        read = [int(line) for line in trace.read_text().split()] if trace.exists() else []
        assert not set(read[seen:]) & finished - {0}  # 0: the size of all
        if is_over:
            break
        num_kills, seen, finished = num_kills + 1, len(read), finished | finished_samples(root)
    assert child.exitcode == 0
    assert num_kills >= 3
    rows = open_latents(next(root.glob("latents-*/")))
    assert torch.equal(every_row(rows), every_row(whole))
    assert not list(root.glob("*/finished-*.jsonl"))


def finished_samples(root: Path) -> set[int]:
    """Of the chunks of eight whose lines in the journal are whole."""
    lines = [line for path in root.glob("*/finished-*.jsonl") for line in path.read_text().splitlines()]
    chunks = [json.loads(line)["chunk"] for line in lines if line.endswith("}")]
    return {sample for chunk in chunks for sample in range(8 * chunk, 8 * chunk + 8)}


def test_finished_chunks_are_not_encoded_again(tmp_path: Path, pipeline: Pipeline, small_chunks: None) -> None:
    samples = picture_samples(COUNT, broken=20)
    with pytest.raises(DataError, match=r"sample-20\.png: is no picture"):
        cached_latents(tmp_path, pipeline, samples, settings())
    (folder,) = tmp_path.glob("latents-*/")
    with pytest.raises(DataError, match="no finished cache"):
        open_latents(folder)
    with (folder / "finished-0.jsonl").open("ab") as journal:
        journal.write(b'\n{"chunk": 2, "checks')  # a line that the power cut short
    reports: list[tuple[int, int]] = []
    samples.broken, samples.read = None, []
    cached_latents(tmp_path, pipeline, samples, settings(), progress=lambda *report: reports.append(report))
    assert reports[0] == (16, COUNT)
    assert reports[-1] == (COUNT, COUNT)
    assert set(samples.read) == {0, *range(16, COUNT)}  # 0: the size of all


def test_a_chunk_that_the_power_cut_ate_is_encoded_again(
    tmp_path: Path, pipeline: Pipeline, small_chunks: None
) -> None:
    samples = picture_samples(COUNT, broken=20)
    with pytest.raises(DataError):
        cached_latents(tmp_path, pipeline, samples, settings())
    (array,) = tmp_path.glob("latents-*/latents.npy")
    damage(array, at=200)
    samples.broken, samples.read = None, []
    rows = cached_latents(tmp_path, pipeline, samples, settings())
    assert set(range(8)) <= set(samples.read)
    assert not set(range(8, 16)) & set(samples.read)
    torch.testing.assert_close(every_row(rows), pipeline.encode(signed(samples)), atol=2e-3, rtol=2e-3)


def test_progress_may_stop_the_building(tmp_path: Path, pipeline: Pipeline, small_chunks: None) -> None:
    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done >= 20:
            raise Stop

    samples = picture_samples(COUNT)
    with pytest.raises(Stop):
        cached_latents(tmp_path, pipeline, samples, settings(), progress=stop)
    samples.read = []
    cached_latents(tmp_path, pipeline, samples, settings())
    assert min(set(samples.read) - {0}) == 16


# ---- several at once --------------------------------------------------------------------------------------------


def in_threads(count: int, work: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))


@pytest.mark.parametrize("num_ranks", [2, 3])
def test_ranks_share_the_work(tmp_path: Path, pipeline: Pipeline, num_ranks: int, small_chunks: None) -> None:
    alone = cached_latents(tmp_path / "alone", pipeline, picture_samples(COUNT), settings(storage="uint8"))
    barrier = threading.Barrier(num_ranks, timeout=20)
    sources = [picture_samples(COUNT) for _ in range(num_ranks)]
    found: dict[int, torch.Tensor] = {}

    def rank(number: int) -> None:
        sharing = Sharing(number, num_ranks, lambda: barrier.wait() and None)
        rows = cached_latents(
            tmp_path / "shared", pipeline, sources[number], settings(storage="uint8"), sharing=sharing
        )
        found[number] = every_row(rows)

    in_threads(num_ranks, rank)
    assert all(torch.equal(z, every_row(alone)) for z in found.values())
    shares = [set(source.read) - {0} for source in sources]
    assert all(shares)
    assert sum(map(len, shares)) == len(set.union(*shares)) == COUNT - 1


def test_two_runs_at_once_encode_once(
    tmp_path: Path, pipeline: Pipeline, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits, follows the first one's progress, and takes the finished cache."""
    monkeypatch.setattr("trainer.latent_cache.building.POLL_S", 0.05)
    first, second = picture_samples(COUNT, delay_s=0.02), picture_samples(COUNT)
    child = started_child(tmp_path, first)
    while not list(tmp_path.glob("latents-*.lock")):
        time.sleep(0.005)
    reports: list[tuple[int, int]] = []
    rows = cached_latents(
        tmp_path, pipeline, second, settings(storage="uint8"), progress=lambda *report: reports.append(report)
    )
    child.join()
    assert child.exitcode == 0
    assert set(second.read) == {0}
    assert reports
    assert len(rows) == COUNT


@pytest.mark.stress
def test_loading_processes(tmp_path: Path, pipeline: Pipeline, small_chunks: None) -> None:
    """They change nothing, and name what they cannot read as plainly as the trainer itself."""
    alone = cached_latents(tmp_path / "alone", pipeline, picture_samples(COUNT), settings())
    samples = picture_samples(COUNT, is_light=False, broken=COUNT - 1)
    with pytest.raises(DataError, match=r"^sample-36\.png: is no picture$"):
        cached_latents(tmp_path / "loaded", pipeline, samples, settings(), num_workers=1)
    assert samples.read == [0]  # here; the others over there
    samples.broken, samples.read = None, []
    loaded = cached_latents(tmp_path / "loaded", pipeline, samples, settings())
    assert set(samples.read) == {0, *range(32, COUNT)}
    assert torch.equal(every_row(alone), every_row(loaded))


def test_a_sample_of_another_size_is_named(tmp_path: Path, pipeline: Pipeline) -> None:
    class Uneven(ArraySamples):
        def sample(self, index: int, epoch: int | None) -> Sample:
            sample = super().sample(index, epoch)
            return Sample(sample.frames[:, :8]) if index == 3 else sample

    with pytest.raises(DataError, match=r"sample 3 has the size 1x8x16, the first one 1x16x16"):
        cached_latents(tmp_path, pipeline, Uneven(picture_samples(5).frames), settings())


def test_rows_travel_by_place(tmp_path: Path, pipeline: Pipeline) -> None:
    rows = cached_latents(tmp_path, pipeline, picture_samples(COUNT), settings())
    content = pickle.dumps(rows)
    assert len(content) < 1000
    assert torch.equal(every_row(pickle.loads(content)), every_row(rows))


# ---- disks and memory -------------------------------------------------------------------------------------------


def damage(path: Path, *, at: int) -> None:
    with path.open("rb+") as stream:
        stream.seek(at)
        byte = stream.read(1)
        stream.seek(at)
        stream.write(bytes([byte[0] ^ 0xFF]))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 100)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("latents.npy", truncate, "truncated"),
        ("latents.npy", Path.unlink, "missing"),
        ("latents.npy", lambda path: damage(path, at=1000), "rows 0 to 36 are damaged"),
        ("latents.npy", lambda path: path.write_bytes(b"nonsense"), "no array file"),
        ("latents.npy", lambda path: np.save(path, np.zeros(3)), "expected uint8"),
        ("ranges.npy", truncate, "cannot be read"),
        ("ranges.npy", lambda path: np.save(path, np.zeros(3)), "does not belong"),
        ("cache.json", truncate, "damaged or of another version"),
        ("cache.json", lambda path: path.write_text(path.read_text().replace('"a"', '"z"')), "another model"),
    ],
)
def test_damage_is_named_with_its_remedy(
    tmp_path: Path, pipeline: Pipeline, name: str, change: Callable[[Path], Any], message: str
) -> None:
    samples = picture_samples(COUNT)
    rows = cached_latents(tmp_path, pipeline, samples, settings(storage="uint8"))
    change(rows.folder / name)
    with pytest.raises(DataError, match=message) as caught:
        cached_latents(tmp_path, pipeline, samples, settings(storage="uint8"))
    assert str(rows.folder) in str(caught.value)
    assert "remove the folder" in str(caught.value) or name == "ranges.npy"
    shutil.rmtree(rows.folder)
    assert len(cached_latents(tmp_path, pipeline, samples, settings(storage="uint8"))) == COUNT


def test_large_caches_are_checked_in_samples(
    tmp_path: Path, pipeline: Pipeline, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = cached_latents(tmp_path, pipeline, picture_samples(COUNT), settings())
    monkeypatch.setattr("trainer.latent_cache.rows.CHECKED_BYTES", 1)
    damage(rows.folder / "latents.npy", at=128 + 16 * rows.layout.row_bytes)
    opened = open_latents(rows.folder)  # first and last chunk are fine
    with pytest.raises(DataError, match="rows 16 to 23 are damaged"):
        opened.check()


def test_an_unwritable_place(tmp_path: Path, pipeline: Pipeline) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        cached_latents(tmp_path / "file" / "c", pipeline, picture_samples(4), settings())


def test_a_full_disk(tmp_path: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2**40, 2**40 - 10, 10))
    with pytest.raises(OutputError, match="are needed"):
        cached_latents(tmp_path, pipeline, picture_samples(4), settings())


def test_the_encoders_batch_gives_way_to_memory(tmp_path: Path, small_chunks: None) -> None:
    """A device that takes two pictures at once."""

    class SmallDevice(Pipeline):
        def encode_sampled(self, x: torch.Tensor, seeds: Any) -> Any:
            if len(x) > 1:
                raise torch.OutOfMemoryError("out of memory")
            return super().encode_sampled(x, seeds)

    samples = picture_samples(COUNT)
    pipeline = SmallDevice(tiny_model(), torch.device("cpu"))
    rows = cached_latents(tmp_path, pipeline, samples, settings())
    torch.testing.assert_close(every_row(rows), pipeline.encode(signed(samples)), atol=2e-3, rtol=2e-3)
