"""The form: what is set, what is wrong, what becomes of it."""

from pathlib import Path
from typing import Any

import pytest

from app.models.form_state import FormState, SeedMode
from app.models.generate_form import GenerateForm
from tests.app.model_folders import manifest
from ul_engine.model_folder import ModelEntry
from ul_engine.requests import PRESETS, SamplerName


def entry(name: str = "Scenes", **options: Any) -> ModelEntry:
    return ModelEntry(path=f"/models/{name}", name=name, manifest=manifest(name, **options))


@pytest.fixture
def form(qapp: Any) -> GenerateForm:
    form = GenerateForm()
    form.choose_model(entry())
    return form


def test_without_a_model_there_is_no_request(qapp: Any) -> None:
    form = GenerateForm()
    assert form.request is None
    assert list(form.errors) == ["model"]


def test_the_request_says_what_the_form_says(form: GenerateForm) -> None:
    form.update(prompt="  a red cube ", num_images=3, seed="12", width_px=96, base_steps=5, guidance_weight=1.5)
    request = form.request
    assert request is not None
    assert (request.prompt, request.num_images, request.seed) == ("a red cube", 3, 12)
    assert (request.width_px, request.height_px) == (96, None)
    assert request.sampling.base.num_steps == 5
    assert request.sampling.guidance.weight == 1.5


def test_changes_are_told_once_and_only_when_real(form: GenerateForm) -> None:
    states: list[FormState] = []
    form.form_changed.connect(states.append)
    form.update(prompt="a")
    form.update(prompt="a")
    assert [state.prompt for state in states] == ["a"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"seed": "abc"}, "seed", "whole number"),
        ({"seed": ""}, "seed", "whole number"),
        ({"seed": "-1"}, "seed", "At least 0"),
        ({"seed": str(2**63)}, "seed", "At most"),
        ({"seed": "9" * 5000}, "seed", "whole number"),
        ({"num_images": 0}, "num_images", "At least 1"),
        ({"num_images": 257}, "num_images", "At most 256"),
        ({"base_steps": 0}, "base_steps", "At least 1"),
        ({"decoder_steps": 2000}, "decoder_steps", "At most 1 024"),
        ({"guidance_weight": 21.0}, "guidance_weight", "At most 20"),
        ({"logsnr_low": 3.0, "logsnr_high": 1.0}, "logsnr_low", "begin below its end"),
        ({"width_px": 8}, "width_px", "At least 16"),
        ({"prompt": "word " * 500}, "prompt", "at most 2000 characters"),
        ({"batch_size": 0}, "batch_size", "At least 1"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_is_wrong_stands_beside_its_field(
    form: GenerateForm, changes: dict[str, Any], field: str, words: str
) -> None:
    form.update(**changes)
    assert form.request is None
    assert words in form.errors[field]
    assert list(form.errors) == [field]


def test_errors_are_told_and_taken_back(form: GenerateForm) -> None:
    told: list[dict[str, str]] = []
    form.errors_changed.connect(told.append)
    form.update(seed="x")
    form.update(seed="5")
    assert [list(errors) for errors in told] == [["seed"], []]


def test_a_random_seed_is_drawn_before_and_shown(form: GenerateForm) -> None:
    form.update(seed="1", seed_mode=SeedMode.RANDOM)
    (request,) = form.take_requests()
    assert request is not None
    assert str(request.seed) == form.state.seed
    (again,) = form.take_requests()
    assert again is not None
    assert again.seed != request.seed  # one chance in 2^32 to be equal


def test_an_increment_goes_on_after_the_last_picture(form: GenerateForm) -> None:
    form.update(seed="10", seed_mode=SeedMode.INCREMENT, num_images=4)
    (first,), (second,) = form.take_requests(), form.take_requests()
    assert first is not None
    assert second is not None
    assert (first.seed, second.seed, form.state.seed) == (10, 14, "18")


def test_a_fixed_seed_stays(form: GenerateForm) -> None:
    form.update(seed="10", seed_mode=SeedMode.FIXED)
    assert form.take_requests() == form.take_requests()


def test_presets_set_fields_and_are_recognised(form: GenerateForm) -> None:
    form.choose_preset("Paper")
    assert form.preset == "Paper"
    assert form.state.base_sampler is SamplerName.DDPM
    form.update(decoder_steps=255)
    assert form.preset == ""
    form.update(decoder_steps=256)
    assert form.preset == "Paper"


def test_a_preset_of_another_model_keeps_its_name(form: GenerateForm) -> None:
    form.choose_preset("Balanced")
    mine = {"Balanced": PRESETS["Preview"], "Paper": PRESETS["Paper"]}
    form.choose_model(entry("Other", presets=mine))
    assert form.preset == "Balanced"
    assert form.state.base_steps == PRESETS["Preview"].base.num_steps


def test_own_settings_survive_a_change_of_model(form: GenerateForm) -> None:
    form.update(base_steps=99)
    form.choose_model(entry("Other"))
    assert form.state.base_steps == 99


def test_prompts_are_only_for_models_that_read(form: GenerateForm) -> None:
    form.update(prompt="a red cube", class_label=2)
    kinds = {}
    for kind in ("text", "class", "none"):
        form.choose_model(entry(kind, kind=kind))
        request = form.request
        assert request is not None
        kinds[kind] = (request.prompt, request.class_label)
    assert kinds == {"text": ("a red cube", None), "class": ("", 2), "none": ("", None)}


def test_unknown_words_and_words_too_many(form: GenerateForm) -> None:
    form.update(prompt="a red sphre " + "red " * 20)
    assert [word.word for word in form.unknown_words()] == ["sphre"]
    assert form.num_cut_words() == 3


def test_the_form_comes_back_as_it_was_left(form: GenerateForm) -> None:
    form.update(prompt="a red cube", seed="77", seed_mode=SeedMode.FIXED, base_steps=7)
    stored = form.state.model_dump(mode="json")
    other = GenerateForm()
    other.restore(stored)
    assert other.state == form.state.model_copy(update={"model": ""})


def test_stored_nonsense_does_not_spoil_the_rest(qapp: Any) -> None:
    form = GenerateForm()
    form.restore({"prompt": "a cube", "base_steps": "many", "unheard_of": 1, "seed_mode": "never"})
    assert form.state == FormState(prompt="a cube")


def test_the_models_folder_is_what_the_engine_gets(form: GenerateForm, tmp_path: Path) -> None:
    request = form.request
    assert request is not None
    assert request.model == "/models/Scenes"
