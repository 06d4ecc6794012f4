"""The generated settings form without widgets: every setting of a training run, described, changed, checked."""

from enum import StrEnum
from typing import Any, Literal

import pytest
import yaml
from pydantic import Field, model_validator

from app.models.config_form import ConfigForm, FieldKind, FieldSpec, Limits, SectionSpec, describe
from app.models.config_form.fields import walk
from app.models.config_form.values import value_at
from app.models.config_form.words import choice_helps, range_words, title_of, unit_of
from trainer.config import RunConfig, parse_config, resolved_config
from trainer.recipes import recipe
from ul_engine.requests import FrozenModel, SamplingSettings


def run_values(**changes: Any) -> dict[str, Any]:
    data = recipe("scenes-tiny", "stage1")
    return resolved_config({**data, **changes}).model_dump(mode="json")


@pytest.fixture
def form(qapp: Any) -> ConfigForm:
    return ConfigForm(RunConfig, run_values())


def section_of(form: ConfigForm, path: str) -> SectionSpec:
    return next(part for part in form.spec.parts if isinstance(part, SectionSpec) and part.path == path)


# ---- what a class asks for ----------------------------------------------------------------------------------------


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark-blue"


class Inner(FrozenModel):
    """A part of `it`."""

    wait_s: float = Field(0.5, gt=0.0, le=9.0, description="How long.")


class Outer(FrozenModel):
    num_things: int = Field(3, ge=1, lt=8, description="Things.")
    colour: Colour = Field(Colour.RED, description="red: warm. dark-blue: cold; None: neither.")
    mode: Literal["a", "b"] | None = None
    weight_bytes: int | None = Field(None, ge=0, description="None: as it comes.")
    pair: tuple[float, float] = (1.0, 2.0)
    names: tuple[str, ...] = ()
    table: dict[str, int] = Field(default_factory=dict)
    is_on: bool = False
    title: str
    inner: Inner = Field(default_factory=Inner)
    extra: Inner | None = None

    @model_validator(mode="after")
    def _rule(self) -> "Outer":
        if self.num_things == 7:
            raise ValueError("num_things must not be seven while inner.wait_s is what it is")
        return self


def test_every_kind_of_field_is_told_apart(qapp: Any) -> None:
    fields = {field.path: field for field in walk(describe(Outer))}
    kinds = {path: field.kind for path, field in fields.items()}
    assert kinds == {
        "num_things": FieldKind.WHOLE,
        "colour": FieldKind.CHOICE,
        "mode": FieldKind.CHOICE,
        "weight_bytes": FieldKind.WHOLE,
        "pair": FieldKind.NUMBERS,
        "names": FieldKind.LINES,
        "table": FieldKind.OTHER,
        "is_on": FieldKind.SWITCH,
        "title": FieldKind.TEXT,
        "inner.wait_s": FieldKind.DECIMAL,
        "extra.wait_s": FieldKind.DECIMAL,
    }
    assert fields["num_things"].limits == Limits(1, 8, False, True)
    assert fields["inner.wait_s"].limits == Limits(0.0, 9.0, True, False)
    assert (fields["inner.wait_s"].unit, fields["weight_bytes"].unit) == ("s", "bytes")
    assert [(each.value, each.title, each.help) for each in fields["colour"].choices] == [
        ("red", "Red", "warm."),
        ("dark-blue", "Dark blue", "cold"),
    ]
    assert [path for path, field in fields.items() if field.is_optional] == ["mode", "weight_bytes"]
    assert [path for path, field in fields.items() if field.is_required] == ["title"]
    assert (fields["pair"].length, fields["names"].length) == (2, None)
    assert fields["inner.wait_s"].section == "Inner"


def test_every_setting_of_a_run_is_described(qapp: Any) -> None:
    """None is left out, none needs YAML to be typed, every one has a title of its own and says what it means."""
    fields = list(walk(describe(RunConfig)))
    assert len({field.path for field in fields}) > 100
    assert not [field.path for field in fields if field.kind is FieldKind.OTHER]
    told = {"stage", "model", "data.kind"}
    assert not [field.path for field in fields if not field.help and field.path not in told]
    assert not [field.path for field in fields if not field.title or "_" in field.title]


@pytest.mark.parametrize(
    ("name", "title", "unit"),
    [
        ("num_steps", "Steps", ""),
        ("learning_rate", "Learning rate", ""),
        ("bucket_step_px", "Bucket step", "px"),
        ("ema_decay", "EMA decay", ""),
        ("logsnr_max", "log-SNR max", ""),
        ("wait_ms", "Wait", "ms"),
        ("fps", "Frame rate", "fps"),
    ],
)
def test_names_become_titles_and_units(qapp: Any, name: str, title: str, unit: str) -> None:
    assert (title_of(name), unit_of(name)) == (title, unit)


def test_ranges_and_choices_in_words(qapp: Any) -> None:
    assert range_words(1, 256) == "1 to 256"
    assert range_words(0.0, 1.0, is_low_open=True) == "above 0 up to 1"
    assert range_words(None, None) == ""
    assert choice_helps("crop: cut. pad: whole; None: x", ["pad", "crop"])["crop"] == "cut."
    assert choice_helps("no such words", ["pad"]) == {}


# ---- values -------------------------------------------------------------------------------------------------------


def test_untouched_settings_are_those_it_began_with(form: ConfigForm) -> None:
    assert form.errors == {}
    assert form.changed_paths() == []
    assert form.overrides() == ()
    assert form.result == parse_config(run_values())


def other_value(field: FieldSpec, value: Any) -> Any:
    """Some other right value of a field."""
    if field.kind is FieldKind.SWITCH:
        return not value
    if field.kind is FieldKind.CHOICE:
        return next(choice.value for choice in field.choices if choice.value != value)
    if field.kind in (FieldKind.WHOLE, FieldKind.DECIMAL):
        step = 1 if field.kind is FieldKind.WHOLE else 0.125
        low, high = field.limits.low, field.limits.high
        candidate = (low if low is not None else 0) + step if value is None else value + step
        return candidate if high is None or candidate < high else value - step
    if field.kind is FieldKind.NUMBERS:
        return [value[0] + 1, *value[1:]] if isinstance(value[0], int) else [value[0] / 2, *value[1:]]
    return [*value, "new"] if field.kind is FieldKind.LINES else "new"


def test_every_setting_changes_goes_back_and_can_be_written_for_the_command_line(qapp: Any) -> None:
    """Each by itself: told as changed, the same override reaches `ul-train --set`, the reset undoes it."""
    for data in ({"kind": "pictures", "path": "/p"}, {"kind": "huggingface", "path": "a/b"}, None):
        values = run_values(**({"data": data} if data else {}))
        form = ConfigForm(RunConfig, values)
        for field in form.fields():
            before = form.value(field.path)
            form.set(field.path, other_value(field, before))
            assert form.changed_paths() == [field.path]
            assert form.is_changed(field.path)
            (line,) = form.overrides()
            is_told = form.result is not None and field.path != "preset"  # a preset's name is looked up
            again = resolved_config({**values, "preset": None}, (line,)) if is_told else None
            assert again is None or value_at(again.model_dump(mode="json"), field.path) == form.value(field.path)
            form.reset(field.path)
            assert form.changed_paths() == [], field.path


def test_values_survive_yaml(form: ConfigForm) -> None:
    form.set("optimizer.learning_rate", 3e-5)
    form.set("preview_prompts", ["a: b", ""])
    again = yaml.safe_load(yaml.safe_dump(form.values))
    assert parse_config(again) == form.result


def test_wrong_values_are_kept_and_explained_beside_their_field(form: ConfigForm) -> None:
    form.set("num_steps", "many")
    form.set("optimizer.learning_rate", -1)
    form.set("optimizer.betas", [0.9])
    form.set("precision", "fp8")
    form.set("model.name", "")
    assert form.errors == {
        "num_steps": "A whole number is needed.",
        "optimizer.learning_rate": "It must be more than 0.",
        "optimizer.betas": "2 numbers are needed, parted by commas.",
        "precision": "One of these is needed: auto, bf16 or fp32.",
        "model.name": "This is needed.",
    }
    assert form.result is None
    assert form.value("num_steps") == "many"
    form.reset_all()
    assert form.errors == {}
    assert form.result is not None


def test_a_rule_over_two_fields_stands_beside_the_first_and_names_both(form: ConfigForm) -> None:
    form.set("validation.num_images", 5000)
    assert form.errors == {"validation.num_images": "“Validation: Images” must not exceed “Data: Held-out samples”."}
    form.reset_all()
    form.set("data.valid_seed", 1)
    assert list(form.errors) == ["data.valid_seed"]


def test_errors_inside_a_kind_of_section_find_their_field(qapp: Any) -> None:
    form = ConfigForm(RunConfig, run_values(data={"kind": "pictures", "path": "/p"}))
    form.set("data.crop_scale", 2.0)
    assert form.errors == {"data.crop_scale": "It must be at most 1."}


def test_another_kind_of_data_keeps_what_both_have(form: ConfigForm) -> None:
    form.set("data.size_px", 128)
    form.choose_kind(section_of(form, "data"), "pictures")
    assert form.value("data.size_px") == 128
    assert "data.path" in {field.path for field in form.fields()}
    assert "data.train_seed" not in {field.path for field in form.fields()}
    assert form.errors == {"data.path": "This is needed."}
    form.set("data.path", "/pictures")
    assert form.result is not None
    assert form.result.data.kind == "pictures"
    assert resolved_config({**run_values(), "preset": None}, form.overrides()) == form.result


def test_an_optional_section_comes_and_goes(qapp: Any) -> None:
    form = ConfigForm(Outer, {"title": "x"})
    extra = section_of(form, "extra")
    assert "extra.wait_s" not in {field.path for field in form.fields()}
    form.add_section(extra)
    assert form.value("extra") == {"wait_s": 0.5}
    assert "extra.wait_s" in {field.path for field in form.fields()}
    form.set("extra", None)
    assert form.changed_paths() == []


def test_settings_of_a_request_need_no_values_to_begin_with(qapp: Any) -> None:
    form = ConfigForm(SamplingSettings)
    assert form.result == SamplingSettings()
    form.set("guidance.logsnr_low", 9.0)
    assert list(form.errors) == ["guidance.logsnr_low"]


def test_a_rule_of_the_asker_blocks_too(qapp: Any) -> None:
    form = ConfigForm(Outer, {"title": "x"}, rule=lambda outer: {"title": "No."} if outer.is_on else {})
    assert form.result is not None
    form.set("is_on", True)
    assert (form.errors, form.result) == ({"title": "No."}, None)


# ---- what is told -------------------------------------------------------------------------------------------------


def test_news_name_what_changed_and_nothing_else(form: ConfigForm) -> None:
    changes: list[Any] = []
    errors: list[Any] = []
    structure: list[str] = []
    form.values_changed.connect(changes.append)
    form.errors_changed.connect(errors.append)
    form.structure_changed.connect(lambda: structure.append("new"))
    form.set("num_steps", 7)
    form.set("num_steps", 7)
    form.set("optimizer.learning_rate", 9)
    assert changes == [frozenset({"num_steps"}), frozenset({"optimizer.learning_rate"})]
    assert errors == [{"optimizer.learning_rate": "It must be at most 1."}]
    assert structure == []
    form.choose_kind(section_of(form, "data"), "clips")
    assert structure == ["new"]


def test_search_finds_by_title_path_and_help(form: ConfigForm) -> None:
    assert "optimizer.learning_rate" in form.matching("learning rate")
    assert "optimizer.learning_rate" in form.matching("optimizer.lea")
    assert "ema_decay" in form.matching("moving average")
    assert form.matching("rate learning") == form.matching("learning rate")
    assert form.matching("no such setting") == set()


def test_basic_and_hidden_settings(qapp: Any) -> None:
    form = ConfigForm(RunConfig, run_values(), basic=("num_steps", "optimizer"), hidden=("stage", "model"))
    assert form.is_basic("optimizer.learning_rate")
    assert not form.is_basic("seed")
    paths = {field.path for field in form.fields()}
    assert "stage" not in paths
    assert not [path for path in paths if path.startswith("model.")]
