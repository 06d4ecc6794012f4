"""Stage 2 as the trainer runs it: the frozen model kept, the right target, conditions dropped, figures and export."""

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import save_tiny
from tests.helpers.tiny_runs import events_of, figures_at, loss_at, run_config, sources, stage_of, weights_of
from trainer.config import RunConfig
from trainer.data.order import batch_indices
from trainer.stage2 import Stage2
from trainer.train import run_training
from ul_engine.checkpoint import load_model
from ul_engine.diffusion.bitrate import bits_per_pixel
from ul_engine.diffusion.schedules import alpha_sigma
from ul_engine.errors import CheckpointError, ConfigError
from ul_engine.model_folder import read_manifest
from ul_engine.models.conditioning import NULL, Condition
from ul_engine.pipelines import Pipeline


def stage2(config: RunConfig, tmp_path: Path) -> Stage2:
    stage = stage_of(config, tmp_path / "latents")
    assert isinstance(stage, Stage2)
    return stage


def config_of(scenes: Path, model: str, **changes: Any) -> RunConfig:
    return run_config(scenes, "stage2", **({"init_from": model} | changes))


def watched(stage: Stage2) -> list[tuple[Tensor, Tensor, Condition | None]]:
    """What the base model is given from here on."""
    inputs: list[tuple[Tensor, Tensor, Condition | None]] = []
    for base in (stage.base, stage._template):  # of the second, the averages' copies are made
        base.register_forward_pre_hook(lambda module, given: inputs.append(given))
    return inputs


def test_trained_on_z_clean_noised_to_its_level(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    """What is left of the network's input after taking `alpha z_clean` away is `sigma` times unit noise: no more."""
    stage = stage2(config_of(scenes, stage1_model, batch_size=24, num_steps=1), tmp_path)
    inputs = watched(stage)
    loss_at(stage, 0)
    ((z_t, logsnr, _),) = inputs
    stage.feed.start([0])
    z_clean = stage.feed.next().z_clean
    alpha, sigma = (each.view(-1, 1, 1, 1, 1) for each in alpha_sigma(logsnr))
    std = float(stage.frozen.latent_std)
    noise = (z_t * (alpha**2 * std**2 + sigma**2).sqrt() - alpha * z_clean) / sigma
    assert float(noise.std()) == pytest.approx(1.0, abs=0.05)
    assert abs(float((noise * z_clean).mean())) < 0.05 * std
    assert float(logsnr.max()) <= 5.0
    assert float(logsnr.min()) >= -10.0


def test_latents_captions_and_labels_belong_together(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    stage = stage2(config_of(scenes, stage1_model, model__conditioning__drop_rate=0.0), tmp_path)
    inputs = watched(stage)
    loss_at(stage, 3)
    ((_, _, condition),) = inputs
    train, _ = sources(stage.config)
    captions = [train.caption(index) for index in batch_indices(0, 3, batch_size=4, num_samples=24)]
    assert torch.equal(condition.indices, stage.conditions.tokenizer.encode_batch(captions))


@pytest.mark.parametrize(("rate", "low", "high"), [(0.0, 0.0, 0.0), (0.5, 0.3, 0.7), (1.0, 1.0, 1.0)])
def test_share_of_dropped_conditions(
    scenes: Path, stage1_model: str, tmp_path: Path, rate: float, low: float, high: float
) -> None:
    config = config_of(scenes, stage1_model, batch_size=24, model__conditioning__drop_rate=rate)
    stage = stage2(config, tmp_path)
    inputs = watched(stage)
    for step in range(6):
        loss_at(stage, step)
    dropped = torch.cat([condition.indices[:, 0] == NULL for _, _, condition in inputs if condition is not None])
    assert len(dropped) == 144
    assert low <= float(dropped.float().mean()) <= high


def test_fresh_noise_at_every_step(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    stage = stage2(config_of(scenes, stage1_model, batch_size=24), tmp_path)
    inputs = watched(stage)
    for step in (0, 1, 0):
        loss_at(stage, step)
    assert torch.equal(inputs[0][0], inputs[2][0])
    assert not torch.equal(inputs[0][0], inputs[1][0])
    assert not torch.equal(inputs[0][1], inputs[1][1])


def test_first_loss_is_that_of_predicting_nothing(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    stage = stage2(config_of(scenes, stage1_model), tmp_path)
    loss, figures = loss_at(stage, 0)[0], figures_at(stage, 0)
    dims = 4 * 4 * 4
    assert float(loss.detach()) == pytest.approx(figures["base_weighted_nats"] / dims, rel=1e-5)
    assert figures["base_weighted_nats_per_value"] == pytest.approx(figures["base_weighted_nats"] / dims, rel=1e-5)
    assert sum(figures["base_band_nats"]) == pytest.approx(figures["base_weighted_nats"], rel=1e-5)
    assert figures["base_weighted_nats"] > 0


def test_only_the_base_model_is_trained(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    """Encoder, prior and decoder come out as they went in, to the byte; the base is new."""
    run_training(config_of(scenes, stage1_model), tmp_path / "run", device="cpu")
    before, after = read_manifest(stage1_model), read_manifest(tmp_path / "run" / "model")
    for name in ("encoder", "prior", "decoder"):
        assert after.networks[name].sha256 == before.networks[name].sha256
    assert after.latent_std == before.latent_std
    assert after.can_generate
    assert after.prompt_grammar is not None
    assert after.prompt_grammar.examples
    loaded, _ = load_model(tmp_path / "run" / "model", is_verified=True)
    assert float(loaded.base.head.project.weight.abs().max()) > 0
    figures = events_of(tmp_path / "run", "validation")[-1]
    assert after.calibration["base_bits_per_pixel"] == figures["base_bits_per_pixel"]
    assert "base_bits_per_pixel_conditional" in figures


def test_the_base_that_is_exported_is_the_average(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    stage = stage2(config_of(scenes, stage1_model), tmp_path)
    averages = {name: value.clone() for name, value in weights_of(stage).items()}
    with torch.no_grad():
        for parameter in stage.module.parameters():
            parameter.add_(1.0)
    stage.export(averages, tmp_path / "m", {"base_bits_per_pixel": 0.5})
    loaded, manifest = load_model(tmp_path / "m")
    for name, parameter in loaded.base.named_parameters():
        assert torch.equal(parameter, averages[name].bfloat16().float())
    assert manifest.calibration == {"base_bits_per_pixel": 0.5}
    assert manifest.latent_std == pytest.approx(float(stage.frozen.latent_std))


# Once: a model that did not go through `recipe run` gets the program's presets, whose guidance interval is that
# of a latent of scale 1; the previews of the same run use the shifted one.
def test_guidance_interval_of_the_exported_model_follows_its_scale(
    scenes: Path, stage1_model: str, tmp_path: Path
) -> None:
    stage = stage2(config_of(scenes, stage1_model), tmp_path)
    stage.export(weights_of(stage), tmp_path / "m", {})
    manifest = read_manifest(tmp_path / "m")
    shift = -2 * math.log(manifest.latent_std)
    assert abs(shift) > 1
    for preset in manifest.sampling_presets().values():
        assert preset.guidance.logsnr_low == pytest.approx(-3.0 + shift, abs=0.0051)
        assert preset.guidance.logsnr_high == pytest.approx(1.5 + shift, abs=0.0051)


def test_preview_rows(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    stage = stage2(config_of(scenes, stage1_model, preview_prompts=("a red cube", "")), tmp_path)
    preview = stage.preview(weights_of(stage))
    assert (preview.kind, preview.row_names) == ("samples", ("a red cube", ""))
    assert [row.shape for row in preview.rows] == [(8, 16, 16, 3)] * 2


def test_bits_of_an_untrained_base_equal_those_of_an_untrained_prior(scenes: Path, tmp_path: Path) -> None:
    """Both predict v = 0, and both report the same unweighted bound on the same latents."""
    config = config_of(scenes, str(tmp_path / "m"), model__base_sigmoid_bias=3.0)  # the weight is no part of the bits
    save_tiny(tmp_path / "m", config.model)
    stage = stage2(config, tmp_path)
    with torch.no_grad():
        stage.frozen.prior.head.project.weight.zero_()
        stage.frozen.prior.head.project.bias.zero_()
    nats = Pipeline(stage.frozen, stage.device).bitrate(stage.valid_latents, range(3), num_times=2).nats
    wanted = float(bits_per_pixel(nats, num_pixels=256).mean())
    assert stage.validate(weights_of(stage))["base_bits_per_pixel"] == pytest.approx(wanted, rel=1e-4)


def test_starting_from_a_base_model(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    config = config_of(scenes, stage1_model)
    save_tiny(tmp_path / "m", config.model, seed=4)
    stage = stage2(config_of(scenes, stage1_model, base_from=str(tmp_path / "m")), tmp_path)
    loaded, _ = load_model(tmp_path / "m")
    for name, parameter in stage.base.named_parameters():
        assert torch.equal(parameter, loaded.base.get_parameter(name))
        assert parameter.requires_grad
    with pytest.raises(CheckpointError, match="has no base"):
        stage2(config_of(scenes, stage1_model, base_from=stage1_model), tmp_path)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"model__encoder__channels": (16, 32)}, "model.encoder"),
        ({"model__encoder__blocks_last_stage": 2}, "model.encoder"),
        ({"model__latent__channels": 6}, "model.latent"),
        ({"model__latent__logsnr_max": 4.0}, "model.latent"),
        ({"model__decoder__num_blocks": 2}, "model.decoder"),
        ({"model__image_px": 32}, "model.image_px"),
        # Once: these belong to what Stage 1 trained as well. The exported model then has a decoder whose input
        # scale or schedule is not the one it was trained with, or a prior that cannot be loaded at all.
        ({"model__pixel_std": 0.7}, "model.pixel_std"),
        ({"model__decoder_loss": {"noise_px": 16}}, "model.decoder_loss"),
        ({"model__prior__num_blocks": 3}, "model.prior"),
    ],
    ids=["encoder", "blocks", "channels", "level", "decoder", "size", "pixel_std", "decoder_loss", "prior"],
)
def test_what_stage_1_trained_must_stay(
    scenes: Path, stage1_model: str, tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{field}: .*what Stage 1 trained must be kept"):
        stage2(config_of(scenes, stage1_model, **changes), tmp_path)


def test_a_stage_1_model_must_be_there(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such folder"):
        stage2(config_of(scenes, "nowhere"), tmp_path)


# ---- classes ------------------------------------------------------------------------------------------------------


def class_config(scenes: Path, model: str) -> RunConfig:
    return config_of(
        scenes, model, model__conditioning={"kind": "class", "num_classes": 64, "drop_rate": 0.0}, batch_size=24
    )


def test_classes_reach_the_base_model(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    stage = stage2(class_config(scenes, stage1_model), tmp_path)
    inputs = watched(stage)
    loss_at(stage, 0)
    ((_, _, condition),) = inputs
    assert condition is not None
    train, _ = sources(stage.config)
    wanted = [train.label(index) for index in batch_indices(0, 0, batch_size=24, num_samples=24)]
    assert condition.indices[:, 0].tolist() == wanted
    assert len(set(wanted)) > 5


# Once: the conditional bits of a class model are measured with class 0 for every picture.
def test_conditional_bits_of_a_class_model_use_the_pictures_own_classes(
    scenes: Path, stage1_model: str, tmp_path: Path
) -> None:
    stage = stage2(class_config(scenes, stage1_model), tmp_path)
    inputs = watched(stage)
    stage.validate(weights_of(stage))
    valid = sources(stage.config)[1]
    labels = [valid.label(index) for index in range(3)]
    assert len(set(labels)) > 1
    seen = [condition.indices[:, 0].tolist() for _, _, condition in inputs if condition is not None]
    assert [64, 64, 64] in seen  # the null class
    assert labels in seen


def test_a_run_does_not_go_on_with_another_encoder(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    """Stage 1 may have gone on in the meantime, in the same place."""
    model = tmp_path / "model"
    shutil.copytree(stage1_model, model)
    config = run_config(scenes, "stage2", num_steps=2, init_from=str(model))
    run_training(config, tmp_path / "run", device="cpu")
    longer = run_config(scenes, num_steps=1, seed=5, init_from=stage1_model)
    run_training(longer, tmp_path / "other", device="cpu")
    shutil.rmtree(model)
    shutil.copytree(tmp_path / "other" / "model", model)
    with pytest.raises(ConfigError, match=r"init_from: .* holds another encoder"):
        run_training(run_config(scenes, "stage2", num_steps=3, init_from=str(model)), tmp_path / "run", device="cpu")
