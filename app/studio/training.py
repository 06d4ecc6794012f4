"""Ties the way to a new run to what carries its wishes out: the data check, the dry run, the launch."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.errors import Notice, Severity
from app.models.new_run.new_run import NewRun
from app.models.new_run.starts import find_starts
from app.models.new_run.wishes import EstimateWish, LaunchWish, SheetWish
from app.models.session import Session
from app.models.sweeps.reading import find_sweeps, stop_sweep
from app.models.sweeps.sweeps import SweepStart
from app.services.dataset_check import CheckProgress, DatasetCheck, ToolProblem
from app.services.dry_run import DryRun, EstimateAnswer, EstimateFailure
from app.services.media import load_image
from app.services.training_launch import LaunchFailure, TrainingLaunch
from trainer.config import parse_config
from trainer.config.run import RunConfig
from trainer.data.check.report import DataReport
from trainer.run_dir import RunDir, read_json
from ul_engine.errors import EngineError


class TrainingStarter(QObject):
    """The go-between of `session.new_run`, children that answer its questions, and the runs they become."""

    def __init__(self, session: Session, new_run: NewRun, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._new_run = new_run
        self.check = DatasetCheck(parent=self)
        self.dry_run = DryRun(parent=self)
        self.launch = TrainingLaunch(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_looking = False
        self._connect(new_run)

    def _connect(self, new_run: NewRun) -> None:
        check, dry_run, launch = self.check, self.dry_run, self.launch
        new_run.check_wanted.connect(check.check)
        new_run.check_unwanted.connect(check.stop)
        new_run.sheet_wanted.connect(self._on_sheet_wanted)
        new_run.starts_wanted.connect(self._on_starts_wanted)
        new_run.estimate_wanted.connect(self._on_estimate_wanted)
        new_run.estimate_unwanted.connect(dry_run.stop)
        new_run.launch_wanted.connect(self._on_launch_wanted)
        new_run.clone_wanted.connect(self._on_clone_wanted)
        check.progressed.connect(self._on_progressed)
        check.report_arrived.connect(self._on_report_arrived)
        check.check_failed.connect(self._on_check_failed)
        check.sheet_drawn.connect(self._on_sheet_drawn)
        check.sheet_failed.connect(self._on_sheet_failed)
        dry_run.estimate_arrived.connect(self._on_estimate_arrived)
        dry_run.estimate_failed.connect(self._on_estimate_failed)
        launch.run_began.connect(new_run.note_began)
        launch.launch_failed.connect(self._on_launch_failed)
        sweeps = self._session.sweeps
        sweeps.look_wanted.connect(self._on_look_wanted)
        sweeps.start_wanted.connect(self._on_sweep_wanted)
        sweeps.stop_wanted.connect(self._on_sweep_stop_wanted)
        launch.sweep_began.connect(sweeps.note_began)
        launch.sweep_failed.connect(self._on_sweep_failed)

    async def close(self) -> None:
        """End the children that only answer questions; runs go on."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
        await self.check.close()
        await self.dry_run.close()
        await self.launch.close()

    # ---- wishes ---------------------------------------------------------------------------------------------------

    def _on_sheet_wanted(self, wish: SheetWish) -> None:
        self.check.draw(wish.data, wish.seed)

    def _on_estimate_wanted(self, wish: EstimateWish) -> None:
        self.dry_run.estimate(wish.key, wish.settings, wish.run, processes=wish.processes, device=wish.device)

    def _on_launch_wanted(self, wish: LaunchWish) -> None:
        self.launch.start_run(wish.plan, wish.settings)

    def _on_starts_wanted(self) -> None:
        self._begin(self._look_for_starts())

    async def _look_for_starts(self) -> None:
        runs = self._session.folders.places.runs
        models = [entry.path for entry in self._session.library.entries if entry.manifest is not None]
        self._new_run.note_starts(await asyncio.to_thread(find_starts, runs, models))

    def _on_clone_wanted(self, folder: str) -> None:
        self._begin(self._clone(Path(folder)))

    async def _clone(self, folder: Path) -> None:
        try:
            config = await asyncio.to_thread(_settings_of, folder)
        except EngineError as error:
            self._session.notices.post(
                Notice(
                    Severity.WARNING,
                    self.tr("The settings of this run cannot be read"),
                    str(error),
                    key="clone",
                    is_passing=True,
                )
            )
            return
        self._new_run.note_clone(config, folder.name)

    def _on_look_wanted(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            self._begin(self._look_at_sweeps())

    async def _look_at_sweeps(self) -> None:
        try:
            reports = await asyncio.to_thread(find_sweeps, self._session.folders.places.runs)
        finally:
            self._is_looking = False
        self._session.sweeps.note_reports(reports)

    def _on_sweep_wanted(self, wish: SweepStart) -> None:
        self.launch.start_sweep(wish.folder, wish.definition, workers=wish.workers, device=wish.device)

    def _on_sweep_stop_wanted(self, folder: str) -> None:
        self._begin(self._stop_sweep(Path(folder)))

    async def _stop_sweep(self, folder: Path) -> None:
        await asyncio.to_thread(stop_sweep, folder)
        self._on_look_wanted()

    def _on_sweep_failed(self, failure: LaunchFailure) -> None:
        self._session.sweeps.note_failed(failure.words)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- answers --------------------------------------------------------------------------------------------------

    def _on_progressed(self, news: CheckProgress) -> None:
        self._new_run.note_progress(news.doing, news.done, news.total)

    def _on_report_arrived(self, report: DataReport) -> None:
        self._new_run.note_report(report)
        if report.sheet is not None:
            self._on_sheet_drawn(report.sheet)

    def _on_sheet_drawn(self, path: str) -> None:
        self._begin(self._read_sheet(path))

    async def _read_sheet(self, path: str) -> None:
        image = await asyncio.to_thread(load_image, path)
        if image is not None:
            self._new_run.note_sheet(image)
        else:
            self._new_run.note_sheet_failed(self.tr("the drawn picture cannot be read"), path)

    def _on_check_failed(self, problem: ToolProblem) -> None:
        self._new_run.note_check_failed(problem.words, problem.details)

    def _on_sheet_failed(self, problem: ToolProblem) -> None:
        self._new_run.note_sheet_failed(problem.words, problem.details)

    def _on_estimate_arrived(self, answer: EstimateAnswer) -> None:
        self._new_run.note_estimate(str(answer.key), answer.estimate)

    def _on_estimate_failed(self, failure: EstimateFailure) -> None:
        problem = failure.problem
        self._new_run.note_estimate_failed(str(failure.key), problem.words, problem.details)

    def _on_launch_failed(self, failure: LaunchFailure) -> None:
        self._new_run.note_launch_failed(failure.words)


def _settings_of(folder: Path) -> RunConfig:
    return parse_config(read_json(RunDir(folder).settings))
