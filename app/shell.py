"""A program with its window: connects what the window asks for to what the program does."""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication

from app.errors import Notice, Severity
from app.models.long_work import WorkEnded
from app.models.notices import ActionChoice
from app.models.results import Tile
from app.program import Program
from app.services.settings import Settings, log_dir
from app.studio import actions
from app.ui.main_window import LATE_PAGES, MainWindow
from app.ui.pages.generate import open_folder
from app.ui.reading_ahead import PAGE_MODULES, RUN_MODULES, ReadingAhead, reading
from app.ui.theme.fonts import load_fonts
from app.ui.theme.theme import Theme
from ul_engine.outputs import outputs_root

SAVE_PAUSE_MS = 800
"""Changes of settings are written when none has come for so long."""


class Shell(QObject):
    """A program with its window."""

    def __init__(self, program: Program, app: QApplication, theme_wish: str = "") -> None:
        super().__init__()
        self.program = program
        self.closed = asyncio.Event()
        self.offers_tour = False
        """Whether a person who starts the program for the first time is shown around."""
        settings = program.memory.settings
        load_fonts()
        self.theme = Theme(app, self)
        self.theme.begin(theme_wish or settings.theme)
        self.window = MainWindow(program.session, self.theme)
        self.theme.dress()
        self._is_running = False
        self._reading_ahead = ReadingAhead(app, self._later_steps(), self, is_busy=self._is_at_work)
        self.window.restore_geometry(settings.geometry)
        page = self.window.generate_page
        page.stage.bar.set_view(is_crisp=settings.is_crisp, tile_px=settings.tile_px)
        page.panel.expert.set_open(settings.is_expert_open)
        self._connect()

    def _later_steps(self) -> list[Callable[[], object]]:
        """What is done after the first paint: runs that go on are found again, and pages wait to be opened."""
        pages = [partial(self.window.ensure_page, name) for name in LATE_PAGES]
        insides = [partial(self._make_ahead, name) for name in LATE_PAGES]
        return [*reading(RUN_MODULES), self._watch_runs, *reading(PAGE_MODULES), *pages, *insides]

    def _is_at_work(self) -> bool:
        """A job runs, and its previews should come evenly."""
        return self.program.session.queue.view.running is not None

    def _make_ahead(self, name: str) -> None:
        if self.window.make_ahead(name):
            self._reading_ahead.do_next(partial(self._make_ahead, name))

    def _watch_runs(self) -> None:
        self.program.late.training.start()

    def _connect(self) -> None:
        program, window, page = self.program, self.window, self.window.generate_page
        page.generate_requested.connect(self._on_generate_requested)
        page.reuse_requested.connect(program.keeper.use_tile)
        page.stage.bar.folder_requested.connect(self._on_outputs_folder_requested)
        window.file_dropped.connect(program.keeper.read_settings)
        window.changes_chosen.connect(program.keeper.apply)
        window.release_confirmed.connect(program.client.release)
        program.keeper.restore_offered.connect(window.ask_restore)
        program.session.notices.action_chosen.connect(self._on_action_chosen)
        window.closed.connect(self.closed.set)
        program.telling.is_in_front = window.isActiveWindow
        program.session.long_work.long_work_ended.connect(self._on_long_work_ended)
        self._connect_saving()
        self._connect_generate()
        window.page_made.connect(self._on_page_made)

    def _on_page_made(self, name: str) -> None:
        """Connect a page that is late."""
        if name == "compare":
            self._connect_compare()
        elif name == "train":
            self._connect_train()
        elif name == "models":
            self._connect_models()
        elif name == "library":
            self._connect_library()
        elif name == "settings":
            self._connect_settings()

    def _connect_settings(self) -> None:
        program, page = self.program, self.window.settings_page
        page.folder_chosen.connect(self._on_folder_chosen)
        page.folder_open_requested.connect(self._on_folder_open_requested)
        page.restart_requested.connect(program.client.restart)
        page.release_requested.connect(self._on_release_requested)
        page.check_requested.connect(program.machine_keeper.check)
        page.look_requested.connect(program.machine_keeper.look)
        page.reports_requested.connect(self._on_reports_requested)
        page.tour_requested.connect(self.window.open_tour)
        page.token_requested.connect(self._on_token_requested)

    def _connect_saving(self) -> None:
        program = self.program
        self._save_timer = QTimer(self)
        self._save_timer.setSingleShot(True)
        self._save_timer.setInterval(SAVE_PAUSE_MS)
        self._save_timer.timeout.connect(self._save_soon)
        for signal in (
            program.session.preferences.preferences_changed,
            program.session.folders.folders_changed,
            self.theme.theme_changed,
        ):
            signal.connect(self._save_timer.start)

    def _on_token_requested(self) -> None:
        self.window.show_page("models")
        self.window.models_page.open_token()

    def _connect_library(self) -> None:
        program, window, page = self.program, self.window, self.window.library_page
        keeper, index, dialogs = program.late.gallery, program.late.gallery.index, page.dialogs
        page.set_tile_px(program.memory.settings.library_tile_px)
        page.opened.connect(keeper.open)
        page.thumbnail_requested.connect(keeper.thumbnails.wish)
        keeper.thumbnails.ready.connect(page.set_thumbnail)
        page.star_requested.connect(keeper.set_starred)
        page.delete_requested.connect(keeper.delete)
        page.use_requested.connect(program.keeper.read_settings)
        page.folder_requested.connect(window.show_in_folder)
        page.compare_requested.connect(self._on_compare_requested)
        page.continue_requested.connect(self._on_continue_requested)
        page.generate_requested.connect(self._on_first_result_requested)
        dialogs.bin_requested.connect(index.list_bin)
        dialogs.restore_requested.connect(keeper.restore)
        dialogs.empty_bin_requested.connect(index.empty_bin)
        dialogs.preview_requested.connect(index.preview_cleanup)
        dialogs.cleanup_requested.connect(keeper.clean_up)
        index.bin_listed.connect(dialogs.set_bin)
        index.cleanup_previewed.connect(dialogs.set_preview)

    def _connect_train(self) -> None:
        training, page = self.program.late.training, self.window.train_page
        page.wished.connect(training.carry_out)
        page.folder_chosen.connect(training.open_folder)
        page.folder_requested.connect(self._on_run_folder_requested)
        page.sheet_wanted.connect(training.on_sheet_wanted)
        training.sheets.sheet_loaded.connect(page.take_sheet)
        training.crops_ready.connect(self._on_compare_requested)
        page.publish_requested.connect(self._on_publish_requested)
        training.is_in_sight = page.is_showing
        if self._is_running:
            self._watch_runs()

    def _on_publish_requested(self, folder: str) -> None:
        self.window.show_page("models")
        self.window.models_page.open_publish(folder)

    def _on_run_folder_requested(self, folder: str) -> None:
        self._on_folder_open_requested(Path(folder))

    def _connect_models(self) -> None:
        page, keeper = self.window.models_page, self.program.late.models
        for wish, deed in (
            (page.opened, keeper.open),
            (page.refresh_requested, keeper.refresh),
            (page.verify_requested, keeper.verify),
            (page.card_wanted, keeper.read_card),
            (page.remove_requested, keeper.remove),
            (page.restore_requested, keeper.restore),
            (page.empty_bin_requested, keeper.empty_bin),
            (page.move_requested, keeper.move),
            (page.import_requested, keeper.bring_in),
            (page.search_requested, keeper.search),
            (page.fetch_requested, keeper.download),
            (page.forget_requested, keeper.forget),
            (page.pause_requested, keeper.pause),
            (page.drop_requested, keeper.drop),
            (page.token_entered, keeper.set_token),
            (page.forget_token_requested, keeper.forget_token),
            (page.plan_requested, keeper.plan),
            (page.publish_requested, keeper.publish),
            (page.folder_requested, self._on_folder_open_requested),
            (page.use_requested, self._on_model_use_requested),
            (page.compare_requested, self._on_model_compare_requested),
        ):
            wish.connect(deed)

    def _on_model_use_requested(self, folder: str) -> None:
        self.program.session.library.refresh()
        entry = self.program.session.library.by_path(folder)
        if entry is not None and entry.manifest is not None:
            self.program.session.form.choose_model(entry)
            self.window.show_page("generate")

    def _on_model_compare_requested(self, folder: str) -> None:
        self.program.session.compare.form.toggle_model(folder, is_on=True)
        self.window.show_page("compare")

    def _on_first_result_requested(self) -> None:
        self.window.show_page("generate")

    def _on_compare_requested(self, paths: tuple[str, ...]) -> None:
        self.window.show_page("compare")
        self.program.session.compare.compare_files(paths)

    def _on_continue_requested(self, path: str) -> None:
        self.window.show_page("generate")
        self.program.beginner.begin_with(path)

    def _connect_generate(self) -> None:
        """What the page Generate asks for beyond pictures."""
        program, page = self.program, self.window.generate_page
        dialogs, beginner, own = page.dialogs, program.beginner, program.own_files
        dialogs.begin_requested.connect(beginner.begin_with)
        dialogs.begin_with_picture_requested.connect(beginner.begin_with_picture)
        dialogs.mask_chosen.connect(beginner.set_mask)
        dialogs.forget_picture_requested.connect(beginner.forget_picture)
        dialogs.prompts_file_chosen.connect(own.read_prompts)
        dialogs.forget_prompts_requested.connect(own.forget_prompts)
        dialogs.wildcards_folder_requested.connect(self._on_wildcards_folder_requested)
        dialogs.clear_history_requested.connect(own.clear_history)
        dialogs.preset_save_requested.connect(own.save_preset)
        dialogs.preset_rename_requested.connect(self._on_preset_rename_requested)
        dialogs.preset_delete_requested.connect(own.delete_preset)
        page.verbs.begin_requested.connect(beginner.begin_with_tile)
        page.verbs.vary_requested.connect(program.keeper.vary_tile)
        page.verbs.star_requested.connect(program.keeper.toggle_star)
        page.verbs.compare_requested.connect(self._on_tile_compare_requested)

    def _on_tile_compare_requested(self, tile: Tile) -> None:
        self._on_compare_requested((tile.path,))

    def _on_preset_rename_requested(self, names: tuple[str, str]) -> None:
        self.program.own_files.rename_preset(*names)

    def _on_wildcards_folder_requested(self) -> None:
        folder = self.program.own_files.wildcards_folder
        folder.mkdir(parents=True, exist_ok=True)
        self.program.own_files.refresh_wildcards()
        open_folder(folder)

    def _on_generate_requested(self) -> None:
        self.program.runner.generate()

    def _on_long_work_ended(self, _ended: WorkEnded) -> None:
        if not self.window.isActiveWindow():
            QApplication.alert(self.window)  # the task bar's own sign; nothing where there is none

    # ---- settings -------------------------------------------------------------------------------------------------

    def _on_folder_chosen(self, choice: tuple[str, Path]) -> None:
        kind, folder = choice
        if not os.access(folder, os.W_OK | os.X_OK):
            self._tell(
                self.tr("That folder cannot be used"),
                self.tr("Nothing can be written into {folder}. Choose another one.").format(folder=folder),
            )
        elif kind == "outputs":
            self.program.keeper.set_outputs(folder)
            self.program.preferring.set_outputs(folder)
        else:
            self.program.session.preferences.update(**{f"{kind}_folder": str(folder)})

    def _on_outputs_folder_requested(self) -> None:
        self._on_folder_open_requested(self.program.session.folders.places.outputs)

    def _on_folder_open_requested(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._tell(self.tr("The folder cannot be opened"), f"{folder}: {error.strerror}.")
        else:
            open_folder(folder)

    def _on_reports_requested(self) -> None:
        self._on_folder_open_requested(log_dir())

    def _on_release_requested(self) -> None:
        if self.program.session.queue.view.running is None:
            self.program.client.release()
        else:
            self.window.ask_release()

    def _tell(self, title: str, sentence: str) -> None:
        self.program.session.notices.post(Notice(Severity.ERROR, title, sentence, key="folder", is_passing=True))

    def _save_soon(self) -> None:
        self.program.memory.save_soon(self.settings(), self.program.state_writer)

    # ---- notices --------------------------------------------------------------------------------------------------

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        if choice.name == actions.CHOOSE_OUTPUTS:
            self.window.settings_page.choose_outputs()
        elif choice.name == actions.SHOW_FILE:
            self.window.show_in_folder(choice.argument)
        elif choice.name == actions.OPEN_FILE:
            self._on_file_open_requested(choice.argument)
        elif choice.name == actions.COMPARE_FILE:
            self._on_compare_requested((choice.argument,))
        elif choice.name == actions.COMPARE_FOLDER:
            self.window.show_page("compare")
            self.window.compare_page.open_report(choice.argument)
        elif choice.name == actions.USE_MODEL:
            self._on_model_use_requested(choice.argument)
        elif choice.name in (actions.BEGIN_WITH, actions.BEGIN_ELSEWHERE):
            self.window.show_page("generate")
        elif choice.name == actions.OPEN_PAGE:
            QDesktopServices.openUrl(QUrl(choice.argument))
        elif choice.name == actions.ENTER_TOKEN:
            self.window.show_page("models")
        elif choice.name == actions.SHOW_RUN:
            self.window.train_page.open_run(choice.argument)
            self.window.show_page("train")
        elif choice.name == actions.READ_REPORT:
            self.window.show_report(choice.notice.details, choice.argument)

    def _connect_compare(self) -> None:
        page, comparer = self.window.compare_page, self.program.late.comparer
        page.pasted.connect(comparer.pictures.files.keep_pasted)
        page.view_save_requested.connect(comparer.saver.save_view)
        page.csv_save_requested.connect(comparer.saver.save_csv)
        page.file_open_requested.connect(self._on_file_open_requested)
        page.folder_requested.connect(self.window.show_in_folder)

    def _on_file_open_requested(self, path: str) -> None:
        """In the system's own program."""
        open_folder(Path(path))

    def settings(self) -> Settings:
        """What is to be remembered."""
        bar = self.window.generate_page.stage.bar
        root = self.program.files.root
        return Settings(
            theme=self.theme.wish,
            geometry=self.window.geometry_text(),
            outputs="" if root == outputs_root() else str(root),
            is_crisp=bar.crisp_button.isChecked(),
            tile_px=bar.tile_px,
            library_tile_px=self._library_tile_px(),
            is_expert_open=self.window.generate_page.panel.expert.is_open,
            opened_runs=self.program.memory.opened_runs(),
            charts=self.program.memory.chart_values(),
            preferences=self.program.session.preferences.values(),
            form=self.program.memory.form_values(),
            compare=self.program.memory.compare_values(),
        )

    def _library_tile_px(self) -> int:
        if self.window.has_page("library"):
            return self.window.library_page.tile_px
        return self.program.memory.settings.library_tile_px

    async def run(self) -> None:
        """Show the window, start the engine, and stay until the window is closed."""
        self.window.show()
        self.window.generate_page.panel.prompt_field.editor.setFocus()
        await asyncio.sleep(0)
        self.program.client.start()
        if self.offers_tour and not self.program.session.preferences.state.has_seen_tour:
            self.window.open_tour()
        self._is_running = True
        self._reading_ahead.start()
        await self.closed.wait()

    async def close(self) -> None:
        """End the engine and take the window down."""
        self._save_timer.stop()
        self._reading_ahead.stop()
        self.window.hide()
        await self.program.close()
        self.window.deleteLater()
