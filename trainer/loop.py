"""The training loop: steps, figures, looks at held-out samples, checkpoints, commands, roll-backs."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from trainer.advice import advice_for
from trainer.checkpoints import Checkpoints, Retention
from trainer.commands import CommandInbox
from trainer.config import RunConfig
from trainer.evidence import TakenBatch, keep_evidence
from trainer.guard import BadStep
from trainer.launch import START_TOLERANCE_S, launched_s
from trainer.looking import Looker, figures_text
from trainer.memory import usage_figures
from trainer.optim import build_optimizers
from trainer.pace import Pace, is_preview_due
from trainer.protocol import Command, RunState
from trainer.ranks import Ranks
from trainer.reporting import Reporter
from trainer.run_dir import RunDir, read_json, write_json
from trainer.spreading import spread
from trainer.states import TrainingState
from trainer.stepping import Stepper
from trainer.trainable import Trainable, full_averages
from ul_engine.ema import EMA
from ul_engine.errors import DeviceMemoryError, EngineError, OutputError
from ul_engine.model_folder import MANIFEST_NAME
from ul_engine.pipelines import out_of_memory

ENDINGS: dict[Command, RunState] = {Command.STOP: "stopped", Command.PAUSE: "paused"}
SHOWN = ("loss", "prior_bits_per_pixel", "decoder_bits_per_pixel", "latent_std", "base_weighted_nats")


class TrainingLoop:
    """Runs a `Trainable` from its newest checkpoint to `config.num_steps`, on this rank together with the others."""

    def __init__(self, trainable: Trainable, config: RunConfig, run: RunDir, ranks: Ranks, reporter: Reporter) -> None:
        self.trainable, self.config, self.run_dir, self.ranks, self.reporter = trainable, config, run, ranks, reporter
        self.step = 0
        self.inbox = CommandInbox(run.commands, ranks)
        loss_module = spread(trainable.loss_module, config, ranks)
        module = trainable.module  # its parameters are now as they are spread
        optimizers = build_optimizers(module, config.optimizer, in_bf16=config.precision == "bf16", ranks=ranks)
        self.state = TrainingState(module, EMA(module, config.ema_decay), optimizers)
        self.stepper = Stepper(
            trainable, loss_module, self.state, config, ranks, run=run, on_smaller=self._note_smaller_micro_batch
        )
        self.state.numbers["guard"] = self.stepper.guard.average
        cadence = config.cadence
        retention = Retention(cadence.keep_checkpoints, cadence.keep_best, cadence.milestone_every)
        self.checkpoints = Checkpoints(run, self.state, ranks, retention, report=reporter.event, say=reporter.line)
        self.looker = Looker(trainable, config, run, reporter, self.checkpoints)
        self._recent: dict[int, TakenBatch] = {}
        self._num_rollbacks = 0
        self._wanted: set[Command] = set()

    def run(self) -> RunState:
        """Train to the end or until told otherwise; the state is saved either way.

        Whatever goes wrong is written into status and events before it is raised again. A run that had already reached
        its end and exported its model is left as it is.
        """
        try:
            self.step = self.checkpoints.restore()
            if self.step >= self.config.num_steps and self._is_exported():
                self.reporter.status("finished", self.step)
                return "finished"
            self._announce()
            with self.inbox.signal.listening():  # also while the state is saved: a second signal must not end that
                return self._end(self._train())
        except Exception as error:
            known = error if isinstance(error, EngineError) else out_of_memory(error) or error
            self._publish_what_is_written()
            self.reporter.failed(self.step, str(known), can_retry=self._can_retry(known))
            advice = advice_for(known, self.config, self.ranks)  # may take a while, for a large model
            self.reporter.failed(self.step, str(known), can_retry=self._can_retry(known), advice=advice)
            raise known from error
        finally:
            self.trainable.feed.close()

    def _publish_what_is_written(self) -> None:
        """A checkpoint that is being written when the run fails is worth keeping. With several ranks the others may be
        gone, and it cannot be waited for."""
        if self.ranks.size == 1:
            with suppress(OutputError):  # why the run fails is what must be told
                self.checkpoints.finish()

    def _can_retry(self, error: Exception) -> bool:
        """Whether processes that are started again have a chance: after a lost connection, or with a smaller
        micro-batch; not where the same would happen again."""
        is_shortage = isinstance(error, DeviceMemoryError) and self.config.scale.auto_micro_batch
        return is_shortage or not isinstance(error, EngineError)

    def _is_exported(self) -> bool:
        """Whether the model in the run folder is that of the step the run is at."""
        exported = self.run_dir.exported
        is_there = exported.is_file() and (self.run_dir.model / MANIFEST_NAME).is_file()
        return is_there and read_json(exported)["step"] == self.step

    def _announce(self) -> None:
        began_s = launched_s(self.run_dir.root)
        self.inbox.clear(None if began_s is None else began_s - START_TOLERANCE_S)
        self.reporter.begin_steps(self.step)
        self.reporter.event(
            "run_started",
            self.step,
            images_seen=self._images_seen(),
            num_steps=self.config.num_steps,
            num_ranks=self.ranks.size,
            resumed_from=self.step,
        )
        if self.step:
            self.reporter.line(f"goes on from step {self.step}")

    def _images_seen(self) -> int:
        return self.step * self.config.batch_size

    # ---- steps -------------------------------------------------------------------------------------------------------

    def _train(self) -> RunState:
        """Steps until the end or a command; the state the run is then in."""
        if self.step == 0:
            self._look(is_forced=True)
            if self.config.guard.on_bad_step == "rollback":
                self.checkpoints.save(0, is_awaited=True)  # something to go back to
        self.trainable.feed.start(self.data_steps())
        pace = Pace(self.step)
        while self.step < self.config.num_steps:
            try:
                self.take_step(pace)
                ending = self._after_step(pace)
            except BadStep as bad:
                self._roll_back(bad)
                pace.restart(self.step)
                continue
            if ending is not None:
                return ending
        return "finished"

    def data_steps(self) -> Iterator[int]:
        """The batches that the steps to come will take."""
        skipped = list(self.state.skipped)
        return (data_step_of(step, skipped) for step in range(self.step, self.config.num_steps))

    def take_step(self, pace: Pace) -> None:
        """The next step: its batch, the optimizer step, the average. Raises BadStep, DeviceMemoryError."""
        data_step = data_step_of(self.step, self.state.skipped)
        batch = self.trainable.feed.next()
        pace.waited_s += self.trainable.feed.wait_s
        before = self._recent.get(self.step - 1)
        self._recent = {self.step: TakenBatch(data_step, batch.indices, batch.epochs)}
        if before is not None:
            self._recent[self.step - 1] = before  # a bad step may show one step later
        self.stepper.take(self.step, data_step, batch)
        self.step += 1

    def _after_step(self, pace: Pace) -> RunState | None:
        """Everything that is due between two steps; how the run ends, if a command ends it."""
        cadence = self.config.cadence
        if self.step % cadence.log_every == 0:
            self.log(pace)
        self.checkpoints.publish_if_done()
        asked = self.inbox.poll()
        for command in sorted(asked):
            self.reporter.event("command", self.step, name=command.value)
        self._wanted |= asked  # a bad step found out below must not make them forgotten
        wanted = self._wanted
        for command, ending in ENDINGS.items():
            if command in wanted and self.step < self.config.num_steps:
                self.stepper.settle()
                return ending
        with pace.standing_still():
            if self.step % cadence.checkpoint_every == 0 or Command.SAVE in wanted:
                self._save()
            self._look(is_forced=self.step == self.config.num_steps, is_preview_wanted=Command.PREVIEW in wanted)
        self._wanted.clear()
        return None

    def _save(self, *, is_awaited: bool = False) -> None:
        self.stepper.settle()
        self.checkpoints.save(self.step, is_awaited=is_awaited)

    def _end(self, ending: RunState) -> RunState:
        self.inbox.drain()
        self._save(is_awaited=True)
        if ending == "finished":
            averages = full_averages(self.state.ema)
            if self.ranks.is_main:
                figures = self.looker.figures or self.trainable.validate(averages)
                self.trainable.export(averages, self.run_dir.model, figures)
                write_json(self.run_dir.exported, {"step": self.step})
            self.ranks.barrier()
        self.reporter.event(f"run_{ending}", self.step)
        self.reporter.status(ending, self.step)
        self.reporter.line(f"{ending} at step {self.step}")
        return ending

    # ---- what is said and looked at ----------------------------------------------------------------------------------

    def log(self, pace: Pace) -> None:
        """Read the figures since the last time from the device, and write them everywhere. Collective."""
        seconds = pace.seconds_per_step(self.step)
        figures: dict[str, Any] = dict(self.trainable.figures(self.stepper.sums.means(self.ranks)))
        figures.update(
            loss=float(self.stepper.loss),
            gradient_norm=float(self.stepper.norm),
            learning_rate=self.stepper.rate,
            step_s=seconds,
            images_per_s=self.config.batch_size / seconds,
            data_wait_share=pace.wait_share(self.step),
            **usage_figures(self.ranks.device),
        )
        self.reporter.event("step", self.step, images_seen=self._images_seen(), **figures)
        self.reporter.numbers("training", self.step, figures)
        self.reporter.status("running", self.step)
        self.reporter.line(_line(self.step, self.config.num_steps, figures))
        pace.restart(self.step)

    def _note_smaller_micro_batch(self, size: int, reason: str) -> None:
        self.reporter.event("micro_batch", self.step, size=size, reason=reason)
        self.reporter.line(f"{reason}; going on with {size} samples at once, the batch stays {self.config.batch_size}")

    def _look(self, *, is_forced: bool, is_preview_wanted: bool = False) -> None:
        """Validate and preview where due: rank 0 does, the others wait. The best state is saved."""
        cadence = self.config.cadence
        is_validated = is_forced or self.step % cadence.validate_every == 0
        is_previewed = is_forced or is_preview_wanted or is_preview_due(self.step, cadence.preview_every)
        if not (is_validated or is_previewed):
            return
        self.stepper.settle()
        averages = full_averages(self.state.ema)
        is_best = False
        if self.ranks.is_main:
            self.trainable.module.eval()
            is_best = is_validated and self.looker.validate(self.step, averages)
            if is_previewed:
                self.looker.preview(self.step, averages)
        if self.ranks.from_main(is_best) and cadence.keep_best and self.step:
            self._save()

    # ---- steps that were not taken -----------------------------------------------------------------------------------

    def _roll_back(self, bad: BadStep) -> None:
        """Keep the evidence; go back to the newest checkpoint and leave the batch out, or raise `bad` again."""
        self._num_rollbacks += 1
        guard, batch = self.config.guard, self._recent[bad.step]
        is_ended = guard.on_bad_step == "stop" or self._num_rollbacks > guard.max_rollbacks
        settings = {"seed": self.config.seed, "learning_rate": self.stepper.rate, "precision": self.config.precision}
        rank = self.ranks.rank
        self.checkpoints.finish()
        evidence = keep_evidence(self.run_dir, bad, batch, self.trainable.module, rank=rank, settings=settings)
        action = "stop" if is_ended else "rollback"
        self.reporter.event("bad_step", bad.step, reason=str(bad), evidence=evidence, action=action)
        if is_ended:
            raise bad
        skipped = {*self.state.skipped, batch.data_step}
        self.stepper.forget()
        self.step = self.checkpoints.restore()
        if not self.checkpoints.has_restored:
            raise bad  # nothing to go back to: what is in memory is no beginning
        self.state.skipped[:] = sorted(skipped.union(self.state.skipped))
        self.reporter.line(f"{bad}; went back to step {self.step}, leaving batch {batch.data_step} out")
        self.trainable.feed.start(self.data_steps())


def data_step_of(step: int, skipped: list[int]) -> int:
    """Number of the batch that step `step` (0-based) takes, when the batches `skipped` (sorted) are left out."""
    for left_out in skipped:
        if left_out <= step:
            step += 1
    return step


def _line(step: int, num_steps: int, figures: dict[str, Any]) -> str:
    shown = figures_text({name: figures[name] for name in SHOWN if name in figures})
    left_min = (num_steps - step) * figures["step_s"] / 60
    return f"step {step}/{num_steps}  {shown}  {figures['step_s']:.2f} s/step  {left_min:.0f} min left"
