"""What a person has set once and for all: folders, files, engine, hub, notifications."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError
from PySide6.QtCore import QObject, Signal

from ul_engine.requests import FrozenModel

MAX_THREADS = 256
SCALES = (100, 125, 150, 175, 200)


class PreferenceState(FrozenModel):
    """One moment of all of them."""

    models_folder: str = Field("", description="Folder of the person's own models; empty: the usual one.")
    runs_folder: str = Field("", description="Folder of training runs; empty: the usual one.")
    keeps_request: bool = Field(True, description="Files carry the request they were made with.")
    device: str = Field("auto", max_length=32, description="Where the engine computes: auto, cpu, cuda:0, mps.")
    threads: int = Field(0, ge=0, le=MAX_THREADS, description="CPU threads of the engine; 0: all cores but one.")
    hub_endpoint: str = Field("", max_length=400, description="Mirror of the Hugging Face Hub; empty: the usual one.")
    is_hub_offline: bool = Field(False, description="Nothing is fetched from the hub.")
    notifies: bool = Field(True, description="Tell by the desktop when long work ends behind other windows.")
    scale_percent: Literal[100, 125, 150, 175, 200] = Field(100, description="Size of everything, from the next start.")
    has_seen_tour: bool = False


class Preferences(QObject):
    """Compares, stores, tells."""

    preferences_changed = Signal(object)  # PreferenceState

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = PreferenceState()

    @property
    def state(self) -> PreferenceState:
        """The present moment."""
        return self._state

    def update(self, **changes: Any) -> None:
        """Change some of them. Raises ValidationError for what cannot be."""
        self._set(PreferenceState.model_validate(self._state.model_dump() | changes))

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take remembered ones over; what is unknown or impossible is left at its usual value, the rest is kept."""
        kept = {name: value for name, value in values.items() if name in PreferenceState.model_fields}
        while True:
            try:
                self._set(PreferenceState.model_validate(kept))
                return
            except ValidationError as error:
                for item in error.errors():
                    kept.pop(str(item["loc"][0]), None)

    def values(self) -> dict[str, Any]:
        """What differs from the usual, ready to be stored."""
        return self._state.model_dump(mode="json", exclude_defaults=True)

    def _set(self, state: PreferenceState) -> None:
        if state != self._state:
            self._state = state
            self.preferences_changed.emit(state)
