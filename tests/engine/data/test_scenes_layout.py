"""Scenes as numbers: purity, pins, framing, relations."""

from collections import Counter
from dataclasses import replace

import pytest

from ul_engine.data.scenes import grammar
from ul_engine.data.scenes.framing import screen_boxes
from ul_engine.data.scenes.labels import attributes
from ul_engine.data.scenes.layout import FLAT_TOPPED_SHAPES, scene_spec
from ul_engine.data.scenes.motion import frame_at
from ul_engine.data.scenes.spec import SceneOptions, SceneSpec
from ul_engine.errors import ConfigError

PAIRS = SceneOptions(num_objects_max=2, two_object_fraction=1.0)


def test_scene_is_a_pure_function_of_seed_and_index() -> None:
    forwards = [scene_spec(9, index) for index in range(20)]
    backwards = [scene_spec(9, index) for index in reversed(range(20))]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == 20
    assert scene_spec(10, 0) != scene_spec(9, 0)
    assert (forwards[3].seed, forwards[3].index) == (9, 3)


def test_words_are_drawn_evenly() -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for index in range(1000):
        seen.update(attributes(scene_spec(2, index)).items())
    for name, words in grammar.ATTRIBUTE_WORDS.items():
        for word in words:
            assert seen[name, word] == pytest.approx(1000 / len(words), rel=0.35), (name, word)


@pytest.mark.parametrize("name", grammar.ATTRIBUTE_WORDS)
def test_a_pin_changes_its_attribute_and_no_other(name: str) -> None:
    free = attributes(scene_spec(4, 11))
    for word in grammar.ATTRIBUTE_WORDS[name]:
        assert attributes(scene_spec(4, 11, pinned={name: word})) == {**free, name: word}


def test_options_decide_number_of_objects_and_motion() -> None:
    assert all(len(scene_spec(1, index).objects) == 1 for index in range(30))
    assert all(len(scene_spec(1, index, PAIRS).objects) == 2 for index in range(30))
    some = [len(scene_spec(1, index, replace(PAIRS, two_object_fraction=0.3)).objects) - 1 for index in range(300)]
    assert 0.2 < sum(some) / 300 < 0.4
    assert {scene_spec(1, index, SceneOptions(motions=("bounce",))).motion.name for index in range(9)} == {"bounce"}


@pytest.mark.parametrize(
    "fields", [{"num_objects_max": 3}, {"two_object_fraction": 1.5}, {"motions": ()}, {"motions": ("fly",)}]
)
def test_wrong_options_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"scenes\."):
        SceneOptions(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pinned",
    [
        {"form": "cube"},
        {"shape": "teapot"},
        {"shape": "sphere", "motion": "spin left"},
        {"shape": "pyramid", "motion": "roll"},
        {"relation": "on top of", "second_shape": "cone"},
        {"relation": "behind", "motion": "bounce"},
    ],
)
def test_wrong_pins_are_refused(pinned: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"pinned\."):
        scene_spec(0, 0, pinned=pinned)


def _inside(spec: SceneSpec, time_s: float = 0.0) -> bool:
    boxes = screen_boxes(frame_at(spec, time_s))
    return all(max(-box.left, box.right, -box.bottom, box.top) < 0.96 for box in boxes)


def test_objects_are_wholly_inside_and_large_enough() -> None:
    for index in range(200):
        spec = scene_spec(6, index)
        box = screen_boxes(frame_at(spec))[0]
        assert _inside(spec), index
        span = max(box.right - box.left, box.top - box.bottom) / 2.0  # share of the picture's width
        low, high = (0.23, 0.38) if spec.objects[0].size == "small" else (0.35, 0.6)
        assert low < span < high, (index, spec.objects[0])


@pytest.mark.parametrize("motion", grammar.MOTIONS)
def test_moving_objects_stay_inside(motion: str) -> None:
    for index in range(12):
        spec = scene_spec(8, index, pinned={"motion": motion})
        assert all(_inside(spec, number / 4.0) for number in range(14)), index


@pytest.mark.parametrize("relation", ["left of", "right of", "in front of", "behind"])
def test_relations_stay_true_while_the_camera_moves(relation: str) -> None:
    """For four seconds, which is one swing to and fro and half of another."""
    for index in range(40):
        spec = scene_spec(13, index, pinned={"relation": relation, "motion": "orbit"})
        for number in range(32):
            first, second = screen_boxes(frame_at(spec, number / 8.0))
            right, away = first.middle[0] - second.middle[0], first.depth - second.depth
            holds = {"left of": right < 0, "right of": right > 0, "in front of": away < 0, "behind": away > 0}
            assert holds[relation], (index, number)


@pytest.mark.parametrize("relation", grammar.RELATIONS)
def test_relations_hold_as_the_camera_sees_them(relation: str) -> None:
    for index in range(30):
        spec = scene_spec(12, index, pinned={"relation": relation})
        first, second = screen_boxes(frame_at(spec))
        (x, y), (second_x, second_y) = first.middle, second.middle
        right, away, up = x - second_x, first.depth - second.depth, y - second_y
        assert _inside(spec)
        if relation in ("left of", "right of"):
            assert right * (1 if relation == "right of" else -1) > 0.3
        elif relation in ("in front of", "behind"):
            sign = 1 if relation == "behind" else -1
            assert sign * away > 0.5
            assert sign * (first.bottom - second.bottom) > 0.0
        else:
            assert up > 0.2
            assert abs(right) < 0.2
            assert spec.objects[1].shape in FLAT_TOPPED_SHAPES


def test_horizon_leaves_room_for_floor_and_sky() -> None:
    for index in range(100):
        camera = scene_spec(2, index, PAIRS).camera
        assert 0.25 < camera.pitch_rad / camera.tan_half_view < 0.6
