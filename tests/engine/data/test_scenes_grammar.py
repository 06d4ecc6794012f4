"""The language of the scenes: articles, parsing, and true captions."""

import itertools
import json
import subprocess
import sys

import pytest

from tests.helpers.prompt_reading import parse_prompt
from ul_engine.data.scenes import grammar
from ul_engine.data.scenes.captions import caption, training_caption
from ul_engine.data.scenes.labels import CLASS_NAMES, attribute_labels, attributes, class_label
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.spec import SceneOptions

ALL = SceneOptions(num_objects_max=2, two_object_fraction=0.4, motions=grammar.MOTIONS)


def test_full_caption_reads_as_promised() -> None:
    pinned = {"shape": "torus", "color": "purple", "material": "metal", "size": "small"}
    pinned |= {"floor_color": "green", "floor_pattern": "checkered", "sky": "orange"}
    assert (
        caption(scene_spec(0, 0, pinned=pinned))
        == "a small purple metal torus on a green checkered floor under an orange sky"
    )


def test_pair_caption_names_relation_and_motion() -> None:
    pinned = {"shape": "sphere", "second_shape": "torus", "relation": "left of", "motion": "orbit"}
    text = caption(scene_spec(0, 0, pinned=pinned))
    assert " sphere left of a " in text
    assert text.endswith(", seen by an orbiting camera")
    assert "camera" not in caption(scene_spec(0, 0, pinned=pinned), has_motion=False)


@pytest.mark.parametrize(
    ("phrase", "wanted"),
    [("octahedron", "an octahedron"), ("orange cone", "an orange cone"), ("red cube", "a red cube")],
)
def test_article(phrase: str, wanted: str) -> None:
    assert grammar.with_article(phrase) == wanted


def test_every_caption_has_right_articles() -> None:
    for index in range(240):
        spec = scene_spec(7, index, ALL)
        for text in (caption(spec), training_caption(spec)):
            words = text.replace(",", "").split()
            for article, following in itertools.pairwise(words):
                if article in ("a", "an"):
                    assert (article == "an") == (following[0] in "aeiou"), text


def test_parsing_inverts_full_captions() -> None:
    for index in range(150):
        spec = scene_spec(3, index, ALL)
        motion = None if spec.motion.name == "still" else spec.motion.name
        assert parse_prompt(caption(spec)) == {**attributes(spec), "motion": motion}


def test_training_captions_say_only_what_is_true_and_name_the_shape() -> None:
    num_full = 0
    for index in range(240):
        spec = scene_spec(5, index, ALL)
        text = training_caption(spec)
        truth = {**attributes(spec), "motion": spec.motion.name}
        found = parse_prompt(text)
        assert found["shape"] == truth["shape"]
        assert all(word is None or word == truth[name] for name, word in found.items()), text
        assert text == training_caption(scene_spec(5, index, ALL))
        num_full += text == caption(spec)
    assert 0.27 < num_full / 240 < 0.45


def test_training_captions_of_two_objects_name_both() -> None:
    """Else whoever asks for one object gets a second one now and then."""
    pairs = SceneOptions(num_objects_max=2, two_object_fraction=1.0)
    for index in range(120):
        spec = scene_spec(5, index, pairs)
        words = training_caption(spec).replace(",", " ").split()
        assert [word for word in words if word in grammar.SHAPES] == [item.shape for item in spec.objects]


def test_some_training_captions_have_no_articles_and_mean_the_same() -> None:
    texts = [training_caption(scene_spec(5, index, ALL)) for index in range(240)]
    bare = [text for text in texts if not {"a", "an"} & set(text.split())]
    assert 0.2 < len(bare) / len(texts) < 0.4
    assert all(parse_prompt(text)["shape"] for text in bare)


def test_parser_skips_unknown_words_and_takes_other_spellings() -> None:
    found = parse_prompt("Please draw a shiny Red CUBE, under a grey sky.")
    assert (found["color"], found["shape"], found["sky"]) == ("red", "cube", "gray")
    assert found["floor_color"] is None
    assert set(parse_prompt("").values()) == {None}


def test_examples_are_in_the_grammar() -> None:
    for prompt in grammar.example_prompts(num_objects_max=2):
        assert parse_prompt(prompt)["shape"]
    description = grammar.grammar_description()
    assert json.loads(json.dumps(description)) == description
    assert tuple(description["slots"]["shape"]) == grammar.SHAPES


def test_a_model_of_clips_has_a_motion_behind_a_comma() -> None:
    still, moving = (grammar.grammar_description(motions=motions) for motions in ((), grammar.MOTIONS))
    assert "motion" not in still["slots"]
    assert all("," not in text for text in (*still["templates"], *still["examples"]))
    assert moving["slots"]["motion"] == [phrase for phrase in grammar.MOTION_PHRASES.values() if phrase]
    assert moving["templates"] == [still["templates"][0] + ", {motion}"]
    for prompt in moving["examples"]:
        found = parse_prompt(prompt)
        pinned = {name: word for name, word in found.items() if word is not None}
        assert scene_spec(0, 0, pinned=pinned).motion.name == found["motion"]  # none that the shape cannot do
    assert {parse_prompt(prompt)["motion"] for prompt in moving["examples"]} == {*grammar.MOTIONS} - {"still"}
    few = grammar.grammar_description(motions=("bounce",))
    assert few["slots"]["motion"] == ["bouncing"]
    assert sum(prompt.endswith(", bouncing") for prompt in few["examples"]) == 1


def test_of_two_objects_only_the_camera_moves() -> None:
    single, pair = grammar.grammar_description(num_objects_max=2, motions=grammar.MOTIONS)["templates"]
    assert single.endswith(", {motion}")
    assert pair.endswith(", seen by an orbiting camera")


def test_labels_index_the_words() -> None:
    spec = scene_spec(1, 1, pinned={"shape": "cone", "color": "cyan", "sky": "gray"})
    assert CLASS_NAMES[class_label(spec)] == "cyan cone"
    assert len(set(CLASS_NAMES)) == 64
    labels = attribute_labels(spec)
    assert {name: grammar.ATTRIBUTE_WORDS[name][label] for name, label in labels.items()} == attributes(spec)


def test_grammar_and_specs_do_not_load_torch_or_numpy() -> None:
    code = (
        "import sys, ul_engine.data.scenes.captions, ul_engine.data.scenes.labels, ul_engine.data.scenes.layout;"
        "sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
