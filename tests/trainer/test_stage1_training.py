"""Stage 1 as the trainer runs it: units of the loss, its remedies against collapse, its tracked scale, its export."""

import math
from pathlib import Path

import pytest
import torch

from tests.helpers.tiny_runs import figures_at, loss_at, run_config, stage_of, weights_of
from trainer.export import write_model
from trainer.stage1 import ramp
from trainer.train import run_training
from ul_engine.checkpoint import load_model
from ul_engine.errors import CheckpointError, ConfigError
from ul_engine.model_folder import read_manifest


def test_the_loss_is_both_terms_in_nats_over_one_constant(scenes: Path) -> None:
    """Logged in bits per pixel, both terms add up to the loss in nats per pixel value: each has the same divisor."""
    stage = stage_of(run_config(scenes, model__decoder__dropout=0.0))
    loss, figures = loss_at(stage, 3)[0], figures_at(stage, 3)
    bits = sum(figures[f"{term}_bits_per_pixel"] for term in ("prior", "decoder"))
    assert float(loss.detach()) == pytest.approx(bits * math.log(2) / 3, rel=1e-5)


def test_bands_add_up_to_the_whole(scenes: Path) -> None:
    figures = figures_at(stage_of(run_config(scenes, batch_size=24)), 0)
    assert sum(figures["decoder_band_bits"]) == pytest.approx(figures["decoder_bits_per_pixel"], rel=1e-5)
    diffusion = figures["prior_bits_per_pixel"] - figures["terminal_bits_per_pixel"]
    assert sum(figures["prior_band_bits"]) == pytest.approx(diffusion, rel=1e-4)
    assert sum(value != 0 for value in figures["prior_band_bits"]) >= 6


def test_ramp() -> None:
    assert [ramp(step, 8, 0.5) for step in range(8)] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0]
    assert [ramp(step, 8, 0.0) for step in range(3)] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (2, 0.5), (4, 1.0), (6, 1.0)])
def test_prior_gradient_into_the_encoder_follows_the_ramp(scenes: Path, step: int, share: float) -> None:
    """Without a decoder term the encoder's gradient is the ramp's share of the full one, and the prior's is whole."""

    def gradients(prior_gradient_ramp: float) -> tuple[torch.Tensor, torch.Tensor]:
        config = run_config(
            scenes, collapse__prior_gradient_ramp=prior_gradient_ramp, model__decoder_loss={"loss_factor": 1e-9}
        )
        stage = stage_of(config)
        torch.manual_seed(1)
        with torch.no_grad():
            stage.model.prior.head.project.weight.normal_(std=0.1)
        loss_at(stage, step)[0].backward()
        encoder, prior = stage.model.encoder.project.weight.grad, stage.model.prior.head.project.weight.grad
        assert prior is not None
        return torch.zeros(()) if encoder is None else encoder, prior

    whole, ramped = gradients(0.0), gradients(0.5)
    torch.testing.assert_close(ramped[1], whole[1], rtol=1e-3, atol=1e-6)
    wanted = share * whole[0]
    torch.testing.assert_close(ramped[0].expand_as(wanted), wanted, rtol=1e-2, atol=1e-3 * float(whole[0].abs().max()))
    assert float(whole[0].abs().max()) > 0


def test_loss_factor_falls_to_its_value(scenes: Path) -> None:
    config = run_config(
        scenes, collapse={"loss_factor_warmup": 0.5, "loss_factor_start": 9.0}, model__decoder_loss={"loss_factor": 1.0}
    )
    warm, plain = stage_of(config), stage_of(run_config(scenes, model__decoder_loss={"loss_factor": 1.0}))
    for step, factor in enumerate((9.0, 7.0, 5.0, 3.0, 1.0, 1.0)):
        ours, theirs = figures_at(warm, step), figures_at(plain, step)
        ratio = ours["decoder_bits_per_pixel"] / theirs["decoder_bits_per_pixel"]
        assert ratio == pytest.approx(factor, rel=1e-4)
        assert ours["prior_bits_per_pixel"] == pytest.approx(theirs["prior_bits_per_pixel"], rel=1e-6)


def test_scale_of_the_latent_is_tracked(scenes: Path) -> None:
    stage = stage_of(run_config(scenes))
    wanted = 0.0
    for step in range(3):
        sums = {name: value.detach() for name, value in loss_at(stage, step)[1].items()}
        std = figures_at(stage, step)["latent_std"]
        stage.after_step(step, sums)
        wanted = std if step == 0 else 0.98 * wanted + 0.02 * std
        assert float(stage.model.latent_std) == pytest.approx(wanted, rel=1e-5)
    assert not stage.model.latent_std.requires_grad


def test_the_model_that_is_exported_is_the_average(scenes: Path, tmp_path: Path) -> None:
    stage = stage_of(run_config(scenes))
    averages = {name: value.clone() for name, value in weights_of(stage).items()}
    with torch.no_grad():
        for parameter in stage.module.parameters():
            parameter.add_(1.0)
    stage.model.latent_std.fill_(0.31)
    stage.export(averages, tmp_path / "m", {"psnr_db": 20.0})
    loaded, manifest = load_model(tmp_path / "m")
    assert set(manifest.networks) == {"encoder", "prior", "decoder"}
    assert manifest.latent_std == pytest.approx(0.31)
    assert manifest.calibration == {"psnr_db": 20.0}
    for name, parameter in loaded.named_parameters():
        assert torch.equal(parameter, averages[name].bfloat16().float())
    assert "psnr_db | 20" in (tmp_path / "m" / "README.md").read_text()


def test_validation_is_of_the_average_and_repeatable(scenes: Path) -> None:
    stage = stage_of(run_config(scenes))
    averages = {name: value.clone() for name, value in weights_of(stage).items()}
    first = stage.validate(averages)
    with torch.no_grad():
        for parameter in stage.module.parameters():
            parameter.add_(0.05)
    torch.manual_seed(99)
    assert stage.validate(averages) == first
    preview = stage.preview(averages)
    assert (preview.kind, preview.row_names) == ("reconstruction", ("original", "reconstruction"))
    assert [row.shape for row in preview.rows] == [(3, 16, 16, 3)] * 2


def test_starting_from_a_model(scenes: Path, stage1_model: str) -> None:
    stage = stage_of(run_config(scenes, init_from=stage1_model))
    loaded, manifest = load_model(stage1_model)
    for name, parameter in loaded.named_parameters():
        assert torch.equal(dict(stage.model.named_parameters())[name], parameter)
    assert float(stage.model.latent_std) == pytest.approx(manifest.latent_std)
    stage.after_step(0, {name: value.detach() for name, value in loss_at(stage, 0)[1].items()})
    assert float(stage.model.latent_std) == pytest.approx(manifest.latent_std, rel=0.05)  # followed, not begun anew
    assert all(parameter.requires_grad for parameter in stage.model.parameters())


def test_of_a_fixed_latent_the_decoder_alone_learns(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    """Encoder, prior and the latent's scale come out as they went in, to the bit, also as files."""
    config = run_config(scenes, init_from=stage1_model, fixed_latent=True, seed=5, num_steps=4)
    run_training(config, tmp_path / "run", device="cpu")
    (before, theirs), (after, ours) = load_model(stage1_model), load_model(tmp_path / "run" / "model")
    for name in ("encoder", "prior"):
        assert ours.networks[name].sha256 == theirs.networks[name].sha256
    assert ours.latent_std == theirs.latent_std
    assert any(
        not torch.equal(one, other)
        for one, other in zip(before.decoder.parameters(), after.decoder.parameters(), strict=True)
    )


def test_a_fixed_latent_must_be_there_whole(scenes: Path, stage1_model: str) -> None:
    other = {"model__prior__num_blocks": 5, "init_from": stage1_model, "fixed_latent": True}
    with pytest.raises(ConfigError, match=r"^model\.prior: .*what Stage 1 trained must be kept"):
        stage_of(run_config(scenes, **other))


@pytest.mark.parametrize(
    "changes",
    [{}, {"stage": "stage2", "init_from": "m"}, {"init_from": "m", "model__training": "single-elbo"}],
    ids=["no source", "Stage 2", "no prior"],
)
def test_where_no_latent_can_be_fixed(scenes: Path, changes: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="fixed_latent"):
        run_config(scenes, fixed_latent=True, **changes)


def test_a_model_that_is_not_there_is_refused(scenes: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such folder"):
        stage_of(run_config(scenes, init_from="nowhere"))


def test_a_collapse_would_show(scenes: Path) -> None:
    """An untrained decoder ignores z: the gap between right and shuffled latents is nothing."""
    stage = stage_of(run_config(scenes))
    assert stage.validate(weights_of(stage))["shuffle_gap_db"] == pytest.approx(0.0, abs=1e-4)


def test_training_improves(scenes: Path, tmp_path: Path) -> None:
    config = run_config(
        scenes,
        num_steps=60,
        batch_size=8,
        ema_decay=0.8,
        optimizer__learning_rate=5e-3,
        cadence__log_every=60,
        model__decoder__dropout=0.0,
    )
    run_training(config, tmp_path / "run", device="cpu")
    figures = read_manifest(tmp_path / "run" / "model").calibration
    untrained = stage_of(config)
    before = untrained.validate(weights_of(untrained))
    assert figures["psnr_db"] > before["psnr_db"] + 0.5


def test_descriptions(scenes: Path, tmp_path: Path) -> None:
    stage = stage_of(run_config(scenes))
    manifest = write_model(stage.model, stage.config, tmp_path / "m", {}, description="Mine.")
    assert manifest.description == "Mine."
    assert manifest.prompt_grammar is None  # no base model, nothing to prompt
