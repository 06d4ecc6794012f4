"""The prompt of a model of moving scenes: motions of several words are offered, completed, swapped and understood."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.models.generate_form import GenerateForm
from app.ui.widgets.prompt_field import PromptField
from app.ui.widgets.prompt_suggestions import WordChoice
from tests.app.model_folders import manifest
from tests.helpers.prompt_reading import parse_prompt
from trainer.config import ScenesData
from trainer.export import scenes_grammar
from ul_engine.data.scenes.grammar import MOTION_PHRASES
from ul_engine.model_folder import ModelEntry
from ul_engine.presets import MODEL_PRESETS


@pytest.fixture
def form(qapp: Any) -> GenerateForm:
    made_of = {
        "model": MODEL_PRESETS["scenes-motion"].config,
        "prompt_grammar": scenes_grammar(ScenesData(num_frames=16)),
    }
    form = GenerateForm()
    form.choose_model(ModelEntry(path="/models/motion", name="Motion", manifest=manifest(**made_of)))
    return form


@pytest.fixture
def prompt(form: GenerateForm, owned: Callable[[Any], Any]) -> PromptField:
    field = owned(PromptField(form))
    field.show()
    field.activateWindow()
    assert QTest.qWaitForWindowActive(field, 5000)
    field.editor.setFocus()
    return field  # type: ignore[no-any-return]


def test_a_motion_goes_behind_a_comma_at_the_end_and_is_swapped_whole(prompt: PromptField, form: GenerateForm) -> None:
    prompt.editor.set_prompt("a red cube on a plain floor", 5)
    for motion, phrase in MOTION_PHRASES.items():
        if phrase:
            prompt.suggestions.word_chosen.emit(WordChoice("motion", phrase))
            assert form.state.prompt == f"a red cube on a plain floor, {phrase}"
            assert parse_prompt(form.state.prompt)["motion"] == motion
            assert (prompt.suggestions.slot, prompt.suggestions._current_word) == ("motion", phrase)
    assert form.unknown_words() == []


def test_typing_completes_a_motion_of_two_words(prompt: PromptField, form: GenerateForm) -> None:
    QTest.keyClicks(prompt.editor, "a red cube, spinning")
    assert prompt.editor._completer.popup().isVisible()
    QTest.keyClick(prompt.editor._completer.popup(), Qt.Key.Key_Return)  # the first that goes on
    assert form.state.prompt == "a red cube, spinning left"
    assert parse_prompt(form.state.prompt)["motion"] == "spin left"


def test_the_examples_of_the_model_are_known_words(form: GenerateForm) -> None:
    assert form.grammar is not None
    assert [form.unknown_in(example) for example in form.grammar.examples] == [[]] * len(form.grammar.examples)
