"""Requests: every kind there and back as JSON, those of earlier versions still read, mistakes explained."""

import json
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from ul_engine.metadata import EmbeddedRequest, embed
from ul_engine.requests import (
    MAX_SEED,
    GenerateRequest,
    GridAxis,
    GridRequest,
    InterpolateRequest,
    ReconstructRequest,
    Request,
    SamplerName,
    SamplerSettings,
    SamplingSettings,
    TilingSettings,
    parse_request,
)

SAMPLING = SamplingSettings(base=SamplerSettings(name=SamplerName.DDIM, num_steps=12))
GENERATE = GenerateRequest(model="m", prompt="a red cube", num_images=3, seed=7, sampling=SAMPLING)
REQUESTS: dict[str, Request] = {
    "generate": GENERATE,
    "from a picture": GENERATE.model_copy(update={"init_image": "a.png", "strength": 0.25}),
    "from a clip": GENERATE.model_copy(update={"continue_from": "a.mp4", "num_frames": 20}),
    "variation": GENERATE.model_copy(update={"variation_seed": MAX_SEED - 256, "variation_strength": 0.5}),
    "tiles": GENERATE.model_copy(update={"tiling": TilingSettings(mode="on", tile_px=64), "width_px": 512}),
    "reconstruct": ReconstructRequest(
        model="m", inputs=("a.png",), latent_logsnrs=(), decoder_logsnrs=(-2.0, 3.5), restorer="base", num_decodes=4
    ),
    "seeds": InterpolateRequest(model="m", seed=3, second_seed=2**62, class_label=1),
    "prompts": InterpolateRequest(model="m", between="prompts", prompt="a", second_prompt="b", num_steps=2),
    "pictures": InterpolateRequest(model="m", between="pictures", pictures=("a.png", "b.png"), restore_logsnr=-1.0),
    "grid": GridRequest(
        request=GENERATE,
        x=GridAxis(field="sampling.guidance.weight", values=(1, 2.5)),
        y=GridAxis(field="prompt", values=("a, b", "")),
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_there_and_back_as_json(name: str) -> None:
    request = REQUESTS[name]
    assert parse_request(json.loads(request.model_dump_json())) == request
    assert parse_request(request.model_dump(mode="json")) == request
    assert type(parse_request(request.model_dump())) is type(request)


def test_data_without_a_kind_are_a_generation() -> None:
    assert parse_request({"model": "m", "prompt": "a"}) == GenerateRequest(model="m", prompt="a")


@pytest.mark.parametrize("data", [{"kind": "paint", "model": "m"}, {"kind": "generate"}, {"model": "m", "extra": 1}])
def test_what_is_no_request(data: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        parse_request(data)


OLD_GENERATION = """{"kind": "generate", "model": "scenes", "prompt": "a red cube", "class_label": null,
"num_images": 1, "seed": 9, "width_px": 32, "height_px": null, "sampling": {"base": {"name": "ddim", "num_steps": 12},
"decoder": {"name": "dpmpp-2m-sde", "num_steps": 28}, "guidance": {"weight": 2.0, "logsnr_low": -3.0, "logsnr_high": 1.5
}}, "batch_size": 8, "preview": true}"""
OLD_RECONSTRUCTION = """{"kind": "reconstruct", "model": "scenes", "inputs": ["a.png"], "latent_logsnrs": [5.0, 1.0],
"seed": 0, "sampling": {}, "bitrate_times": 32}"""


def test_requests_of_the_first_version_still_read() -> None:
    """As written into files and queues before there were clips, starts and variations."""
    generation = parse_request(json.loads(OLD_GENERATION))
    assert generation == GenerateRequest(
        model="scenes", prompt="a red cube", num_images=1, seed=9, width_px=32, sampling=SAMPLING
    )
    reconstruction = parse_request(json.loads(OLD_RECONSTRUCTION))
    assert reconstruction == ReconstructRequest(model="scenes", inputs=("a.png",), latent_logsnrs=(5.0, 1.0))
    embedded = EmbeddedRequest.model_validate({"version": 1, "request": json.loads(OLD_GENERATION)})
    assert embedded.request == generation


# ---- generations ----------------------------------------------------------------------------------------------------


# Once: every picture of a batch of variations kept the first one's variation seed, and was made again as another.
def test_the_request_of_one_picture_keeps_its_seeds() -> None:
    variation = GENERATE.model_copy(update={"variation_seed": 40})
    single = variation.for_single(2)
    assert (single.seed, single.variation_seed, single.num_images) == (9, 42, 1)
    assert embed(variation, 1).request.variation_seed == 41
    assert GENERATE.for_single(2).variation_seed is None


def test_files_keep_only_the_names_of_files() -> None:
    started = GENERATE.model_copy(update={"init_image": "/home/me/secret/cat.png", "model": "/home/me/secret/scenes"})
    continued = GENERATE.model_copy(update={"continue_from": "C:\\secret\\cat.mp4"})
    assert embed(started, 0).request.init_image == "cat.png"
    assert embed(started, 0).request.model == "scenes"
    assert embed(continued, 0).request.continue_from == "cat.mp4"
    for request in (started, continued):
        assert "secret" not in embed(request, 0).model_dump_json()
    assert embed(GENERATE, 0).request.init_image is None


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "two beginnings": (
        lambda: GenerateRequest(model="m", init_image="a.png", continue_from="a.mp4"),
        "exclude each other",
    ),
    "mask of nothing": (lambda: GenerateRequest(model="m", mask_image="a.png"), "init_image"),
    "no strength": (lambda: GenerateRequest(model="m", init_image="a.png", strength=0.0), "greater than 0"),
    "too strong": (lambda: GenerateRequest(model="m", strength=1.5), "less than or equal to 1"),
    "variation": (lambda: GenerateRequest(model="m", variation_seed=1, variation_strength=-0.1), "greater than"),
    "variation seed": (lambda: GenerateRequest(model="m", variation_seed=MAX_SEED), "less than or equal"),
    "no frames": (lambda: GenerateRequest(model="m", num_frames=0), "greater than or equal to 1"),
    "no level": (
        lambda: ReconstructRequest(model="m", inputs=("a",), latent_logsnrs=(), decoder_logsnrs=()),
        "at least one level",
    ),
    "no input": (lambda: ReconstructRequest(model="m", inputs=()), "at least 1 item"),
    "no decode": (lambda: ReconstructRequest(model="m", inputs=("a",), num_decodes=0), "greater than or equal to 1"),
    "one step": (lambda: InterpolateRequest(model="m", num_steps=1), "greater than or equal to 2"),
    "no pictures": (lambda: InterpolateRequest(model="m", between="pictures"), "needs the two files"),
    "one picture": (
        lambda: InterpolateRequest.model_validate({"model": "m", "between": "pictures", "pictures": ["a.png"]}),
        "Field required",
    ),
    "same prompts": (
        lambda: InterpolateRequest(model="m", between="prompts", prompt="a ", second_prompt=" a"),
        "both prompts are the same",
    ),
    # Once: a seed was blended with itself, and every step but the ends came out too noisy.
    "same seeds": (lambda: InterpolateRequest(model="m", seed=4, second_seed=4), "both seeds are the same"),
    # Once: these were passed over without a word.
    "restored seeds": (lambda: InterpolateRequest(model="m", restore_logsnr=1.0), "count only between pictures"),
    "pictures of seeds": (lambda: InterpolateRequest(model="m", pictures=("a", "b")), "count only between pictures"),
    "end of seeds": (lambda: InterpolateRequest(model="m", second_prompt="b"), "only between prompts"),
    "told pictures": (
        lambda: InterpolateRequest(model="m", between="pictures", pictures=("a", "b"), prompt="c"),
        "no prompt counts",
    ),
    "class between prompts": (
        lambda: InterpolateRequest(model="m", between="prompts", second_prompt="b", class_label=1),
        "only between seeds",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_mistakes_are_explained(mistake: str) -> None:
    make, reason = WRONG[mistake]
    with pytest.raises(ValidationError, match=reason):
        make()


# ---- ways -----------------------------------------------------------------------------------------------------------


def test_shares_lead_from_0_to_1_evenly() -> None:
    request = InterpolateRequest(model="m", num_steps=5)
    assert [request.share_of(index) for index in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert InterpolateRequest(model="m", num_steps=512).share_of(511) == 1.0


def test_a_step_between_seeds_is_a_variation() -> None:
    request = InterpolateRequest(model="m", prompt="a", seed=3, second_seed=8, num_steps=5, sampling=SAMPLING)
    wanted = GenerateRequest(
        model="m", prompt="a", num_images=1, seed=3, variation_seed=8, variation_strength=0.25, sampling=SAMPLING
    )
    assert request.generation_of(1) == wanted
    assert REQUESTS["prompts"].generation_of(0) is None
    assert REQUESTS["pictures"].generation_of(0) is None


# ---- grids ----------------------------------------------------------------------------------------------------------


def grid(x: GridAxis, y: GridAxis | None = None, request: GenerateRequest = GENERATE) -> GridRequest:
    return GridRequest(request=request, x=x, y=y)


def test_cells_are_the_rows_one_after_the_other() -> None:
    request = grid(
        GridAxis(field="sampling.guidance.weight", values=(1, 2.5)), GridAxis(field="seed", values=(4, 5, 6))
    )
    cells = request.cells()
    assert request.size == (3, 2)
    assert request.model == "m"
    assert [(cell.seed, cell.sampling.guidance.weight) for cell in cells] == [
        (seed, weight) for seed in (4, 5, 6) for weight in (1, 2.5)
    ]
    assert {cell.num_images for cell in cells} == {1}
    assert {(cell.prompt, cell.sampling.base.num_steps) for cell in cells} == {("a red cube", 12)}
    assert grid(GridAxis(field="seed", values=(4,))).size == (1, 1)


def test_any_setting_can_be_an_axis() -> None:
    values: dict[str, tuple[str | int | float | None, ...]] = {
        "prompt": ("a", "2"),
        "width_px": (32, None),
        "sampling.base.name": ("ddim", "ddpm"),
        "sampling.decoder.num_steps": (3.0, "4"),
        "sampling.guidance.logsnr_low": (-5, -1.5),
        "tiling.mode": ("on", "off"),
        "init_image": ("a.png", "b.png"),
        "variation_seed": (1, None),
    }
    for field, pair in values.items():
        first, second = grid(GridAxis(field=field, values=pair)).cells()
        assert first != second
        *parents, leaf = field.split(".")
        for cell, value in zip((first, second), pair, strict=True):
            section: object = cell
            for parent in parents:
                section = getattr(section, parent)
            assert getattr(section, leaf) == (int(value) if leaf == "num_steps" else value)


def test_labels() -> None:
    axis = GridAxis(field="sampling.guidance.weight", values=(1, 2.5, 4.0))
    assert [axis.label(index) for index in range(3)] == [
        "guidance weight 1",
        "guidance weight 2.5",
        "guidance weight 4",
    ]
    assert GridAxis(field="prompt", values=("a red cube", "")).label(0) == "a red cube"
    assert GridAxis(field="prompt", values=("a red cube", "")).label(1) == "no prompt"
    assert GridAxis(field="class_label", values=(None,)).label(0) == "class label none"
    assert GridAxis(field="seed", values=(2**62,)).label(0) == f"seed {2**62}"
    assert GridAxis(field="init_image", values=("/home/me/cat.png",)).label(0) == "init image cat.png"


WRONG_AXES: dict[str, tuple[Callable[[], object], str]] = {
    "no setting": (lambda: grid(GridAxis(field="sed", values=(1,))), "'sed' is no setting"),
    "nothing": (lambda: grid(GridAxis(field="", values=(1,))), "'' is no setting"),
    "no section": (lambda: grid(GridAxis(field="sampling.bse.num_steps", values=(1,))), "is no setting"),
    "a whole section": (lambda: grid(GridAxis(field="sampling.base", values=(1,))), "is no setting"),
    "inside a text": (lambda: grid(GridAxis(field="prompt.length", values=(1,))), "is no setting"),
    "model": (lambda: grid(GridAxis(field="model", values=("a",))), "model cannot be an axis"),
    "count": (lambda: grid(GridAxis(field="num_images", values=(1,))), "num_images cannot be an axis"),
    "kind": (lambda: grid(GridAxis(field="kind", values=("grid",))), "kind cannot be an axis"),
    "no values": (lambda: GridAxis(field="seed", values=()), "at least 1 item"),
    "no number": (lambda: grid(GridAxis(field="seed", values=(1, "x"))), "seed cannot be 'x'.*valid integer"),
    "out of range": (
        lambda: grid(GridAxis(field="sampling.base.num_steps", values=(5000,))),
        "num_steps cannot be 5000.*1024",
    ),
    "contradiction": (
        lambda: grid(GridAxis(field="sampling.guidance.logsnr_low", values=(9,))),
        "cannot be 9: logsnr_low must not exceed",
    ),
    "twice": (
        lambda: grid(GridAxis(field="seed", values=(1,)), GridAxis(field="seed", values=(2,))),
        "both axes change the same",
    ),
    "too many": (
        lambda: grid(
            GridAxis(field="seed", values=tuple(range(33))),
            GridAxis(field="width_px", values=tuple(range(16, 48))),
        ),
        "32 x 33 cells are more than 1024",
    ),
    # Once: these made the same picture in every cell.
    "strength of nothing": (lambda: grid(GridAxis(field="strength", values=(0.1, 0.2))), "nothing without init_image"),
    "variation of nothing": (
        lambda: grid(GridAxis(field="variation_strength", values=(0.1, 0.2))),
        "nothing without variation_seed",
    ),
}


@pytest.mark.parametrize("mistake", WRONG_AXES)
def test_mistakes_in_axes_are_explained(mistake: str) -> None:
    make, reason = WRONG_AXES[mistake]
    with pytest.raises(ValidationError, match=reason):
        make()


def test_a_strength_counts_where_the_other_axis_names_the_picture() -> None:
    strengths = GridAxis(field="strength", values=(0.1, 0.2))
    cells = grid(strengths, GridAxis(field="init_image", values=("a.png", "b.png"))).cells()
    assert [(cell.init_image, cell.strength) for cell in cells] == [
        ("a.png", 0.1),
        ("a.png", 0.2),
        ("b.png", 0.1),
        ("b.png", 0.2),
    ]


def test_the_largest_grid() -> None:
    request = grid(
        GridAxis(field="seed", values=tuple(range(32))), GridAxis(field="width_px", values=tuple(range(16, 48)))
    )
    assert len(request.cells()) == 1024
