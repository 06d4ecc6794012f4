"""The way to a new run: stores choices and answers, derives settings from them, and says what it wants to know."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from app.models.config_form import ConfigForm
from app.models.new_run import blockers
from app.models.new_run.base_settings import Goal, base_settings
from app.models.new_run.launching import LaunchSettings, proposed_name
from app.models.new_run.lengths import for_duration, is_enough
from app.models.new_run.recipes import recipe_cards
from app.models.new_run.starts import StartPoint
from app.models.new_run.state import SCENES_CHOICE, Blocker, Doing, NewRunState, Trouble
from app.models.new_run.wishes import (
    CHECKED_SCENES,
    EstimateWish,
    LaunchWish,
    SheetWish,
    cost_key,
    same_look,
    sheet_wish,
)
from trainer.config import RunConfig, Stage
from trainer.cost import RunEstimate
from trainer.data.check.report import DataReport
from ul_engine.errors import ConfigError

ESTIMATE_AFTER_MS = 900
BASIC = (
    "model.name",
    "num_steps",
    "batch_size",
    "data.size_px",
    "data.flip",
    "model.decoder_loss.loss_factor",
    "optimizer.learning_rate",
)
HIDDEN = ("stage", "preset", "init_from", "data.kind", "data.path")


class NewRun(QObject):
    """It starts nothing itself: whoever has the services listens to its wishes and brings the answers."""

    state_changed = Signal(object)  # NewRunState
    form_replaced = Signal()  # another set of settings to begin from
    check_wanted = Signal(object)  # Mapping: the section data, as far as it is known
    check_unwanted = Signal()
    sheet_wanted = Signal(object)  # SheetWish
    starts_wanted = Signal()
    estimate_wanted = Signal(object)  # EstimateWish
    estimate_unwanted = Signal()
    launch_wanted = Signal(object)  # LaunchWish
    clone_wanted = Signal(object)  # str: run folder whose settings to begin with
    began = Signal(object)  # str: folder of the run that has begun

    def __init__(self, runs: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._state = NewRunState()
        self._form: ConfigForm | None = None
        self._drawn: SheetWish | None = None
        self._is_clone = False
        self._wants_estimates = False
        self._estimate_key = ""
        self.launch_form = ConfigForm(LaunchSettings, {"name": "run"}, basic=("name",), parent=self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(ESTIMATE_AFTER_MS)
        self._timer.timeout.connect(self._ask_estimate)
        self.launch_form.values_changed.connect(self._on_settings_changed)

    # ---- what it holds --------------------------------------------------------------------------------------------

    @property
    def state(self) -> NewRunState:
        """All choices and answers so far."""
        return self._state

    @property
    def form(self) -> ConfigForm | None:
        """The settings; None while something is missing that they depend on."""
        return self._form

    @property
    def config(self) -> RunConfig | None:
        """The checked settings."""
        result: RunConfig | None = self._form.result if self._form is not None else None
        return result

    @property
    def is_clone(self) -> bool:
        """Whether the settings are those of another run."""
        return self._is_clone

    def blockers(self) -> list[Blocker]:
        """Everything that stands in the way of a start, in the order in which to mend it."""
        state = self._state
        found: list[Blocker] = [] if self._form is not None else [*blockers.start_blockers(state)]
        if self._form is None or state.check_trouble is not None or state.report is not None:
            found += blockers.data_blockers(state)
        if self._form is None:
            return found or [Blocker(state.settings_problem)]
        found += blockers.settings_blockers(self._form.errors, self._form.result)
        found += blockers.settings_blockers(self.launch_form.errors, self.launch_form.result)
        if self.config is not None:
            found += blockers.batch_blockers(self.config, state.report)
        return found + blockers.cost_blockers(state)

    def data_blockers(self) -> list[Blocker]:
        """What stands in the way of going on from the data and the starting point."""
        return [*blockers.start_blockers(self._state), *blockers.data_blockers(self._state)]

    # ---- choices --------------------------------------------------------------------------------------------------

    def begin(self, runs: Path, source: str = "") -> None:
        """Anew, or with the settings of the run folder `source`."""
        self._runs = runs
        self.stop_check()
        self.set_estimating(False)
        self._drawn = None
        self._drop_form()
        self._is_clone = False
        self._set(NewRunState(starts=self._state.starts))
        self.form_replaced.emit()
        self.starts_wanted.emit()
        if source:
            self.clone_wanted.emit(source)

    def choose_goal(self, goal: Goal) -> None:
        """What to train."""
        if goal is not self._state.goal:
            self._set(replace(self._state, goal=goal, start=None))
            self._renew()

    def choose_data(self, path: str) -> None:
        """A folder, an archive, or the built-in scenes; it is looked through at once."""
        self.stop_check()
        self._drawn = None
        self._set(
            replace(
                self._state,
                data=path,
                doing=Doing("opening") if path else None,
                report=None,
                check_trouble=None,
                sheet=None,
                sheet_trouble=None,
                recipe="",
            )
        )
        if path:
            self.check_wanted.emit(CHECKED_SCENES if path == SCENES_CHOICE else {"path": path})
        self._renew()

    def choose_look(self, **changes: Any) -> None:
        """How pictures are made to fit (`fit`), and whether they are mirrored (`flip`): drawn anew at once."""
        report = self._state.report
        if report is None or report.data.kind == "scenes":
            return
        data = report.data.model_copy(update=changes)
        if changes.get("fit") == "buckets" and "bucket_step_px" not in changes:
            step = {"bucket_step_px": max(8, 1 << (max(1, data.size_px // 8).bit_length() - 1))}
            data = data.model_copy(update=step)
        if data != report.data:
            self._set(replace(self._state, report=report.model_copy(update={"data": data})))
            self._renew()
            self._draw_sheet()

    def stop_check(self) -> None:
        """Never mind the data now being looked through."""
        if self._state.doing is not None:
            self.check_unwanted.emit()
            self._set(replace(self._state, doing=None, data="", report=None))

    def choose_start(self, start: StartPoint | None) -> None:
        """The model or run to build on."""
        if start != self._state.start:
            self._set(replace(self._state, start=start))
            self._renew()

    def choose_recipe(self, name: str) -> None:
        """The model to train."""
        if name != self._state.recipe:
            self._set(replace(self._state, recipe=name))
            self._renew()

    def choose_length(self, budget_s: float) -> None:
        """Cut the run to a time, by the estimate of a step and of what comes before the first; nothing happens where
        that leaves no time to learn (`is_enough`)."""
        estimate = self._state.estimate
        if self._form is not None and estimate is not None and is_enough(estimate, budget_s):
            values = for_duration(self._form.values, estimate.step.seconds, budget_s - estimate.preparing_s)
            self._form.update(values)

    def do(self, blocker: Blocker) -> None:
        """Carry out what a blocker offers."""
        if self._form is not None and blocker.deed == blockers.SMALLER_MICRO_BATCH:
            self._form.set("scale.micro_batch", blocker.value)

    def set_estimating(self, is_on: bool) -> None:
        """Whether the cost is on show, and so to be kept up to date."""
        self._wants_estimates = is_on
        if is_on:
            self._draw_sheet()
            if self._state.estimate is None or self._state.is_estimate_old:
                self._ask_estimate()
        else:
            self._timer.stop()
            self._give_up_estimate()

    def _give_up_estimate(self) -> None:
        """What is being measured is of no use any more: its answer would be for other settings."""
        if self._state.is_estimating:
            self.estimate_unwanted.emit()
            self._set(replace(self._state, is_estimating=False))

    def launch(self) -> bool:
        """Start the run, if nothing stands in the way."""
        if self.blockers() or self._state.is_launching or self.config is None:
            return False
        settings: LaunchSettings = self.launch_form.result
        self._set(replace(self._state, is_launching=True, launch_trouble=""))
        self.launch_wanted.emit(LaunchWish(settings.plan(self._runs), self.config.model_dump(mode="json")))
        return True

    # ---- answers --------------------------------------------------------------------------------------------------

    def note_progress(self, what: str, done: int, total: int) -> None:
        """The check went on."""
        if self._state.doing is not None:
            self._set(replace(self._state, doing=Doing(what, done, total)))

    def note_report(self, report: DataReport) -> None:
        """The check is over."""
        self._set(replace(self._state, doing=None, report=report, is_drawing=report.sheet is not None))
        self._drawn = SheetWish(report.data.model_dump(mode="json"), 0)
        self._renew()

    def note_check_failed(self, words: str, details: str) -> None:
        """There is nothing to check."""
        self._set(replace(self._state, doing=None, check_trouble=Trouble(words.rstrip("."), details)))

    def note_sheet(self, image: QImage) -> None:
        """The tensors are drawn."""
        self._set(replace(self._state, sheet=image, is_drawing=False, sheet_trouble=None))

    def note_sheet_failed(self, words: str, details: str) -> None:
        """They cannot be drawn."""
        self._set(replace(self._state, is_drawing=False, sheet_trouble=Trouble(words, details)))

    def note_starts(self, starts: tuple[StartPoint, ...]) -> None:
        """These can be built on."""
        self._set(replace(self._state, starts=starts))

    def note_estimate(self, key: str, estimate: RunEstimate) -> None:
        """This is what the settings of that key cost."""
        if key == self._key():
            self._estimate_key = key
            self._set(
                replace(
                    self._state,
                    estimate=self._stretched(estimate),
                    is_estimating=False,
                    is_estimate_old=False,
                    estimate_trouble=None,
                )
            )

    def note_estimate_failed(self, key: str, words: str, details: str) -> None:
        """It could not be found out."""
        if key == self._key():
            self._set(
                replace(self._state, is_estimating=False, estimate=None, estimate_trouble=Trouble(words, details))
            )

    def note_clone(self, config: RunConfig, name: str) -> None:
        """Begin with the settings of a run: only its name is new."""
        goal = Goal.STAGE2 if config.stage is Stage.STAGE2 else Goal.TUNE if config.init_from else Goal.FRESH
        path = getattr(config.data, "path", SCENES_CHOICE)
        self._is_clone = True
        self._set(replace(self._state, goal=goal, data=str(path), recipe=config.preset or ""))
        self._take(config, re_stem(name))

    def note_began(self, folder: str) -> None:
        """The run has begun."""
        self._set(replace(self._state, is_launching=False))
        self.set_estimating(False)
        self.began.emit(folder)

    def note_launch_failed(self, words: str) -> None:
        """It has not."""
        self._set(replace(self._state, is_launching=False, launch_trouble=words))

    # ---- inside ---------------------------------------------------------------------------------------------------

    def _set(self, state: NewRunState) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _renew(self) -> None:
        """Settings from the choices, where these suffice."""
        self._is_clone = False
        state, report = self._state, self._state.report
        is_clips = None if state.is_scenes else report is not None and report.data.kind == "clips"
        suggested = report.suggestion.preset if report is not None and report.suggestion is not None else ""
        if state.is_scenes:
            suggested = "tiny"
        device_bytes = report.device_bytes if report is not None else None
        cards = recipe_cards(is_clips=is_clips, device_bytes=device_bytes, suggested=suggested)
        name = state.recipe or (suggested if report is not None else "")
        self._set(replace(state, cards=cards, recipe=name))
        try:
            config = base_settings(state.goal, report, name, state.start)
        except ConfigError as error:
            self._drop_form()
            self._set(replace(self._state, settings_problem=str(error), estimate=None, is_estimate_old=False))
            self.form_replaced.emit()
            return
        self._take(config, self._stem(config))

    def _take(self, config: RunConfig, stem: str) -> None:
        values = config.model_dump(mode="json")
        if self._form is not None and self._form.result == config:
            return
        self._drop_form()
        self._form = ConfigForm(RunConfig, values, basic=BASIC, hidden=HIDDEN, parent=self)
        self._form.values_changed.connect(self._on_settings_changed)
        self.launch_form.restart({"name": proposed_name(stem, config.stage.value, self._runs)})
        self._set(replace(self._state, settings_problem="", estimate=None, is_estimate_old=False, launch_trouble=""))
        self.form_replaced.emit()
        self._on_settings_changed()

    def _drop_form(self) -> None:
        """Let go of the settings; whoever shows them lets go when it hears that they are replaced."""
        form, self._form = self._form, None
        if form is not None:
            form.values_changed.disconnect(self._on_settings_changed)
            form.deleteLater()

    def _stem(self, config: RunConfig) -> str:
        if self._state.goal is not Goal.FRESH and self._state.start is not None:
            return re_stem(self._state.start.name)
        path = getattr(config.data, "path", "")
        return Path(path).stem if path else SCENES_CHOICE

    def _on_settings_changed(self, _paths: object = None) -> None:
        if self._key() == self._estimate_key and self._state.estimate is not None:
            self._set(replace(self._state, estimate=self._stretched(self._state.estimate), is_estimate_old=False))
            self._timer.stop()
            self._give_up_estimate()
        elif self._state.estimate is not None or self._state.estimate_trouble is not None:
            self._set(replace(self._state, is_estimate_old=True, estimate_trouble=None))
            self._ask_later()
        else:
            self._ask_later()
        self.state_changed.emit(self._state)  # what stands in the way may be something else now

    def _ask_later(self) -> None:
        if self._wants_estimates:
            self._timer.start()

    def _stretched(self, estimate: RunEstimate) -> RunEstimate:
        """The same for the present number of steps."""
        steps = self._form.value("num_steps") if self._form is not None else None
        return estimate.stretched(steps) if isinstance(steps, int) else estimate

    def _key(self) -> str:
        """Stands for everything that the cost depends on."""
        return cost_key(self._form.values, self.launch_form.values) if self._form is not None else ""

    def _ask_estimate(self) -> None:
        settings: BaseModel | None = self.launch_form.result
        if self.config is None or not isinstance(settings, LaunchSettings):
            self._give_up_estimate()
            return
        self._draw_sheet()
        ranks = settings.num_processes * settings.num_nodes
        wish = EstimateWish(
            self._key(), self.config.model_dump(mode="json"), self._runs / settings.name, ranks, settings.device
        )
        self._set(replace(self._state, is_estimating=True, estimate_trouble=None))
        self.estimate_wanted.emit(wish)

    def _draw_sheet(self) -> None:
        """The tensors for the settings as they are now, unless they are drawn already."""
        if self.config is None:
            return
        wish = sheet_wish(self.config)
        if self._drawn is not None and same_look(self._drawn, wish):
            return
        self._drawn = wish
        self._set(replace(self._state, is_drawing=True, sheet_trouble=None))
        self.sheet_wanted.emit(wish)


def re_stem(name: str) -> str:
    """The name of a run without its stage: a new run gets its own."""
    for stage in Stage:
        name = name.partition(f"-{stage.value}")[0]
    return name
