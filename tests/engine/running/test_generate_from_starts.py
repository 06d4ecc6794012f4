"""Pictures that begin at a picture or near another seed's: how much of it is kept, and that each can be made again."""

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.desk import SAMPLING, Counted, Desk, largest_difference
from tests.helpers.tiny import simple_pictures
from tests.helpers.tiny_clips import clip_config
from ul_engine import protocol as p
from ul_engine.comparison import Rung, Study
from ul_engine.data.fitting import cover
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import CheckpointError, ConfigError, DataError
from ul_engine.requests import GenerateRequest, SamplerSettings

FINE = SAMPLING.model_copy(update={"base": SamplerSettings(num_steps=12)})


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def picture(tmp_path: Path) -> str:
    write_picture(tmp_path / "a.png", simple_pictures(1)[0])
    return str(tmp_path / "a.png")


def distance(first: Uint8Array, second: Uint8Array) -> float:
    return float(np.abs(first.astype(int) - second).mean())


# ---- from a picture -------------------------------------------------------------------------------------------------


def test_the_weaker_the_nearer_to_the_start(desk: Desk, picture: str) -> None:
    """Measured by the first picture of the decoder alone, which all share, so that only the latents differ."""
    strengths = (0.001, 0.15, 0.35, 0.6, 1.0)
    reconstruction = Study(desk.pipeline, simple_pictures(1), sampling=FINE).picture(Rung(5.0))
    made = {
        strength: desk.generate(init_image=picture, strength=strength, sampling=FINE, num_images=6)
        for strength in strengths
    }
    again = [
        np.mean([distance(one, other) for one, other in zip(made[0.001], made[strength], strict=True)])
        for strength in strengths
    ]
    assert again == sorted(again)
    assert distance(made[0.001][0], reconstruction) < 0.5 * distance(made[1.0][0], reconstruction)


def test_at_full_strength_the_picture_is_forgotten(desk: Desk, picture: str) -> None:
    (plain,) = desk.generate(prompt="a red cube", seed=4, sampling=FINE)
    (started,) = desk.generate(prompt="a red cube", seed=4, sampling=FINE, init_image=picture, strength=1.0)
    (kept,) = desk.generate(prompt="a red cube", seed=4, sampling=FINE, init_image=picture, strength=0.2)
    assert distance(started, plain) < 1.0
    assert distance(kept, plain) > 5 * distance(started, plain)


def test_a_strength_takes_its_share_of_the_steps(desk: Desk, picture: str) -> None:
    counts = []
    for strength in (0.001, 0.2, 0.5, 1.0):
        with Counted(desk.pipeline.model.base) as calls:
            desk.generate(init_image=picture, strength=strength, sampling=FINE)
        counts.append(len(calls))
        fractions = [news.fraction for news in desk.news(p.JobProgress)]
        assert fractions == sorted(fractions)
        assert fractions[-1] == pytest.approx(1.0)
    assert counts == sorted(counts)
    assert counts[0] <= 1
    assert counts[-1] == 12


def test_prompts_count_from_a_start(desk: Desk, picture: str) -> None:
    first, second = (
        desk.generate(init_image=picture, strength=0.8, prompt=prompt)[0] for prompt in ("red cube", "green sphere")
    )
    assert not np.array_equal(first, second)


def test_every_picture_of_a_start_has_its_own_seed_in_any_batch(desk: Desk, picture: str) -> None:
    options: dict[str, object] = {"init_image": picture, "strength": 0.7, "seed": 5}
    together = desk.generate(num_images=4, batch_size=4, **options)
    parts = desk.generate(num_images=4, batch_size=3, **options)
    assert len({image.tobytes() for image in together}) == 4
    assert max(map(largest_difference, together, parts)) <= 1
    request = GenerateRequest(model="m", num_images=4, sampling=SAMPLING, preview=False, **options)
    (third,) = desk.run(request.for_single(2))
    assert largest_difference(third, together[2]) <= 1


@pytest.mark.parametrize(("width", "height"), [(28, 18), (16, 31)])
def test_a_start_is_cut_to_the_size_asked(desk: Desk, tmp_path: Path, width: int, height: int) -> None:
    source = np.tile(simple_pictures(1)[0], (3, 2, 1))
    write_picture(tmp_path / "tall.png", source)
    write_picture(tmp_path / "cut.png", cover(source[None], (height, width))[0])
    size = {"width_px": width, "height_px": height}
    (made,) = desk.generate(init_image=str(tmp_path / "tall.png"), **size)
    (cut,) = desk.generate(init_image=str(tmp_path / "cut.png"), **size)
    assert made.shape == (1, height, width, 3)
    assert np.array_equal(made, cut)


def test_what_cannot_be_started_from(desk: Desk, picture: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.png"):
        desk.generate(init_image=str(tmp_path / "absent.png"))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match=r"text\.png: is no picture"):
        desk.generate(init_image=str(tmp_path / "text.png"))
    with pytest.raises(CheckpointError, match="no encoder"):
        Desk(without=frozenset(("encoder",))).generate(init_image=picture)
    with pytest.raises(ConfigError, match="starts from no picture"):
        Desk(clip_config(2, context_frames=3)).generate(init_image=picture)


# ---- variations -----------------------------------------------------------------------------------------------------


def test_a_variation_leads_from_one_seed_to_the_other(desk: Desk) -> None:
    (first,), (second,) = (desk.generate(seed=seed, prompt="a red cube") for seed in (3, 8))
    options: dict[str, object] = {"seed": 3, "variation_seed": 8, "prompt": "a red cube"}
    made = [desk.generate(variation_strength=strength, **options)[0] for strength in (0.0, 0.05, 0.5, 1.0)]
    assert np.array_equal(made[0], first)
    assert np.array_equal(made[3], second)
    assert 0 < distance(made[1], first) < distance(made[2], first)
    assert distance(made[1], first) < distance(made[1], second)


# Once: for_single left the variation seed where it was, and the third picture's own settings made another picture.
def test_every_variation_of_a_batch_can_be_made_again_alone(desk: Desk) -> None:
    request = GenerateRequest(
        model="m", num_images=3, seed=3, variation_seed=8, variation_strength=0.6, sampling=SAMPLING, preview=False
    )
    together = desk.run(request)
    for index in range(3):
        (alone,) = desk.run(request.for_single(index))
        assert largest_difference(alone, together[index]) <= 1
    assert len({image.tobytes() for image in together}) == 3
    ends = desk.generate(num_images=3, seed=3, variation_seed=8, variation_strength=1.0)
    others = desk.generate(num_images=3, seed=8)
    assert max(map(largest_difference, ends, others)) <= 1


# Once: noise blended with itself, and so up to twice its variance.
def test_a_variation_towards_the_seed_itself_changes_nothing(desk: Desk) -> None:
    (plain,) = desk.generate(seed=3)
    (varied,) = desk.generate(seed=3, variation_seed=3, variation_strength=0.5)
    assert np.array_equal(varied, plain)


def test_a_start_may_be_varied(desk: Desk, picture: str) -> None:
    options: dict[str, object] = {"init_image": picture, "strength": 0.8, "seed": 3}
    (plain,) = desk.generate(**options)
    (varied,) = desk.generate(variation_seed=9, variation_strength=0.3, **options)
    assert not np.array_equal(plain, varied)
