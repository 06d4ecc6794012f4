"""Every option of a run changes something: weights, averages, figures, files, or the run is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import BaseModel

from tests.helpers.tiny_runs import run_config, saved_state
from trainer.config import RunConfig
from trainer.events import read_events
from trainer.pictures import open_scenes
from trainer.train import run_training
from ul_engine.config import ModelConfig

# Name -> a legal change, and the part of a run that it must move. Runs of 3 steps, both stages.
STATE: dict[str, Any] = {
    "batch_size": 6,
    "seed": 1,
    "precision": "bf16",
    "ema_decay": 0.05,
    "optimizer.learning_rate": 5e-4,
    "optimizer.betas": (0.5, 0.9),
    "optimizer.weight_decay": 0.5,
    "optimizer.warmup_steps": 0,
    "optimizer.decay_share": 1.0,
    "optimizer.clip_norm": 1e-4,
    "data.train_seed": 3,
}
STAGE1_STATE: dict[str, Any] = {
    "collapse.prior_gradient_ramp": 0.0,
    "collapse.loss_factor_warmup": 0.5,
    "model.decoder_loss.loss_factor": 3.0,
    "model.decoder_loss.sigmoid_bias": 0.0,
    "model.pixel_std": 0.7,
    "model.latent.logsnr_max": 4.0,
}
STAGE2_STATE: dict[str, Any] = {
    "model.base_sigmoid_bias": 2.0,
    "model.conditioning.drop_rate": 0.9,
    "model.base.dropout": 0.0,
}
EVENTS: dict[str, Any] = {
    "cadence.log_every": 2,
    "cadence.validate_every": 1,
    "cadence.preview_every": 1,
    "cadence.checkpoint_every": 1,
    "validation.num_images": 2,
    "validation.bitrate_times": 3,
    "data.valid_seed": 3,
}
IN_OTHER_TESTS = {
    "stage",
    "num_steps",  # below
    "init_from",  # test_stage1_training and test_stage2_training, as the next two
    "base_from",
    "preview_prompts",
    "collapse.loss_factor_start",  # test_stage1_training
    "cadence.keep_checkpoints",  # test_event_file
    "validation.decoder_steps",  # below, as the others
    "num_threads",
    "data.kind",
    "data.size_px",
    "data.num_train",
    "data.num_valid",
    "data.cache",
}


def leaves(kind: type[BaseModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in kind.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, ModelConfig):
            continue  # tests/engine has all options of a model
        is_section = isinstance(section, type) and issubclass(section, BaseModel)
        found |= leaves(section, f"{prefix}{name}.") if is_section else {prefix + name}
    return found


def test_the_lists_are_complete() -> None:
    listed = {name for name in (*STATE, *STAGE1_STATE, *STAGE2_STATE, *EVENTS) if not name.startswith("model.")}
    assert leaves(RunConfig) == listed | IN_OTHER_TESTS


def config_of(scenes: Path, stage: str, model: str, **changes: Any) -> RunConfig:
    given = {"init_from": model} if stage == "stage2" else {}
    return run_config(scenes, stage, **({"num_steps": 3, "cadence__log_every": 3} | given | changes))


def dotted(name: str, value: Any) -> dict[str, Any]:
    return {name.replace(".", "__"): value}


@pytest.fixture(scope="module")
def plain(scenes: Path, stage1_model: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A finished run of 3 steps of each stage with unchanged settings."""
    torch.set_num_threads(1)
    folders = {stage: tmp_path_factory.mktemp("plain") / stage for stage in ("stage1", "stage2")}
    for stage, folder in folders.items():
        run_training(config_of(scenes, stage, stage1_model), folder, device="cpu")
    return folders


def averaged_weights(folder: Path, step: int) -> list[Any]:
    return [value.tolist() for name, value in saved_state(folder, step).items() if name.startswith(("/ema", "/module"))]


@pytest.mark.parametrize(
    ("stage", "name", "value"),
    [
        *(("stage1", name, value) for name, value in (STATE | STAGE1_STATE).items()),
        *(("stage2", name, value) for name, value in (STATE | STAGE2_STATE).items()),
    ],
)
def test_training_options_change_the_weights(
    stage: str, name: str, value: Any, scenes: Path, stage1_model: str, plain: dict[str, Path], tmp_path: Path
) -> None:
    changes = dotted(name, value) | {"cadence__checkpoint_every": 3, "cadence__keep_checkpoints": 2}
    run_training(config_of(scenes, stage, stage1_model, **changes), tmp_path / "run", device="cpu")
    assert averaged_weights(tmp_path / "run", 3) != averaged_weights(plain[stage], 3)


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_length_of_the_run_moves_its_ramp_and_decay(
    stage: str, scenes: Path, stage1_model: str, tmp_path: Path
) -> None:
    for num_steps in (3, 4):
        changes = {"num_steps": num_steps, "cadence__checkpoint_every": 3, "optimizer__decay_share": 1.0}
        run_training(config_of(scenes, stage, stage1_model, **changes), tmp_path / str(num_steps), device="cpu")
    assert averaged_weights(tmp_path / "3", 3) != averaged_weights(tmp_path / "4", 3)


def without_clock(folder: Path) -> list[dict[str, Any]]:
    clock = ("time", "step_s", "images_per_s")
    return [
        {key: value for key, value in event.items() if key not in clock}
        for event in read_events(folder / "events.jsonl")
    ]


@pytest.mark.parametrize(("name", "value"), EVENTS.items())
@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_other_options_change_the_events(
    stage: str, name: str, value: Any, scenes: Path, stage1_model: str, plain: dict[str, Path], tmp_path: Path
) -> None:
    changes = dotted(name, value) | ({"data__num_valid": 24} if name == "data.valid_seed" else {})  # as rendered
    run_training(config_of(scenes, stage, stage1_model, **changes), tmp_path / "run", device="cpu")
    assert without_clock(tmp_path / "run") != without_clock(plain[stage])


def test_unchanged_settings_change_nothing(
    scenes: Path, stage1_model: str, plain: dict[str, Path], tmp_path: Path
) -> None:
    """Or the tests above would prove nothing."""
    for stage in ("stage1", "stage2"):
        run_training(config_of(scenes, stage, stage1_model), tmp_path / stage, device="cpu")
        assert without_clock(tmp_path / stage) == without_clock(plain[stage])
        assert averaged_weights(tmp_path / stage, 3) == averaged_weights(plain[stage], 3)


def test_steps_of_the_reconstructions(scenes: Path, tmp_path: Path, plain: dict[str, Path]) -> None:
    """An untrained decoder's pictures depend on the noise alone; after three steps on the number of steps too."""
    run_training(config_of(scenes, "stage1", "", validation__decoder_steps=4), tmp_path / "run", device="cpu")
    assert without_clock(tmp_path / "run") != without_clock(plain["stage1"])


def test_number_of_threads(scenes: Path, tmp_path: Path) -> None:
    run_training(config_of(scenes, "stage1", "", num_threads=2, num_steps=1), tmp_path / "run", device="cpu")
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    assert num_threads == 2


def test_the_data_decide(tmp_path: Path) -> None:
    config = run_config(tmp_path, data__num_train=3, data__num_valid=2, data__size_px=24, validation__num_images=2).data
    train, valid = open_scenes(config.model_copy(update={"cache": str(tmp_path / "other")}))
    assert (len(train), len(valid)) == (3, 2)
    assert train.batch([0]).shape == (1, 24, 24, 3)
    assert (tmp_path / "other" / "scenes-24px-seed1-3").is_dir()
