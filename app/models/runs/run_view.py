"""One run under watch: its figures, previews, checkpoints, log and alarms. Grows by `RunNews`; reads no file."""

import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.models.runs.alarms import Alarm, alarms_of
from app.models.runs.pace import RunProgress, progress_of
from app.models.runs.previews import PreviewSheet, sheet_of
from app.run_news import Block, CheckpointFacts, Happening, RunCondition, RunFacts, RunNews, Standing
from trainer.protocol import Command

EMPTY = Block()
WORDS_S = 5.0
"""The figures in an alarm that stays are told anew so often: what twitches cannot be read."""


@dataclass(frozen=True)
class CheckpointRow:
    """A checkpoint with what is known of its step."""

    facts: CheckpointFacts
    figures: tuple[tuple[str, float], ...]
    """Validation figures of its step, by name."""
    is_newest: bool
    is_best: bool
    is_milestone: bool


class RunView(QObject):
    """Compares, stores, tells. `figures` are by ``type/name`` and grow in place: take what is needed at once."""

    figures_changed = Signal()
    standing_changed = Signal()
    previews_changed = Signal()
    checkpoints_changed = Signal()
    console_changed = Signal()
    alarms_changed = Signal()
    pending_changed = Signal()

    def __init__(self, path: str, parent: QObject | None = None, clock: Callable[[], float] = time.time) -> None:
        super().__init__(parent)
        self.path = path
        self._clock = clock
        self._forget()

    def _forget(self) -> None:
        self.figures: dict[str, Block] = {}
        self.happenings: list[Happening] = []
        self.standing = getattr(self, "standing", Standing())
        self.facts = getattr(self, "facts", RunFacts())
        self.console = getattr(self, "console", "")
        self.checkpoint_facts: tuple[CheckpointFacts, ...] = getattr(self, "checkpoint_facts", ())
        self.best_scores: dict[int, float] = getattr(self, "best_scores", {})
        self.has_model = getattr(self, "has_model", False)
        self.sheets: tuple[PreviewSheet, ...] = ()
        self.alarms: tuple[Alarm, ...] = ()
        self._worded_s = 0.0
        self.is_caught_up = False
        self.began_s = 0.0
        self.pending: frozenset[Command] = getattr(self, "pending", frozenset())

    # ---- what it says ---------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The folder's name; of a sweep's point with the point."""
        path = Path(self.path)
        return f"{path.parent.name}/{path.name}" if path.name in ("stage1", "stage2") else path.name

    @property
    def progress(self) -> RunProgress:
        """Where it is and how long it will take."""
        step_s = self.last("step/step_s")
        return progress_of(self.standing, self.figures.get("step/loss"), began_s=self.began_s, step_s=step_s)

    @property
    def phase(self) -> tuple[int, int] | None:
        """Latents encoded so far, of all, while that is what the run does."""
        last = self.happenings[-1] if self.happenings else None
        if last is None or last.kind != "latents" or not self.standing.condition.is_live:
            return None
        done, total = last.values.get("done"), last.values.get("total")
        return (done, total) if isinstance(done, int) and isinstance(total, int) and done < total else None

    def figure(self, name: str) -> Block:
        """Values of one figure; empty where there are none."""
        return self.figures.get(name, EMPTY)

    def last(self, name: str) -> float | None:
        """The newest value of a figure."""
        block = self.figures.get(name)
        return block.values[-1] if block is not None and len(block) else None

    def band_names(self, group: str) -> list[str]:
        """The names of a list's elements, in order: ``step/prior_band_bits`` has ``…/0`` to ``…/7``."""
        names = [name for name in self.figures if name.rpartition("/")[0] == group]
        return sorted(names, key=lambda name: int(name.rpartition("/")[2]))

    @property
    def images_per_step(self) -> int:
        """Samples in a step."""
        return self.facts.batch_size

    def checkpoints(self) -> list[CheckpointRow]:
        """Newest first."""
        known = {facts.step: score for facts in self.checkpoint_facts if (score := self.best_scores.get(facts.step)) is not None}
        best = max(known, key=lambda step: known[step]) if known else None
        every = self.facts.milestone_every
        return [
            CheckpointRow(
                facts,
                self._figures_at(facts.step),
                is_newest=place < self.facts.keep_checkpoints,
                is_best=facts.step == best,
                is_milestone=bool(every) and facts.step % every == 0,
            )
            for place, facts in enumerate(self.checkpoint_facts)
        ]

    def _figures_at(self, step: int) -> tuple[tuple[str, float], ...]:
        found = []
        for name, block in self.figures.items():
            if name.startswith("validation/"):
                place = bisect_left(block.steps, step)
                if place < len(block) and block.steps[place] == step:
                    found.append((name.partition("/")[2], block.values[place]))
        return tuple(found)

    # ---- what changes it ------------------------------------------------------------------------------------------

    def take(self, news: RunNews) -> None:
        """What is new in the folder."""
        if news.is_from_start:
            self._forget()
        for name, block in news.blocks.items():
            self.figures.setdefault(name, Block()).extend(block)
        self._take_happenings(news.happenings)
        self.is_caught_up = news.is_caught_up
        self._take_files(news)
        if news.standing is not None or news.facts is not None:
            self._take_standing(news)
        if news.blocks or news.is_from_start:
            self.figures_changed.emit()
        if news.is_caught_up:
            self.check_alarms()

    def _take_happenings(self, happenings: tuple[Happening, ...]) -> None:
        self.happenings += happenings
        has_preview = False
        for each in happenings:
            if each.kind == "run_started":
                self.began_s = each.time_s
            elif each.kind == "preview" and (sheet := sheet_of(each, self.path)) is not None:
                kept = tuple(old for old in self.sheets if old.step < sheet.step)
                self.sheets = (*kept, sheet)
                has_preview = True
                self._settle(Command.PREVIEW)
            elif each.kind == "checkpoint":
                self._settle(Command.SAVE)
        if has_preview:
            self.previews_changed.emit()

    def _take_files(self, news: RunNews) -> None:
        if news.console is not None and news.console != self.console:
            self.console = news.console
            self.console_changed.emit()
        if news.has_model is not None:
            self.has_model = news.has_model
        if news.best_scores is not None:
            self.best_scores = dict(news.best_scores)
        if news.checkpoints is not None:
            self.checkpoint_facts = news.checkpoints
        if news.checkpoints is not None or news.has_model is not None:
            self.checkpoints_changed.emit()

    def _take_standing(self, news: RunNews) -> None:
        self.facts = news.facts or self.facts
        before, self.standing = self.standing, news.standing or self.standing
        if self.standing.condition is not before.condition:
            self._settle(*Command)
        self.standing_changed.emit()

    def check_alarms(self) -> None:
        """Look for what goes wrong; also while nothing comes in, for silence is one of them."""
        now_s = self._clock()
        alarms = alarms_of(self.figures, self.happenings, self.standing, now_s)
        has_others = [alarm.kind for alarm in alarms] != [alarm.kind for alarm in self.alarms]
        if alarms != self.alarms and (has_others or now_s - self._worded_s >= WORDS_S):
            self.alarms, self._worded_s = alarms, now_s
            self.alarms_changed.emit()

    # ---- what was asked for ---------------------------------------------------------------------------------------

    def expect(self, command: Command) -> None:
        """A command is on its way; it is pending until the run has acted on it."""
        self._set_pending(self.pending | {command})

    def give_up(self, command: Command) -> None:
        """A command could not be sent."""
        self._settle(command)

    def _settle(self, *commands: Command) -> None:
        self._set_pending(self.pending.difference(commands))

    def _set_pending(self, pending: frozenset[Command]) -> None:
        if pending != self.pending:
            self.pending = pending
            self.pending_changed.emit()

    @property
    def is_over(self) -> bool:
        """Whether it has reached its end."""
        return self.standing.condition is RunCondition.FINISHED
