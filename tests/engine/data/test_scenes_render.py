"""Pictures and clips: purity, decisive pixels, and that every option shows."""

import colorsys
from dataclasses import replace

import pytest
import torch

from ul_engine.data.scenes import grammar, palette
from ul_engine.data.scenes.framing import screen_boxes
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.motion import frame_at
from ul_engine.data.scenes.render import render_scenes
from ul_engine.data.scenes.spec import SceneOptions, SceneSpec
from ul_engine.errors import ShapeError

MIXED = SceneOptions(num_objects_max=2, two_object_fraction=0.5)
PLAIN = {"material": "matte", "floor_pattern": "plain"}


def _picture(spec: SceneSpec, size_px: int = 32) -> torch.Tensor:
    return render_scenes([spec], size_px=size_px)[0, :, 0].int()  # [3, H, W]


def _difference(first: torch.Tensor, second: torch.Tensor) -> int:
    return int((first.int() - second.int()).abs().max())


def test_shape_type_and_range() -> None:
    specs = [scene_spec(0, index) for index in range(3)]
    clip = render_scenes(specs, size_px=(16, 24), num_frames=2)
    assert clip.shape == (3, 3, 2, 16, 24)
    assert clip.dtype == torch.uint8
    assert clip.is_contiguous()
    assert render_scenes([], size_px=16).shape == (0, 3, 1, 16, 16)


def test_a_picture_does_not_depend_on_its_batch() -> None:
    specs = [scene_spec(3, index, MIXED) for index in range(24)]
    together = render_scenes(specs, size_px=32)
    for start, stop in ((0, 1), (7, 8), (12, 20)):
        assert _difference(render_scenes(specs[start:stop], size_px=32), together[start:stop]) <= 1
    assert _difference(render_scenes(specs[::-1], size_px=32), together.flip(0)) <= 1


def test_still_clips_repeat_the_picture_and_moving_ones_do_not() -> None:
    still = scene_spec(1, 0)
    clip = render_scenes([still], size_px=32, num_frames=3)
    for number in range(3):
        assert _difference(clip[0, :, number], _picture(still)) <= 1
    for motion in grammar.MOTIONS[1:]:
        moving = scene_spec(1, 1, pinned={"motion": motion})
        clip = render_scenes([moving], size_px=32, num_frames=2, frames_per_second=4.0)
        assert _difference(clip[0, :, 0], clip[0, :, 1]) > 20, motion


def test_a_clip_is_a_function_of_time() -> None:
    spec = scene_spec(1, 1, pinned={"motion": "bounce"})
    slow = render_scenes([spec], size_px=24, num_frames=5, frames_per_second=8.0)
    fast = render_scenes([spec], size_px=24, num_frames=3, frames_per_second=4.0)
    assert _difference(slow[:, :, ::2], fast) <= 1


def test_every_word_shows() -> None:
    for name, words in grammar.ATTRIBUTE_WORDS.items():
        specs = [scene_spec(4, 6, pinned={"shape": "cube", **PLAIN, name: word}) for word in words]
        pictures = render_scenes(specs, size_px=32)
        for first in range(len(words)):
            for second in range(first):
                assert _difference(pictures[first], pictures[second]) > 25, (name, words[first], words[second])


def test_geometry_of_the_scene_shows() -> None:
    spec = scene_spec(4, 6, pinned={"shape": "cube", "floor_pattern": "checkered"})
    picture = _picture(spec)
    camera = spec.camera
    for changed in (
        replace(spec, light_azimuth_rad=spec.light_azimuth_rad + 0.5),
        replace(spec, light_elevation_rad=spec.light_elevation_rad + 0.2),
        replace(spec, camera=replace(camera, azimuth_rad=camera.azimuth_rad + 0.3)),
        replace(spec, camera=replace(camera, elevation_rad=camera.elevation_rad + 0.05)),
        replace(spec, camera=replace(camera, distance=camera.distance * 1.05)),
        replace(spec, floor=replace(spec.floor, turn_rad=spec.floor.turn_rad + 0.3)),
        replace(spec, objects=(replace(spec.objects[0], yaw_rad=spec.objects[0].yaw_rad + 0.4),)),
    ):
        assert _difference(_picture(changed), picture) > 15, changed


def _pixel_at(picture: torch.Tensor, x: float, y: float) -> list[int]:
    size = picture.shape[-1]
    column, row = int((x + 1.0) / 2.0 * size), int((1.0 - y) / 2.0 * size)
    value: list[int] = picture[:, row, column].tolist()
    return value


def _nearest_color(pixel: list[int]) -> str:
    """The object colour of the nearest hue."""

    def hue(color: tuple[int, ...] | list[int]) -> float:
        return colorsys.rgb_to_hsv(*(part / 255.0 for part in color))[0]

    def gap(name: str) -> float:
        difference = abs(hue(palette.OBJECT_COLORS[name]) - hue(pixel))
        return min(difference, 1.0 - difference)

    return min(palette.OBJECT_COLORS, key=gap)


@pytest.mark.parametrize("color", grammar.COLORS)
def test_object_color_shows_at_its_middle(color: str) -> None:
    specs = [
        scene_spec(11, index, pinned={"shape": shape, "color": color, "material": material})
        for index, shape in enumerate(grammar.SHAPES)
        for material in grammar.MATERIALS
        if shape != "torus"  # its middle is a hole
    ]
    for spec, picture in zip(specs, render_scenes(specs, size_px=48)[:, :, 0], strict=True):
        box = screen_boxes(frame_at(spec))[0]
        assert _nearest_color(_pixel_at(picture, *box.middle)) == color, spec.objects


def _inner(picture: torch.Tensor, spec: SceneSpec) -> torch.Tensor:
    """The middle of the object's box, half as wide and half as high."""
    box, half = screen_boxes(frame_at(spec))[0], picture.shape[-1] / 2.0
    (x, y), reach = box.middle, (box.right - box.left) / 4.0
    rows = slice(int((1.0 - y - reach) * half), int((1.0 - y + reach) * half))
    return picture[:, rows, int((1.0 + x - reach) * half) : int((1.0 + x + reach) * half)]


def test_metal_has_a_white_highlight_and_matte_has_none() -> None:
    for index in range(4):
        brightest = {}
        for material in grammar.MATERIALS:
            spec = scene_spec(
                2, index, pinned={"shape": "sphere", "color": "blue", "size": "large", "material": material}
            )
            brightest[material] = int(_inner(_picture(spec, 64), spec)[0].max())  # blue has hardly any red
        assert brightest["metal"] > 200
        assert brightest["matte"] < 100


def test_sky_is_above_and_floor_below() -> None:
    for index in range(8):
        spec = scene_spec(5, index, pinned={"sky": "blue", "floor_color": "red", **PLAIN})
        picture = _picture(spec)
        top, bottom = picture[:, 0].float().mean(1), picture[:, -1].float().mean(1)
        assert top[2] > top[0] + 40
        assert bottom[0] > bottom[2] + 20


def test_pictures_agree_across_sizes() -> None:
    specs = [scene_spec(6, index, MIXED) for index in range(6)]
    large = render_scenes(specs, size_px=128)[:, :, 0].float()
    small = render_scenes(specs, size_px=32)[:, :, 0].float()
    assert (torch.nn.functional.avg_pool2d(large, 4) - small).abs().mean() < 3.0


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ShapeError, match="cannot render"):
        render_scenes([scene_spec(0, 0)], size_px=4)
    with pytest.raises(ShapeError, match="cannot render"):
        render_scenes([scene_spec(0, 0)], size_px=16, num_frames=0)
