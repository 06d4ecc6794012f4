"""The last step of a bundled model, on real runs of two steps: judge, figures, card, presets, model folder."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.tiny import text_conditioning, tiny_config
from tests.helpers.tiny_runs import run_config
from trainer.config import RunConfig, Stage, ValidationConfig
from trainer.finishing import prompting
from trainer.finishing.judge import trained_judge
from trainer.finishing.prompting import GUIDANCE_WEIGHTS, WIDER_INTERVALS, PromptTest
from trainer.finishing.scenes import Extent, finish_model
from trainer.run_dir import RunDir
from trainer.train import run_training
from ul_engine.checkpoint import load_model
from ul_engine.data.scenes.cache import SceneCache, build_cache
from ul_engine.data.scenes.spec import SceneOptions
from ul_engine.errors import ConfigError
from ul_engine.presets.words import PAIR_WORDS

pytestmark = pytest.mark.stress

NUM_TRAIN, NUM_VALID = 256, 12
SHORT = Extent(
    num_prompts=4,
    num_choosing=2,
    num_choosing_scenes=4,
    judge_steps=3,
    gap=ValidationConfig(num_images=4, decoder_steps=1, bitrate_times=2),
    bitrate_times=2,
    num_timed=1,
)
MIXED = SceneOptions(num_objects_max=2, two_object_fraction=0.5)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are taken on two threads, which wait for each other for ever where both cores are busy."""
    monkeypatch.setattr(prompting, "NUM_THREADS", 1)


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("caches")
    for seed, count in ((1, NUM_TRAIN), (2, NUM_VALID)):
        folder = root / f"scenes-64px-pairs0.5-seed{seed}-{count}"
        build_cache(folder, seed=seed, count=count, size_px=64, options=MIXED)
    return root


def scenes_cache(caches: Path, seed: int, count: int) -> SceneCache:
    folder = caches / f"scenes-64px-pairs0.5-seed{seed}-{count}"
    return build_cache(folder, seed=seed, count=count, size_px=64, options=MIXED)


def config_of(caches: Path, stage: Stage, **changes: Any) -> RunConfig:
    model = tiny_config(image_px=64, conditioning=text_conditioning(vocabulary=PAIR_WORDS, max_tokens=32))
    data = {"size_px": 64, "num_train": NUM_TRAIN, "num_valid": NUM_VALID, "num_objects_max": 2}
    sections = {f"data__{name}": value for name, value in (data | {"two_object_share": 0.5}).items()}
    given = {"num_steps": 2, "model": model.model_dump(mode="json")} | sections | changes
    return run_config(caches, stage.value, **given)


@pytest.fixture(scope="module")
def runs(caches: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("runs")
    folders = {part: root / f"two-{part}" for part in ("stage1", "decoder", "stage2")}
    run_training(config_of(caches, Stage.STAGE1), folders["stage1"], device="cpu")
    source = str(RunDir(folders["stage1"]).model)
    run_training(
        config_of(caches, Stage.STAGE1, init_from=source, fixed_latent=True, seed=1), folders["decoder"], device="cpu"
    )
    run_training(config_of(caches, Stage.STAGE2, init_from=source), folders["stage2"], device="cpu")
    return folders


def test_a_finished_model_states_what_was_measured(runs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "scenes"
    report = finish_model(runs, out, SHORT)

    model, manifest = load_model(out)
    figures = manifest.calibration
    assert figures["psnr_db"] == report.metrics["psnr"]["mean"]
    assert figures["shuffle_gap_db"] == pytest.approx(report.gap["psnr_db"] - report.gap["psnr_shuffled_db"])
    assert {name for name in figures if name.startswith("prompt_accuracy_two_first_")} == {
        f"prompt_accuracy_two_first_{name}" for name in ("shape", "color", "material", "size")
    }
    assert {preset.guidance for preset in manifest.presets.values()} == {report.choice.guidance.best}
    assert len(report.choice.guidance.scores) == len(GUIDANCE_WEIGHTS) + len(WIDER_INTERVALS)
    assert manifest.prompt_grammar is not None
    assert "relation" in {slot.name for slot in manifest.prompt_grammar.slots}
    assert model.base is not None

    card = (out / "README.md").read_text()
    assert "| Two objects with a relation |" in card
    assert f"{figures['psnr_db']:.2f}" in card
    assert "ul-train recipe run scenes" in card
    assert (
        json.loads((runs["stage2"] / "report.json").read_text())["choice"]["guidance"]["best"]["weight"]
        == figures["guidance_weight"]
    )


def test_measuring_again_gives_the_same_figures(runs: dict[str, Path], tmp_path: Path) -> None:
    first, second = (finish_model(runs, tmp_path / name, SHORT) for name in ("a", "b"))
    assert replace(first, seconds={}) == replace(second, seconds={})
    finer = finish_model(runs, tmp_path / "c", replace(SHORT, bitrate_times=3))
    assert finer.metrics["bits"] != first.metrics["bits"]
    assert finer.metrics["psnr"] == first.metrics["psnr"]


def test_a_model_of_other_data_has_no_prompts_to_measure(runs: dict[str, Path], tmp_path: Path) -> None:
    other = tmp_path / "run"
    other.mkdir()
    settings = json.loads((runs["stage2"] / "config.json").read_text())
    settings["data"] = {"kind": "pictures", "path": str(tmp_path), "size_px": 64}
    (other / "config.json").write_text(json.dumps(settings))
    with pytest.raises(ConfigError, match="by its prompts"):
        finish_model(runs | {"stage2": other}, tmp_path / "out", SHORT)


def test_a_judge_learns_what_it_is_asked(caches: Path, tmp_path: Path) -> None:
    """On the pictures it was trained on: a test of the questions, the labels and the loss."""
    train = scenes_cache(caches, 1, NUM_TRAIN)
    fresh = trained_judge(train, tmp_path, num_steps=3)
    taught = trained_judge(train, tmp_path, num_steps=60)
    for kind in (1, 2):
        before, after = fresh.accuracy_on(train, num_objects=kind), taught.accuracy_on(train, num_objects=kind)
        assert after["all"] > before["all"]
        assert min(after.values()) > 0.7
    kept = trained_judge(train, tmp_path, num_steps=60)
    assert kept.accuracy_on(train, num_objects=2) == taught.accuracy_on(train, num_objects=2)


def test_prompts_are_of_scenes_with_so_many_objects() -> None:
    for kind in (1, 2):
        specs = PromptTest(kind, 20, 3).specs()
        assert {len(spec.objects) for spec in specs} == {kind}
    assert PromptTest(2, 20, 3).specs() != PromptTest(2, 20, 4).specs()
