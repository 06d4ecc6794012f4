"""The last step of a bundled model of clips, on real runs of two steps: motions, drift, figures, card, presets."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.tiny import text_conditioning, tiny_config
from tests.helpers.tiny_runs import run_config
from trainer.config import RunConfig, Stage, ValidationConfig
from trainer.config.data import MOVING
from trainer.finishing import prompting
from trainer.finishing.drift import KEPT
from trainer.finishing.motion import MotionExtent, check_motion, finish_motion
from trainer.run_dir import RunDir
from trainer.train import run_training
from ul_engine.checkpoint import load_model
from ul_engine.config import VideoConfig
from ul_engine.errors import ConfigError
from ul_engine.presets.words import MOVING_WORDS

SHORT = MotionExtent(
    num_prompts=2,
    num_choosing=2,
    num_choosing_clips=3,
    num_drifting=2,
    num_links=2,
    judge_steps=2,
    num_long=64,
    gap=ValidationConfig(num_images=3, decoder_steps=1, bitrate_times=2),
    bitrate_times=2,
    num_timed=1,
)
VIDEO = VideoConfig(num_frames=4, temporal_downsampling=2, context_frames=2, fps=8.0)


def config_of(cache: Path, stage: Stage, **changes: Any) -> RunConfig:
    model = tiny_config(video=VIDEO, conditioning=text_conditioning(vocabulary=MOVING_WORDS, max_tokens=24))
    data = {"kind": "scenes", "size_px": 16, "num_train": 64, "num_valid": 6, "train_seed": 1, "valid_seed": 2}
    clips = {"num_frames": 4, "fps": 8.0, "cache": str(cache)}
    given = {"num_steps": 2, "model": model.model_dump(mode="json"), "data": data | clips}
    return run_config(cache, stage.value, **(given | changes))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are taken on two threads, which wait for each other for ever where both cores are busy."""
    monkeypatch.setattr(prompting, "NUM_THREADS", 1)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("runs")
    folders = {part: root / f"moving-{part}" for part in ("stage1", "stage2")}
    run_training(config_of(root / "cache", Stage.STAGE1), folders["stage1"], device="cpu")
    source = str(RunDir(folders["stage1"]).model)
    run_training(config_of(root / "cache", Stage.STAGE2, init_from=source), folders["stage2"], device="cpu")
    return folders


@pytest.mark.stress
def test_a_finished_model_of_clips_states_what_was_measured(runs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "scenes-motion"
    report = finish_motion(runs, out, SHORT)

    model, manifest = load_model(out)
    figures = manifest.calibration
    assert model.config.context_frames == 2
    assert figures["frame_psnr_db"] == report.metrics["frame-psnr"]["mean"]
    assert figures["flicker_levels"] > 0
    assert list(report.accuracy) == list(MOVING)
    shares = [row["motion"] for row in report.accuracy.values()]
    assert figures["prompt_accuracy_motion"] == pytest.approx(sum(shares) / len(MOVING))
    for found in (report.drift, report.drift_by_keeping):
        assert len(found.made) == len(found.of_renders) == SHORT.num_links + 1
        assert found.made[0] == report.drift.made[0]  # nothing is continued yet
    assert figures["drift_color"] == report.drift.made[-1]["color"]
    assert report.drift.made[0][KEPT] == report.drift.of_renders[0][KEPT] == 1.0
    assert {preset.guidance for preset in manifest.presets.values()} == {report.choice.guidance.best}
    assert json.loads((runs["stage2"] / "report.json").read_text())["drift"] == asdict(report.drift)

    card = (out / "README.md").read_text()
    assert "| spinning left |" in card
    assert card.count("| frames so far | object kept | motion |") == 2
    assert card.count("\n| 8 | ") == 2  # frames after two continuations of 2, either way
    assert "ul-train recipe run scenes-motion" in card
    assert "{" not in card

    again = finish_motion(runs, tmp_path / "again", SHORT)
    assert replace(again, seconds={}) == replace(report, seconds={})


def test_what_could_not_be_measured_is_refused_before_it_trains(tmp_path: Path) -> None:
    config = config_of(tmp_path, Stage.STAGE1)
    check_motion(config)
    pairs = config.data.model_copy(update={"num_objects_max": 2})
    with pytest.raises(ConfigError, match="of one object"):
        check_motion(config.model_copy(update={"data": pairs}))
    seen = config.data.model_copy(update={"train_seed": 5})
    with pytest.raises(ConfigError, match="kept for measuring") as caught:
        check_motion(config.model_copy(update={"data": seen}))
    assert caught.value.field == "data.train_seed"
    alone = config.model.model_copy(update={"video": VIDEO.model_copy(update={"context_frames": 0})})
    with pytest.raises(ConfigError, match="continues no clips"):
        check_motion(config.model_copy(update={"model": alone}))
