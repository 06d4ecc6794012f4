"""What is asked of a picture of a scene, and what counts as shown."""

import pytest

from ul_engine.data.scenes.framing import screen_box
from ul_engine.data.scenes.judged import NOT_ASKED, QUESTIONS, Arrangement, answers, verdict
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.motion import at_rest
from ul_engine.data.scenes.spec import SceneOptions, SceneSpec

PAIRS = SceneOptions(num_objects_max=2, two_object_fraction=1.0)


def pair(relation: str, index: int) -> SceneSpec:
    return scene_spec(5, index, PAIRS, pinned={"relation": relation})


def test_every_scene_shows_its_own_caption() -> None:
    for index in range(50):
        for options in (SceneOptions(), PAIRS):
            spec = scene_spec(5, index, options)
            assert all(verdict(spec, answers(spec)).values())


def test_questions_about_two_objects_are_not_asked_of_one() -> None:
    one, two = answers(scene_spec(5, 0)), answers(pair("left of", 0))
    assert one.keys() == two.keys() == QUESTIONS.keys()
    assert one["side_0_shape"] == one["arrangement"] == NOT_ASKED
    assert two["shape"] == two["depth_0_shape"] == two["stack_1_size"] == NOT_ASKED
    assert all(0 <= answer < QUESTIONS[name] for name, answer in two.items() if answer != NOT_ASKED)


@pytest.mark.parametrize("relation", ["left of", "right of"])
def test_the_left_object_is_asked_for_first(relation: str) -> None:
    for index in range(20):
        spec = pair(relation, index)
        boxes = [screen_box(at_rest(item), spec.camera) for item in spec.objects]
        middles = [(box.left + box.right) / 2 for box in boxes]
        left = spec.objects[middles.index(min(middles))]
        assert answers(spec)["side_0_shape"] == answers(scene_spec(5, 0, pinned={"shape": left.shape}))["shape"]


@pytest.mark.parametrize("relation", ["in front of", "behind"])
def test_the_nearer_object_is_asked_for_first(relation: str) -> None:
    """What stands nearer on the floor reaches lower in the picture."""
    for index in range(20):
        spec = pair(relation, index)
        bottoms = [screen_box(at_rest(item), spec.camera).bottom for item in spec.objects]
        near = spec.objects[bottoms.index(min(bottoms))]
        assert answers(spec)["depth_0_shape"] == answers(scene_spec(5, 0, pinned={"shape": near.shape}))["shape"]


def test_mirrored_captions_ask_the_same_of_a_picture() -> None:
    """A cone left of a cube is a cube right of a cone."""
    words = {"shape": "cone", "color": "red", "size": "small", "material": "matte"}
    others = {"shape": "cube", "color": "blue", "size": "large", "material": "metal"}
    left = scene_spec(
        5, 0, pinned=words | {f"second_{name}": word for name, word in others.items()} | {"relation": "left of"}
    )
    right = scene_spec(
        5, 0, pinned=others | {f"second_{name}": word for name, word in words.items()} | {"relation": "right of"}
    )
    assert answers(left) == answers(right)
    assert all(verdict(left, answers(right)).values())


def test_objects_the_other_way_round_break_the_relation_and_their_words() -> None:
    spec = scene_spec(5, 0, pinned={"shape": "cone", "second_shape": "cube", "relation": "left of"})
    turned = scene_spec(5, 0, pinned={"shape": "cone", "second_shape": "cube", "relation": "right of"})
    found = verdict(spec, answers(turned))
    assert not found["relation"]
    assert not found["first_shape"]
    assert not found["second_shape"]
    assert found["num_objects"]
    assert found["sky"]


def test_one_wrong_word_is_one_wrong_word() -> None:
    spec = pair("behind", 3)
    seen = answers(spec)
    question = f"{Arrangement.DEPTH}_1_color"  # the farther one, which a caption with "behind" names first
    seen[question] = (seen[question] + 1) % QUESTIONS[question]
    assert [name for name, is_shown in verdict(spec, seen).items() if not is_shown] == ["first_color"]


def test_another_arrangement_or_number_is_seen() -> None:
    spec = pair("left of", 1)
    seen = answers(spec)
    seen["arrangement"] = 1
    assert not verdict(spec, seen)["relation"]
    assert not verdict(spec, answers(scene_spec(5, 1)))["num_objects"]
