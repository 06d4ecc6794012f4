"""What is to be compared, and how: models, quality, seed, decodes, levels, codecs."""

from typing import Any, Literal

from pydantic import Field, ValidationError
from PySide6.QtCore import QObject, Signal

from app.models.compare.findings import Recipe
from app.models.compare.levels import DECODER_LEVELS, LATENT_LEVELS, Ladder, Rung, rungs_of, track_of
from ul_engine.config import ModelConfig
from ul_engine.model_folder import ModelEntry
from ul_engine.requests import MAX_SEED, PRESETS, CodecName, FrozenModel, SamplingSettings

CODECS: tuple[CodecName, ...] = ("jpeg", "webp", "avif", "jpegxl")
DEFAULT_PRESET = "Balanced"
MAX_MODELS = 8
DECODES = (2, 4, 8, 16, 32, 64)


class CompareState(FrozenModel):
    """Everything a person can set; remembered between two starts."""

    models: tuple[str, ...] = Field((), max_length=MAX_MODELS, description="Folders of the models compared.")
    preset: str = DEFAULT_PRESET
    seed: int = Field(0, ge=0, le=MAX_SEED - 256, description="Seed of the latent and decoder noise.")
    restorer: Literal["prior", "base"] = Field("prior", description="What brings a noised latent back.")
    num_decodes: int = Field(8, ge=2, le=256, description="Decodes of one latent for Encoded or invented.")
    latent_levels: tuple[float, ...] = LATENT_LEVELS
    decoder_levels: tuple[float, ...] = DECODER_LEVELS
    codecs: tuple[CodecName, ...] = ()


class CompareForm(QObject):
    """Compares, stores, tells."""

    form_changed = Signal(object)  # CompareState
    models_changed = Signal(object)  # tuple[ModelEntry, ...]: those chosen

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = CompareState()
        self._offered: tuple[ModelEntry, ...] = ()
        self._chosen: tuple[ModelEntry, ...] = ()

    @property
    def state(self) -> CompareState:
        """All values."""
        return self._state

    @property
    def offered(self) -> tuple[ModelEntry, ...]:
        """Models that can reconstruct."""
        return self._offered

    @property
    def chosen(self) -> tuple[ModelEntry, ...]:
        """The models compared, in the order they were chosen."""
        return self._chosen

    @property
    def config(self) -> ModelConfig | None:
        """The first chosen model, whose ranges the tracks show."""
        manifest = self._chosen[0].manifest if self._chosen else None
        return manifest.model if manifest else None

    @property
    def presets(self) -> tuple[str, ...]:
        """Presets that the first chosen model has."""
        manifest = self._chosen[0].manifest if self._chosen else None
        return tuple(manifest.sampling_presets() if manifest else PRESETS)

    def sampling_of(self, model: ModelEntry) -> SamplingSettings:
        """What the preset means for a model; one that has no such preset takes the program's, else its first."""
        presets = model.manifest.sampling_presets() if model.manifest else dict(PRESETS)
        known = presets | {name: PRESETS[name] for name in PRESETS if name not in presets}
        return known.get(self._state.preset) or next(iter(presets.values()))

    def recipe_of(self, model: ModelEntry) -> Recipe:
        """How the model's reconstructions are made now."""
        restorer = self._state.restorer
        networks = model.manifest.networks if model.manifest else {}
        if restorer == "prior" and "prior" not in networks and "base" in networks:
            restorer = "base"
        return Recipe(model.path, restorer, self._state.seed, self.sampling_of(model))

    def levels(self, ladder: Ladder) -> tuple[float, ...]:
        """The levels asked for."""
        return self._state.latent_levels if ladder is Ladder.LATENT else self._state.decoder_levels

    def rungs(self, ladder: Ladder) -> tuple[Rung, ...]:
        """The rungs along which the scrubber moves; none before a model is chosen."""
        return rungs_of(ladder, self.levels(ladder), track_of(self.config, ladder)) if self.config else ()

    # ---- what changes it ------------------------------------------------------------------------------------------

    def update(self, **changes: Any) -> None:
        """Set some fields."""
        state = CompareState.model_validate(self._state.model_dump() | changes)
        if state != self._state:
            self._state = state
            self._choose()
            self.form_changed.emit(state)

    def restore(self, values: dict[str, Any]) -> None:
        """Take over what was stored; values that no longer fit are left at their defaults."""
        try:
            state = CompareState.model_validate(values)
        except ValidationError as error:
            bad = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
            state = CompareState.model_validate({name: value for name, value in values.items() if name not in bad})
        self.update(**{name: getattr(state, name) for name in CompareState.model_fields})

    def values(self) -> dict[str, Any]:
        """Everything, ready to be stored."""
        return self._state.model_dump(mode="json")

    def offer(self, entries: tuple[ModelEntry, ...]) -> None:
        """These models are there."""
        self._offered = tuple(entry for entry in entries if entry.manifest and entry.manifest.can_reconstruct)
        self._choose(is_news=True)

    def toggle_model(self, path: str, *, is_on: bool) -> None:
        """Compare a model or not; at least one stays, and at most eight."""
        others = tuple(known for known in self._state.models if known != path)
        wanted = (*others, path) if is_on else others
        if wanted and len(wanted) <= MAX_MODELS:
            self.update(models=wanted)

    def _choose(self, *, is_news: bool = False) -> None:
        """Where none of the wished models is there, the first one is taken."""
        by_path = {entry.path: entry for entry in self._offered}
        if by_path and not by_path.keys() & set(self._state.models):
            self._state = self._state.model_copy(update={"models": (self._offered[0].path,)})
        chosen = tuple(by_path[path] for path in self._state.models if path in by_path)
        if chosen != self._chosen or is_news:
            self._chosen = chosen
            self.models_changed.emit(chosen)
