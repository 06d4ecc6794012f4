"""Finished models and Stage 1 runs that a new run can build on. Reads files: call it in a thread."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.config import RunConfig, Stage, parse_config
from trainer.recipes import after_stage1
from trainer.run_dir import RunDir, read_json
from ul_engine.config import ModelConfig
from ul_engine.errors import EngineError
from ul_engine.model_folder import MANIFEST_NAME, read_manifest

STAGE1_NETWORKS = frozenset(("encoder", "decoder"))


@dataclass(frozen=True)
class StartPoint:
    """A folder with trained networks in it."""

    path: str
    """Of the run or of the model, as settings name it."""
    name: str
    model: ModelConfig
    networks: frozenset[str]
    preset: str | None = None
    """That the run began from; None: unknown."""
    run: RunConfig | None = None
    """Settings of the run; None for a model that lies by itself."""
    stage2: Mapping[str, Any] | None = field(default=None, compare=False)
    """Settings of Stage 2 on it, as the command line would have them; None where there can be none."""

    @property
    def can_carry_stage2(self) -> bool:
        """Whether a base model can be trained on its latents."""
        return self.stage2 is not None

    @property
    def can_be_tuned(self) -> bool:
        """Whether encoder, prior and decoder can go on learning from it."""
        return self.networks >= STAGE1_NETWORKS


def find_starts(runs: Path, models: Iterable[str]) -> tuple[StartPoint, ...]:
    """Runs with an exported model, newest first, then models; what cannot be read is left out."""
    found = [start for folder in _run_folders(runs) if (start := read_start(folder)) is not None]
    found += [start for path in models if (start := read_start(Path(path))) is not None]
    return tuple(found)


def read_start(folder: Path) -> StartPoint | None:
    """What a run or model folder offers; None where it offers nothing."""
    run = RunDir(folder)
    is_run = (run.model / MANIFEST_NAME).is_file()
    place = run.model if is_run else folder
    if not (place / MANIFEST_NAME).is_file():
        return None
    try:
        manifest = read_manifest(str(place))
        config = parse_config(read_json(run.config)) if is_run else None
    except EngineError:
        return None
    networks = frozenset(str(name) for name in manifest.networks)
    return StartPoint(
        path=str(folder),
        name=folder.name if is_run else manifest.model.name,
        model=manifest.model,
        networks=networks,
        preset=config.preset if config is not None else None,
        run=config,
        stage2=_stage2(folder) if networks >= STAGE1_NETWORKS and manifest.model.training == "two-stage" else None,
    )


def _stage2(folder: Path) -> Mapping[str, Any] | None:
    try:
        return after_stage1(folder)
    except EngineError:
        return None


def is_stage1_run(start: StartPoint) -> bool:
    """Whether it is the run of a Stage 1, rather than a model or a Stage 2."""
    return start.run is not None and start.run.stage is Stage.STAGE1


def _run_folders(runs: Path) -> list[Path]:
    try:
        folders = [path for path in runs.iterdir() if path.is_dir()]
        return sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return []
