"""What a picture's settings would change, and nothing more."""

from typing import Any

import pytest

from app.models.form_state import FormState, SeedMode, sampling_values
from app.models.restore import Change, offer
from tests.app.model_folders import manifest
from ul_engine.metadata import EmbeddedRequest
from ul_engine.model_folder import ModelEntry
from ul_engine.requests import PRESETS, GenerateRequest

MODEL = ModelEntry(path="/models/scenes", name="Scenes", manifest=manifest())
OTHER = ModelEntry(path="/models/other", name="Other", manifest=manifest("Other"))


def embedded(**changes: Any) -> EmbeddedRequest:
    values = {"model": "scenes", "prompt": "a cube", "seed": 9, "num_images": 1, "sampling": PRESETS["Paper"]}
    return EmbeddedRequest(request=GenerateRequest(**(values | changes)), model_name="Scenes")


def state(**changes: Any) -> FormState:
    same = {"prompt": "a cube", "seed": "9", "seed_mode": SeedMode.FIXED, **sampling_values(PRESETS["Paper"])}
    return FormState(**(same | changes))


def changes(form: FormState, picture: EmbeddedRequest, its: ModelEntry | None = MODEL) -> dict[str, Change]:
    found = offer("/a.png", picture, form, MODEL, its)
    return {change.label: change for change in found.changes}


@pytest.fixture(autouse=True)
def _qt(qapp: Any) -> None:
    pass


def test_equal_settings_offer_nothing() -> None:
    found = offer("/a.png", embedded(), state(), MODEL, MODEL)
    assert (found.changes, found.num_equal) == ((), 8)


def test_each_difference_is_named_with_now_and_new() -> None:
    found = changes(state(prompt="a cone", base_steps=12), embedded())
    assert {label: (change.now, change.new) for label, change in found.items()} == {
        "Prompt": ("a cone", "a cube"),
        "Base model": ("DDPM, 12 steps", "DDPM, 256 steps"),
    }


def test_a_seed_is_taken_over_to_stay() -> None:
    found = changes(state(seed_mode=SeedMode.RANDOM), embedded())["Seed"]
    assert (found.now, found.new) == ("random", "9 (fixed)")
    assert found.values == {"seed": "9", "seed_mode": SeedMode.FIXED}


def test_a_size_as_trained_and_one_of_its_own() -> None:
    found = changes(state(width_px=96, height_px=64), embedded())["Size"]
    assert (found.now, found.new) == ("96 × 64", "as trained")


def test_another_model_that_is_here() -> None:
    found = changes(state(), embedded(model="other"), OTHER)["Model"]
    assert (found.now, found.new, found.model, found.problem) == ("Scenes", "Other", OTHER, "")


def test_a_model_that_is_not_here_cannot_be_taken_over() -> None:
    found = changes(state(), embedded(model="gone"), None)["Model"]
    assert found.problem
    assert found.model is None


def test_applying_all_changes_makes_the_form_equal() -> None:
    form = state(prompt="x", seed_mode=SeedMode.RANDOM, guidance_weight=5.0, height_px=128, decoder_steps=3)
    values = {name: value for change in changes(form, embedded()).values() for name, value in change.values.items()}
    assert changes(form.model_copy(update=values), embedded()) == {}
