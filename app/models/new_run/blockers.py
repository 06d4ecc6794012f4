"""What stands in the way of a start, each as a sentence that says what to do."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication

from app.models.new_run.base_settings import Goal
from app.models.new_run.problem_words import problem_words
from app.models.new_run.state import Blocker, NewRunState
from trainer.config import RunConfig
from trainer.cost import RunEstimate
from trainer.data.check.report import DataReport, Level, Verdict
from ul_engine.hub.wording import size_text
from ul_engine.requests import FrozenModel

SMALLER_MICRO_BATCH = "micro_batch"


def data_blockers(state: NewRunState) -> list[Blocker]:
    """Why the data cannot be used."""
    if state.goal is Goal.STAGE2 and not state.data:
        has_own = state.start is not None and state.start.run is not None
        return [] if has_own else [Blocker(_tr("Choose the pictures to train on."))]
    if not state.data:
        return [Blocker(_tr("Choose the pictures to train on."))]
    if state.check_trouble is not None:
        return [
            Blocker(_tr("The data cannot be used: {reason}. Choose another.").format(reason=state.check_trouble.words))
        ]
    if state.report is None:
        return [Blocker(_tr("The data is still being looked through."))]
    return _report_blockers(state.report)


def start_blockers(state: NewRunState) -> list[Blocker]:
    """Why there is nothing to start from."""
    if state.goal is Goal.FRESH or state.start is not None:
        return []
    if state.goal is Goal.STAGE2:
        return [Blocker(_tr("Choose the Stage 1 run or model whose latents to train on."))]
    return [Blocker(_tr("Choose the model to go on from."))]


def cost_blockers(state: NewRunState) -> list[Blocker]:
    """Why the run would not fit this computer."""
    if state.estimate is None or state.is_estimate_old:
        return []
    return [*_memory_blockers(state.estimate), *_disk_blockers(state.estimate)]


def settings_blockers(errors: Mapping[str, str], result: FrozenModel | None) -> list[Blocker]:
    """Why the settings cannot be used."""
    if result is not None:
        return []
    count = len(errors)
    if count == 1:
        return [Blocker(_tr("One setting needs a look: {sentence}").format(sentence=next(iter(errors.values()))))]
    return [Blocker(_tr("{count} settings need a look; they are marked below.").format(count=count))]


def batch_blockers(config: RunConfig, report: DataReport | None) -> list[Blocker]:
    """A batch larger than what there is to learn from."""
    if report is None or report.data.kind == "scenes" or config.batch_size <= report.num_train:
        return []
    words = _tr("The batch of {batch} is larger than the {count} samples there are. Lower the batch size to {count}.")
    return [Blocker(words.format(batch=config.batch_size, count=report.num_train))]


def _report_blockers(report: DataReport) -> list[Blocker]:
    if report.verdict is not Verdict.BLOCKED:
        return []
    return [Blocker(problem_words(problem)) for problem in report.problems if problem.level is Level.BLOCKS]


def _memory_blockers(estimate: RunEstimate) -> list[Blocker]:
    memory = estimate.memory
    if memory.fits:
        return []
    words = _tr("A step takes {needed}, but only {usable} of memory can be used.").format(
        needed=size_text(memory.needed), usable=size_text(memory.usable)
    )
    if memory.largest_micro_batch >= 1:
        deed = _tr("Take {count} at a time").format(count=memory.largest_micro_batch)
        words += " " + _tr("Taking fewer samples at once helps; the results stay the same.")
        return [Blocker(words, SMALLER_MICRO_BATCH, deed, memory.largest_micro_batch)]
    return [Blocker(words + " " + _tr("Choose a smaller model, or close other programs."))]


def _disk_blockers(estimate: RunEstimate) -> list[Blocker]:
    disk = estimate.disk
    if disk.free is None or disk.free >= disk.total:
        return []
    words = _tr(
        "The run leaves {needed} on the disk, but only {free} are free there. Free some space, or move the "
        "folder of the runs in Settings."
    )
    return [Blocker(words.format(needed=size_text(disk.total), free=size_text(disk.free)))]


def _tr(text: str) -> str:
    return QCoreApplication.translate("NewRun", text)
