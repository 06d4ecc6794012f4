"""Models of clips: windows of videos, figures per frame, clips that go on from the data's."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.engine.evaluation.tasks import MakeTask
from tests.helpers.tiny import save_tiny
from tests.helpers.tiny_clips import clip_config, moving_square
from ul_engine.data.pixels import array_from_clips
from ul_engine.evaluation import Task, evaluate
from ul_engine.evaluation.generation import Generator
from ul_engine.outputs import write_clip


@pytest.fixture(scope="module")
def clip_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "clips"
    save_tiny(folder, clip_config(4, num_frames=8, context_frames=3))
    return folder


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    (tmp_path / "videos").mkdir()
    for name, right in (("a", 1), ("b", 2)):
        frames = array_from_clips(moving_square(19, right=right, down=1, colour=(0.9, 0.1, -0.4)))[0]
        write_clip(tmp_path / "videos" / f"{name}.mkv", frames, 8)
    return tmp_path / "videos"


def test_everything_there_is_for_clips(task: MakeTask, clip_model: Path, videos: Path, tmp_path: Path) -> None:
    asked = task(videos, "all", folder=clip_model, num_decodes=2, num_generated=4)
    found = evaluate(asked, tmp_path / "out")
    figures = found.report["metrics"]
    assert [(row["file"], row["start"]) for row in found.rows] == [
        ("a.mkv", 0), ("a.mkv", 8), ("b.mkv", 0), ("b.mkv", 8),
    ]  # fmt: skip
    computed = {name for name, value in figures.items() if "unavailable" not in value}
    distortion = {"psnr", "ssim", "ms-ssim", "flip", "mean-psnr"}
    assert computed == distortion | {"frame-psnr", "flicker", "bits", "rfd-clip", "fd-clip"}
    assert figures["rfd-clip"]["title"] == "rFD-Small-clip"
    assert figures["fd-clip"]["num_samples"] == [4, 4]
    assert len(figures["frame-psnr"]["per_frame"]) == 8
    with (tmp_path / "out" / "per-frame.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == 4 * 8
    for row in found.rows:
        values = [
            float(line["psnr_db"])
            for line in lines
            if (line["file"], line["start"]) == (row["file"], str(row["start"]))
        ]
        assert row["frame_psnr_db"] == pytest.approx(np.mean(values))
        # A clip's PSNR is that of the mean squared error over its frames.
        assert row["psnr_db"] == pytest.approx(-10 * np.log10(np.mean(10 ** (-np.array(values) / 10))), abs=1e-3)
        assert row["flicker_levels"] > 0


def continued(asked: Task, indices: range) -> torch.Tensor:
    generator = Generator(asked.pipeline, asked.manifest, asked.settings)
    before = moving_square(3, right=1, down=1, colour=(0.9, 0.1, -0.4)).expand(len(indices), -1, -1, -1, -1)
    return generator.run(indices, before)


def test_clips_go_on_from_given_frames(task: MakeTask, clip_model: Path, videos: Path, tmp_path: Path) -> None:
    asked = task(videos, "fd-clip", folder=clip_model, continues=True, num_generated=5, batch_size=2)
    made = continued(asked, range(2))
    assert made.shape == (2, 3, 8, 16, 16)
    assert torch.equal(made[:, :, :3], continued(asked, range(1))[:, :, :3].expand(2, -1, -1, -1, -1))
    assert torch.allclose(made[1:], continued(asked, range(1, 2)), atol=1 / 255)
    going_on = evaluate(asked, tmp_path / "on").report["metrics"]["fd-clip"]
    alone = task(videos, "fd-clip", folder=clip_model, num_generated=5, batch_size=2)
    assert going_on["num_samples"] == [5, 4]
    assert going_on["value"] < evaluate(alone, tmp_path / "alone").report["metrics"]["fd-clip"]["value"]
