"""Photographs in crops of any scale, mixed with textures and Scenes: shares, scales, what is held out, what repeats."""

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.picture_sets import encoded, picture, write_folder, write_zip
from trainer.config import PhotographsData, parse_config
from trainer.data.fitting import ScaledCrops
from trainer.data.mixing import MixedSamples, Part, TextureSamples
from trainer.data.opening import open_data
from trainer.data.photographs import PhotographSamples
from trainer.data.samples import SampleSource
from ul_engine.data.textures.choosing import texture
from ul_engine.errors import ConfigError

NUM_FILES = 40


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {f"{number:02d}.png": encoded(picture(number, 60, 44)) for number in range(NUM_FILES)}
    return write_zip(tmp_path_factory.mktemp("photographs") / "all.zip", files)


def opened(path: Path, *, seed: int = 0, **changes: object) -> tuple[SampleSource, SampleSource]:
    settings = {"path": str(path), "size_px": 16, "texture_share": 0.0, "scene_share": 0.0, **changes}
    return open_data(PhotographsData.model_validate(settings), seed=seed)


def part_of(source: SampleSource, number: int) -> Part:
    assert isinstance(source, MixedSamples)
    return source.parts[number]


def same(one: SampleSource, other: SampleSource, epoch: int | None) -> list[bool]:
    return [
        np.array_equal(one.sample(index, epoch).frames, other.sample(index, epoch).frames) for index in range(len(one))
    ]


def test_no_photograph_is_on_both_sides_and_only_photographs_are_held_out(photographs: Path) -> None:
    train, valid = opened(photographs, texture_share=0.25)
    trained = part_of(train, 0).source
    assert isinstance(trained, PhotographSamples)
    assert isinstance(valid, PhotographSamples)
    names = [entry.name for source in (trained, valid) for entry in source.files.entries]
    assert sorted(names) == [f"{number:02d}.png" for number in range(NUM_FILES)]
    assert len(valid) == NUM_FILES // 10


def test_the_parts_have_their_shares(photographs: Path) -> None:
    train, _ = opened(photographs, texture_share=0.25, scene_share=0.25, num_scenes=5)
    assert isinstance(train, MixedSamples)
    assert [part.count for part in train.parts] == [36, 18, 18]
    assert len(train) == 72
    shapes = Counter(train.sample(index, 0).frames.shape for index in range(len(train)))
    assert shapes == {(1, 16, 16, 3): 72}
    assert (train.class_names, train.has_captions, train.buckets) == ((), False, None)
    assert {(train.caption(index), train.label(index)) for index in (0, 40, 71)} == {("", 0)}


def test_a_sample_is_a_function_of_seed_pass_and_index(photographs: Path) -> None:
    train, valid = opened(photographs, texture_share=0.2, seed=4)
    again, _ = opened(photographs, texture_share=0.2, seed=4)
    other, other_valid = opened(photographs, texture_share=0.2, seed=5)
    assert all(same(train, again, 3))
    assert all(same(train, pickle.loads(pickle.dumps(train)), 3))
    assert sum(same(train, other, 3)) < 3
    assert all(same(valid, other_valid, None))
    assert not np.array_equal(train.sample(0, 0).frames, train.sample(0, 1).frames)


def test_crops_have_every_scale_and_lie_inside() -> None:
    crops = ScaledCrops((0.1, 0.8), 16)
    sides = []
    for index in range(400):
        crop = crops.crop((300, 500), seed=1, index=index, epoch=0)
        assert 0.0 <= crop.left < crop.right <= 1.0
        assert 0.0 <= crop.top < crop.bottom <= 1.0
        side = (crop.right - crop.left) * 500
        assert (crop.bottom - crop.top) * 300 == pytest.approx(side)
        sides.append(side)
    quantiles = np.quantile(sides, (0.0, 0.5, 1.0))
    assert quantiles == pytest.approx((30.0, 30.0 * 8**0.5, 240.0), rel=0.1)


def test_crops_are_not_enlarged_where_the_photograph_has_the_pixels() -> None:
    sides = [
        (crop.right - crop.left) * 50
        for crop in (ScaledCrops((0.1, 1.0), 32).crop((40, 50), seed=0, index=index, epoch=2) for index in range(100))
    ]
    assert min(sides) == pytest.approx(32.0)
    assert max(sides) <= 40.0 + 1e-6
    small = ScaledCrops((0.1, 1.0), 32).crop((20, 30), seed=0, index=0, epoch=None)
    assert (small.bottom - small.top) == pytest.approx(1.0)


def test_half_of_the_samples_are_mirrored_in_each_pass_and_none_of_those_held_out() -> None:
    crops = ScaledCrops((0.5, 1.0), 8, flip=True)

    def mirrored(epoch: int | None) -> np.ndarray:
        return np.array([crops.crop((40, 40), seed=0, index=i, epoch=epoch).is_mirrored for i in range(200)])

    assert np.array_equal(mirrored(0), ~mirrored(1))
    assert 60 < mirrored(0).sum() < 140
    assert not mirrored(None).any()


def test_textures_are_new_in_every_pass() -> None:
    source = TextureSamples(size_px=16, count=3, seed=9)
    assert np.array_equal(source.sample(1, 2).frames[0], texture(9, 7, (16, 16)))
    assert np.array_equal(source.sample(1, None).frames, source.sample(1, 0).frames)


def test_a_part_goes_on_where_the_last_pass_ended() -> None:
    source = TextureSamples(size_px=16, count=5, seed=1)
    part = Part(source, 3)
    seen = [part.sample(place, epoch).frames for epoch in range(3) for place in range(3)]
    expected = [source.sample(number % 5, number // 5).frames for number in range(9)]
    assert all(np.array_equal(one, two) for one, two in zip(seen, expected, strict=True))


def test_everything_that_decides_a_sample_is_in_the_fingerprint(photographs: Path, tmp_path: Path) -> None:
    files = {f"{number:02d}.png": encoded(picture(number, 60, 44)) for number in range(NUM_FILES)}
    changed = write_folder(tmp_path / "all", files | {"00.png": encoded(picture(99, 60, 44))})
    variants = (
        opened(photographs, texture_share=0.2),
        opened(photographs, texture_share=0.3),
        opened(photographs, texture_share=0.2, seed=1),
        opened(photographs, texture_share=0.2, crop_sides=(0.3, 0.5)),
        opened(photographs, texture_share=0.2, size_px=24),
        opened(photographs),
        opened(changed, texture_share=0.2),
    )
    assert len({train.fingerprint for train, _ in variants}) == len(variants)
    assert opened(photographs, texture_share=0.2)[0].fingerprint == variants[0][0].fingerprint


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"crop_sides": [0.6, 0.2]}, "crop_sides must rise"),
        ({"crop_sides": [0.0, 0.5]}, "crop_sides must rise"),
        ({"texture_share": 0.6, "scene_share": 0.5}, "leave a tenth"),
        ({"num_valid": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, object], problem: str) -> None:
    data = {"kind": "photographs", "path": "x", "size_px": 64, **changes}
    with pytest.raises(ConfigError, match=problem) as caught:
        parse_config({"stage": "stage1", "model": {"name": "x", "image_px": 64}, "data": data})
    assert "photographs" not in (caught.value.field or "")
