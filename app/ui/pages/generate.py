"""The page Generate: the form on the left, the pictures on the right."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.errors import Notice, Severity
from app.models.commands import Command
from app.models.export_form import ExportSubject
from app.models.results import Tile
from app.models.session import Session
from app.services.file_facts import FileProblem
from app.ui.widgets.export_subjects import SubjectFinder, subject_of
from app.ui.widgets.generate.group_export import GroupExport
from app.ui.widgets.generate.panel_dialogs import PanelDialogs
from app.ui.widgets.generate_panel import GeneratePanel
from app.ui.widgets.picture_cache import tile_image
from app.ui.widgets.picture_menu import PictureVerbs
from app.ui.widgets.shortcuts import bind
from app.ui.widgets.stage import Stage


class GeneratePage(QWidget):
    """Emits wishes; carries out only what needs no more than a window: clipboard, folders, dialogs."""

    generate_requested = Signal()
    reuse_requested = Signal(object)  # Tile

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.verbs = PictureVerbs(self)
        self._finder = SubjectFinder(self)
        self.panel = GeneratePanel(session, self)
        self.dialogs = PanelDialogs(session, self.panel)
        self.groups = GroupExport(session.results, self)
        self.stage = Stage(session, self.verbs, self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.panel)
        layout.addWidget(self.stage, 1)
        self._register()
        self.panel.generate_requested.connect(self._on_generate)
        self.panel.prompt_field.editor.history_wished.connect(self._on_history_wished)
        self.stage.empty.example_chosen.connect(self.panel.prompt_field.show_example)
        self.stage.empty.refresh_requested.connect(session.library.refresh)
        self.stage.empty.models_folder_requested.connect(self._on_models_folder_requested)
        self.verbs.copy_requested.connect(self._on_copy_requested)
        self.verbs.save_requested.connect(self._on_save_requested)
        self.verbs.folder_requested.connect(self._on_folder_requested)
        self.verbs.reuse_requested.connect(self.reuse_requested)
        self.verbs.sheet_requested.connect(self.groups.make_sheet)
        self.verbs.clip_requested.connect(self.groups.make_way)
        self.verbs.whole_requested.connect(self.groups.make_joined)
        self.groups.subject_ready.connect(self._export)
        self.groups.failed.connect(self._on_group_failed)
        self._finder.found.connect(self._export)
        self._finder.failed.connect(self._on_subject_failed)
        session.queue.queue_changed.connect(self._on_queue_changed)

    def _register(self) -> None:
        """Everything the page can do, for the palette and the list of shortcuts."""
        commands, group = self._session.commands, self.tr("Generate")
        start = Command("generate.start", self.tr("Generate"), group, ("Ctrl+Return",), "generate", "make run pictures")
        bind(self, commands, start, self._on_generate)
        QShortcut(QKeySequence("Ctrl+Enter"), self).activated.connect(self._on_generate)  # of the number pad
        paste = Command(
            "generate.paste", self.tr("Start from the picture in the clipboard"), group, ("Ctrl+V",), "generate"
        )
        bind(self, commands, paste, self.dialogs.paste)
        for name, title, keys in (
            ("history", self.tr("Earlier or later prompt, in the prompt's field"), ("Alt+Up", "Alt+Down")),
            ("star", self.tr("Star the picture"), ("S",)),
            ("walk", self.tr("Previous or next picture"), ("Left", "Right")),
            ("zoom", self.tr("Larger or smaller"), ("+", "-")),
            ("fit", self.tr("Fit the picture to the window"), ("0",)),
            ("pixels", self.tr("One pixel of the picture on one of the screen"), ("1",)),
            ("copy", self.tr("Copy the picture"), ("Ctrl+C",)),
            ("save", self.tr("Save the picture or clip as…"), ("Ctrl+S",)),
            ("play", self.tr("Play a clip, or stop it"), ("Space",)),
            ("frames", self.tr("One frame of a clip back or on"), ("A", "D")),
            ("loop", self.tr("What a clip does at its end"), ("L",)),
        ):
            commands.add(Command(f"generate.{name}", title, group, keys, "generate"))

    # ---- generating -----------------------------------------------------------------------------------------------

    def _on_generate(self) -> None:
        if self.stage.is_single:
            self.stage.close_single()
        self.generate_requested.emit()
        if self._session.form.request is None:
            self.panel.show_problem()

    def handle_escape(self) -> bool:
        """Close the large picture, if one is open; the window's own use of the key comes after that."""
        is_single = self.stage.is_single
        if is_single:
            self.stage.close_single()
        return is_single

    def _on_history_wished(self, step: Any) -> None:
        """The prompt before or after the one in the field."""
        history, prompt = self._session.history, self._session.form.state.prompt
        found = history.older(prompt) if step > 0 else history.newer(prompt)
        if found is not None:
            self._session.form.update(prompt=found)

    def _on_queue_changed(self) -> None:
        self.stage.bar.set_clearable(self._session.queue.view.running is None)

    # ---- pictures -------------------------------------------------------------------------------------------------

    def _on_copy_requested(self, tile: Tile) -> None:
        image = tile_image(tile)
        if image is not None:
            QGuiApplication.clipboard().setImage(image)

    def _on_save_requested(self, tile: Tile) -> None:
        """Ask how and where; while an export is running, its progress is shown instead."""
        subject = subject_of(tile)
        if subject is not None:
            self._export(subject)
        elif tile.path:
            self._finder.find(tile.path)

    def _on_subject_failed(self, problem: FileProblem) -> None:
        title, sentence = self.tr("This result cannot be saved anew"), f"{Path(problem.path).name} {problem.sentence}."
        self._session.notices.post(Notice(Severity.WARNING, title, sentence, key="export", is_passing=True))

    def _on_group_failed(self, reason: str) -> None:
        self._session.notices.post(
            Notice(Severity.ERROR, self.tr("The clip before it cannot be read"), reason, key="group", is_passing=True)
        )

    def _export(self, subject: ExportSubject) -> None:
        from app.ui.widgets.export_dialog import ExportDialog

        keeps_request = self._session.preferences.state.keeps_request
        self._session.export.begin(subject, keeps_request=keeps_request)
        ExportDialog(self._session.export, self.window()).open()

    def _on_folder_requested(self, tile: Tile) -> None:
        if tile.path:
            open_folder(Path(tile.path).parent)

    def _on_models_folder_requested(self) -> None:
        folder = self._session.library.roots[-1]
        folder.mkdir(parents=True, exist_ok=True)
        open_folder(folder)


def open_folder(folder: Path) -> None:
    """Show a folder in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
