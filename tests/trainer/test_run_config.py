"""Settings of a run: recipes, overrides, and every mistake named by its dotted path."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.tiny_runs import run_config, run_data
from trainer.config import RunConfig, Stage, load_config, parse_config, resolved_config
from trainer.recipes import preset_recipe, recipe_file, recipe_names, recipe_parts
from ul_engine.errors import ConfigError
from ul_engine.presets import MODEL_PRESETS


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(run_data(tmp_path / "scenes")))
    return path


@pytest.mark.parametrize(("name", "part"), [(name, part) for name in recipe_names() for part in recipe_parts(name)])
def test_recipes_are_valid_and_their_parts_belong_together(name: str, part: str) -> None:
    place = () if name.startswith("scenes") else ("data.path=somewhere",)  # whose data comes with the program
    config = load_config(recipe_file(name, part), place)
    assert config.stage is (Stage.STAGE2 if part == "stage2" else Stage.STAGE1)
    assert config.data.size_px == config.model.image_px
    other = load_config(recipe_file(name, "stage1"), place)
    assert config.model == other.model
    assert config.data == other.data


def test_unknown_recipe() -> None:
    with pytest.raises(ConfigError, match=f"known: {', '.join(recipe_names())}"):
        recipe_file("scenes-4096", "stage1")


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("num_steps=12", "num_steps", 12),
        ("optimizer.learning_rate=5e-4", "optimizer.learning_rate", 5e-4),
        ("optimizer.learning_rate=1E-3", "optimizer.learning_rate", 1e-3),
        ("optimizer.betas=[0.8, 0.95]", "optimizer.betas", (0.8, 0.95)),
        ("model.latent.channels=8", "model.latent.channels", 8),
        ("model.decoder_loss.sigmoid_bias=-1.5", "model.decoder_loss.sigmoid_bias", -1.5),
        ("model.decoder_loss.sigmoid_bias=null", "model.decoder_loss.sigmoid_bias", None),
        ("precision=bf16", "precision", "bf16"),
        ("collapse.prior_gradient_ramp=0", "collapse.prior_gradient_ramp", 0.0),
        ("init_from=some/where else", "init_from", "some/where else"),
        ("preview_prompts=[a red cube, a cone]", "preview_prompts", ("a red cube", "a cone")),
        ("data.cache=null", "data.cache", None),
        ("model.name=a=b", "model.name", "a=b"),
    ],
)
def test_overrides(recipe: Path, override: str, path: str, value: Any) -> None:
    config: Any = load_config(recipe, (override,))
    for part in path.split("."):
        config = getattr(config, part)
    assert config == value


def test_later_overrides_win(recipe: Path) -> None:
    assert load_config(recipe, ("num_steps=3", "num_steps=4")).num_steps == 4
    assert load_config(recipe).num_steps == 8


@pytest.mark.parametrize(
    ("override", "field"),
    [
        ("num_steps=0", "num_steps"),
        ("batch_size=1", "batch_size"),
        ("optimizer.learning_rate=-1", "optimizer.learning_rate"),
        ("optimizer.learning_rate=nan", "optimizer.learning_rate"),
        ("optimizer.learning_rat=1e-3", "optimizer.learning_rat"),
        ("optimizer.clip_norm=0", "optimizer.clip_norm"),
        ("ema_decay=1.0", "ema_decay"),
        ("precision=fp16", "precision"),
        ("collapse.prior_gradient_ramp=2", "collapse.prior_gradient_ramp"),
        ("cadence.keep_checkpoints=0", "cadence.keep_checkpoints"),
        ("validation.num_images=1", "validation.num_images"),
        ("stage=stage3", "stage"),
        ("surprise=1", "surprise"),
        ("model.prior.width=33", "model"),
        ("data.valid_seed=1", "data"),
        ("data.size_px=18", ""),
        ("data=7", "data"),
        ("model.name=", "model.name"),
    ],
)
def test_bad_values_are_named_by_their_dotted_path(recipe: Path, override: str, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(recipe, (override,))
    assert (caught.value.field or "") == field
    assert str(caught.value).startswith(f"{field}: " if field else "Value error")


@pytest.mark.parametrize("override", ["num_steps", "=5", ""])
def test_overrides_that_are_none(recipe: Path, override: str) -> None:
    with pytest.raises(ConfigError, match="key=value"):
        load_config(recipe, (override,))


def test_a_value_is_no_section(recipe: Path) -> None:
    with pytest.raises(ConfigError, match="num_steps is a value"):
        load_config(recipe, ("num_steps.more=5",))


# Once: what is no YAML at all escapes as yaml's own error, with a traceback on the command line.
@pytest.mark.parametrize("override", ["model.name=[1,", "model.name={", 'model.name="open', "model.name=a: b: c"])
def test_values_that_are_no_yaml(recipe: Path, override: str) -> None:
    with pytest.raises(ConfigError, match=r"model\.name"):
        load_config(recipe, (override,))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"[1, 2", "not valid YAML"), (b"- a\n- b", "mapping"), (b"\xff\xfe\x00", "not valid YAML"), (b"", "mapping")],
)
def test_files_that_are_no_recipe(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "r.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=reason) as caught:
        load_config(tmp_path / "r.yaml")
    assert "r.yaml" in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "absent.yaml")


def test_stage_2_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="init_from"):
        run_config(tmp_path, "stage2")


def test_settings_go_through_json(tmp_path: Path) -> None:
    config = run_config(tmp_path, optimizer__betas=(0.8, 0.9), preview_prompts=("a", "b"))
    assert parse_config(config.model_dump(mode="json")) == config
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


# Once: more held-out pictures than there are ends in numpy's IndexError when the run starts.
def test_validation_cannot_want_more_pictures_than_are_held_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="num_images"):
        run_config(tmp_path, data__num_valid=6, validation__num_images=7)


# Once: a seed of 2^64 is accepted and ends in OverflowError when the run starts.
def test_seeds_must_fit_the_generators(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="seed"):
        run_config(tmp_path, seed=2**64)


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
@pytest.mark.parametrize("name", MODEL_PRESETS)
def test_every_preset_has_a_recipe_that_holds_together(name: str, stage: str) -> None:
    preset = MODEL_PRESETS[name]
    model = preset.config
    kind = {"kind": "clips", "num_frames": model.num_frames} if model.video is not None else {"kind": "pictures"}
    data = {**preset_recipe(name, stage), "data": {**kind, "path": "photos", "size_px": model.image_px}}
    config = resolved_config(data, ("init_from=stage1",) if stage == "stage2" else ())
    assert config.model == model
    assert config.scale.micro_batch is not None
    assert config.scale.micro_batch <= preset.batch_size  # what the preset's memory was estimated for
    assert config.batch_size % config.scale.micro_batch == 0
