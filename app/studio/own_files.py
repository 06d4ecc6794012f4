"""Ties the form to a person's own files: presets, prompts of the past, lists of prompts, wildcards."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject

from app.errors import Notice, NoticeAction, Severity
from app.models.form_state import sampling_of_state
from app.models.generate_form import PromptList
from app.models.notices import ActionChoice
from app.models.session import Session
from app.services.history_file import HistoryFile
from app.services.presets_file import LoadedPresets, PresetsFile
from app.services.prompt_files import PromptFiles, PromptsRead
from app.studio import actions
from ul_engine.requests import SamplingSettings

MAX_NAME_CHARACTERS = 40


@dataclass(frozen=True)
class OwnFiles:
    """Where they are."""

    presets: PresetsFile
    history: HistoryFile
    prompts: PromptFiles


class OwnFilesKeeper(QObject):
    """The go-between of the form and those files."""

    def __init__(self, session: Session, files: OwnFiles, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._files = files
        self._deleted: tuple[str, SamplingSettings] | None = None
        self._cleared: tuple[str, ...] = ()
        files.prompts.prompts_read.connect(self._on_prompts_read)
        files.prompts.wildcards_read.connect(self._on_wildcards_read)
        session.history.history_changed.connect(files.history.save)
        session.notices.action_chosen.connect(self._on_action_chosen)

    def take_over(self) -> None:
        """Read them all."""
        loaded = self._files.presets.load()
        if loaded.problem:
            self._session.notices.post(self._aside_notice(loaded))
        self._session.form.set_own_presets(loaded.presets)
        self._session.history.restore(self._files.history.load())
        self._files.prompts.refresh()

    @property
    def wildcards_folder(self) -> Path:
        """Where files of wildcards are looked for."""
        return self._files.prompts.wildcards_folder

    def refresh_wildcards(self) -> None:
        """Look into the folder again."""
        self._files.prompts.refresh()

    # ---- presets --------------------------------------------------------------------------------------------------

    def save_preset(self, name: str) -> None:
        """Keep the form's present sampling under a name; one of that name is replaced."""
        form = self._session.form
        name = " ".join(name.split())[:MAX_NAME_CHARACTERS]
        sampling = sampling_of_state(form.state)
        if name and sampling is not None and name not in form.model_presets:
            self._set_presets({**form.own_presets, name: sampling})

    def rename_preset(self, old: str, new: str) -> None:
        """Another name for an own preset."""
        presets, new = self._session.form.own_presets, " ".join(new.split())[:MAX_NAME_CHARACTERS]
        if old in presets and new and new not in self._session.form.model_presets:
            self._set_presets({new if name == old else name: one for name, one in presets.items() if name != new})

    def delete_preset(self, name: str) -> None:
        """Remove an own preset, with a way back."""
        presets = self._session.form.own_presets
        if name not in presets:
            return
        self._deleted = (name, presets.pop(name))
        self._set_presets(presets)
        self._session.notices.post(
            Notice(
                Severity.INFO,
                self.tr("Preset deleted"),
                name,
                actions=(NoticeAction(actions.UNDO_PRESET, self.tr("Undo")),),
                key="preset",
                is_passing=True,
            )
        )

    def _set_presets(self, presets: Mapping[str, SamplingSettings]) -> None:
        self._session.form.set_own_presets(presets)
        self._files.presets.save(presets)

    # ---- prompts --------------------------------------------------------------------------------------------------

    def clear_history(self) -> None:
        """Forget the prompts of the past, with a way back."""
        self._cleared = self._session.history.prompts
        self._session.history.clear()
        if self._cleared:
            self._session.notices.post(
                Notice(
                    Severity.INFO,
                    self.tr("Prompt history cleared"),
                    self.tr("Files keep the prompts they were made with."),
                    actions=(NoticeAction(actions.UNDO_HISTORY, self.tr("Undo")),),
                    key="history",
                    is_passing=True,
                )
            )

    def read_prompts(self, path: str) -> None:
        """Take the prompts of a file."""
        self._session.notices.dismiss_passing()
        self._files.prompts.read_prompts(path)

    def forget_prompts(self) -> None:
        """Back to the form's own prompt."""
        self._session.form.set_prompts(None)

    def _on_prompts_read(self, news: PromptsRead) -> None:
        name = Path(news.path).name
        if news.problem:
            self._session.notices.post(
                Notice(
                    Severity.WARNING,
                    self.tr("No prompts in this file"),
                    f"{name} {news.problem}.",
                    key="prompts",
                    is_passing=True,
                )
            )
            return
        self._session.form.set_prompts(PromptList(name, news.prompts))

    def _on_wildcards_read(self, files: Mapping[str, tuple[str, ...]]) -> None:
        self._session.form.set_wildcards(files)

    # ---- ways back ------------------------------------------------------------------------------------------------

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        if choice.name == actions.UNDO_PRESET and self._deleted is not None:
            name, sampling = self._deleted
            self._set_presets({**self._session.form.own_presets, name: sampling})
        elif choice.name == actions.UNDO_HISTORY:
            self._session.history.restore((*self._session.history.prompts, *self._cleared))

    def _aside_notice(self, loaded: LoadedPresets) -> Notice:
        sentence = self.tr("Your own presets could not be read: {reason}.").format(reason=loaded.problem)
        shown: tuple[NoticeAction, ...] = ()
        if loaded.kept_aside:
            sentence += " " + self.tr("The file was kept as {name}.").format(name=Path(loaded.kept_aside).name)
            shown = (NoticeAction(actions.SHOW_FILE, self.tr("Show in folder"), loaded.kept_aside),)
        return Notice(Severity.WARNING, self.tr("Presets were put aside"), sentence, actions=shown, key="presets-file")
