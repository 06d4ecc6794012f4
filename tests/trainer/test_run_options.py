"""Every option of a run changes something: weights, averages, figures, files, or the run is refused."""

from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from pydantic import BaseModel

from tests.helpers.qt import wait_until
from tests.helpers.sample_arrays import picture_samples
from tests.helpers.tiny_runs import events_of, loss_at, run_config, saved_state, stage_of
from trainer.config import DataConfig, LoadingConfig, RunConfig
from trainer.data.loader import BatchLoader
from trainer.data.order import BatchOrder
from trainer.data.scenes import open_scenes
from trainer.spreading import spread
from trainer.train import run_training
from ul_engine.config import ModelConfig
from ul_engine.nn.blocks import TransformerBlock

# Name -> a legal change, and the part of a run that it must move. Runs of 3 steps, both stages.
STATE: dict[str, Any] = {
    "batch_size": 6,
    "seed": 1,
    "precision": "bf16",
    "ema_decay": 0.05,
    "optimizer.kind": "muon",
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
    "latents.storage": "uint8",
    "condition_on": "none",
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
    "fixed_latent",  # test_stage1_training
    "data.crop_sides",  # test_photographs, as the next three
    "data.texture_share",
    "data.scene_share",
    "data.num_scenes",
    "preset",  # test_run_config
    "context_drop_rate",  # test_clip_runs, as the next one
    "context_noise",
    "optimizer.muon_rate",  # below
    "collapse.loss_factor_start",  # test_stage1_training
    "guard.spike_factor",  # test_bad_steps, as the next two
    "guard.on_bad_step",
    "guard.max_rollbacks",
    "cadence.keep_checkpoints",  # test_event_file and test_checkpoints, as the next two
    "cadence.keep_best",
    "cadence.milestone_every",
    "validation.decoder_steps",  # below, as the others of this paragraph
    "num_threads",
    "latents.source",
    "latents.folder",
    "loading.num_workers",
    "loading.prefetch",
    "scale.strategy",  # test_several_ranks
    "scale.micro_batch",  # test_micro_batches
    "scale.auto_micro_batch",  # test_out_of_memory
    "scale.checkpoint_activations",  # below
    "scale.compile_blocks",
    "data.size_px",
    "data.num_train",
    "data.num_valid",
    "data.cache",
    "data.motions",  # test_scene_clips
    # tests/trainer/data
    "data.num_objects_max",
    "data.two_object_share",
    "data.path",
    "data.min_px",
    "data.flip",
    "data.crop_scale",
    "data.crop_position",
    "data.captions",
    "data.fit",
    "data.bucket_step_px",
    "data.num_frames",
    "data.fps",
    "data.frame_stride",
    "data.split",
    "data.image_column",
    "data.caption_column",
    "data.label_column",
    "data.revision",
    "data.kind",
}


def sections(annotation: Any) -> list[type[BaseModel]]:
    """The kinds of a section, however they are joined."""
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [kind for part in get_args(annotation) for kind in sections(part)]


def leaves(kind: type[BaseModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in kind.model_fields.items():
        parts = sections(DataConfig if name == "data" else field.annotation)
        if ModelConfig in parts:
            continue  # tests/engine has all options of a model
        found |= {leaf for part in parts for leaf in leaves(part, f"{prefix}{name}.")} if parts else {prefix + name}
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
    return [value.tolist() for name, value in saved_state(folder, step).items() if name.startswith(("ema.", "module."))]


@pytest.mark.stress
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


@pytest.mark.stress
@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_length_of_the_run_moves_its_ramp_and_decay(
    stage: str, scenes: Path, stage1_model: str, tmp_path: Path
) -> None:
    for num_steps in (3, 4):
        changes = {"num_steps": num_steps, "cadence__checkpoint_every": 3, "optimizer__decay_share": 1.0}
        run_training(config_of(scenes, stage, stage1_model, **changes), tmp_path / str(num_steps), device="cpu")
    assert averaged_weights(tmp_path / "3", 3) != averaged_weights(tmp_path / "4", 3)


def without_clock(folder: Path) -> list[dict[str, Any]]:
    clock = ("time", "step_s", "images_per_s", "data_wait_share", "host_memory_mb", "seconds", "num_bytes")
    return [{key: value for key, value in event.items() if key not in clock} for event in events_of(folder)]


@pytest.mark.stress
@pytest.mark.parametrize(("name", "value"), EVENTS.items())
@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_other_options_change_the_events(
    stage: str, name: str, value: Any, scenes: Path, stage1_model: str, plain: dict[str, Path], tmp_path: Path
) -> None:
    changes = dotted(name, value) | ({"data__num_valid": 24} if name == "data.valid_seed" else {})  # as rendered
    run_training(config_of(scenes, stage, stage1_model, **changes), tmp_path / "run", device="cpu")
    assert without_clock(tmp_path / "run") != without_clock(plain[stage])


@pytest.mark.stress
def test_unchanged_settings_change_nothing(
    scenes: Path, stage1_model: str, plain: dict[str, Path], tmp_path: Path
) -> None:
    """Or the tests above would prove nothing."""
    for stage in ("stage1", "stage2"):
        run_training(config_of(scenes, stage, stage1_model), tmp_path / stage, device="cpu")
        assert without_clock(tmp_path / stage) == without_clock(plain[stage])
        assert averaged_weights(tmp_path / stage, 3) == averaged_weights(plain[stage], 3)


@pytest.mark.stress
def test_steps_of_the_reconstructions(scenes: Path, tmp_path: Path, plain: dict[str, Path]) -> None:
    """An untrained decoder's pictures depend on the noise alone; after three steps on the number of steps too."""
    run_training(config_of(scenes, "stage1", "", validation__decoder_steps=4), tmp_path / "run", device="cpu")
    assert without_clock(tmp_path / "run") != without_clock(plain["stage1"])


@pytest.mark.stress
def test_number_of_threads(scenes: Path, tmp_path: Path) -> None:
    run_training(config_of(scenes, "stage1", "", num_threads=2, num_steps=1), tmp_path / "run", device="cpu")
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    assert num_threads == 2


@pytest.mark.stress
def test_muon_rate(scenes: Path, tmp_path: Path) -> None:
    """Outputs and gates begin at zero: the blocks' matrices have no gradient before the third step."""
    weights = []
    for rate in (0.1, 0.4):
        config = config_of(scenes, "stage1", "", optimizer={"kind": "muon", "muon_rate": rate}, num_steps=4)
        run_training(config, tmp_path / str(rate), device="cpu")
        weights.append(averaged_weights(tmp_path / str(rate), 4))
    assert weights[0] != weights[1]


@pytest.mark.stress
def test_latents_encoded_when_they_are_needed(
    scenes: Path, stage1_model: str, plain: dict[str, Path], tmp_path: Path
) -> None:
    """No cache is made; without its rounding to half, the weights come out a little different."""
    config = config_of(scenes, "stage2", stage1_model, latents__source="encoder")
    run_training(config, tmp_path / "run", device="cpu")
    assert not (tmp_path / "run" / "latents").exists()
    ours, theirs = averaged_weights(tmp_path / "run", 3), averaged_weights(plain["stage2"], 3)
    assert ours != theirs
    flat = [torch.cat([torch.tensor(value).flatten() for value in each]) for each in (ours, theirs)]
    torch.testing.assert_close(flat[0], flat[1], rtol=0.05, atol=5e-3)


@pytest.mark.stress
def test_a_folder_for_the_latents(scenes: Path, stage1_model: str, plain: dict[str, Path], tmp_path: Path) -> None:
    config = config_of(scenes, "stage2", stage1_model, latents__folder=str(tmp_path / "shared"))
    run_training(config, tmp_path / "run", device="cpu")
    assert not (tmp_path / "run" / "latents").exists()
    assert len(list((tmp_path / "shared").glob("latents-*/cache.json"))) == 1
    assert averaged_weights(tmp_path / "run", 3) == averaged_weights(plain["stage2"], 3)


@pytest.mark.stress
def test_how_samples_are_loaded(tmp_path: Path) -> None:
    """Their number of processes is obeyed; how far they prepare ahead shows in what has been read."""
    trace = tmp_path / "read"
    source = picture_samples(64, trace=trace)
    with BatchLoader(source, BatchOrder(64, 4, 0), LoadingConfig(num_workers=1, prefetch=3)) as loader:
        assert loader.num_workers == 1
        loader.start(range(16))
        loader.next()
        wait_until(lambda: len(trace.read_text().split()) >= 16, timeout_s=30)  # one taken, three ahead
    with BatchLoader(source, BatchOrder(64, 4, 0), LoadingConfig(num_workers=0)) as loader:
        assert loader.num_workers == 0


@pytest.mark.stress
def test_activations_are_computed_again(scenes: Path, tmp_path: Path, plain: dict[str, Path]) -> None:
    """Blocks run twice in a step; the result is the same (test_micro_batches)."""
    counts = []
    for is_on in (False, True):
        stage = stage_of(config_of(scenes, "stage1", "", scale__checkpoint_activations=is_on))
        loss_module = spread(stage.loss_module, stage.config, stage.ranks)
        block = next(module for module in stage.module.modules() if isinstance(module, TransformerBlock))
        calls: list[int] = []
        inner = next(iter(block.children()))
        inner.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        assert loss_module is stage.loss_module
        loss_at(stage, 0)[0].backward()
        counts.append(len(calls))
    assert counts == [1, 2]


@pytest.mark.stress
def test_the_data_decide(tmp_path: Path) -> None:
    config = run_config(tmp_path, data__num_train=3, data__num_valid=2, data__size_px=24, validation__num_images=2).data
    train, valid = open_scenes(config.model_copy(update={"cache": str(tmp_path / "other")}))
    assert (len(train), len(valid)) == (3, 2)
    assert train.sample(0, None).frames.shape == (1, 24, 24, 3)
    assert (tmp_path / "other" / "scenes-24px-seed1-3").is_dir()
