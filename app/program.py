"""Everything that works without a window, built and tied together: session, engine, files, memory."""

from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject

from app.errors import Notice, NoticeAction, Severity
from app.models.session import Session
from app.services.clip_export import ClipExporter
from app.services.crash_reports import CrashReport
from app.services.engine_client import WORKER_COMMAND, EngineClient, EngineTimes
from app.services.evaluation_run import EVALUATE_COMMAND
from app.services.history_file import HistoryFile
from app.services.machine import DOCTOR_COMMAND, MachineProbe
from app.services.notifier import Notifier
from app.services.picture_files import PictureFiles
from app.services.presets_file import PresetsFile
from app.services.prompt_files import PromptFiles
from app.services.queue_file import QueueFile
from app.services.settings import SettingsFile
from app.services.sleep_guard import SleepGuard
from app.services.start_files import StartFiles
from app.services.state_writer import StateWriter
from app.studio import actions
from app.studio.beginning import BeginningKeeper
from app.studio.exporting import Exporting
from app.studio.files import FileKeeper
from app.studio.jobs import JobRunner
from app.studio.keep_awake import KeepAwake
from app.studio.late_parts import LateParts
from app.studio.machine_keeper import MachineKeeper
from app.studio.memory import Memory
from app.studio.own_files import OwnFiles, OwnFilesKeeper
from app.studio.preferring import Preferring
from app.studio.queue_keeper import QueueKeeper
from app.studio.telling import Telling
from ul_engine.model_folder import ModelEntry, read_manifest


@dataclass(frozen=True)
class Places:
    """Where things are."""

    models: tuple[Path, ...]
    outputs: Path | None
    """None: as the settings say, else the usual folder."""
    settings: Path
    """The settings file; the program keeps its other small files beside it."""
    runs: Path | None = None
    """None: as the settings say, else the usual folder."""
    window_number: int = 1
    """Several windows share the settings; each from the second on has a queue of its own."""


@dataclass(frozen=True)
class EngineSetup:
    """How the engine is started, and how patient the program is with it."""

    command: tuple[str, ...] = WORKER_COMMAND
    times: EngineTimes = field(default_factory=EngineTimes)
    doctor: tuple[str, ...] = DOCTOR_COMMAND
    evaluate: tuple[str, ...] = EVALUATE_COMMAND


class Program(QObject):
    """Owns models, services and their go-betweens."""

    def __init__(self, places: Places, setup: EngineSetup | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        setup = setup or EngineSetup()
        self.session = Session(places.models, parent=self)
        self.memory = Memory(self.session, SettingsFile(places.settings), self)
        self.client = EngineClient(setup.command, setup.times, self)
        self.files = PictureFiles(places.outputs or self.memory.outputs, self)
        self.runner = JobRunner(self.session, self.client, self)
        self.keeper = FileKeeper(self.session, self.client, self.files, self)
        self.exporter = ClipExporter(self)
        self.exporting = Exporting(self.session, self.exporter, self)
        self.probe = MachineProbe(setup.doctor, self)
        self.machine_keeper = MachineKeeper(self.session, self.probe, self)
        self.preferring = Preferring(self.session, self.client, self.files, places.runs, self)
        self.notifier = Notifier(self)
        self.telling = Telling(self.session, self.notifier, self)
        own = places.settings.parent
        self.beginner = BeginningKeeper(self.session, StartFiles(own / "starts", self), self)
        self.sleep_guard = SleepGuard(parent=self)
        self.keep_awake = KeepAwake(self.session, self.sleep_guard, self)
        self.state_writer = StateWriter(self)
        self._window_number = places.window_number
        queue_name = "queue.json" if places.window_number == 1 else f"queue-{places.window_number}.json"
        queue_file = QueueFile(places.settings.with_name(queue_name), self.state_writer)
        self.queue_keeper = QueueKeeper(self.session, queue_file, self.state_writer, self)
        sheets = places.settings.with_name("compared")
        self.late = LateParts(
            self.session, self.client, self.files, self.memory, self, sheets=sheets, evaluate=setup.evaluate
        )
        own_files = OwnFiles(
            PresetsFile(own / "presets.json", self.state_writer),
            HistoryFile(own / "prompts.json", self.state_writer),
            PromptFiles(own / "wildcards", self),
        )
        self.own_files = OwnFilesKeeper(self.session, own_files, self)

    def load(self, model: str = "") -> None:
        """Look for models and take the remembered settings over; `model` is preferred to the remembered one.

        Raises CheckpointError if `model` names a folder that holds none.
        """
        self.session.library.refresh()
        self.own_files.take_over()
        self.memory.take_over()
        self.queue_keeper.take_over()
        self.beginner.take_over()
        if model:
            self.session.form.choose_model(self._named_model(model))

        if self._window_number > 1:
            self.session.notices.post(self._second_notice())

    def _second_notice(self) -> Notice:
        return Notice(
            Severity.INFO,
            self.tr("UL Studio is open in another window too"),
            self.tr("Both work. Each has its own queue and engine; of settings, the window closed last keeps its own."),
            key="second-window",
            is_passing=True,
        )

    def _named_model(self, model: str) -> ModelEntry:
        for entry in self.session.library.usable:
            if model in (entry.path, entry.name, Path(entry.path).name):
                return entry
        folder = str(Path(model).absolute())
        manifest = read_manifest(folder)
        entry = ModelEntry(path=folder, name=manifest.model.name, manifest=manifest)
        self.session.library.add(entry)
        return entry

    def on_error_reported(self, report: CrashReport) -> None:
        """An unexpected error: the program goes on, and says so."""
        self.session.notices.post(
            Notice(
                Severity.ERROR,
                self.tr("Something went wrong inside the program"),
                self.tr("You can go on; if the window behaves oddly, start it anew. ({summary})").format(
                    summary=report.summary[:200]
                ),
                details=report.text,
                actions=(NoticeAction(actions.READ_REPORT, self.tr("Read the report…"), report.path),),
                key="crash",
            )
        )

    async def close(self) -> None:
        """End the engine, then finish writing."""
        self.queue_keeper.say_goodbye()
        await self.client.close()
        await self.probe.close()
        await self.notifier.close()
        self.exporter.close()
        self.sleep_guard.close()
        self.files.close()
        await self.late.close()
        self.state_writer.close()
