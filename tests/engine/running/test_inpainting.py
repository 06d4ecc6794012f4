"""Parts of a picture that stay while the rest is made anew: kept to the pixel, seen by both loops, mixed where grey."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.desk import SAMPLING, Counted, Desk
from tests.helpers.tiny import simple_pictures, tiny_config
from tests.helpers.tiny_clips import clip_config
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import Uint8Array, clip_from_array
from ul_engine.diffusion.noise import SeededNoise
from ul_engine.diffusion.schedules import alpha_sigma
from ul_engine.errors import ConfigError, DataError, ShapeError
from ul_engine.objectives import latent_schedule_of
from ul_engine.pipelines import Kept, Start, cells_of
from ul_engine.pipelines.sampling import run_loop
from ul_engine.requests import GenerateRequest, SamplerName, SamplerSettings

PICTURE = simple_pictures(1, size_px=32)[0]
LEFT = np.s_[:, :, :16]
RIGHT = np.s_[:, :, 16:]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def start(tmp_path: Path) -> str:
    write_picture(tmp_path / "start.png", PICTURE)
    return str(tmp_path / "start.png")


def mask_file(folder: Path, grey: Uint8Array, name: str = "mask.png") -> str:
    """A mask of `grey` [H, W]."""
    write_picture(folder / name, np.repeat(grey[..., None], 3, axis=-1))
    return str(folder / name)


def right_half(white: int = 255) -> Uint8Array:
    grey = np.zeros((32, 32), np.uint8)
    grey[:, 16:] = white
    return grey


def masked(desk: Desk, start: str, mask: str | None, **fields: object) -> Uint8Array:
    options: dict[str, object] = {"strength": 1.0, "width_px": 32, "height_px": 32}
    return desk.generate(init_image=start, mask_image=mask, **(options | fields))[0]


# ---- what stays and what changes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", list(SamplerName))
def test_black_stays_to_the_pixel_and_white_is_made_anew(
    desk: Desk, start: str, tmp_path: Path, sampler: SamplerName
) -> None:
    settings = SamplerSettings(name=sampler, num_steps=4)
    sampling = SAMPLING.model_copy(update={"base": settings, "decoder": settings})
    made = masked(desk, start, mask_file(tmp_path, right_half()), sampling=sampling)
    assert np.array_equal(made[LEFT], PICTURE[None][LEFT])
    assert np.abs(made[RIGHT].astype(int) - PICTURE[None][RIGHT]).mean() > 10


def test_what_is_made_anew_differs_from_seed_to_seed_and_by_prompt(desk: Desk, start: str, tmp_path: Path) -> None:
    mask = mask_file(tmp_path, right_half())
    made = [
        masked(desk, start, mask, seed=seed, prompt=prompt) for seed, prompt in ((0, ""), (1, ""), (0, "a red cube"))
    ]
    assert all(np.array_equal(picture[LEFT], PICTURE[None][LEFT]) for picture in made)
    assert len({picture[RIGHT].tobytes() for picture in made}) == 3


def test_every_picture_of_a_batch_keeps_the_same_parts(desk: Desk, start: str, tmp_path: Path) -> None:
    mask = mask_file(tmp_path, right_half())
    made = desk.generate(init_image=start, mask_image=mask, strength=1.0, width_px=32, height_px=32, num_images=3)
    assert all(np.array_equal(picture[LEFT], PICTURE[None][LEFT]) for picture in made)
    assert len({picture[RIGHT].tobytes() for picture in made}) == 3
    alone = masked(desk, start, mask, seed=2)
    assert np.abs(alone.astype(int) - made[2]).max() <= 1


def test_an_all_white_mask_is_no_mask(desk: Desk, start: str, tmp_path: Path) -> None:
    white = mask_file(tmp_path, np.full((32, 32), 255, np.uint8))
    for strength in (1.0, 0.4):
        difference = masked(desk, start, white, strength=strength).astype(int) - masked(
            desk, start, None, strength=strength
        )
        assert np.abs(difference).max() <= 1


def test_the_strength_counts_under_a_mask(desk: Desk, start: str, tmp_path: Path) -> None:
    mask = mask_file(tmp_path, right_half())
    with Counted(desk.pipeline.model.base) as calls:
        masked(desk, start, mask, strength=0.5, prompt="")
    assert 0 < len(calls) < SAMPLING.base.num_steps


def test_grey_is_mixed(desk: Desk, start: str, tmp_path: Path) -> None:
    """The lighter the mask, the further from the picture."""
    distances = []
    for white in (20, 90, 160, 255):
        made = masked(desk, start, mask_file(tmp_path, right_half(white)))
        distances.append(np.abs(made[RIGHT].astype(int) - PICTURE[None][RIGHT]).mean())
        assert np.array_equal(made[LEFT], PICTURE[None][LEFT])
    assert distances == sorted(distances)
    assert distances[-1] > 2 * distances[0]


@pytest.mark.parametrize("size", [(24, 40), (29, 31)])
def test_picture_and_mask_are_cut_alike(desk: Desk, start: str, tmp_path: Path, size: tuple[int, int]) -> None:
    mask = mask_file(tmp_path, right_half())
    made = masked(desk, start, mask, height_px=size[0], width_px=size[1])
    plain = masked(desk, start, mask, height_px=size[0], width_px=size[1], seed=1)
    same = (made == plain).all(axis=(0, 1, 3))
    assert same[: size[1] // 2 - 2].all()
    assert not same[size[1] // 2 + 2 :].any()


def test_a_decoder_that_answers_at_once_keeps_too(start: str, tmp_path: Path) -> None:
    config = tiny_config()
    desk = Desk(config.model_copy(update={"decoder_loss": config.decoder_loss.model_copy(update={"kind": "mse"})}))
    made = masked(desk, start, mask_file(tmp_path, right_half()))
    assert np.array_equal(made[LEFT], PICTURE[None][LEFT])
    assert not np.array_equal(made[RIGHT], PICTURE[None][RIGHT])


# ---- both loops see what stays --------------------------------------------------------------------------------------


def test_the_networks_see_the_kept_part_noised_to_every_level(desk: Desk, start: str, tmp_path: Path) -> None:
    """What the decoder is given left of the border is the picture at that level, and noise: at the last levels nothing
    but the picture."""
    mask = mask_file(tmp_path, right_half())
    with Counted(desk.pipeline.model.decoder) as plain:
        masked(desk, start, None)
    with Counted(desk.pipeline.model.decoder) as calls:
        masked(desk, start, mask)
    x = clip_from_array(PICTURE[None])[..., :16]
    errors = [
        [float(torch.corrcoef(torch.stack((given[0][..., :16].flatten(), x.flatten())))[0, 1]) for given in each.inputs]
        for each in (calls, plain)
    ]
    assert errors[0] == sorted(errors[0])
    assert errors[0][-1] > 0.8
    assert errors[0][-1] > errors[1][-1] + 0.2


@pytest.mark.parametrize("sampler", list(SamplerName))
def test_the_kept_latent_ends_as_training_has_it(desk: Desk, sampler: SamplerName) -> None:
    """At the native level, with exactly that much noise on it: for every solver, from pure noise and from a start."""
    schedule = latent_schedule_of(desk.pipeline.config)
    alpha_0, sigma_0 = (float(value) for value in alpha_sigma(torch.tensor(schedule.logsnr_max)))
    clean = torch.linspace(-1, 1, 16).view(1, 1, 1, 4, 4).expand(1, 64, 1, 4, 4)
    kept = Kept(clean, torch.zeros(1, 1, 1, 4, 4))
    for begin in (None, Start(clean, 0.0)):
        noise = SeededNoise([3], "base", shape=clean.shape[1:])
        z_0 = run_loop(
            kept.held(lambda z_t, logsnr: torch.full_like(z_t, 100.0)),
            schedule,
            SamplerSettings(name=sampler, num_steps=16),
            noise,
            start=begin,
            observe=lambda step: None,
        )
        eps = (z_0 - alpha_0 * clean) / sigma_0
        assert float(eps.std()) == pytest.approx(1.0, abs=0.1)
        assert float(eps.mean()) == pytest.approx(0.0, abs=0.1)


def test_a_cell_is_as_new_as_its_newest_pixel() -> None:
    new = torch.zeros(1, 1, 1, 8, 12)
    new[..., 3, 4] = 0.5
    new[..., 7, 11] = 1.0
    assert cells_of(new, cell_px=4)[0, 0, 0].tolist() == [[0.0, 0.5, 0.0], [0.0, 0.0, 1.0]]
    with pytest.raises(ShapeError, match="whole cells"):
        cells_of(new, cell_px=5)


# ---- what is refused ------------------------------------------------------------------------------------------------


def test_masks_that_say_nothing_or_something_else(desk: Desk, start: str, tmp_path: Path) -> None:
    black = mask_file(tmp_path, np.zeros((32, 32), np.uint8), "black.png")
    small = mask_file(tmp_path, np.full((16, 32), 255, np.uint8), "small.png")
    for mask, reason in ((black, "all black"), (small, "32 x 16 pixels and the start picture 32 x 32")):
        with pytest.raises(DataError, match=reason) as caught:
            masked(desk, start, mask)
        assert mask in str(caught.value)
    with pytest.raises(DataError, match="no such file"):
        masked(desk, start, str(tmp_path / "absent.png"))


def test_a_mask_needs_a_picture_and_a_model_of_pictures(start: str) -> None:
    with pytest.raises(ValueError, match="init_image"):
        GenerateRequest(model="m", mask_image="mask.png")
    with pytest.raises(ConfigError, match="starts from no picture"):
        masked(Desk(clip_config(2)), start, "mask.png")
