"""``ul-studio``: the composition root. Builds everything, owns nothing else."""

import argparse
import asyncio
import locale
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.models.notices import ActionChoice
from app.program import Places, Program
from app.services.crash_reports import CrashReporter
from app.services.garbage import GarbageCollector
from app.services.qt_messages import route_qt_messages
from app.services.settings import THEMES, Settings, config_dir, data_dir, log_dir
from app.studio import actions
from app.ui.main_window import MainWindow
from app.ui.theme.fonts import load_fonts
from app.ui.theme.theme import Theme
from ul_engine.assets import assets_dir
from ul_engine.errors import EngineError
from ul_engine.outputs import outputs_root

SETTINGS_NAME = "settings.json"


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


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    arguments = _parser().parse_args(argv)
    if arguments.smoke and sys.platform == "linux" and not _has_display():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    route_qt_messages()
    app = _application()
    reporter = CrashReporter(log_dir())
    reporter.install()
    garbage = GarbageCollector()
    garbage.start()
    from qasync import QEventLoop

    try:
        with QEventLoop(app) as loop:
            reporter.watch_loop(loop)
            return int(loop.run_until_complete(_run(arguments, app, reporter)))
    finally:
        garbage.stop()
        reporter.uninstall()


async def _run(arguments: argparse.Namespace, app: QApplication, reporter: CrashReporter) -> int:
    program = Program(_places(arguments))
    reporter.error_reported.connect(program.on_error_reported)
    try:
        program.load(arguments.model)
    except EngineError as error:
        sys.stderr.write(f"ul-studio: {error}\n")
        return 2
    shell = Shell(program, app, arguments.theme or ("dark" if arguments.smoke else ""))
    _close_on_signals(shell)
    try:
        if arguments.smoke:
            from app.smoke import smoke

            return await smoke(shell, Path(arguments.smoke), timeout_s=arguments.smoke_timeout)
        await shell.run()
        problem = program.memory.save(shell.settings())
        if problem:
            sys.stderr.write(f"ul-studio: settings were not saved: {problem}\n")
        return 0
    finally:
        await shell.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ul-studio", description="UL Studio: make pictures with Unified Latents.")
    parser.add_argument("--model", default="", metavar="FOLDER", help="model to start with, by folder or name")
    parser.add_argument("--outputs", default="", metavar="DIR", help="folder for results")
    parser.add_argument("--theme", choices=THEMES, help="theme to start with")
    parser.add_argument("--smoke", default="", metavar="DIR", help="make pictures by itself, into DIR")
    parser.add_argument("--smoke-timeout", type=float, default=600.0, metavar="S", help="give up after this long")
    return parser


def _application() -> QApplication:
    app = QApplication.instance() or QApplication(["ul-studio"])
    assert isinstance(app, QApplication)
    locale.setlocale(locale.LC_NUMERIC, "C")  # QApplication takes the user's, and numbers lose their point
    app.setApplicationName("UL Studio")
    app.setDesktopFileName("ul-studio")
    app.setQuitOnLastWindowClosed(False)
    return app


def _places(arguments: argparse.Namespace) -> Places:
    """Smoke runs have settings of their own, so that they neither depend on the person's nor touch them."""
    models = (assets_dir() / "models", data_dir() / "models")
    if arguments.smoke:
        root = Path(arguments.outputs or arguments.smoke)
        return Places(models, root.absolute(), Path(arguments.smoke).absolute() / ".smoke" / SETTINGS_NAME)
    settings = config_dir() / SETTINGS_NAME
    return Places(models, Path(arguments.outputs).absolute() if arguments.outputs else None, settings)


def _close_on_signals(shell: Shell) -> None:
    """Ctrl+C and a polite kill end the program as closing the window does."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, shell.closed.set)


def _has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
