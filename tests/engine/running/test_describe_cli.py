"""``ul-engine describe``: presets, model folders and files as tables and as JSON, and every problem in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.helpers.tiny import save_tiny, tiny_config
from ul_engine.accounting import (
    forward_operations,
    latent_facts,
    meta_model,
    model_cost,
    num_parameters,
    stage1_memory,
)
from ul_engine.cli import main
from ul_engine.cli.description import text
from ul_engine.objectives import weighting_curves
from ul_engine.presets import ABLATIONS, BASE_SIZES, MODEL_PRESETS, apply_ablation, with_base


def described(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["describe", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def cells(printed: str, start: str) -> list[str]:
    (line,) = (line for line in printed.splitlines() if line.startswith(start))
    return line.removeprefix(start).split()


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "--list"]) == 0
    first_words = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert first_words == [*MODEL_PRESETS, *BASE_SIZES, *ABLATIONS]


def test_listing_does_not_wait_for_torch() -> None:
    program = (
        "import sys; from ul_engine.cli import main; main(['describe', '--list']); sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
    assert run.returncode == 0


def test_table_of_a_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "scenes", "--batch-size", "4"]) == 0
    printed = capsys.readouterr().out
    config = MODEL_PRESETS["scenes"].config
    model = meta_model(config)
    forward, parameters = forward_operations(model), num_parameters(model)
    for name, operations in forward.items():
        row = [float(cell) for cell in cells(printed, f"{name} ")]
        wanted = [
            parameters[name] / 1e6,
            operations.projections_and_attention / 1e9,
            operations.convolution / 1e9,
            operations.total / 1e9,
            operations.total * 2 / 1e9,
        ]
        assert row == pytest.approx(wanted, rel=0.006)
    trained = sum(forward[name].total for name in ("encoder", "prior", "decoder"))
    assert float(cells(printed, "Stage 1: encoder, prior, decoder")[1]) == pytest.approx(6 * trained / 1e9, rel=0.006)
    total = stage1_memory(model, 4).total / 1e9
    assert float(cells(printed, "Stage 1, batch 4")[-1]) == pytest.approx(total, rel=0.006)
    assert "8 x 8 cells of 16 channels: 64 tokens, 1,024 values" in printed
    assert "1 bit per pixel is 4 bits per latent value" in printed
    assert weighting_curves(config).explanation in printed
    assert [line.split()[0] for line in printed.splitlines()[-3:]] == ["Preview", "Balanced", "Paper"]


def test_json_of_a_preset_that_fits_its_card(capsys: pytest.CaptureFixture[str]) -> None:
    preset = MODEL_PRESETS["desktop-64-4gb"]
    data = described(capsys, preset.name)
    assert (data["source"], data["memory_gb"]) == (preset.name, 4)
    assert data["config"] == preset.config.model_dump(mode="json")
    assert data["latent"] == latent_facts(preset.config).model_dump(mode="json")
    assert data["stage1"]["memory"]["batch_size"] == preset.batch_size
    assert data["stage1"]["networks"] == ["encoder", "prior", "decoder"]
    for stage, names in (("stage1", ("encoder", "prior", "decoder")), ("stage2", ("base",))):
        for kind in ("linear", "attention", "convolution"):
            forward = sum(data["networks"][name]["forward"][kind] for name in names)
            assert data[stage]["training"][kind] == 3 * forward


def test_a_model_that_is_too_large_for_its_card_says_so() -> None:
    cost = model_cost(tiny_config(), batch_size=2, sampling={})
    limit = max(cost.stage1.memory.total, cost.stage2.memory.total) / 0.85 / 1e9
    for memory_gb, words in ((limit * 1.01, "training fits"), (limit * 0.99, "training does not fit")):
        assert words in text(cost, heading="Tiny", memory_gb=memory_gb)
    assert "training fits" not in text(cost, heading="Tiny")


def test_base_and_ablations_join(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["tiny", "--batch-size", "1", "--base", "small", "--ablation", "bias-plus-1", "--ablation", "loss-factor-3"]
    data = described(capsys, *words)
    wanted = with_base(MODEL_PRESETS["tiny"].config, "small")
    for name in ("bias-plus-1", "loss-factor-3"):
        wanted = apply_ablation(wanted, name)
    assert data["config"] == wanted.model_dump(mode="json")
    assert data["source"] == "tiny + small base + bias-plus-1 + loss-factor-3"


def test_single_stage_training_has_one_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "tiny", "--ablation", "single-stage-weighted"]) == 0
    printed = capsys.readouterr().out
    assert "single stage: encoder, base, decoder" in printed
    assert "Stage 2" not in printed


def test_a_model_without_prior_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "tiny", "--ablation", "normal-prior-mse-loss"]) == 0
    printed = capsys.readouterr().out
    assert "Stage 1: encoder, decoder " in printed
    assert "squared error" in printed
    assert cells(printed, "Paper ")[1] == "1"


def test_a_clip_names_its_frames(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "motion-64"]) == 0
    printed = capsys.readouterr().out
    assert "16 frames of 64 x 64 px; prompts of 47 words, continued from 5 frames" in printed
    assert "4 x 8 x 8 cells of 16 channels" in printed
    assert "1 bit per pixel is 16 bits per latent value" in printed


@pytest.mark.parametrize("place", ["model", "plain.json", "recipe.yaml"])
def test_a_folder_and_files(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tiny(tmp_path / "model")
    config = tiny_config().model_dump(mode="json")
    (tmp_path / "plain.json").write_text(json.dumps(config))
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"stage": "stage1", "model": config}))
    data = described(capsys, str(tmp_path / place))
    assert data["config"] == config
    assert data["source"] == str(tmp_path / place)
    assert data["stage1"]["memory"]["batch_size"] == 16
    counted = {name: network["parameters"] for name, network in data["networks"].items()}
    assert counted == num_parameters(meta_model(tiny_config()))


def test_curves_are_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = save_tiny(tmp_path / "model")
    assert manifest.latent_std != 1.0
    assert main(["describe", str(tmp_path / "model"), "--curves"]) == 0
    wanted = weighting_curves(tiny_config(), latent_std=manifest.latent_std)
    assert json.loads(capsys.readouterr().out) == wanted.model_dump(mode="json")


PROBLEMS = {
    "nothing": ([], "name a preset, a model folder or a configuration file"),
    "unknown preset": (["scnees"], "did you mean scenes?"),
    "unknown ablation": (["tiny", "--ablation", "channels-5"], "no ablation 'channels-5'"),
    "unknown base": (["tiny", "--base", "huge"], "Known: small, medium, large"),
    "no batch": (["tiny", "--batch-size", "0"], "0 is no number of samples"),
    "unfit ablation": (["TINY", "--ablation", "downsampling-32"], "not a multiple"),
    "no file": (["absent.yaml"], "absent.yaml: cannot be read"),
    "no model folder": (["EMPTY"], "this is not a model folder"),
    "bad JSON": (["BROKEN"], "is not valid JSON"),
    "bad YAML": (["UNCLOSED"], "is not valid YAML"),
    "no mapping": (["LIST"], "a mapping of settings was expected"),
    "bad value": (["WRONG"], "latent.channels"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_problems_are_one_line(
    problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    config = tiny_config().model_dump(mode="json")
    files = {
        "TINY": ("tiny.json", json.dumps(config)),
        "BROKEN": ("broken.json", "{"),
        "UNCLOSED": ("unclosed.yaml", "a: [1"),
        "LIST": ("list.yaml", "- 1"),
        "WRONG": ("wrong.json", json.dumps(config | {"latent": {"channels": 0}})),
    }
    for name, content in files.values():
        (tmp_path / name).write_text(content)
    places = {"EMPTY": "empty", **{word: name for word, (name, _) in files.items()}}
    words, reason = PROBLEMS[problem]
    assert main(["describe", *(places.get(word, word) for word in words)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ul-engine: ")
    assert reason in captured.err
    assert "Traceback" not in captured.err
