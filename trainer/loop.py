"""The training loop: steps, guard, average, figures, previews, checkpoints. What is trained is a `Trainable`."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor, nn

from trainer.config import RunConfig
from trainer.events import EventWriter
from trainer.optim import build_optimizer, guarded_step, rate_at
from trainer.run_dir import RunDir
from trainer.states import TrainingState, restore_newest, save_state
from ul_engine.data.pixels import Uint8Array
from ul_engine.ema import EMA
from ul_engine.errors import EngineError


@dataclass(frozen=True)
class StepLoss:
    """Loss of one step (a scalar to differentiate) and figures to log, as tensors that need not be read every step."""

    loss: Tensor
    figures: dict[str, Tensor] = field(default_factory=dict)


class Trainable(Protocol):
    """One stage of training."""

    @property
    def module(self) -> nn.Module:
        """The networks whose parameters are trained, with any buffers that belong to the state."""

    def loss(self, step: int) -> StepLoss:
        """Loss of step `step`; all randomness a function of (seed, step)."""

    def validate(self, averaged: EMA) -> dict[str, float]:
        """Figures on held-out data with the averaged weights."""

    def preview(self, averaged: EMA) -> Uint8Array:
        """A sheet of pictures [H, W, 3] with the averaged weights."""

    def export(self, averaged: EMA, folder: Path, figures: dict[str, float]) -> None:
        """Write a model folder with the averaged weights."""


class StopRequest:
    """Set by SIGTERM or SIGINT: the loop ends after the running step, saving its state."""

    def __init__(self) -> None:
        self.is_set = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.is_set = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Install the handlers, and put the former ones back."""
        former = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


class TrainingLoop:
    """Runs a `Trainable` from its newest checkpoint to `config.num_steps`."""

    def __init__(self, trainable: Trainable, config: RunConfig, run: RunDir) -> None:
        self.trainable = trainable
        self.config = config
        self.run_dir = run
        self.parameters = [parameter for parameter in trainable.module.parameters() if parameter.requires_grad]
        self.state = TrainingState(
            trainable.module,
            EMA(trainable.module, config.ema_decay),
            build_optimizer(self.parameters, config.optimizer),
        )
        self.stop = StopRequest()
        self._last_figures: dict[str, float] = {}

    def run(self) -> bool:
        """Train to the end; True when finished, False when stopped on request. The state is saved either way."""
        step = restore_newest(self.run_dir, self.state)
        events = EventWriter(self.run_dir.events)
        events.write("run_started", step, images_seen=step * self.config.batch_size, num_steps=self.config.num_steps)
        try:
            with self.stop.listening():
                step = self._steps(step, events)
            is_finished = step >= self.config.num_steps
            self._save(step, events)
            if is_finished:
                self.trainable.export(self.state.ema, self.run_dir.model, self._last_figures)
            self.run_dir.write_status("finished" if is_finished else "stopped", step, self.config.num_steps)
            events.write("run_finished" if is_finished else "run_stopped", step)
            return is_finished
        except EngineError as error:
            self.run_dir.write_status("failed", step, self.config.num_steps, reason=str(error))
            events.write("run_failed", step, reason=str(error))
            raise
        finally:
            events.close()

    def _steps(self, step: int, events: EventWriter) -> int:
        if step == 0:
            self._look(0, events, force=True)
        since, since_step = time.perf_counter(), step
        while step < self.config.num_steps and not self.stop.is_set:
            result, norm, rate = self._one_step(step)
            step += 1
            if step % self.config.cadence.log_every == 0:
                seconds = (time.perf_counter() - since) / (step - since_step)
                self._log(step, events, result, norm=norm, rate=rate, seconds=seconds)
                since, since_step = time.perf_counter(), step
            if step % self.config.cadence.checkpoint_every == 0:
                self._save(step, events)
            if self._look(step, events, force=step == self.config.num_steps):
                since, since_step = time.perf_counter(), step
        return step

    def _one_step(self, step: int) -> tuple[StepLoss, Tensor, float]:
        self.trainable.module.train()
        result = self.trainable.loss(step)
        result.loss.backward()
        rate = rate_at(step, self.config.num_steps, self.config.optimizer)
        norm = guarded_step(
            self.state.optimizer,
            self.parameters,
            result.loss.detach(),
            rate=rate,
            clip_norm=self.config.optimizer.clip_norm,
        )
        self.state.ema.update(self.trainable.module)
        return result, norm, rate

    def _log(
        self, step: int, events: EventWriter, result: StepLoss, *, norm: Tensor, rate: float, seconds: float
    ) -> None:
        figures = {name: float(value.detach()) for name, value in result.figures.items()}
        events.write(
            "step",
            step,
            images_seen=step * self.config.batch_size,
            loss=float(result.loss.detach()),
            gradient_norm=float(norm),
            learning_rate=rate,
            step_s=seconds,
            images_per_s=self.config.batch_size / seconds,
            **figures,
        )
        self.run_dir.write_status("running", step, self.config.num_steps)
        print(_line(step, self.config.num_steps, float(result.loss.detach()), figures, seconds), flush=True)

    def _look(self, step: int, events: EventWriter, *, force: bool) -> bool:
        """Validate and preview when due; True if anything was done (it does not count as step time)."""
        cadence = self.config.cadence
        is_validated = force or step % cadence.validate_every == 0
        is_previewed = force or step % cadence.preview_every == 0
        if not (is_validated or is_previewed):
            return False
        self.trainable.module.eval()
        if is_validated:
            self._last_figures = self.trainable.validate(self.state.ema)
            events.write("validation", step, images_seen=step * self.config.batch_size, **self._last_figures)
            print(f"validation {step}: " + _figures_text(self._last_figures), flush=True)
        if is_previewed:
            path = self.run_dir.previews / f"step-{step:07d}.png"
            Image.fromarray(self.trainable.preview(self.state.ema)).save(path)
            events.write("preview", step, file=path.name)
        return True

    def _save(self, step: int, events: EventWriter) -> None:
        save_state(self.run_dir, self.state, step, keep=self.config.cadence.keep_checkpoints)
        events.write("checkpoint", step, file=self.run_dir.checkpoint_file(step).name)


def _figures_text(figures: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in figures.items())


def _line(step: int, num_steps: int, loss: float, figures: dict[str, float], seconds: float) -> str:
    left_min = (num_steps - step) * seconds / 60
    pace = f"{seconds:.2f} s/step  {left_min:.0f} min left"
    return f"step {step}/{num_steps}  loss {loss:.4f}  {_figures_text(figures)}  {pace}"


def seed_step(seed: int, step: int) -> torch.Generator:
    """Seed torch's global state (dropout) for this step, and return a CPU generator for everything drawn explicitly."""
    combined = (seed * 1_000_003 + step) % 2**63
    torch.manual_seed(combined)
    return torch.Generator("cpu").manual_seed(combined ^ 0x5DEECE66D)
