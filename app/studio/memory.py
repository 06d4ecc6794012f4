"""Ties the settings file to the session: what is remembered comes back at the next start."""

from dataclasses import asdict
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject

from app.errors import Notice, NoticeAction, Severity
from app.models.generate_form import DEFAULT_PRESET
from app.models.model_library import ModelLibrary
from app.models.session import Session
from app.services.settings import LoadedSettings, Settings, SettingsFile, encode_settings
from app.services.state_writer import StateWriter
from app.studio import actions
from ul_engine.errors import OutputError
from ul_engine.model_folder import ModelEntry
from ul_engine.outputs import outputs_root


class Memory(QObject):
    """Takes settings over at the start and puts them together at the end."""

    def __init__(self, session: Session, file: SettingsFile, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._file = file
        self._loaded = file.load()
        self._latest = self._loaded.settings
        session.preferences.restore(self._loaded.settings.preferences)
        session.library.models_changed.connect(self._on_models_changed)

    @property
    def settings(self) -> Settings:
        """As read at the start."""
        return self._loaded.settings

    @property
    def outputs(self) -> Path:
        """Folder of results: the remembered one, else the usual one."""
        return Path(self.settings.outputs) if self.settings.outputs else outputs_root()

    def take_over(self) -> None:
        """Set the form as it was left, and tell if the settings had to be put aside."""
        form = dict(self.settings.form)
        wished = str(form.pop("model", ""))
        self._session.form.choose_model(best_model(self._session.library, wished))
        if form:
            self._session.form.restore(form)
        else:
            presets = self._session.form.presets
            self._session.form.choose_preset(DEFAULT_PRESET if DEFAULT_PRESET in presets else next(iter(presets)))
        if self._loaded.problem:
            self._session.notices.post(_aside_notice(self._loaded))

    def take_over_part(self, name: str) -> None:
        """Set a late part of the session as it was left."""
        if name == "compare":
            self._session.compare.form.restore(self.settings.compare)
        elif name == "runs":
            self._session.runs.restore(self.settings.opened_runs, self.settings.charts)

    def _on_models_changed(self, _entries: object) -> None:
        """The first model that turns up is as good as chosen."""
        if self._session.form.model is None:
            self._session.form.choose_model(best_model(self._session.library, ""))

    def save(self, settings: Settings) -> str:
        """Write settings; returns why that failed, or nothing."""
        self._latest = settings
        try:
            self._file.save(settings)
        except OutputError as error:
            return str(error)
        return ""

    def save_soon(self, settings: Settings, writer: StateWriter) -> None:
        """Write settings in the background, so that a crash costs none of them."""
        self._latest = settings
        writer.write(self._file.path, self._encoded)

    def _encoded(self) -> bytes:
        return encode_settings(self._latest)

    def compare_values(self) -> dict[str, object]:
        """What is to be remembered of Compare: as it was, if nobody went there."""
        return self._session.compare.form.values() if self._session.has("compare") else self.settings.compare

    def opened_runs(self) -> tuple[str, ...]:
        """Folders of runs from elsewhere."""
        return self._session.runs.opened if self._session.has("runs") else self.settings.opened_runs

    def chart_values(self) -> dict[str, object]:
        """How charts are drawn."""
        return asdict(self._session.runs.options) if self._session.has("runs") else self.settings.charts

    def form_values(self) -> dict[str, object]:
        """The form, ready to be stored."""
        return self._session.form.state.model_dump(mode="json")


def best_model(library: ModelLibrary, wished: str) -> ModelEntry | None:
    """The usable model in this folder or of this folder's name, else the first usable one."""
    usable = library.usable
    for entry in usable:
        if wished and wished in (entry.path, Path(entry.path).name):
            return entry
    return usable[0] if usable else None


def _aside_notice(loaded: LoadedSettings) -> Notice:
    sentence = _tr("The settings could not be used: {reason}. The program starts with its usual ones.")
    actions_offered: tuple[NoticeAction, ...] = ()
    if loaded.kept_aside:
        sentence += " " + _tr("Your file was kept as {name}.")
        actions_offered = (NoticeAction(actions.SHOW_FILE, _tr("Show in folder"), loaded.kept_aside),)
    return Notice(
        Severity.WARNING,
        _tr("Settings were put aside"),
        sentence.format(reason=loaded.problem, name=Path(loaded.kept_aside).name),
        actions=actions_offered,
        key="settings",
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("Memory", text)
