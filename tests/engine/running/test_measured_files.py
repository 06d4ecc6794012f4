"""Files held against another one, without any model: in the worker's way and from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.engine_process import EngineProcess
from ul_engine import protocol as p
from ul_engine.cli import main
from ul_engine.comparison import Meter
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import Cancelled, DataError
from ul_engine.jobs import JobContext, Workbench, run_measure
from ul_engine.outputs import write_clip
from ul_engine.requests import MeasureRequest

Sent = list[tuple[p.News, bytes]]
MEASURES = ("ssim", "ms-ssim", "flip")


def noisy(picture: Uint8Array, amount: float) -> Uint8Array:
    noise = np.random.default_rng(1).normal(0.0, amount, picture.shape)
    changed: Uint8Array = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return changed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    write_picture(tmp_path / "a.png", picture)
    write_picture(tmp_path / "near.png", noisy(picture, 4.0))
    write_picture(tmp_path / "far.png", noisy(picture, 40.0))
    write_picture(tmp_path / "same.png", picture)
    write_picture(tmp_path / "small.png", picture[:40])
    return tmp_path


def request_of(folder: Path, *names: str, **fields: object) -> MeasureRequest:
    options: dict[str, object] = {"measures": MEASURES, "want_flip_map": True}
    return MeasureRequest(
        reference=str(folder / "a.png"), inputs=tuple(str(folder / name) for name in names), **(options | fields)
    )


def ran(request: MeasureRequest, workbench: Workbench | None = None) -> Sent:
    sent: Sent = []
    send = lambda news, payload: sent.append((news, payload))  # noqa: E731
    run_measure(request, JobContext("job", send, lambda: False, workbench or Workbench()))
    return sent


def figures(sent: Sent) -> list[p.FileFigures]:
    return [news for news, _ in sent if isinstance(news, p.FileFigures)]


def test_each_file_against_the_reference(folder: Path) -> None:
    sent = ran(request_of(folder, "near.png", "far.png", "same.png"))
    near, far, same = figures(sent)
    assert [(each.number, Path(each.input).name) for each in (near, far, same)] == [
        (0, "near.png"),
        (1, "far.png"),
        (2, "same.png"),
    ]
    assert near.psnr_db == pytest.approx(10 * np.log10(255**2 / 16), abs=0.3)
    assert near.psnr_db > far.psnr_db
    assert all(each.ssim and each.ms_ssim and each.flip is not None for each in (near, far, same))
    assert near.ssim is not None
    assert far.ssim is not None
    assert near.ssim > far.ssim
    assert (same.psnr_db, same.ssim, same.ms_ssim, same.flip) == (float("inf"), 1.0, pytest.approx(1.0), 0.0)
    for news, payload in sent:
        if isinstance(news, p.FileFigures):
            assert news.shape == (1, 48, 64)
            assert len(payload) == 48 * 64
            assert np.frombuffer(payload, np.uint8).mean() / 255 == pytest.approx(news.flip, abs=0.005)
    progress = [news.fraction for news, _ in sent if isinstance(news, p.JobProgress)]
    assert progress == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_another_size_is_said_and_the_others_go_on(folder: Path) -> None:
    sent = ran(request_of(folder, "small.png", "near.png"))
    (unlike,) = [news for news, _ in sent if isinstance(news, p.FileUnlike)]
    assert "64 x 40" in unlike.reason
    assert "64 x 48" in unlike.reason
    assert [Path(each.input).name for each in figures(sent)] == ["near.png"]


def test_what_was_not_asked_for_is_not_measured(folder: Path) -> None:
    ((news, payload), _) = ran(request_of(folder, "near.png", measures=(), want_flip_map=False))
    assert isinstance(news, p.FileFigures)
    assert (news.ssim, news.ms_ssim, news.flip, news.has_flip_map, payload) == (None, None, None, False, b"")


def test_lpips_without_weights_is_explained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ul_engine.comparison.meter.lpips_problem", lambda: "the weights are missing")
    (found,) = figures(ran(request_of(folder, "near.png", measures=("lpips",))))
    assert found.lpips is None
    assert found.missing_measures == {"lpips": "the weights are missing"}


def test_clips_of_one_length(folder: Path) -> None:
    clip = np.random.default_rng(2).integers(0, 256, (6, 32, 32, 3), np.uint8)
    for name, frames in (("a.gif", clip), ("b.gif", noisy(clip, 20.0)), ("short.gif", clip[:4])):
        write_clip(folder / name, frames, 8)
    request = request_of(folder, "b.gif", "short.gif").model_copy(update={"reference": str(folder / "a.gif")})
    sent = ran(request)
    (found,) = figures(sent)
    assert (len(found.psnr_db_per_frame), len(found.flicker_per_frame)) == (6, 5)
    (unlike,) = [news for news, _ in sent if isinstance(news, p.FileUnlike)]
    assert "one length" in unlike.reason
    assert len(figures(ran(request.model_copy(update={"max_frames": 4})))) == 2


def test_the_same_again_measures_nothing_and_a_changed_file_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workbench, counted = Workbench(), []
    plain = Meter._with

    def count(self: Meter, *args: object, **options: object) -> object:
        counted.append(args[1])
        return plain(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Meter, "_with", count)
    request = request_of(folder, "near.png")
    first = ran(request, workbench)
    assert sorted(counted) == ["flip", "ms-ssim", "ssim"]
    assert ran(request, workbench) == first
    assert len(counted) == 3
    write_picture(folder / "near.png", np.zeros((48, 64, 3), np.uint8))
    assert figures(ran(request, workbench))[0].psnr_db < 10
    assert len(counted) == 6


def test_stopping_between_files(folder: Path) -> None:
    sent: Sent = []
    context = JobContext("job", lambda news, payload: sent.append((news, payload)), lambda: bool(figures(sent)))
    with pytest.raises(Cancelled):
        run_measure(request_of(folder, "near.png", "far.png"), context)
    assert len(figures(sent)) == 1


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"broken\.png"):
        ran(request_of(folder, "broken.png"))


def test_the_worker_needs_no_model(folder: Path) -> None:
    with EngineProcess() as engine:
        engine.receive()
        received = engine.run(p.RunJob(job_id="job", request=request_of(folder, "near.png")))
    assert isinstance(received[-1][0], p.JobFinished)
    assert received[1:3] == ran(request_of(folder, "near.png"))
    assert not any(isinstance(news, p.ModelLoading) for news, _ in received)


def test_from_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out"
    files = [str(folder / name) for name in ("a.png", "near.png", "small.png", "same.png")]
    assert main(["measure", *files, "--flip-map", "--out", str(out)]) == 0
    printed = capsys.readouterr().out.splitlines()
    report = json.loads((out / "measures.json").read_text())
    near, small, same = report["results"]
    (wanted,) = figures(ran(request_of(folder, "near.png")))
    assert {name: near[name] for name in ("psnr_db", "ssim", "ms_ssim", "flip")} == {
        name: getattr(wanted, name) for name in ("psnr_db", "ssim", "ms_ssim", "flip")
    }
    assert "64 x 40" in small["problem"]
    assert same["psnr_db"] is None
    assert MeasureRequest.model_validate(report["request"]).reference == files[0]
    assert f"PSNR {wanted.psnr_db:.2f} dB" in printed[0]
    assert "not measured" in printed[1]
    assert "equal" in printed[2]
    assert (out / "00-near-flip.png").is_file()
    assert (out / "measures.csv").read_text().count("\n") == 4


def test_maps_need_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", str(folder / "a.png"), str(folder / "near.png"), "--flip-map"]) == 1
    assert "--out" in capsys.readouterr().err
