"""Unknown words are found and explained; words know the slot they fill."""

from typing import Any

import pytest

from app.models.prompt_words import (
    Token,
    append_clause,
    completions,
    insert_word,
    is_clause,
    nearest,
    phrases_of,
    replace_token,
    slot_tokens,
    slots_of,
    token_at,
    tokens,
    unknown_words,
)
from tests.app.model_folders import EXAMPLES, TEMPLATE, WORDS, grammar
from tests.helpers.prompt_reading import parse_prompt
from ul_engine.data.scenes.grammar import MOTIONS, grammar_description
from ul_engine.model_folder import PromptGrammar, PromptSlot


def test_words_are_split_as_the_engine_splits_them() -> None:
    from ul_engine.config import TextConfig
    from ul_engine.models.conditioning import WordTokenizer

    prompt = "A  red\tsphre, on_a blue-green floor! (ünder 2 skies)..."
    tokenizer = WordTokenizer(TextConfig(vocabulary=WORDS, max_tokens=64))
    assert [word.word for word in unknown_words(prompt, WORDS)] == tokenizer.unknown_words(prompt)
    assert len(tokens(prompt)) == len(tokenizer.encode(prompt))


def test_near_words_are_offered() -> None:
    (word,) = unknown_words("a red Sphre", WORDS)
    assert (word.start, word.end, word.word, word.suggestions) == (6, 11, "Sphre", ("sphere",))
    assert nearest("xyzzy", WORDS) == ()
    assert len(nearest("gre", WORDS)) <= 3


def test_case_does_not_matter() -> None:
    assert unknown_words("A RED Sphere", WORDS) == []


def test_signs_are_told_from_words() -> None:
    (comma,) = unknown_words("a red sphere, on a floor", WORDS)
    assert comma.is_sign


def test_examples_hold_only_known_words() -> None:
    assert [unknown_words(example, WORDS) for example in EXAMPLES] == [[]] * len(EXAMPLES)


@pytest.mark.parametrize(
    ("prefix", "words"), [("pu", ["purple"]), ("PY", ["pyramid"]), ("", []), ("purple", []), ("zz", [])]
)
def test_completions(prefix: str, words: list[str]) -> None:
    assert completions(prefix, WORDS) == words


def test_the_word_at_the_cursor() -> None:
    assert token_at("a red cube", 3) == Token(2, 5, "red")
    assert token_at("a red cube", 5) == Token(2, 5, "red")
    assert token_at("a  red", 2) is None


@pytest.mark.parametrize(
    ("prompt", "word", "expected"),
    [
        ("a red capsule", "orange", "an orange capsule"),
        ("An orange capsule", "red", "a red capsule"),
        ("the red capsule", "orange", "the orange capsule"),
        ("red", "octahedron", "octahedron"),
    ],
)
def test_the_article_follows_the_word(prompt: str, word: str, expected: str) -> None:
    token = next(token for token in tokens(prompt) if token.word in ("red", "orange"))
    assert replace_token(prompt, token, word) == expected


@pytest.mark.parametrize(
    ("prompt", "position", "expected"),
    [("", 0, "red"), ("a ", 2, "a red"), ("a", 1, "a red"), ("a cube", 1, "a red cube"), ("a , b", 2, "a red, b")],
)
def test_a_new_word_keeps_its_distance(prompt: str, position: int, expected: str) -> None:
    assert insert_word(prompt, position, "red") == expected


def slots(prompt: str) -> dict[str, str]:
    found = slots_of(prompt, grammar())
    return {found[token.start]: token.word for token in tokens(prompt) if token.start in found}


def test_every_word_of_the_whole_sentence_finds_its_slot() -> None:
    assert slots("a small blue metal torus on a blue striped floor under a blue sky") == {
        "size": "small",
        "color": "blue",
        "material": "metal",
        "shape": "torus",
        "floor_color": "blue",
        "floor_pattern": "striped",
        "sky": "blue",
    }


def test_unsaid_slots_do_not_confuse() -> None:
    assert slots("a green cube under a green sky") == {"color": "green", "shape": "cube", "sky": "green"}


def test_words_out_of_order_go_by_the_only_slot_that_has_them() -> None:
    assert slots("checkered metal") == {"floor_pattern": "checkered", "material": "metal"}


def test_a_grammar_without_templates_still_knows_unique_words() -> None:
    bare = PromptGrammar(slots=grammar().slots)
    assert slots_of("a torus", bare) == {2: "shape"}
    assert "{shape}" in TEMPLATE


def scenes_grammar(**changes: Any) -> PromptGrammar:
    found = grammar_description(**changes)
    slots = tuple(PromptSlot(name=name, words=tuple(words)) for name, words in found["slots"].items())
    return PromptGrammar(templates=tuple(found["templates"]), slots=slots, examples=tuple(found["examples"]))


def pair_grammar() -> PromptGrammar:
    return scenes_grammar(num_objects_max=2)


def test_words_of_a_phrase_are_one() -> None:
    prompt = "a cube Left  of a cone, on top of it"
    assert [token.word for token in slot_tokens(prompt, pair_grammar())] == [
        *("a", "cube", "left of", "a", "cone", ",", "on top of", "it")
    ]
    (relation,) = (token for token in slot_tokens(prompt, pair_grammar()) if token.word == "left of")
    assert prompt[relation.start : relation.end] == "Left  of"
    assert replace_token(prompt, relation, "behind") == "a cube behind a cone, on top of it"


def test_words_of_both_objects_know_their_slots() -> None:
    prompt = "a large red metal sphere left of a small green matte torus on a blue checkered floor under a green sky"
    grammar = pair_grammar()
    slots = slots_of(prompt, grammar)
    found = [(token.word, slots[token.start]) for token in slot_tokens(prompt, grammar) if token.start in slots]
    assert found == [
        *(("large", "size"), ("red", "color"), ("metal", "material"), ("sphere", "shape"), ("left of", "relation")),
        *(("small", "size"), ("green", "color"), ("matte", "material"), ("torus", "shape")),
        *(("blue", "floor_color"), ("checkered", "floor_pattern"), ("green", "sky")),
    ]


def test_a_motion_of_two_words_is_one_phrase_behind_a_comma() -> None:
    moving = scenes_grammar(motions=MOTIONS)
    assert is_clause("motion", moving)
    assert not any(is_clause(slot.name, moving) for slot in moving.slots if slot.name != "motion")
    for said in ("a red cube under a blue sky", "a red cube under a blue sky, ", "a red cube under a blue sky."):
        assert append_clause(said, "spinning left") == "a red cube under a blue sky, spinning left"
    assert append_clause(" ", "growing") == "growing"
    prompt = "a red cube under a blue sky, spinning left"
    slots = slots_of(prompt, moving)
    (motion,) = (token for token in slot_tokens(prompt, moving) if slots.get(token.start) == "motion")
    swapped = replace_token(prompt, motion, "seen by an orbiting camera")
    assert swapped == "a red cube under a blue sky, seen by an orbiting camera"
    assert [parse_prompt(text)["motion"] for text in (prompt, swapped)] == ["spin left", "orbit"]
    assert completions("spi", ("spinning", *phrases_of(moving))) == ["spinning", "spinning left", "spinning right"]
