"""The training loop: steps, guard, average, figures, previews, checkpoints. What is trained is a `Trainable`."""

import io
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
from trainer.run_dir import RunDir, write_bytes
from trainer.states import TrainingState, restore_newest, save_state
from ul_engine.data.pixels import Uint8Array
from ul_engine.ema import EMA
from ul_engine.errors import EngineError
from ul_engine.model_folder import MANIFEST_NAME
from ul_engine.pipelines import out_of_memory


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
        self._step = 0
        self._last_figures: dict[str, float] = {}

    def run(self) -> bool:
        """Train to the end; True when finished, False when stopped on request. The state is saved either way.

        Whatever goes wrong is written into status and events before it is raised again. A run that had already reached
        its end and exported its model is left as it is.
        """
        self._step = restore_newest(self.run_dir, self.state)
        if self._step >= self.config.num_steps and (self.run_dir.model / MANIFEST_NAME).exists():
            return True
        events = EventWriter(self.run_dir.events)
        self.run_dir.write_status("running", self._step, self.config.num_steps)
        events.write("run_started", self._step, images_seen=self._images_seen(), num_steps=self.config.num_steps)
        try:
            return self._run(events)
        except Exception as error:
            known = error if isinstance(error, EngineError) else out_of_memory(error) or error
            self.run_dir.write_status("failed", self._step, self.config.num_steps, reason=str(known))
            events.write("run_failed", self._step, reason=str(known))
            raise known from error
        finally:
            events.close()

    def _images_seen(self) -> int:
        return self._step * self.config.batch_size

    def _run(self, events: EventWriter) -> bool:
        with self.stop.listening():
            self._steps(events)
        is_finished = self._step >= self.config.num_steps
        self._save(events)
        if is_finished:
            figures = self._last_figures or self.trainable.validate(self.state.ema)
            self.trainable.export(self.state.ema, self.run_dir.model, figures)
        self.run_dir.write_status("finished" if is_finished else "stopped", self._step, self.config.num_steps)
        events.write("run_finished" if is_finished else "run_stopped", self._step)
        return is_finished

    def _steps(self, events: EventWriter) -> None:
        if self._step == 0:
            self._look(events, force=True)
        since, since_step = time.perf_counter(), self._step
        while self._step < self.config.num_steps and not self.stop.is_set:
            result, norm, rate = self._one_step(self._step)
            self._step += 1
            if self._step % self.config.cadence.log_every == 0:
                seconds = (time.perf_counter() - since) / (self._step - since_step)
                self._log(events, result, norm=norm, rate=rate, seconds=seconds)
                since, since_step = time.perf_counter(), self._step
            if self._step % self.config.cadence.checkpoint_every == 0:
                self._save(events)
            if self._look(events, force=self._step == self.config.num_steps):
                since, since_step = time.perf_counter(), self._step

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

    def _log(self, events: EventWriter, result: StepLoss, *, norm: Tensor, rate: float, seconds: float) -> None:
        figures = {name: float(value.detach()) for name, value in result.figures.items()}
        loss = float(result.loss.detach())
        events.write(
            "step",
            self._step,
            images_seen=self._images_seen(),
            loss=loss,
            gradient_norm=float(norm),
            learning_rate=rate,
            step_s=seconds,
            images_per_s=self.config.batch_size / seconds,
            **figures,
        )
        self.run_dir.write_status("running", self._step, self.config.num_steps)
        print(_line(self._step, self.config.num_steps, loss, figures, seconds), flush=True)

    def _look(self, events: EventWriter, *, force: bool) -> bool:
        """Validate and preview when due; True if anything was done (it does not count as step time)."""
        cadence = self.config.cadence
        is_validated = force or self._step % cadence.validate_every == 0
        is_previewed = force or self._step % cadence.preview_every == 0
        if not (is_validated or is_previewed):
            return False
        self.trainable.module.eval()
        if is_validated:
            self._last_figures = self.trainable.validate(self.state.ema)
            events.write("validation", self._step, images_seen=self._images_seen(), **self._last_figures)
            print(f"validation {self._step}: " + _figures_text(self._last_figures), flush=True)
        if is_previewed:
            path = self.run_dir.previews / f"step-{self._step:07d}.png"
            write_bytes(path, encoded_png(self.trainable.preview(self.state.ema)))
            events.write("preview", self._step, file=path.name)
        return True

    def _save(self, events: EventWriter) -> None:
        save_state(self.run_dir, self.state, self._step, keep=self.config.cadence.keep_checkpoints)
        events.write("checkpoint", self._step, file=self.run_dir.checkpoint_file(self._step).name)


def encoded_png(picture: Uint8Array) -> bytes:
    """PNG of uint8 `[H, W, 3]`."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="png")
    return buffer.getvalue()


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
