"""Presets have the published numbers, the bundled model's and the recipes'; ablations change what they name and no
more."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.tiny import tiny_config
from ul_engine.accounting import meta_model, num_parameters
from ul_engine.assets import assets_dir
from ul_engine.config import ConditioningConfig, ModelConfig
from ul_engine.data.scenes import grammar
from ul_engine.errors import ConfigError
from ul_engine.model_folder import read_manifest
from ul_engine.models.conditioning import WordTokenizer
from ul_engine.presets import (
    ABLATIONS,
    BASE_SIZES,
    BIAS_SWEEP,
    MODEL_PRESETS,
    apply_ablation,
    model_preset,
    with_base,
    with_vocabulary,
)

PAPER = MODEL_PRESETS["imagenet-512"].config


def flat(config: ModelConfig) -> dict[str, Any]:
    """Leaves of a configuration by dotted path."""

    def leaves(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            return {path: value}
        return {key: leaf for name, part in value.items() for key, leaf in leaves(part, f"{path}.{name}").items()}

    return {key[1:]: value for key, value in leaves(config.model_dump(), "").items()}


def difference(before: ModelConfig, after: ModelConfig) -> dict[str, Any]:
    old, new = flat(before), flat(after)
    return {key: new.get(key) for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)}


# ---- presets --------------------------------------------------------------------------------------------------------


def test_imagenet_512_is_what_the_defaults_are() -> None:
    """The presets write the paper's numbers out, the configuration has them as defaults: two hands, one model."""
    classes = ConditioningConfig(kind="class", num_classes=1000)
    assert ModelConfig(name="ImageNet 512", conditioning=classes) == PAPER
    assert PAPER.latent_shape(512, 512) == (32, 1, 32, 32)
    assert PAPER.decoder_loss.loss_factor == 1.5
    assert PAPER.decoder_sigmoid_bias == -3.0


def test_imagenet_512_and_its_sizes_differ_in_the_base_model_only() -> None:
    small, medium = (MODEL_PRESETS[f"imagenet-512-{size}"].config for size in ("small", "medium"))
    assert set(difference(PAPER, small)) == {"name"}
    assert set(difference(PAPER, medium)) == {"name", "base.widths", "base.num_blocks"}


def test_kinetics_600_has_the_published_shapes() -> None:
    config = MODEL_PRESETS["kinetics-600"].config
    assert (config.num_frames, config.image_px, config.context_frames) == (16, 128, 5)
    assert (config.temporal_downsampling, config.downsampling) == (4, 8)
    assert config.latent_shape(128, 128, 16)[1:] == (4, 16, 16)
    assert config.conditioning.kind == "none"
    tokens = config.latent_shape(128, 128, 16)[1:]
    assert tokens[0] * tokens[1] * tokens[2] == 32 * 32


def test_scenes_is_the_bundled_model() -> None:
    assert MODEL_PRESETS["scenes"].config == read_manifest(assets_dir() / "models" / "scenes").model


@pytest.mark.parametrize(
    ("preset", "recipe"), [("scenes", "scenes"), ("tiny", "scenes-tiny"), ("scenes-motion", "scenes-motion")]
)
def test_recipes_train_the_presets(preset: str, recipe: str) -> None:
    path = Path(__file__).parents[3] / "trainer" / "recipes" / recipe / "stage1.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))["model"]
    assert ModelConfig.model_validate(data) == MODEL_PRESETS[preset].config


def test_motion_64_is_a_toy() -> None:
    config = MODEL_PRESETS["motion-64"].config
    assert config.latent_shape(64, 64, 16)[1:] == (4, 8, 8)
    assert config.context_frames == 5
    assert 5e6 < sum(num_parameters(meta_model(config)).values()) < 10e6


def tokenizer_of(name: str) -> WordTokenizer:
    text = MODEL_PRESETS[name].config.conditioning.text
    assert text is not None
    return WordTokenizer(text)


@pytest.mark.parametrize("name", ["tiny", "scenes", "scenes-motion", "motion-64", "text-to-image-512"])
def test_text_presets_know_every_word_of_one_object(name: str) -> None:
    tokenizer = tokenizer_of(name)
    for words in grammar.ATTRIBUTE_WORDS.values():
        assert tokenizer.unknown_words(" ".join(words)) == []
    for prompt in grammar.example_prompts():
        assert tokenizer.unknown_words(prompt) == []
        assert len(tokenizer.encode(prompt)) < tokenizer.max_tokens


def test_scenes_knows_every_word_of_two_objects() -> None:
    tokenizer = tokenizer_of("scenes")
    thing = grammar.object_phrase(shape="octahedron", color="orange", material="metal", size="small")
    floor = grammar.floor_phrase(color="red", pattern="checkered")
    for relation in grammar.RELATIONS:
        prompt = grammar.sentence(thing, second=f"{relation} {thing}", floor=floor, sky=grammar.sky_phrase("orange"))
        assert tokenizer.unknown_words(prompt) == []
        assert len(tokenizer.encode(prompt)) <= tokenizer.max_tokens


def test_scenes_motion_knows_every_word_of_a_moving_object() -> None:
    tokenizer = tokenizer_of("scenes-motion")
    thing = grammar.object_phrase(shape="octahedron", color="orange", material="metal", size="small")
    floor = grammar.floor_phrase(color="red", pattern="checkered")
    for motion in grammar.MOTION_PHRASES.values():
        prompt = grammar.sentence(thing, floor=floor, sky=grammar.sky_phrase("orange"), motion=motion)
        assert tokenizer.unknown_words(prompt) == []
        assert len(tokenizer.encode(prompt)) <= tokenizer.max_tokens
    config = MODEL_PRESETS["scenes-motion"].config
    assert config.latent_shape(32, 32, 16)[1:] == (4, 4, 4)
    assert sum(num_parameters(meta_model(config)).values()) < 9e6


def test_motion_64_knows_every_word_of_two_moving_objects() -> None:
    tokenizer = tokenizer_of("motion-64")
    thing = grammar.object_phrase(shape="octahedron", color="orange", material="metal", size="small")
    floor = grammar.floor_phrase(color="red", pattern="checkered")
    for relation in grammar.RELATIONS:
        for motion in grammar.MOTION_PHRASES.values():
            second = f"{relation} {thing}"
            prompt = grammar.sentence(
                thing, second=second, floor=floor, sky=grammar.sky_phrase("orange"), motion=motion
            )
            assert tokenizer.unknown_words(prompt) == []
            assert len(tokenizer.encode(prompt)) <= tokenizer.max_tokens


def test_desktop_presets_cover_the_grid() -> None:
    names = {f"desktop-{px}-{gb}gb" for px in (64, 128, 256) for gb in (4, 8, 12, 24)}
    assert names == {name for name in MODEL_PRESETS if name.startswith("desktop")}
    for name in names:
        preset = MODEL_PRESETS[name]
        _, px, gb = name.removesuffix("gb").split("-")
        assert (preset.config.image_px, preset.memory_gb) == (int(px), int(gb))
        assert preset.config.latent_shape(int(px), int(px))[-1] in (8, 16)
        assert f"{preset.stage1_gb} GB" in preset.sentence


def test_presets_are_named_and_described() -> None:
    for name, preset in MODEL_PRESETS.items():
        assert preset.name == name == name.lower()
        assert preset.sentence.endswith(".")
        assert model_preset(name) is preset
    assert len({preset.config.name for preset in MODEL_PRESETS.values()}) == len(MODEL_PRESETS)


def test_an_unknown_preset_names_the_nearest_and_all() -> None:
    with pytest.raises(ConfigError, match="did you mean imagenet-512-medium") as caught:
        model_preset("imagnet-512-medum")
    assert caught.value.field == "preset"
    assert all(name in str(caught.value) for name in MODEL_PRESETS)
    with pytest.raises(ConfigError, match="Known: ") as caught:
        model_preset("????")
    assert "did you mean" not in str(caught.value)


# ---- base sizes and words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", BASE_SIZES)
def test_base_sizes_fit_any_preset(size: str) -> None:
    for preset in MODEL_PRESETS.values():
        config = with_base(preset.config, size)
        assert config.base == BASE_SIZES[size]
        assert all(key.startswith("base.") for key in difference(preset.config, config))


def test_an_unknown_base_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean medium"):
        with_base(PAPER, "mediun")


def test_other_words() -> None:
    config = with_vocabulary(MODEL_PRESETS["text-to-image-512"].config, ["dog", "a"])
    assert config.conditioning.text is not None
    assert config.conditioning.text.vocabulary == ("dog", "a")
    with pytest.raises(ConfigError, match="reads no text"):
        with_vocabulary(PAPER, ["dog"])
    with pytest.raises(ConfigError, match=r"conditioning\.text\.vocabulary"):
        with_vocabulary(MODEL_PRESETS["tiny"].config, [])


# ---- ablations ------------------------------------------------------------------------------------------------------

SHORT = {"encoder.channels": (128, 256, 512), "decoder.channels": (128, 256)}
LONG = {"encoder.channels": (128, 256, 512, 512, 512), "decoder.channels": (128, 256, 512, 512)}
CHANGES: dict[str, dict[str, Any]] = {
    **{f"loss-factor-{value:g}": {"decoder_loss.loss_factor": value} for value in (1.3, 1.7, 1.75, 1.9, 2, 2.1, 3, 4)},
    "loss-factor-1.5": {},
    **{f"bias-minus-{shift}": {"decoder_loss.sigmoid_bias": -3.0 - shift} for shift in (1, 2)},
    **{f"bias-plus-{shift}": {"decoder_loss.sigmoid_bias": -3.0 + shift} for shift in (1, 2)},
    **{f"channels-{count}": {"latent.channels": count} for count in (4, 8, 16, 64)},
    "channels-32": {},
    "downsampling-8": SHORT,
    "downsampling-16": {},
    "downsampling-32": LONG,
    "diffusion-prior-diffusion-loss": {},
    "diffusion-prior-mse-loss": {"decoder_loss.kind": "mse"},
    "normal-prior-diffusion-loss": {"prior.kind": "normal"},
    "normal-prior-mse-loss": {"prior.kind": "normal", "decoder_loss.kind": "mse"},
    "no-prior-gradient": {"prior.kind": "detached", "latent.channels": 8},
    "logsnr-10": {"latent.logsnr_max": 10.0},
    "other-data": {},
    "learned-variance": {"encoder.variance": "learned"},
    "learned-variance-logsnr-10": {"encoder.variance": "learned", "latent.logsnr_max": 10.0},
    "single-stage-elbo": {"training": "single-elbo", "decoder_loss.sigmoid_bias": -5.0},
    "single-stage-weighted": {"training": "single-weighted"},
}


def test_every_ablation_is_listed_here() -> None:
    assert set(CHANGES) == set(ABLATIONS)


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_changes_what_it_names(name: str) -> None:
    ablated = apply_ablation(PAPER, name)
    assert difference(PAPER, ablated) == CHANGES[name]
    assert ABLATIONS[name].name == name
    assert ABLATIONS[name].sentence.endswith(".")
    assert ABLATIONS[name].source


@pytest.mark.parametrize(("name", "side"), [("downsampling-8", 64), ("downsampling-16", 32), ("downsampling-32", 16)])
def test_shapes_of_table_4(name: str, side: int) -> None:
    assert apply_ablation(PAPER, name).latent_shape(512, 512) == (32, 1, side, side)


def test_ablations_fit_every_preset() -> None:
    """Whatever is refused is refused by the configuration itself, with a reason: sizes that do not divide."""
    for preset in MODEL_PRESETS.values():
        for name in ABLATIONS:
            if preset.config.image_px % 32 and name == "downsampling-32":
                continue
            assert isinstance(apply_ablation(preset.config, name), ModelConfig)


def test_ablations_follow_one_another() -> None:
    assert len(BIAS_SWEEP) == 4 * 5
    config = PAPER
    for name in ("bias-minus-2", "loss-factor-4"):
        config = apply_ablation(config, name)
    assert ("bias-minus-2", "loss-factor-4") in BIAS_SWEEP
    assert difference(PAPER, config) == {"decoder_loss.sigmoid_bias": -5.0, "decoder_loss.loss_factor": 4.0}
    assert all(name in ABLATIONS for names in BIAS_SWEEP for name in names)


def test_refused_ablations() -> None:
    with pytest.raises(ConfigError, match="did you mean learned-variance"):
        apply_ablation(PAPER, "learnt-variance")
    with pytest.raises(ConfigError, match="cannot be halved down"):
        apply_ablation(tiny_config(patch_px=3, image_px=24), "downsampling-8")
    with pytest.raises(ConfigError, match="not a multiple"):
        apply_ablation(tiny_config(image_px=16), "downsampling-32")
