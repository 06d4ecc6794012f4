"""A small real model for whole programs, and a way to run coroutines under Qt."""

from pathlib import Path

import pytest

from tests.app.conftest import run_async  # noqa: F401 - the same fixture
from tests.helpers.tiny import text_conditioning, tiny_config
from ul_engine.checkpoint import save_model
from ul_engine.model_folder import Manifest, PromptGrammar, PromptSlot
from ul_engine.models.unified import UnifiedLatents


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that draws in a blink, and nothing sensible."""
    folder = tmp_path_factory.mktemp("tiny") / "tiny"
    config = tiny_config(conditioning=text_conditioning())
    slots = (PromptSlot(name="color", words=("red", "blue")), PromptSlot(name="shape", words=("cube", "sphere")))
    grammar = PromptGrammar(templates=("a {color} {shape}",), slots=slots, examples=("a red cube",))
    save_model(folder, UnifiedLatents(config), Manifest(model=config, prompt_grammar=grammar), card="# Tiny")
    return folder
