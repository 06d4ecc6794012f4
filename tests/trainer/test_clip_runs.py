"""Clips from video files through both stages, and a clip continued with what comes out."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.helpers.tiny import tiny_config
from tests.helpers.tiny_runs import events_of, losses_of, run_config
from trainer.config import RunConfig
from trainer.train import run_training
from ul_engine.checkpoint import load_model
from ul_engine.config import VideoConfig
from ul_engine.data.pixels import Uint8Array, clip_from_array
from ul_engine.errors import ConfigError
from ul_engine.media.formats import ClipSettings
from ul_engine.media.writing import encode_checked
from ul_engine.pipelines import ClipJob, Pipeline, generate_clips
from ul_engine.pipelines.clips import continue_clips
from ul_engine.requests import SamplerName, SamplerSettings, SamplingSettings

NUM_FRAMES, CONTEXT = 4, 2


def moving(seed: int, num_frames: int = 8) -> Uint8Array:
    """uint8 [T, 16, 16, 3]: a square that moves."""
    rng = np.random.default_rng(seed)
    frames = np.full((num_frames, 16, 16, 3), 30, np.uint8)
    colour, (right, down) = rng.integers(120, 256, 3), rng.integers(0, 3, 2)
    for index, frame in enumerate(frames):
        frame[2:8, 2:8] = colour
        frame[:] = np.roll(frame, (index * down, index * right), axis=(0, 1))
    return frames


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a dozen small video files."""
    folder = tmp_path_factory.mktemp("clips")
    for seed in range(12):
        path = folder / f"{seed:02}.mp4"
        encode_checked(path, moving(seed), Fraction(8), settings=ClipSettings(), texts=None, shown=path)
    return folder


def config_of(clips: Path, stage: str = "stage1", **changes: Any) -> RunConfig:
    video = VideoConfig(num_frames=NUM_FRAMES, temporal_downsampling=2, context_frames=CONTEXT, fps=8.0)
    given: dict[str, Any] = {
        "model": tiny_config(video=video).model_dump(mode="json"),
        "data": {"kind": "clips", "path": str(clips), "size_px": 16, "num_frames": NUM_FRAMES, "num_valid": 2},
        "condition_on": "none",
        "num_steps": 3,
        "validation": {"num_images": 2, "decoder_steps": 1, "bitrate_times": 2},
        "loading": {"num_workers": 0},
    }
    return run_config(clips, stage, **(given | changes))


@pytest.fixture(scope="module")
def stage1(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("clip-runs") / "one"
    assert run_training(config_of(clips), folder, device="cpu") == "finished"
    return folder


def test_stage_1_previews_clips_as_rows_of_frames(stage1: Path) -> None:
    event = events_of(stage1, "preview")[-1]
    assert event["columns"] == NUM_FRAMES
    assert event["row_names"] == ["original 1", "reconstruction 1", "original 2", "reconstruction 2"]
    assert all(0 < loss < 1e3 for loss in losses_of(stage1).values())
    model, _ = load_model(stage1 / "model")
    assert model.config.num_frames == NUM_FRAMES


@pytest.mark.parametrize("source", ["cache", "encoder"])
def test_stage_2_makes_clips_and_continues_them(clips: Path, stage1: Path, tmp_path: Path, source: str) -> None:
    config = config_of(clips, "stage2", init_from=str(stage1), latents={"source": source})
    assert run_training(config, tmp_path / "two", device="cpu") == "finished"
    model, manifest = load_model(tmp_path / "two" / "model")
    assert manifest.can_generate
    assert model.config.context_frames == CONTEXT
    pipeline = Pipeline(model.eval(), torch.device("cpu"))
    steps = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=2)
    sampling = SamplingSettings(base=steps, decoder=steps)
    start = clip_from_array(moving(77)[:CONTEXT])
    job = ClipJob(seeds=[5], size=(16, 16), sampling=sampling, condition=None)
    made = generate_clips(pipeline, job, NUM_FRAMES + 2)
    assert made.shape == (1, 3, NUM_FRAMES + 2, 16, 16)
    more = continue_clips(pipeline, job, start, 4)
    assert more.shape == (1, 3, 4, 16, 16)
    assert more.isfinite().all()
    assert not torch.equal(more, continue_clips(pipeline, job, -start, 4))  # what went before is looked at


@pytest.mark.parametrize(("name", "values"), [("context_drop_rate", (0.0, 1.0)), ("context_noise", (0.0, 5.0))])
def test_what_is_shown_of_contexts_matters(
    clips: Path, stage1: Path, tmp_path: Path, name: str, values: tuple[float, float]
) -> None:
    losses = []
    for value in values:
        config = config_of(clips, "stage2", init_from=str(stage1), **{"context_drop_rate": 0.0, name: value})
        run_training(config, tmp_path / str(value), device="cpu")
        losses.append(losses_of(tmp_path / str(value)))
    assert losses[0] != losses[1]
    assert all(0 < loss < 1e3 for each in losses for loss in each.values())


def test_what_stage_1_knew_of_time_must_stay(clips: Path, stage1: Path, tmp_path: Path) -> None:
    video = VideoConfig(num_frames=NUM_FRAMES, temporal_downsampling=1, context_frames=CONTEXT, fps=8.0)
    model = tiny_config(video=video).model_dump(mode="json")
    with pytest.raises(ConfigError, match=r"^model\.video: "):
        run_training(config_of(clips, "stage2", init_from=str(stage1), model=model), tmp_path / "two", device="cpu")


def test_a_model_of_clips_wants_clips(clips: Path) -> None:
    with pytest.raises(ConfigError, match="the model takes 4 frames and the data gives 1"):
        config_of(clips, data={"kind": "pictures", "path": str(clips), "size_px": 16, "num_valid": 2})
