"""One optimizer step: micro-batches, exchange of gradients, guard, clipping, optimizers, average."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from trainer.config import RunConfig
from trainer.figures import FigureSums
from trainer.guard import StepGuard, Verdict
from trainer.memory import explained_shortage, give_memory_back
from trainer.noise import Piece
from trainer.optim import clip_gradients, gradient_norm, rate_at, set_rate
from trainer.ranks import Ranks
from trainer.run_dir import RunDir, write_json
from trainer.spreading import gradients_exchanged
from trainer.states import TrainingState
from trainer.trainable import Trainable
from ul_engine.errors import ConfigError, DeviceMemoryError

SHORTAGES = (torch.OutOfMemoryError, RuntimeError, MemoryError)
MICRO_BATCH_NAME = "micro_batch.json"
"""In the run folder: a micro-batch that was found to fit, for the processes that start next."""


class Stepper:
    """Takes steps on this rank's share of a batch. `micro_batch` may shrink when memory runs out; `norm` and `rate` are
    those of the last step."""

    def __init__(
        self,
        trainable: Trainable,
        loss_module: nn.Module,
        state: TrainingState,
        config: RunConfig,
        ranks: Ranks,
        *,
        run: RunDir,
        on_smaller: Callable[[int, str], None],
    ) -> None:
        self._trainable, self._state, self._config, self._ranks = trainable, state, config, ranks
        self._run, self._on_smaller = run, on_smaller
        self._loss_module = loss_module
        self._parameters = [parameter for parameter in trainable.module.parameters() if parameter.requires_grad]
        self.guard = StepGuard(config.guard, ranks.device)
        self.sums = FigureSums()
        self.norm = torch.zeros((), device=ranks.device)
        self.loss = torch.zeros((), device=ranks.device)
        self.rate = 0.0
        self.micro_batch = _first_micro_batch(config, ranks, run)
        self._unchecked: Verdict | None = None

    def take(self, step: int, data_step: int, batch: Any) -> None:
        """Step `step` on this rank's share of the batch of `data_step`.

        Raises BadStep *before* weights, moments or average change (on CUDA it is raised a step later, since nothing
        waits for the device; the device itself leaves the bad step out), DeviceMemoryError.
        """
        step_sums = self._gradients(step, data_step, batch)
        self.rate = rate_at(step, self._config.num_steps, self._config.optimizer)
        self.norm = gradient_norm(self._parameters)
        verdict, is_bad = self.guard.judge(step, self.loss, self.norm)
        is_late = self._is_late_checked()
        if not is_late:
            verdict.check()
        elif self._unchecked is not None:
            self._unchecked.check()
        self._unchecked = verdict if is_late else None
        self._apply(is_bad if is_late else None)
        self._trainable.module.zero_grad(set_to_none=True)
        self._trainable.after_step(step, step_sums)
        self._state.ema.update(self._trainable.module)
        self.sums.add(step_sums)

    def settle(self) -> None:
        """Wait until every step taken so far is known to be good; before a state is saved. Raises BadStep."""
        if self._unchecked is not None:
            self._unchecked.check()
        self._unchecked = None

    def forget(self) -> None:
        """After a roll-back: nothing that was under way counts."""
        self._unchecked = None
        self.sums = FigureSums()
        self._trainable.module.zero_grad(set_to_none=True)

    def _is_late_checked(self) -> bool:
        """Whether the optimizer can leave a step out on the device itself: the fused one on plain CUDA tensors."""
        is_plain = self._config.scale.strategy != "fsdp" or not self._ranks.is_group
        return self._ranks.device.type == "cuda" and is_plain and len(self._state.optimizers) == 1

    def _apply(self, is_bad: Tensor | None) -> None:
        clip_gradients(self._parameters, self.norm, self._config.optimizer.clip_norm)
        set_rate(self._state.optimizers, self.rate, self._config.optimizer)
        for optimizer in self._state.optimizers:
            if is_bad is not None:
                optimizer.found_inf = is_bad  # type: ignore[attr-defined]
                optimizer.grad_scale = None  # type: ignore[attr-defined]
            optimizer.step()

    def _gradients(self, step: int, data_step: int, batch: Any) -> dict[str, Tensor]:
        """Gradients of the whole batch; a micro-batch that does not fit is halved, if that was asked for, and the step
        begun anew: all that is random in it follows from its number."""
        while True:
            shortage = None
            try:
                return self._accumulated(step, data_step, batch)
            except SHORTAGES as error:
                shortage = explained_shortage(error, self._ranks.device, self.micro_batch)
                if shortage is None:
                    raise
            self._make_smaller(shortage)  # outside of the handler: the traceback holds what filled the memory

    def _accumulated(self, step: int, data_step: int, batch: Any) -> dict[str, Tensor]:
        sums: dict[str, Tensor] = {}
        batch_size, first = self._config.batch_size, self._config.batch_size * self._ranks.rank // self._ranks.size
        bounds = self._bounds(len(batch))
        total = torch.zeros((), device=self._ranks.device)
        self._trainable.module.train()
        for start, stop in pairwise(bounds):
            piece = Piece(step, data_step, first + start, first + stop, batch_size)
            with gradients_exchanged(self._loss_module, is_last=stop == bounds[-1]):
                loss, part = self._trainable.loss(self._loss_module, batch, slice(start, stop), piece)
                loss = loss / batch_size
                (loss * self._ranks.size).backward()  # gradients are averaged over the ranks
            total += loss.detach()
            for name, value in part.items():
                sums[name] = sums[name] + value.detach() if name in sums else value.detach()
        self.loss = self._ranks.sum_(total)
        return sums

    def _bounds(self, share: int) -> list[int]:
        """Where this rank's `share` of a batch is cut: into as many pieces as the largest share needs, since all ranks
        must exchange as often as each other."""
        largest = -(-self._config.batch_size // self._ranks.size)
        count = -(-largest // self.micro_batch)
        if count > share:
            raise ConfigError(
                f"{share} samples of a rank cannot be cut into {count} pieces, as another's {largest} must be; make "
                "batch_size a multiple of the number of processes, or scale.micro_batch larger",
                field="batch_size",
            )
        return [share * index // count for index in range(count + 1)]

    def _make_smaller(self, shortage: DeviceMemoryError) -> None:
        """Halve the micro-batch, or raise what cannot be helped."""
        self._trainable.module.zero_grad(set_to_none=True)
        give_memory_back(self._ranks.device)
        if not self._config.scale.auto_micro_batch or self.micro_batch == 1:
            raise shortage
        smaller = -(-self.micro_batch // 2)
        write_json(self._run.root / MICRO_BATCH_NAME, {"micro_batch": smaller})
        if self._ranks.is_group:
            raise shortage  # the others wait in the exchange: all begin again, with the smaller one
        self.micro_batch = smaller
        self._on_smaller(smaller, str(shortage))


def _first_micro_batch(config: RunConfig, ranks: Ranks, run: RunDir) -> int:
    """All of a rank's share at once, what was asked for, or what an earlier shortage left."""
    share = -(-config.batch_size // ranks.size)
    chosen = min(config.scale.micro_batch or share, share)
    path = run.root / MICRO_BATCH_NAME
    if config.scale.auto_micro_batch and path.exists():
        chosen = min(chosen, int(json.loads(path.read_text(encoding="utf-8"))["micro_batch"]))
    return chosen
