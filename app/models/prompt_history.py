"""The prompts of the past, newest first, each one once."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

MAX_PROMPTS = 200


class PromptHistory(QObject):
    """Remembers what was generated, and walks through it."""

    history_changed = Signal(object)  # tuple[str, ...]

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._prompts: tuple[str, ...] = ()

    @property
    def prompts(self) -> tuple[str, ...]:
        """Newest first."""
        return self._prompts

    def add(self, prompt: str) -> None:
        """A prompt was used."""
        prompt = prompt.strip()
        if prompt:
            self._set((prompt, *(old for old in self._prompts if old != prompt))[:MAX_PROMPTS])

    def restore(self, prompts: Sequence[str]) -> None:
        """Take over an earlier time's."""
        self._set(tuple(dict.fromkeys(prompt.strip() for prompt in prompts if prompt.strip()))[:MAX_PROMPTS])

    def clear(self) -> None:
        """Forget all."""
        self._set(())

    def older(self, prompt: str) -> str | None:
        """The prompt used before this one; what is not in the history counts as the newest. None: there is none."""
        place = self._prompts.index(prompt.strip()) if prompt.strip() in self._prompts else -1
        return self._prompts[place + 1] if place + 1 < len(self._prompts) else None

    def newer(self, prompt: str) -> str | None:
        """The prompt used after this one. None: there is none."""
        place = self._prompts.index(prompt.strip()) if prompt.strip() in self._prompts else 0
        return self._prompts[place - 1] if place > 0 else None

    def _set(self, prompts: tuple[str, ...]) -> None:
        if prompts != self._prompts:
            self._prompts = prompts
            self.history_changed.emit(prompts)
