"""Scenes in motion as training data: samples, settings that do not fit, and both stages on them."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.helpers.prompt_reading import parse_prompt
from tests.helpers.tiny import text_conditioning, tiny_config
from tests.helpers.tiny_runs import events_of, run_config
from trainer.config import RunConfig, ScenesData, num_frames_of
from trainer.data.scenes import SceneSamples, open_scenes
from trainer.export import data_text
from trainer.train import run_training
from ul_engine.checkpoint import load_model
from ul_engine.config import VideoConfig
from ul_engine.data.pixels import clip_from_array
from ul_engine.data.scenes.captions import training_caption
from ul_engine.data.scenes.grammar import MOTIONS
from ul_engine.errors import ConfigError
from ul_engine.pipelines import ClipJob, Pipeline, generate_clips
from ul_engine.pipelines.clips import continue_clips
from ul_engine.presets.words import MOVING_WORDS
from ul_engine.requests import SamplerName, SamplerSettings, SamplingSettings

NUM_FRAMES, CONTEXT = 4, 2
FRAMES = {"num_frames": NUM_FRAMES, "fps": 8.0}


def data_of(cache: Path, **changes: Any) -> ScenesData:
    few = {"size_px": 16, "num_train": 12, "num_valid": 4, "cache": str(cache)}
    return ScenesData.model_validate(few | FRAMES | changes)


def config_of(cache: Path, stage: str = "stage1", **changes: Any) -> RunConfig:
    video = VideoConfig(temporal_downsampling=2, context_frames=CONTEXT, **FRAMES)
    model = tiny_config(video=video, conditioning=text_conditioning(vocabulary=MOVING_WORDS, max_tokens=24))
    given: dict[str, Any] = {
        "model": model.model_dump(mode="json"),
        "data": data_of(cache).model_dump(mode="json"),
        "num_steps": 3,
        "validation": {"num_images": 2, "decoder_steps": 1, "bitrate_times": 2},
    }
    return run_config(cache, stage, **(given | changes))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def stage1(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("scene-clips") / "one"
    assert run_training(config_of(cache), folder, device="cpu") == "finished"
    return folder


def test_samples_are_clips_whose_captions_name_the_motion(cache: Path) -> None:
    train, valid = open_scenes(data_of(cache))
    assert (len(train), len(valid)) == (12, 4)
    for index in range(12):
        sample, spec = train.sample(index, 0), train.cache.plan.spec(index)
        assert sample.frames.shape == (NUM_FRAMES, 16, 16, 3)
        assert np.array_equal(sample.frames, train.sample(index, None).frames)
        assert spec.motion.name != "still"
        assert sample.caption == training_caption(spec)
        is_said = any(word in sample.caption for word in ("spinning", "bouncing", "rolling", "orbiting", "growing"))
        assert parse_prompt(sample.caption)["motion"] == (spec.motion.name if is_said else None)
        assert sample.label == train.label(index)
    assert any(parse_prompt(train.caption(index))["motion"] for index in range(12))
    pickled = pickle.dumps(train)
    assert len(pickled) < 2000
    again: SceneSamples = pickle.loads(pickled)
    assert np.array_equal(again.sample(3, 0).frames, train.sample(3, 0).frames)


def test_every_setting_of_the_clips_makes_others(tmp_path: Path) -> None:
    """One folder holds them all: none is taken for another, and pictures are still."""
    changes: list[dict[str, Any]] = [{}, {"num_frames": 5}, {"fps": 4.0}, {"motions": ["bounce", "still"]}]
    changes += [{"motions": ["still", "bounce"]}, {"num_frames": 1}]
    sources = [open_scenes(data_of(tmp_path, num_train=6, num_valid=2, **change))[0] for change in changes]
    assert len({source.fingerprint for source in sources}) == len({source.cache.path for source in sources}) == 6
    shown = [{source.cache.plan.spec(index).motion.name for index in range(6)} for source in sources]
    assert shown[3] != shown[4]  # the order decides what a scene draws
    assert shown[3] | shown[4] == {"bounce", "still"}
    assert sources[-1].sample(0, 0).frames.shape == (1, 16, 16, 3)
    plain = open_scenes(data_of(tmp_path, num_train=6, num_valid=2, num_frames=1, motions=["orbit"], fps=3.0))[0]
    assert plain.fingerprint == sources[-1].fingerprint


def test_motions_are_those_of_the_grammar() -> None:
    assert set(ScenesData().motions) == {*MOTIONS} - {"still"}
    assert ScenesData(motions=MOTIONS).motions == MOTIONS
    assert (num_frames_of(ScenesData()), num_frames_of(ScenesData(num_frames=7))) == (1, 7)
    for motions in ((), ("fly",)):
        with pytest.raises(ValueError, match="motions"):
            ScenesData(motions=motions)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_frames": 1}, "the model takes 4 frames and the data gives 1"),
        ({"num_frames": 8}, "the model takes 4 frames and the data gives 8"),
        ({"fps": 10.0}, "the model plays 8 frames per second and the data shows 10"),
    ],
)
def test_frames_of_model_and_data_must_agree(cache: Path, change: dict[str, Any], message: str) -> None:
    data = data_of(cache, **change).model_dump(mode="json")
    with pytest.raises(ConfigError, match=message):
        config_of(cache, data=data)


def test_a_model_of_pictures_refuses_clips(cache: Path) -> None:
    with pytest.raises(ConfigError, match="the model takes 1 frames and the data gives 4"):
        config_of(cache, model=tiny_config().model_dump(mode="json"))


def test_stage_1_learns_from_clips_of_scenes(cache: Path, stage1: Path) -> None:
    assert events_of(stage1, "preview")[-1]["columns"] == NUM_FRAMES
    model, manifest = load_model(stage1 / "model")
    assert model.config.num_frames == NUM_FRAMES
    assert manifest.description == f"Trained on {data_text(config_of(cache))}."
    assert "clips of simple rendered objects" in manifest.description


@pytest.mark.parametrize("source", ["cache", "encoder"])
def test_stage_2_makes_clips_from_a_prompt_and_continues_them(
    cache: Path, stage1: Path, tmp_path: Path, source: str
) -> None:
    prompts = ["a red cube, rolling", ""]
    config = config_of(cache, "stage2", init_from=str(stage1), latents={"source": source}, preview_prompts=prompts)
    assert run_training(config, tmp_path / "two", device="cpu") == "finished"
    model, manifest = load_model(tmp_path / "two" / "model")
    assert manifest.prompt_grammar is not None
    assert manifest.prompt_grammar.templates[0].endswith(", {motion}")
    (slot,) = (slot for slot in manifest.prompt_grammar.slots if slot.name == "motion")
    assert "spinning left" in slot.words
    pipeline = Pipeline(model.eval(), torch.device("cpu"))
    steps = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=2)
    sampling = SamplingSettings(base=steps, decoder=steps)
    condition = model.condition_from_prompts(prompts[:1])
    job = ClipJob(seeds=[5], size=(16, 16), sampling=sampling, condition=condition)
    assert generate_clips(pipeline, job, NUM_FRAMES + 3).shape == (1, 3, NUM_FRAMES + 3, 16, 16)
    start = clip_from_array(open_scenes(config.data)[1].sample(0, None).frames)
    more = continue_clips(pipeline, job, start, 3)
    assert more.shape == (1, 3, 3, 16, 16)
    assert not torch.equal(more, continue_clips(pipeline, job, -start, 3))  # what went before is looked at
