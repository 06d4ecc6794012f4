"""An evaluation from first to last: look at the data, decide what can be measured, measure, go on after a stop."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ul_engine.evaluation.catalogue import Choice
from ul_engine.evaluation.distances import FeatureSets
from ul_engine.evaluation.files import FileReader, find_files
from ul_engine.evaluation.generation import check_generation
from ul_engine.evaluation.inventory import Inventory, Observe, ignore, take_inventory
from ul_engine.evaluation.journal import Journal
from ul_engine.evaluation.plan import Plan, make_plan
from ul_engine.evaluation.results import RESULT_NAMES, Evaluation, write_results
from ul_engine.evaluation.settings import EvaluationSettings
from ul_engine.evaluation.steps import Steps
from ul_engine.evaluation.thumbnails import Thumbnails
from ul_engine.evaluation.tools import Tools, circumstances, model_identity, program_identity
from ul_engine.model_folder import Manifest
from ul_engine.pipelines import Pipeline, out_of_memory
from ul_engine.whole_files import explained

JOURNAL_NAME, FEATURES_NAME, THUMBNAILS_NAME = "journal.jsonl", "features", "thumbnails"


@dataclass(frozen=True)
class Task:
    """What to evaluate. `folder` is the model's; `weights` the folder of metric networks, None: the usual one."""

    pipeline: Pipeline
    manifest: Manifest
    folder: Path
    data: tuple[Path, ...]
    choice: Choice
    settings: EvaluationSettings
    weights: Path | None = None


def evaluate(task: Task, out: Path, *, restart: bool = False, observe: Observe = ignore) -> Evaluation:
    """Measure everything and write it into `out`: ``evaluation.json``, ``report.html`` (the worst first, with small
    pictures), ``per-sample.csv`` and, where they apply, ``rate-distortion.csv`` and ``per-frame.csv``.

    What is finished is kept in ``journal.jsonl``, ``features/`` and ``thumbnails/``: the same task on the same folder
    goes on there, and ends with the same figures as a run that was never stopped. `restart` throws former results
    away. `observe` may raise to stop. Raises EngineError: data, settings, weights, memory, disk; ConfigError before
    anything is computed for metrics that were named and cannot be.
    """
    case = circumstances(task.manifest, task.settings, task.weights)
    check_generation(task.manifest, task.settings)
    make_plan(task.choice, case)
    with explained(out):
        out.mkdir(parents=True, exist_ok=True)
    with FileReader() as reader, _memory_explained():
        files = find_files(task.data, clips=task.manifest.model.video is not None)
        inventory = take_inventory(files, task.settings, task.manifest.model, reader, observe)
        plan = make_plan(task.choice, replace(case, samples=inventory.samples))
        tools = Tools.load(plan, task.weights, task.pipeline.device)
        identity = _identity(task, plan, tools, inventory)
        if restart:
            _clear(out)
        with Journal(out / JOURNAL_NAME, identity) as journal:
            steps = _steps(task, plan, tools, inventory, journal)
            thumbnails = Thumbnails(out / THUMBNAILS_NAME, plan)
            steps = replace(steps, features=_features(steps, out / FEATURES_NAME), thumbnails=thumbnails)
            steps.measure_samples(reader, observe)
            steps.measure_generated(reader, observe)
            found = Evaluation(
                task.manifest,
                task.settings,
                plan,
                inventory,
                identity,
                journal.rows,
                features=steps.features,
                thumbnails=thumbnails,
            )
            write_results(found, out)
            return found


def _identity(task: Task, plan: Plan, tools: Tools, inventory: Inventory) -> dict[str, Any]:
    """All that figures depend on."""
    return {
        "program": program_identity(task.pipeline.device),
        "model": model_identity(task.folder, task.manifest),
        "data": {"num_samples": len(inventory.samples), "fingerprint": inventory.fingerprint},
        "settings": {"metrics": list(plan.names)} | task.settings.identity() | tools.identity(),
    }


def _clear(out: Path) -> None:
    """Remove what a former evaluation left, and nothing else."""
    with explained(out):
        for name in (JOURNAL_NAME, *RESULT_NAMES):
            (out / name).unlink(missing_ok=True)
        for name in (FEATURES_NAME, THUMBNAILS_NAME):
            if (out / name).is_dir():
                shutil.rmtree(out / name)


def _steps(task: Task, plan: Plan, tools: Tools, inventory: Inventory, journal: Journal) -> Steps:
    pipeline = replace(task.pipeline, tiling=task.settings.tiling)
    return Steps(pipeline, task.manifest, task.settings, plan, tools, inventory=inventory, journal=journal)


def _features(steps: Steps, folder: Path) -> FeatureSets | None:
    if not steps.plan.distances:
        return None
    num_samples, rows = len(steps.inventory.samples), steps.journal.rows
    return FeatureSets(
        folder,
        tuple(steps.plan.distances),
        steps.tools.networks,
        {"original": num_samples, "reconstructed": num_samples, "generated": steps.num_generated},
        {
            "original": bool(rows["sample"]),
            "reconstructed": bool(rows["sample"]),
            "generated": bool(rows["generated"]),
        },
    )


@contextmanager
def _memory_explained() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        plain = out_of_memory(error)
        if plain is None:
            raise
        raise plain from error
