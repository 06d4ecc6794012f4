"""Which part of a picture is shown: inside the picture, of the asked shape, and the same wherever it is drawn."""

import math

import numpy as np
import pytest

from tests.helpers.picture_sets import picture
from trainer.data.fitting import (
    Augmentation,
    Crop,
    bucket_shapes,
    cut_and_scaled,
    first_frame,
    inner_size,
    is_mirrored,
    nearest_bucket,
    padded,
    placed_crop,
    shrink_factor,
)
from ul_engine.data.fitting import cover

FREE = Augmentation(flip=True, crop_scale=0.25, crop_position="random")
PLAIN = Augmentation()


@pytest.mark.parametrize("size", [(30, 50), (50, 30), (40, 40), (7, 300)])
def test_without_augmentation_crops_are_those_of_the_engine(size: tuple[int, int]) -> None:
    image = picture(1, size[1], size[0])
    for aspect, target in ((1.0, (16, 16)), (2.0, (16, 32))):
        crop = placed_crop(size, aspect, FREE, seed=1, index=2, epoch=None)
        expected = cover(np.asarray(image)[None], target)[0]
        assert np.abs(cut_and_scaled(image, crop, target).astype(int) - expected).max() <= 1
        assert placed_crop(size, aspect, PLAIN, seed=1, index=2, epoch=5) == crop


@pytest.mark.parametrize("aspect", [None, 1.0, 0.5, 2.0])
def test_random_crops_lie_inside_and_have_the_shape(aspect: float | None) -> None:
    height, width = 30, 50
    shares, lefts = [], []
    for index in range(200):
        crop = placed_crop((height, width), aspect, FREE, seed=3, index=index, epoch=7)
        assert 0 <= crop.left < crop.right <= 1
        assert 0 <= crop.top < crop.bottom <= 1
        across, down = (crop.right - crop.left) * width, (crop.bottom - crop.top) * height
        assert across / down == pytest.approx(width / height if aspect is None else aspect)
        whole = placed_crop((height, width), aspect, FREE, seed=3, index=index, epoch=None)
        shares.append(across / ((whole.right - whole.left) * width))
        lefts.append(crop.left / (1 - (crop.right - crop.left)))
    areas = np.square(shares)
    assert 0.25 <= areas.min() < 0.3
    assert 0.95 < areas.max() <= 1.0 + 1e-9
    assert areas.mean() == pytest.approx(0.625, abs=0.06)
    assert np.mean(lefts) == pytest.approx(0.5, abs=0.08)


def test_centred_crops_stay_at_the_middle() -> None:
    middle = Augmentation(crop_scale=0.25)
    crops = [placed_crop((30, 50), 1.0, middle, seed=0, index=0, epoch=epoch) for epoch in range(20)]
    assert len({crop.left for crop in crops}) == 20
    assert all(
        crop.left + crop.right == pytest.approx(1) and crop.top + crop.bottom == pytest.approx(1) for crop in crops
    )


def test_choices_follow_from_seed_epoch_and_index_alone() -> None:
    def choices(seed: int, epoch: int, index: int) -> tuple[Crop, int]:
        crop = placed_crop((30, 50), 1.0, FREE, seed=seed, index=index, epoch=epoch)
        return crop, first_frame(10_000, seed=seed, index=index, epoch=epoch)

    base = choices(2**32 - 1, 4, 5)
    assert base == choices(2**32 - 1, 4, 5)
    others = [choices(2**32 - 2, 4, 5), choices(2**32 - 1, 5, 5), choices(2**32 - 1, 4, 6)]
    assert all(crop != base[0] and start != base[1] for crop, start in others)


def test_half_are_mirrored_and_each_in_every_other_pass() -> None:
    mirrored = np.array([[is_mirrored(1, epoch, index) for index in range(400)] for epoch in range(4)])
    assert (mirrored[0] != mirrored[1]).all()
    assert (mirrored[0] == mirrored[2]).all()
    assert mirrored.mean() == 0.5
    assert mirrored[0].mean() == pytest.approx(0.5, abs=0.08)
    pixels = cut_and_scaled(picture(0), Crop(0, 0, 1, 1), (30, 40))
    assert np.array_equal(cut_and_scaled(picture(0), Crop(0, 0, 1, 1, True), (30, 40)), pixels[:, ::-1])


def test_first_frames_reach_from_the_first_to_the_last_possible() -> None:
    starts = {first_frame(3, seed=0, index=0, epoch=epoch) for epoch in range(60)}
    assert starts == {0, 1, 2, 3}
    assert first_frame(3, seed=0, index=0, epoch=None) == 1
    assert first_frame(0, seed=0, index=0, epoch=9) == 0


@pytest.mark.parametrize("size", [(30, 50), (50, 30), (5, 500), (40, 40)])
def test_padding_repeats_the_edges(size: tuple[int, int]) -> None:
    inner = inner_size(size, 32)
    assert max(inner) == 32
    frame = np.asarray(picture(0, inner[1], inner[0]))
    square = padded(frame, 32)
    top, left = (32 - inner[0]) // 2, (32 - inner[1]) // 2
    assert square.shape == (32, 32, 3)
    assert np.array_equal(square[top : top + inner[0], left : left + inner[1]], frame)
    assert np.array_equal(square[0], square[top])
    assert np.array_equal(square[:, -1], square[:, left + inner[1] - 1])


@pytest.mark.parametrize(("size_px", "step_px"), [(256, 64), (512, 64), (64, 16), (96, 64), (40, 64)])
def test_buckets_have_about_the_area_and_sides_of_whole_steps(size_px: int, step_px: int) -> None:
    shapes = bucket_shapes(size_px, step_px)
    assert len(set(shapes)) == len(shapes)
    assert {(width, height) for height, width in shapes} == set(shapes)
    for height, width in shapes:
        assert height % step_px == width % step_px == 0
        assert max(height, width) <= 2 * min(height, width)
        if size_px >= 4 * step_px:
            assert height * width == pytest.approx(size_px**2, rel=0.2)
    assert any(height == width for height, width in shapes)


def test_the_nearest_bucket_cuts_least() -> None:
    shapes = bucket_shapes(256, 32)
    for size in ((300, 400), (400, 300), (256, 256), (100, 900)):
        chosen = shapes[nearest_bucket(size, shapes)]
        aspect = size[1] / size[0]

        def kept(shape: tuple[int, int], aspect: float = aspect) -> float:
            return min(shape[1] / shape[0] / aspect, aspect / (shape[1] / shape[0]))

        assert kept(chosen) == max(kept(shape) for shape in shapes)
        assert math.isclose(kept(chosen), 1, abs_tol=0.15) or aspect > 2


def test_shrink_is_what_remains_after_cutting() -> None:
    assert shrink_factor((400, 800), Crop(0.25, 0.0, 0.75, 1.0), (100, 100)) == 4.0
    assert shrink_factor((400, 800), Crop(0.25, 0.0, 0.75, 0.5), (100, 100)) == 2.0
