"""A program with its window: connects what the window asks for to what the program does."""

import asyncio
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.models.notices import ActionChoice
from app.program import Program
from app.services.settings import Settings
from app.studio import actions
from app.ui.main_window import MainWindow
from app.ui.theme.fonts import load_fonts
from app.ui.theme.theme import Theme
from ul_engine.outputs import outputs_root


class Shell(QObject):
    """A program with its window."""

    def __init__(self, program: Program, app: QApplication, theme_wish: str = "") -> None:
        super().__init__()
        self.program = program
        self.closed = asyncio.Event()
        settings = program.memory.settings
        load_fonts()
        self.theme = Theme(app, self)
        self.theme.set_wish(theme_wish or settings.theme)
        self.window = MainWindow(program.session, self.theme, program.files.root)
        self.window.restore_geometry(settings.geometry)
        page = self.window.generate_page
        page.stage.bar.set_view(is_crisp=settings.is_crisp, tile_px=settings.tile_px)
        page.panel.expert.set_open(settings.is_expert_open)
        self._connect()

    def _connect(self) -> None:
        program, window, page = self.program, self.window, self.window.generate_page
        page.generate_requested.connect(self._on_generate_requested)
        page.reuse_requested.connect(program.keeper.use_tile)
        page.copy_save_requested.connect(program.keeper.save_copy)
        page.stage.bar.folder_requested.connect(window.settings_page.open_outputs)
        window.file_dropped.connect(program.keeper.read_settings)
        window.changes_chosen.connect(program.keeper.apply)
        program.keeper.restore_offered.connect(window.ask_restore)
        window.settings_page.outputs_chosen.connect(self._on_outputs_chosen)
        window.settings_page.restart_requested.connect(program.client.restart)
        program.session.notices.action_chosen.connect(self._on_action_chosen)
        window.closed.connect(self.closed.set)

    def _on_generate_requested(self) -> None:
        self.program.runner.generate()

    def _on_outputs_chosen(self, folder: Path) -> None:
        self.program.keeper.set_outputs(folder)
        self.program.preferring.set_outputs(folder)
        self.window.settings_page.set_outputs(folder)

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        if choice.name == actions.CHOOSE_OUTPUTS:
            self.window.settings_page.choose_outputs()
        elif choice.name == actions.SHOW_FILE:
            self.window.show_in_folder(choice.argument)

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
            is_expert_open=self.window.generate_page.panel.expert.is_open,
            preferences=self.program.session.preferences.values(),
            form=self.program.memory.form_values(),
        )

    async def run(self) -> None:
        """Show the window, start the engine, and stay until the window is closed."""
        self.window.show()
        self.window.generate_page.panel.prompt_field.editor.setFocus()
        await asyncio.sleep(0)
        self.program.client.start()
        await self.closed.wait()

    async def close(self) -> None:
        """End the engine and take the window down."""
        self.window.hide()
        await self.program.close()
        self.window.deleteLater()
