"""``ul-studio``: the composition root. Builds everything, owns nothing else."""

import argparse
import asyncio
import atexit
import locale
import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.program import Places, Program
from app.services.crash_reports import CrashReporter
from app.services.garbage import GarbageCollector
from app.services.instance import Instance
from app.services.qt_messages import route_qt_messages
from app.services.settings import SETTINGS_NAME, THEMES, config_dir, log_dir, peeked_scale, usual_models
from app.shell import Shell
from ul_engine.assets import assets_dir
from ul_engine.errors import EngineError


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    arguments = _parser().parse_args(argv)
    if _drives_itself(arguments) and sys.platform == "linux" and not _has_display():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    route_qt_messages()
    places = _places(arguments)
    _scale(places.settings)
    app = _application()
    reporter = CrashReporter(log_dir())
    reporter.install()
    garbage = GarbageCollector()
    garbage.start()
    from qasync import QEventLoop

    try:
        with QEventLoop(app) as loop:
            reporter.watch_loop(loop)
            return int(loop.run_until_complete(_run(arguments, places, app, reporter)))
    finally:
        garbage.stop()
        reporter.uninstall()


async def _run(arguments: argparse.Namespace, places: Places, app: QApplication, reporter: CrashReporter) -> int:
    instance = None if _drives_itself(arguments) else Instance(places.settings.parent)
    program = Program(replace(places, window_number=instance.number if instance else 1))
    reporter.error_reported.connect(program.on_error_reported)
    try:
        program.load(arguments.model)
    except EngineError as error:
        sys.stderr.write(f"ul-studio: {error}\n")
        return 2
    shell = Shell(program, app, arguments.theme or ("dark" if _drives_itself(arguments) else ""))
    _close_on_signals(shell)
    try:
        if arguments.smoke:
            from app.smoke import smoke

            return await smoke(shell, Path(arguments.smoke), timeout_s=arguments.smoke_timeout)
        if arguments.bench:
            from app.bench.start import bench

            return await bench(shell, Path(arguments.bench), arguments.bench_only)
        if arguments.screenshots:
            from app.screenshots.taking import take_all

            return await take_all(shell, Path(arguments.screenshots), arguments.screenshots_run)
        shell.offers_tour = True
        await shell.run()
        problem = program.memory.save(shell.settings())
        if problem:
            sys.stderr.write(f"ul-studio: settings were not saved: {problem}\n")
        return 0
    finally:
        await shell.close()
        if instance is not None:
            instance.release()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ul-studio", description="UL Studio: make pictures with Unified Latents.")
    parser.add_argument("--model", default="", metavar="FOLDER", help="model to start with, by folder or name")
    parser.add_argument("--outputs", default="", metavar="DIR", help="folder for results")
    parser.add_argument("--theme", choices=THEMES, help="theme to start with")
    parser.add_argument("--smoke", default="", metavar="DIR", help="make pictures by itself, into DIR")
    parser.add_argument("--bench", default="", metavar="FILE", help="measure the window by itself, figures into FILE")
    parser.add_argument("--bench-only", default="", metavar="NAMES", help="stations of the bench, parted by commas")
    parser.add_argument("--screenshots", default="", metavar="DIR", help="take pictures of every page into DIR")
    parser.add_argument("--screenshots-run", default="", metavar="FOLDER", help="training run to show on its page")
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


def _scale(settings: Path) -> None:
    """Qt reads the size of everything once, when the application is made; the environment's own wish goes first."""
    percent = peeked_scale(settings)
    if percent != 100:
        os.environ.setdefault("QT_SCALE_FACTOR", f"{percent / 100:g}")


def _places(arguments: argparse.Namespace) -> Places:
    """Where it drives itself it has settings of its own, and neither depends on the person's nor touches them."""
    models = (assets_dir() / "models", usual_models())
    if arguments.smoke:
        root = Path(arguments.outputs or arguments.smoke)
        return Places(models, root.absolute(), Path(arguments.smoke).absolute() / ".smoke" / SETTINGS_NAME)
    if arguments.screenshots:
        from app.screenshots.home import make_home, places_in

        home = make_home()
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        return places_in(home, models[0])
    if arguments.bench:
        root = Path(tempfile.mkdtemp(prefix="ul-studio-"))
        atexit.register(shutil.rmtree, root, ignore_errors=True)
        return Places((models[0], root / "models"), root / "outputs", root / SETTINGS_NAME, root / "runs")
    settings = config_dir() / SETTINGS_NAME
    return Places(models, Path(arguments.outputs).absolute() if arguments.outputs else None, settings)


def _close_on_signals(shell: Shell) -> None:
    """Ctrl+C and a polite kill end the program as closing the window does."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, shell.closed.set)


def _drives_itself(arguments: argparse.Namespace) -> bool:
    return bool(arguments.smoke or arguments.bench or arguments.screenshots)


def _has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
