"""Ways and grids as jobs: every step and cell is the picture that its own request would make."""

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.desk import SAMPLING, Counted, Desk, largest_difference
from tests.helpers.tiny import class_conditioning, simple_pictures, tiny_config
from tests.helpers.tiny_clips import clip_config
from ul_engine import protocol as p
from ul_engine.data.fitting import cover
from ul_engine.data.image_files import write_picture
from ul_engine.errors import Cancelled, CheckpointError, ConfigError, DataError
from ul_engine.requests import GenerateRequest, GridAxis, GridRequest, InterpolateRequest


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[str, str]:
    for name, picture in zip("ab", simple_pictures(2), strict=True):
        write_picture(tmp_path / f"{name}.png", picture)
    return str(tmp_path / "a.png"), str(tmp_path / "b.png")


# ---- ways -----------------------------------------------------------------------------------------------------------


def test_every_step_between_seeds_is_a_generation_of_its_own(desk: Desk) -> None:
    request = InterpolateRequest(
        model="m", prompt="a red cube", seed=3, second_seed=8, num_steps=5, width_px=20, sampling=SAMPLING
    )
    way = desk.run(request)
    assert [news.index for news in desk.news(p.ImageResult)] == [0, 1, 2, 3, 4]
    assert {news.fps for news in desk.news(p.ImageResult)} == {None}
    assert {picture.shape for picture in way} == {(1, 16, 20, 3)}
    for index, picture in enumerate(way):
        single = request.generation_of(index)
        assert single is not None
        assert largest_difference(picture, desk.run(single)[0]) <= 1
    plain = [desk.generate(prompt="a red cube", seed=seed, width_px=20)[0] for seed in (3, 8)]
    assert largest_difference(way[0], plain[0]) <= 1
    assert largest_difference(way[4], plain[1]) <= 1
    assert len({picture.tobytes() for picture in way}) == 5


def test_between_prompts(desk: Desk) -> None:
    way = desk.interpolate(between="prompts", prompt="a red cube", second_prompt="", seed=3)
    for picture, prompt in ((way[0], "a red cube"), (way[2], "")):
        (plain,) = desk.generate(prompt=prompt, seed=3)
        assert largest_difference(picture, plain) <= 1
    assert not np.array_equal(way[1], way[0])
    assert not np.array_equal(way[1], way[2])


@pytest.mark.parametrize("between", ["seeds", "prompts", "pictures"])
def test_the_clean_estimates_of_a_way_are_seen(
    desk: Desk, pictures: tuple[str, str], monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    monkeypatch.setattr("ul_engine.jobs.previews.PREVIEW_INTERVAL_S", 0.0)
    monkeypatch.setattr("ul_engine.jobs.previews.GLIMPSE_INTERVAL_S", 0.0)
    ends: dict[str, dict[str, object]] = {
        "seeds": {"prompt": "a red cube"},
        "prompts": {"prompt": "a red cube", "second_prompt": "a blue ball"},
        "pictures": {"pictures": pictures},
    }
    fields = {"between": between, "num_steps": 3, "batch_size": 2, "width_px": 20, **ends[between]}
    quiet = desk.interpolate(**fields)
    assert not desk.news(p.JobPreview)
    made = desk.interpolate(**fields, preview=True)
    assert all(np.array_equal(a, b) for a, b in zip(quiet, made, strict=True))  # looking changes nothing
    previews = [sent for sent in desk.sent if isinstance(sent[0], p.JobPreview)]
    steps = SAMPLING.decoder.num_steps + (SAMPLING.base.num_steps if between != "pictures" else 0)
    assert [news.first_index for news, _ in previews] == [0] * steps + [2] * steps
    for news, payload in previews:
        assert news.shape == ((2 if news.first_index == 0 else 1), 16, 20, 3)
        assert len(payload) == int(np.prod(news.shape))
    last = np.frombuffer(previews[steps - 1][1], np.uint8).reshape(2, 16, 20, 3).astype(int)
    own, other = (np.abs(last - np.concatenate(each)).mean() for each in (made[:2], made[1::-1]))
    assert own < 0.8 * other  # each is nearly the picture in whose place it is shown


def test_between_pictures(desk: Desk, pictures: tuple[str, str]) -> None:
    way = desk.interpolate(between="pictures", pictures=pictures, seed=5)
    for picture, path in ((way[0], pictures[0]), (way[2], pictures[1])):
        (result,) = desk.reconstruct(Path(path), seed=5)
        assert largest_difference(picture, result.picture) <= 1
    with Counted(desk.pipeline.model.base) as calls:
        restored = desk.interpolate(between="pictures", pictures=pictures, seed=5, restore_logsnr=0.0)
    assert len(calls) == 1
    assert not np.array_equal(restored[1], way[1])


def test_pictures_of_any_sizes_are_cut_to_one(desk: Desk, pictures: tuple[str, str], tmp_path: Path) -> None:
    wide = np.tile(simple_pictures(1)[0], (2, 4, 1))
    write_picture(tmp_path / "wide.png", wide)
    write_picture(tmp_path / "cut.png", cover(wide[None], (18, 24))[0])
    options: dict[str, object] = {"between": "pictures", "width_px": 24, "height_px": 18}
    first = desk.interpolate(pictures=(str(tmp_path / "wide.png"), pictures[1]), **options)
    second = desk.interpolate(pictures=(str(tmp_path / "cut.png"), pictures[1]), **options)
    assert {picture.shape for picture in first} == {(1, 18, 24, 3)}
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("between", ["seeds", "prompts", "pictures"])
def test_batches_change_nothing(desk: Desk, pictures: tuple[str, str], between: str) -> None:
    options: dict[str, object] = {
        "seeds": {},
        "prompts": {"prompt": "red cube", "second_prompt": "green sphere"},
        "pictures": {"pictures": pictures, "restore_logsnr": -1.0},
    }[between]
    whole = desk.interpolate(between=between, num_steps=5, batch_size=8, **options)
    parts = desk.interpolate(between=between, num_steps=5, batch_size=2, **options)
    assert max(map(largest_difference, whole, parts)) <= 1
    assert [news.first_index for news in desk.news(p.JobProgress)][-1] == 4


@pytest.mark.parametrize("batch_size", [2, 8])
def test_progress_of_a_way(desk: Desk, pictures: tuple[str, str], batch_size: int) -> None:
    for options in ({}, {"between": "pictures", "pictures": pictures}):
        desk.interpolate(num_steps=5, batch_size=batch_size, **options)
        fractions = [news.fraction for news in desk.news(p.JobProgress)]
        assert fractions == sorted(fractions)
        assert fractions[-1] == pytest.approx(1.0)


def test_stopping_a_way(desk: Desk) -> None:
    request = InterpolateRequest(model="m", num_steps=4, batch_size=1, sampling=SAMPLING)
    with pytest.raises(Cancelled):
        desk.run(request, lambda: len(desk.sent) >= 10)
    assert len(desk.sent) == 10
    assert len(desk.news(p.ImageResult)) == 1


def test_classes_all_the_way() -> None:
    desk = Desk(tiny_config(conditioning=class_conditioning(2)))
    first, second, untold = (desk.interpolate(class_label=label) for label in (0, 1, None))
    assert len({way[1].tobytes() for way in (first, second, untold)}) == 3
    assert largest_difference(second[0], desk.generate(class_label=1)[0]) <= 1


# Once: clips on the way came without their rate, as pictures do.
def test_ways_of_clips() -> None:
    desk = Desk(clip_config(2))
    way = desk.interpolate(num_steps=2)
    assert {clip.shape for clip in way} == {(8, 16, 16, 3)}
    assert {news.fps for news in desk.news(p.ImageResult)} == {8.0}
    assert largest_difference(way[1], desk.generate(seed=1)[0]) <= 1


def test_pictures_under_a_model_of_clips(pictures: tuple[str, str]) -> None:
    desk = Desk(clip_config(2))
    way = desk.interpolate(between="pictures", pictures=pictures)
    assert {picture.shape for picture in way} == {(1, 16, 16, 3)}
    assert {news.fps for news in desk.news(p.ImageResult)} == {None}


def test_what_a_model_cannot_do_on_the_way(pictures: tuple[str, str], tmp_path: Path) -> None:
    without_base, without_encoder = (Desk(without=frozenset((name,))) for name in ("base", "encoder"))
    ends: dict[str, object] = {"between": "pictures", "pictures": pictures}
    with pytest.raises(CheckpointError, match="no base model"):
        without_base.interpolate()
    with pytest.raises(CheckpointError, match="no base model"):
        without_base.interpolate(restore_logsnr=0.0, **ends)
    assert len(without_base.interpolate(**ends)) == 3
    with pytest.raises(CheckpointError, match="no encoder"):
        without_encoder.interpolate(**ends)
    assert len(without_encoder.interpolate()) == 3
    with pytest.raises(ConfigError, match="takes no prompt"):
        Desk(tiny_config()).interpolate(between="prompts", second_prompt="red")
    with pytest.raises(ConfigError, match="takes no class"):
        Desk().interpolate(class_label=1)
    with pytest.raises(DataError, match=r"absent\.png"):
        Desk().interpolate(between="pictures", pictures=(pictures[0], str(tmp_path / "absent.png")))
    with pytest.raises(ConfigError, match="below the noisiest level"):
        Desk().interpolate(restore_logsnr=-15.0, **ends)


# ---- grids ----------------------------------------------------------------------------------------------------------


def grid(x: GridAxis, y: GridAxis | None = None, **fields: object) -> GridRequest:
    options: dict[str, object] = {"model": "m", "sampling": SAMPLING, "preview": False}
    return GridRequest(request=GenerateRequest(**(options | fields)), x=x, y=y)


def test_every_cell_is_a_generation_of_its_own(desk: Desk) -> None:
    request = grid(
        GridAxis(field="sampling.guidance.weight", values=(1, 6.0)),
        GridAxis(field="seed", values=(4, 9)),
        prompt="a red cube",
    )
    cells = desk.run(request)
    news = desk.news(p.ImageResult)
    assert [each.index for each in news] == [0, 1, 2, 3]
    assert [each.seed for each in news] == [4, 4, 9, 9]
    assert len({cell.tobytes() for cell in cells}) == 4
    for cell, single in zip(cells, request.cells(), strict=True):
        assert np.array_equal(cell, desk.run(single)[0])


def test_progress_of_a_grid_and_stopping_it(desk: Desk) -> None:
    request = grid(GridAxis(field="sampling.base.num_steps", values=(1, 5, 2)))
    desk.run(request)
    fractions = [news.fraction for news in desk.news(p.JobProgress)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    with pytest.raises(Cancelled):
        desk.run(request, lambda: len(desk.sent) >= 8)
    assert len(desk.sent) == 8


def test_starts_and_variations_in_a_grid(desk: Desk, pictures: tuple[str, str]) -> None:
    made = desk.run(
        grid(GridAxis(field="strength", values=(0.1, 0.9)), GridAxis(field="init_image", values=(*pictures, None)))
    )
    assert len({cell.tobytes() for cell in made}) == 5  # without a picture the strength changes nothing
    assert np.array_equal(made[4], made[5])
    varied = desk.run(grid(GridAxis(field="variation_strength", values=(0.0, 1)), variation_seed=6))
    assert np.array_equal(varied[1], desk.generate(seed=6)[0])


def test_a_cell_the_model_cannot_make_stops_the_grid_before_it_begins(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="takes no class"):
        desk.run(grid(GridAxis(field="class_label", values=(None, 1))))
    assert desk.sent == []
    with pytest.raises(CheckpointError, match="no base model"):
        Desk(without=frozenset(("base",))).run(grid(GridAxis(field="seed", values=(1,))))


def test_grids_of_clips() -> None:
    desk = Desk(clip_config(2, context_frames=3))
    made = desk.run(grid(GridAxis(field="num_frames", values=(2, 10))))
    assert [clip.shape[0] for clip in made] == [2, 10]
    assert {news.fps for news in desk.news(p.ImageResult)} == {8.0}


def test_of_a_grid_only_the_changed_cells_are_made_anew() -> None:
    shared, columns = GenerateRequest(model="any", num_images=1), GridAxis(field="seed", values=(1, 2))
    weights = "sampling.guidance.weight"
    first = GridRequest(request=shared, x=columns, y=GridAxis(field=weights, values=(1.0, 2.0))).cells()
    second = GridRequest(request=shared, x=columns, y=GridAxis(field=weights, values=(1.0, 3.0))).cells()
    assert [one is other for one, other in zip(first, second, strict=True)] == [True, True, False, False]
    assert [cell.sampling.guidance.weight for cell in second] == [1.0, 1.0, 3.0, 3.0]
