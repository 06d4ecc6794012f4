"""The generate form as observable state: what is set, whether it is right, which model it is for."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal

from app.models.asking import asked_for
from app.models.form_state import FormState, SeedMode, preset_name, sampling_values
from app.models.model_offers import Offers, offers_of
from app.models.prompt_words import UnknownWord, tokens, unknown_words
from app.models.requested import num_results, prompt_of
from app.models.wildcards import expanded, has_choices, missing_files, without_choices
from ul_engine.config import TextConfig
from ul_engine.model_folder import ModelEntry, PromptGrammar
from ul_engine.requests import MAX_SEED, PRESETS, Request, SamplingSettings

DEFAULT_PRESET = "Balanced"
_RANDOM_SEEDS = 2**32
"""Drawn seeds stay short enough to read out."""


@dataclass(frozen=True)
class PromptList:
    """Prompts of a file, one a line."""

    name: str
    prompts: tuple[str, ...]


class GenerateForm(QObject):
    """Compares, stores, checks, tells."""

    form_changed = Signal(object)  # FormState
    errors_changed = Signal(object)  # Mapping[str, str], by field
    model_changed = Signal(object)  # ModelEntry | None
    presets_changed = Signal(object)  # Mapping[str, SamplingSettings]
    prompts_changed = Signal(object)  # PromptList | None

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = FormState()
        self._model: ModelEntry | None = None
        self._request: Request | None = None
        self._own_presets: dict[str, SamplingSettings] = {}
        self._prompts: PromptList | None = None
        self._wildcards: Mapping[str, Sequence[str]] = {}
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
    def request(self) -> Request | None:
        """The request that the form describes; None while something is wrong."""
        return self._request

    @property
    def offers(self) -> Offers:
        """What the chosen model can be asked for."""
        return offers_of(self._model)

    @property
    def presets(self) -> dict[str, SamplingSettings]:
        """Presets of the chosen model, then the person's own. A model's name comes before an own one like it."""
        return self._own_presets | self.model_presets

    @property
    def model_presets(self) -> dict[str, SamplingSettings]:
        """Presets of the chosen model: calibrated, or the program's."""
        return self._model.manifest.sampling_presets() if self._model and self._model.manifest else dict(PRESETS)

    @property
    def own_presets(self) -> dict[str, SamplingSettings]:
        """Presets that the person saved."""
        return dict(self._own_presets)

    @property
    def prompts(self) -> PromptList | None:
        """Prompts of a file, which are made one after the other instead of the form's own."""
        return self._prompts

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
        return self.unknown_in(self._state.prompt)

    def unknown_in(self, prompt: str) -> list[UnknownWord]:
        """Words of any prompt that the chosen model does not know."""
        text = self.text_config
        return unknown_words(without_choices(prompt), text.vocabulary) if text else []

    def num_unknown_in_prompts(self) -> int:
        """Different words in the prompts of a file that the chosen model does not know."""
        text, prompts = self.text_config, self._prompts
        if text is None or prompts is None:
            return 0
        known = frozenset(text.vocabulary)
        words = {token.word.lower() for prompt in prompts.prompts for token in tokens(without_choices(prompt))}
        return len(words - known)

    @property
    def wildcard_names(self) -> tuple[str, ...]:
        """Files of wildcards that there are."""
        return tuple(self._wildcards)

    def missing_wildcards(self) -> list[str]:
        """Files that the prompt names between double underscores and that are not there."""
        return missing_files(self._state.prompt, self._wildcards) if self.text_config else []

    def num_cut_words(self) -> int:
        """How many words at the prompt's end are beyond what the model reads."""
        text = self.text_config
        return max(0, len(tokens(without_choices(self._state.prompt))) - text.max_tokens) if text else 0

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

    def set_own_presets(self, presets: Mapping[str, SamplingSettings]) -> None:
        """The person's presets are these."""
        if dict(presets) != self._own_presets:
            self._own_presets = dict(presets)
            self.presets_changed.emit(self.presets)

    def set_prompts(self, prompts: PromptList | None) -> None:
        """Take the prompts of a file, or go back to the form's own."""
        if prompts != self._prompts:
            self._prompts = prompts
            self._check()
            self.prompts_changed.emit(prompts)

    def set_wildcards(self, files: Mapping[str, Sequence[str]]) -> None:
        """The lines of the wildcard files, by name."""
        self._wildcards = dict(files)
        self._check()
        self.form_changed.emit(self._state)

    def roll_seed(self, field: str = "seed") -> None:
        """Draw a new seed now."""
        self.update(**{field: str(random.randrange(_RANDOM_SEEDS))})

    def take_requests(self) -> tuple[Request, ...]:
        """The requests for what is asked for now; the seed moves on as its mode says. Empty: something is wrong.

        A random seed is drawn before, so that the field afterwards shows the seed in use; an increment follows after.
        """
        if self._state.seed_mode is SeedMode.RANDOM and not set(self._errors) - {"seed"}:
            self.roll_seed()
        request = self._request
        if request is None:
            return ()
        templates = self._prompts.prompts if self._prompts is not None else (prompt_of(request),)
        found = tuple(one for template in templates for one in expanded(request, template, self._wildcards))
        if self._state.seed_mode is SeedMode.INCREMENT:
            self.update(seed=str((int(self._state.seed) + num_results(request)) % (MAX_SEED - 255)))
        return found

    def _check(self) -> None:
        asked = asked_for(self._state, self._model)
        self._request, errors = asked.request, dict(asked.errors)
        if (missing := self.missing_wildcards()) and has_choices(self._state.prompt) and self._prompts is None:
            names = ", ".join(f"{name}.txt" for name in missing)
            errors.setdefault("prompt", self.tr("There is no file {names} with wildcards.").format(names=names))
            self._request = None
        if errors != self._errors:
            self._errors = errors
            self.errors_changed.emit(dict(errors))
