"""The generate form as observable state: what is set, whether it is right, which model it is for."""

import random
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal

from app.models.form_state import FormState, SeedMode, check, preset_name, sampling_values
from app.models.prompt_words import UnknownWord, tokens, unknown_words
from ul_engine.config import TextConfig
from ul_engine.model_folder import ModelEntry, PromptGrammar
from ul_engine.requests import MAX_SEED, PRESETS, GenerateRequest, SamplingSettings

DEFAULT_PRESET = "Balanced"
_RANDOM_SEEDS = 2**32
"""Drawn seeds stay short enough to read out."""


class GenerateForm(QObject):
    """Compares, stores, checks, tells."""

    form_changed = Signal(object)  # FormState
    errors_changed = Signal(object)  # Mapping[str, str], by field
    model_changed = Signal(object)  # ModelEntry | None

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = FormState()
        self._model: ModelEntry | None = None
        self._request: GenerateRequest | None = None
        self._errors: dict[str, str] = {}
        self._check()

    # ---- what it holds --------------------------------------------------------------------------------------------

    @property
    def state(self) -> FormState:
        """All values."""
        return self._state

    @property
    def model(self) -> ModelEntry | None:
        """The chosen model."""
        return self._model

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong, by field; empty if a request can be made."""
        return dict(self._errors)

    @property
    def request(self) -> GenerateRequest | None:
        """The request that the form describes; None while something is wrong."""
        return self._request

    @property
    def presets(self) -> dict[str, SamplingSettings]:
        """Presets of the chosen model."""
        return self._model.manifest.sampling_presets() if self._model and self._model.manifest else dict(PRESETS)

    @property
    def preset(self) -> str:
        """Name of the preset now set; empty if a field differs from all of them."""
        return preset_name(self._state, self.presets)

    @property
    def condition_kind(self) -> str:
        """``text``, ``class`` or ``none``."""
        manifest = self._model.manifest if self._model else None
        return manifest.model.conditioning.kind if manifest else "none"

    @property
    def text_config(self) -> TextConfig | None:
        """The chosen model's words; None if it takes no text."""
        manifest = self._model.manifest if self._model else None
        return manifest.model.conditioning.text if manifest else None

    @property
    def grammar(self) -> PromptGrammar | None:
        """The chosen model's grammar; None if it tells none."""
        manifest = self._model.manifest if self._model else None
        return manifest.prompt_grammar if manifest else None

    def unknown_words(self) -> list[UnknownWord]:
        """Words of the prompt that the chosen model does not know."""
        text = self.text_config
        return unknown_words(self._state.prompt, text.vocabulary) if text else []

    def num_cut_words(self) -> int:
        """How many words at the prompt's end are beyond what the model reads."""
        text = self.text_config
        return max(0, len(tokens(self._state.prompt)) - text.max_tokens) if text else 0

    # ---- what changes it ------------------------------------------------------------------------------------------

    def update(self, **changes: Any) -> None:
        """Set some fields."""
        state = self._state.model_copy(update=changes)
        if state != self._state:
            self._state = state
            self._check()
            self.form_changed.emit(state)

    def restore(self, values: dict[str, Any]) -> None:
        """Take over what was stored; values that no longer fit are left at their defaults."""
        try:
            state = FormState.model_validate(values)
        except ValidationError as error:
            bad = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
            state = FormState.model_validate({k: v for k, v in values.items() if k not in bad})
        self.update(**{name: getattr(state, name) for name in type(state).model_fields if name != "model"})

    def choose_model(self, model: ModelEntry | None) -> None:
        """Switch to a model. A preset stays the preset of that name, with the new model's values."""
        if model == self._model:
            return
        preset = self.preset
        is_first = self._model is None
        self._model = model
        changes: dict[str, Any] = {"model": model.path if model else ""}
        if preset in self.presets and not is_first:
            changes |= sampling_values(self.presets[preset])
        before = self._state
        self.update(**changes)
        if self._state == before:
            self._check()
        self.model_changed.emit(model)

    def choose_preset(self, name: str) -> None:
        """Set the fields that a preset sets."""
        if name in self.presets:
            self.update(**sampling_values(self.presets[name]))

    def roll_seed(self) -> None:
        """Draw a new seed now."""
        self.update(seed=str(random.randrange(_RANDOM_SEEDS)))

    def take_request(self) -> GenerateRequest | None:
        """The request for the pictures asked for now; the seed moves on as its mode says. None: something is wrong.

        A random seed is drawn before, so that the field afterwards shows the seed in use; an increment follows after.
        """
        if self._state.seed_mode is SeedMode.RANDOM:
            self.roll_seed()
        request = self._request
        if request is not None and self._state.seed_mode is SeedMode.INCREMENT:
            self.update(seed=str((request.seed + request.num_images) % (MAX_SEED - 255)))
        return request

    def _check(self) -> None:
        self._request, errors = check(self._state, self._model)
        if errors != self._errors:
            self._errors = errors
            self.errors_changed.emit(dict(errors))
