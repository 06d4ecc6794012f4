"""Every ablation of the paper trains from end to end: a few steps, an exported folder, a model that reconstructs."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import simple_pictures
from tests.helpers.tiny_runs import differences, events_of, run_config, saved_state, sources, stage_of
from trainer.config import RunConfig
from trainer.run_dir import RunDir
from trainer.train import run_training
from ul_engine.checkpoint import load_model
from ul_engine.data.pixels import pictures_from_array
from ul_engine.errors import ConfigError
from ul_engine.model_folder import Manifest
from ul_engine.pipelines import Pipeline
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings

STEPS = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=2)
STAGE1 = {"encoder", "prior", "decoder"}
SINGLE = {"encoder", "base", "decoder"}
DEEPER = {
    "model__encoder": {"channels": (8, 12, 16), "blocks_per_stage": 1, "blocks_last_stage": 1},
    "model__decoder": {"channels": (8, 12), "blocks_per_stage": 1, "width": 32, "num_blocks": 1, "head_channels": 16},
}

ABLATIONS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no prior gradient": ({"model__prior__kind": "detached"}, STAGE1),
    "normal prior": ({"model__prior__kind": "normal"}, {"encoder", "decoder"}),
    "learned variance": ({"model__encoder__variance": "learned"}, STAGE1),
    "learned variance, normal prior": (
        {"model__encoder__variance": "learned", "model__prior__kind": "normal"},
        {"encoder", "decoder"},
    ),
    "squared error": ({"model__decoder_loss__kind": "mse"}, STAGE1),
    "single stage": ({"model__training": "single-elbo"}, SINGLE),
    "single stage, weighted": ({"model__training": "single-weighted"}, SINGLE),
    "less noise": ({"model__latent__logsnr_max": 10.0}, STAGE1),
    "more channels": ({"model__latent__channels": 9}, STAGE1),
    "smaller latent": (DEEPER, STAGE1),
}
WITHOUT_A_PRIOR = {"normal prior", "learned variance, normal prior"}
SECOND_STAGE = [
    "no prior gradient",
    "normal prior",
    "learned variance",
    "squared error",
    "less noise",
    "smaller latent",
]


def settings(scenes: Path, name: str, stage: str = "stage1", **changes: Any) -> RunConfig:
    return run_config(scenes, stage, **({"num_steps": 3} | ABLATIONS[name][0] | changes))


@pytest.fixture(scope="module")
def trained(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run folders, made as they are asked for."""

    class Runs(dict[str, Path]):
        def __missing__(self, name: str) -> Path:
            folder = tmp_path_factory.mktemp("ablation")
            torch.set_num_threads(1)
            assert run_training(settings(scenes, name), folder, device="cpu") == "finished"
            self[name] = folder
            return folder

    return Runs()


def loaded(run: Path) -> tuple[Pipeline, Manifest]:
    model, manifest = load_model(RunDir(run).model)
    return Pipeline(model, torch.device("cpu")), manifest


def pictures() -> Tensor:
    return pictures_from_array(simple_pictures(2))


@pytest.mark.stress
@pytest.mark.parametrize("name", ABLATIONS)
def test_it_trains_and_its_model_reconstructs(trained: dict[str, Path], scenes: Path, name: str) -> None:
    pipeline, manifest = loaded(trained[name])
    assert set(manifest.networks) == ABLATIONS[name][1]
    assert pipeline.config == settings(scenes, name).model
    steps = events_of(trained[name], "step")
    assert len(steps) == 3
    assert all(0 < event["loss"] < 1e6 for event in steps)
    assert {"bits_per_pixel", "psnr_db", "shuffle_gap_db"} <= manifest.calibration.keys()
    x = pictures()
    z, log_variance = pipeline.encode_sampled(x, [1, 2])
    assert (log_variance is not None) == (pipeline.config.encoder.variance == "learned")
    assert z.shape[1:] == pipeline.config.latent_shape(16, 16)
    made = pipeline.decode(pipeline.native_latent(z, [1, 2]), [1, 2], STEPS)
    assert made.shape == x.shape
    bits = pipeline.bitrate(z, [1, 2], num_times=2, restorer=pipeline.native_restorer, log_variance=log_variance)
    assert bits.nats.isfinite().all()
    if name not in WITHOUT_A_PRIOR:
        back = pipeline.bring_back(z, 0.0, [1, 2], STEPS, restorer=pipeline.native_restorer)
        assert pipeline.decode(back, [1, 2], STEPS).shape == x.shape


@pytest.mark.stress
@pytest.mark.parametrize("name", ["single stage", "single stage, weighted"])
def test_a_single_stage_makes_a_model_that_follows_prompts(trained: dict[str, Path], name: str) -> None:
    pipeline, manifest = loaded(trained[name])
    assert manifest.prompt_grammar is not None
    condition = pipeline.model.condition_from_prompts(["a red cube", "a blue sphere"])
    z_0 = pipeline.sample_latents([1, 2], (1, 4, 4), condition, STEPS, GuidanceSettings())
    assert pipeline.decode(z_0, [1, 2], STEPS).shape == (2, 3, 1, 16, 16)


@pytest.mark.stress
@pytest.mark.parametrize("name", SECOND_STAGE)
def test_a_base_model_can_follow(trained: dict[str, Path], scenes: Path, tmp_path: Path, name: str) -> None:
    stage1 = RunDir(trained[name]).model
    config = settings(scenes, name, "stage2", init_from=str(stage1), preview_prompts=("a red cube",))
    assert run_training(config, tmp_path / "run", device="cpu") == "finished"
    pipeline, manifest = loaded(tmp_path / "run")
    assert set(manifest.networks) == ABLATIONS[name][1] | {"base"}
    assert {"base_bits_per_pixel", "base_bits_per_pixel_conditional"} <= manifest.calibration.keys()
    condition = pipeline.model.condition_from_prompts(["a red cube"])
    cells = pipeline.config.latent_shape(16, 16)[1:]
    z_0 = pipeline.sample_latents([1], cells, condition, STEPS, GuidanceSettings())
    assert pipeline.decode(z_0, [1], STEPS).shape == (1, 3, 1, 16, 16)
    z = pipeline.encode(pictures())
    assert pipeline.bitrate(z, [1, 2], num_times=2, restorer="base").nats.isfinite().all()


@pytest.mark.stress
def test_the_second_stage_of_a_learned_variance_sees_what_the_decoder_saw(
    trained: dict[str, Path], scenes: Path, tmp_path: Path
) -> None:
    """Draws, not means; and its bits are less by eq. 5, as the prior's are."""
    name = "learned variance"
    config = settings(scenes, name, "stage2", init_from=str(RunDir(trained[name]).model))
    stage, (train, _) = stage_of(config, tmp_path), sources(config)
    stage.feed.start([0])
    batch = stage.feed.next()
    x = pictures_from_array(np.array(train.cache.pictures)[batch.indices])
    draws, _ = stage.pipeline.encode_sampled(x, batch.indices.tolist())
    torch.testing.assert_close(batch.z_clean, draws, rtol=2e-3, atol=2e-3)
    assert not torch.allclose(batch.z_clean, stage.pipeline.encode(x), atol=2e-3)
    assert stage.valid_log_variance is not None


@pytest.mark.stress
@pytest.mark.parametrize("name", ["learned variance", "single stage, weighted"])
def test_a_stopped_run_continues_exactly(scenes: Path, tmp_path: Path, name: str) -> None:
    whole = settings(scenes, name, num_steps=4, cadence__checkpoint_every=2, cadence__keep_checkpoints=9)
    run_training(whole, tmp_path / "whole", device="cpu")
    run_training(whole, tmp_path / "parts", device="cpu")
    parts = RunDir(tmp_path / "parts")
    shutil.rmtree(parts.checkpoint_folder(4))
    run_training(whole, tmp_path / "parts", device="cpu")
    assert differences(saved_state(tmp_path / "whole", 4), saved_state(tmp_path / "parts", 4)) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model__training": "single-elbo"}, "model.training"),
        ({"model__prior__kind": "detached"}, "model.prior"),
        ({"model__latent__logsnr_max": 10.0}, "model.latent"),
        ({"model__decoder_loss__kind": "mse"}, "model.decoder_loss"),
    ],
)
def test_the_second_stage_must_be_of_the_same_ablation(
    stage1_model: str, scenes: Path, tmp_path: Path, change: dict[str, Any], field: str
) -> None:
    config = run_config(scenes, "stage2", init_from=stage1_model, **change)
    with pytest.raises(ConfigError) as caught:
        run_training(config, tmp_path / "run", device="cpu")
    assert caught.value.field == field
