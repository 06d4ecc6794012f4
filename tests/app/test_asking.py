"""From the form to the request: variations, ways, grids, beginnings; and what is said when something is wrong."""

from pathlib import Path
from typing import Any

import pytest

from app.models.asking import asked_for, is_variations
from app.models.form_state import Between, FormState, Mode, SeedMode
from app.models.generate_form import GenerateForm, PromptList
from app.models.grid_axes import GRID_FIELDS, AxisProblem, axis_of, values_text
from app.models.model_offers import offers_of
from app.models.requested import prompt_of
from app.models.wildcards import expand, expanded, has_choices, missing_files, without_choices
from tests.app.model_folders import manifest
from ul_engine.config import ConditioningConfig, ModelConfig, TextConfig, VideoConfig
from ul_engine.model_folder import ModelEntry, NetworkFile
from ul_engine.requests import GenerateRequest, GridAxis, GridRequest, InterpolateRequest

FILE = NetworkFile(file="weights.safetensors", sha256="0" * 64, num_parameters=1000)
ALL = {"encoder": FILE, "base": FILE, "decoder": FILE, "prior": FILE}


def entry(kind: str = "text", *, networks: dict[str, Any] | None = None, **changes: Any) -> ModelEntry:
    made = manifest(kind=kind, networks=networks or ALL, **changes)
    return ModelEntry(path="/models/m", name="M", manifest=made)


def clips(context_frames: int = 0) -> ModelEntry:
    video = VideoConfig(num_frames=8, temporal_downsampling=1, context_frames=context_frames, fps=8.0)
    words = ConditioningConfig(kind="text", text=TextConfig(vocabulary=("a", "cube"), max_tokens=8))
    return entry(model=ModelConfig(name="Motion", image_px=64, conditioning=words, video=video))


def asked(model: ModelEntry | None = None, **changes: Any) -> Any:
    return asked_for(FormState(prompt="a cube", seed="7", **changes), model or entry())


# ---- what is asked for --------------------------------------------------------------------------------------------


def test_pictures_are_a_plain_generation() -> None:
    request = asked(num_images=3).request
    assert isinstance(request, GenerateRequest)
    assert (request.num_images, request.seed, request.variation_seed) == (3, 7, None)


def test_one_variation_is_a_generation_and_several_keep_their_seed() -> None:
    one = asked(num_images=1, variation_strength=0.2, variation_seed="40").request
    assert isinstance(one, GenerateRequest)
    assert (one.variation_seed, one.variation_strength) == (40, 0.2)
    many = asked(num_images=3, variation_strength=0.2, variation_seed="40").request
    assert isinstance(many, GridRequest)
    assert is_variations(many)
    assert [(cell.seed, cell.variation_seed) for cell in many.cells()] == [(7, 40), (7, 41), (7, 42)]


@pytest.mark.parametrize("seed", ["", "x", "-1", str(2**63)])
def test_a_wrong_variation_seed_is_told_where_it_stands(seed: str) -> None:
    assert list(asked(variation_strength=0.2, variation_seed=seed).errors) == ["variation_seed"]
    assert asked(variation_strength=0.0, variation_seed=seed).request is not None  # it does not matter then


def test_a_start_picture_counts_only_where_the_model_can_start_from_one() -> None:
    values = {"init_image": "/a.png", "strength": 0.3, "mask_image": "/m.png"}
    request = asked(**values).request
    assert (request.init_image, request.strength, request.mask_image) == ("/a.png", 0.3, "/m.png")
    blind = entry(networks={"base": FILE, "decoder": FILE})
    assert asked(blind, **values).request.init_image is None
    assert asked(clips(), **values).request.init_image is None


def test_a_clip_to_continue() -> None:
    model = clips(context_frames=2)
    assert "continue_from" in asked(model, mode=Mode.CONTINUE).errors
    request = asked(model, mode=Mode.CONTINUE, continue_from="/a.mp4", num_frames=5).request
    assert (request.continue_from, request.num_frames) == ("/a.mp4", 5)
    assert asked(clips(), mode=Mode.CONTINUE, continue_from="/a.mp4").request.continue_from is None


def test_a_way_between_seeds_and_between_prompts() -> None:
    seeds = asked(mode=Mode.BETWEEN, second_seed="9", num_steps=5).request
    assert isinstance(seeds, InterpolateRequest)
    assert (seeds.between, seeds.seed, seeds.second_seed, seeds.num_steps) == ("seeds", 7, 9, 5)
    words = asked(mode=Mode.BETWEEN, between=Between.PROMPTS, second_prompt="a cone").request
    assert (words.between, words.prompt, words.second_prompt) == ("prompts", "a cube", "a cone")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"second_seed": "7"}, "second_seed"),
        ({"second_seed": "seven"}, "second_seed"),
        ({"between": Between.PROMPTS, "second_prompt": " a cube "}, "second_prompt"),
    ],
)
def test_ends_that_are_none(changes: dict[str, Any], field: str) -> None:
    found = asked(mode=Mode.BETWEEN, **changes)
    assert found.request is None
    assert list(found.errors) == [field]
    assert found.errors[field].endswith(".")


def test_a_grid_over_two_settings() -> None:
    request = asked(
        mode=Mode.GRID, x_field="seed", x_values="1..3", y_field="sampling.guidance.weight", y_values="1, 2.5"
    ).request
    assert isinstance(request, GridRequest)
    assert request.size == (2, 3)
    assert [(cell.seed, cell.sampling.guidance.weight) for cell in request.cells()][3:] == [
        (1, 2.5),
        (2, 2.5),
        (3, 2.5),
    ]


def test_a_grid_over_variation_has_a_seed_to_turn_towards() -> None:
    request = asked(mode=Mode.GRID, x_field="variation_strength", x_values="0, 0.5", variation_seed="30").request
    assert [(cell.variation_seed, cell.variation_strength) for cell in request.cells()] == [(30, 0.0), (30, 0.5)]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"x_values": ""}, "x_values", "Write the values"),
        ({"x_values": "1, two"}, "x_values", "two is no whole number"),
        ({"x_values": "1, 1"}, "x_values", "twice"),
        ({"x_values": "1..9999"}, "x_values", "At most"),
        ({"y_field": "seed", "y_values": "1"}, "y_values", "same setting"),
        ({"x_field": "strength", "x_values": "0.5"}, "x_values", "changes nothing without"),
        ({"y_field": "sampling.base.num_steps", "y_values": "0"}, "y_values", "Base model steps cannot be 0"),
        ({"y_field": "sampling.base.name", "y_values": "Euler"}, "y_values", "no sampler Euler"),
    ],
)
def test_axes_that_are_none(changes: dict[str, Any], field: str, words: str) -> None:
    found = asked(**{"mode": Mode.GRID, "x_field": "seed", "x_values": "1, 2"} | changes)
    assert found.request is None
    assert words in found.errors[field]


@pytest.mark.parametrize(
    ("field", "text", "values"),
    [
        ("seed", "1, 2;5..3", (1, 2, 5, 4, 3)),
        ("sampling.guidance.weight", "1, 1.5", (1.0, 1.5)),
        ("prompt", "a red, small cube | a cone", ("a red, small cube", "a cone")),
        ("sampling.base.name", "dpm++ 2m, DDIM", ("dpmpp-2m", "ddim")),
    ],
)
def test_values_as_people_write_them(field: str, text: str, values: tuple[Any, ...]) -> None:
    axis = axis_of(field, text)
    assert isinstance(axis, GridAxis)
    assert axis.values == values


def test_every_setting_of_a_grid_is_one_of_a_generation_and_begins_with_values_that_will_do() -> None:
    state = FormState(prompt="a cube")
    request = GenerateRequest(model="m", init_image="/a.png", variation_seed=3)
    for name, field in GRID_FIELDS.items():
        axis = axis_of(name, field.usual(state))
        assert not isinstance(axis, AxisProblem), name
        assert GridRequest(request=request, x=axis).cells(), name
        assert axis_of(name, values_text(axis)) == axis


def test_what_models_offer() -> None:
    assert offers_of(entry()).modes == (Mode.PICTURES, Mode.GRID, Mode.BETWEEN)
    assert offers_of(clips(2)).modes == (Mode.PICTURES, Mode.CONTINUE, Mode.GRID, Mode.BETWEEN)
    assert (offers_of(clips()).makes_clips, offers_of(clips()).has_start_picture) == (True, False)


def test_a_mode_that_the_model_does_not_offer_counts_as_the_first() -> None:
    assert isinstance(asked(mode=Mode.CONTINUE).request, GenerateRequest)


# ---- prompts that differ each time --------------------------------------------------------------------------------


def test_choices_are_drawn_by_the_pictures_own_seed() -> None:
    files = {"shape": ("cube", "cone", "torus")}
    template = "a {red|blue|green} __shape__"
    request = GenerateRequest(model="m", prompt=template, num_images=6, seed=3)
    drawn = expanded(request, template, files)
    assert sum(one.num_images for one in drawn if isinstance(one, GenerateRequest)) == 6
    alone = expanded(GenerateRequest(model="m", prompt=template, num_images=1, seed=5), template, files)
    prompts = [prompt_of(one) for one in drawn for _ in range(one.num_images)]  # type: ignore[union-attr]
    assert prompts[2] == prompt_of(alone[0])
    assert len(set(prompts)) > 1
    assert not any(has_choices(prompt) for prompt in prompts)


def test_neighbours_that_drew_the_same_are_made_together() -> None:
    request = GenerateRequest(model="m", num_images=5, seed=3)
    (one,) = expanded(request, "a {cube|cube}", {})
    assert (prompt_of(one), one.num_images, one.seed) == ("a cube", 5, 3)  # type: ignore[union-attr]


def test_choices_within_choices_and_files_that_name_files() -> None:
    import random

    files = {"thing": ("a __colour__ cube",), "colour": ("{red|red}",), "loop": ("__loop__ x",)}
    assert expand("{__thing__|__thing__}", files, random.Random(1)) == "a red cube"
    assert expand("__nobody__", files, random.Random(1)) == "__nobody__"
    assert len(expand("__loop__", files, random.Random(1))) < 100  # ends in spite of itself


def test_signs_of_choices_are_no_words() -> None:
    text = "a {red|blue} __animal__ cube"
    plain = without_choices(text)
    assert len(plain) == len(text)
    assert plain.split() == ["a", "red", "blue", "cube"]
    assert plain.index("blue") == text.index("blue")
    assert missing_files(text, {"animal": ()}) == ["animal"]


@pytest.fixture
def form(qapp: Any) -> GenerateForm:
    form = GenerateForm()
    form.choose_model(entry())
    form.update(prompt="a red cube", seed="7", seed_mode=SeedMode.FIXED, num_images=2)
    return form


def test_a_missing_wildcard_stops_before_anything_is_made(form: GenerateForm) -> None:
    form.update(prompt="a __colour__ cube")
    assert "colour.txt" in form.errors["prompt"]
    assert form.take_requests() == ()
    form.set_wildcards({"colour": ("red",)})
    assert [prompt_of(one) for one in form.take_requests()] == ["a red cube"]
    assert [word.word for word in form.unknown_words()] == []


def test_prompts_of_a_file_are_made_one_after_the_other(form: GenerateForm) -> None:
    form.set_prompts(PromptList("list.txt", ("a red cone", "a zebra")))
    assert [prompt_of(one) for one in form.take_requests()] == ["a red cone", "a zebra"]
    assert form.num_unknown_in_prompts() == 1
    form.set_prompts(None)
    assert [prompt_of(one) for one in form.take_requests()] == ["a red cube"]


def test_own_presets_stand_beside_the_models(form: GenerateForm) -> None:
    told: list[Any] = []
    form.presets_changed.connect(told.append)
    own = form.model_presets["Preview"].model_copy(update={"guidance": form.model_presets["Preview"].guidance})
    form.set_own_presets({"Mine": own, "Paper": own})
    assert list(form.presets)[:2] == ["Mine", "Paper"]
    assert form.presets["Paper"] == form.model_presets["Paper"]  # the model's own name wins
    assert len(told) == 1


def test_a_path_of_this_computer_never_leaves_in_a_file(form: GenerateForm, tmp_path: Path) -> None:
    from ul_engine.metadata import embed

    form.update(init_image=str(tmp_path / "start.png"), mask_image=str(tmp_path / "mask.png"))
    (request,) = form.take_requests()
    assert isinstance(request, GenerateRequest)
    kept = embed(request, 0).request
    assert str(tmp_path) not in kept.model_dump_json()
