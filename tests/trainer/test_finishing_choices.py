"""Choices of the last step of a bundled model that need no training: samplers, kept results, which runs go together."""

from pathlib import Path

import pytest
import torch

from tests.helpers.tiny import save_tiny, tiny_config, tiny_model
from trainer.finishing.kept import Kept
from trainer.finishing.parts import combined_model
from trainer.finishing.samplers import DECODER_STEPS, NAMES, DecoderTrial, best_decoder, decoder_trials, unseen_scenes
from trainer.run_dir import RunDir
from ul_engine.checkpoint import load_model
from ul_engine.data.scenes.spec import SceneOptions
from ul_engine.errors import ConfigError
from ul_engine.pipelines import Pipeline
from ul_engine.requests import SamplerName

WEIGHTS = {"encoder": "a", "prior": "b", "decoder": "c", "base": "d"}


def trial(name: SamplerName, steps: int, ssim: float, rfd: float) -> DecoderTrial:
    return DecoderTrial(name, steps, 30.0, ssim, rfd)


def test_the_best_ssim_among_the_near_distances_within_the_steps() -> None:
    trials = [
        trial(SamplerName.DDPM, 4, 0.95, 0.70),  # smooth, and no picture
        trial(SamplerName.DDPM, 8, 0.92, 0.42),
        trial(SamplerName.DDIM, 8, 0.91, 0.40),
        trial(SamplerName.DDPM, 16, 0.94, 0.46),
        trial(SamplerName.DPMPP_2M, 24, 0.93, 0.30),
    ]
    few, many = best_decoder(trials, steps_max=8), best_decoder(trials, steps_max=24)
    assert (few.name, few.num_steps) == (SamplerName.DDPM, 8)
    assert (many.name, many.num_steps) == (SamplerName.DPMPP_2M, 24)


def test_a_kept_result_is_for_its_weights_and_settings(tmp_path: Path) -> None:
    calls = []

    def measure() -> dict[str, float]:
        calls.append(1)
        return {"value": 0.1 + len(calls)}

    def get(weights: dict[str, str], settings: object) -> object:
        return Kept(tmp_path, weights).get("some figure", ("encoder", "decoder"), settings, measure)

    first = get(WEIGHTS, {"steps": 4})
    assert get(WEIGHTS, {"steps": 4}) == first
    assert get(WEIGHTS | {"base": "other"}, {"steps": 4}) == first  # does not depend on it
    assert len(calls) == 1
    assert get(WEIGHTS | {"decoder": "other"}, {"steps": 4}) != first
    assert get(WEIGHTS, {"steps": 8}) != first
    assert len(calls) == 3


def test_decoders_are_tried_on_real_scenes(tmp_path: Path) -> None:
    pipeline = Pipeline(tiny_model(tiny_config(image_px=32)).eval(), torch.device("cpu"))
    pictures = unseen_scenes(32, seed=4, count=3, options=SceneOptions())
    assert pictures.shape == (3, 3, 1, 32, 32)
    assert -1.0 <= float(pictures.min()) < float(pictures.max()) <= 1.0
    kept = Kept(tmp_path, WEIGHTS)
    trials = decoder_trials(pipeline, pictures, kept, of="three")
    assert [(each.name, each.num_steps) for each in trials] == [(name, n) for name in NAMES for n in DECODER_STEPS]
    assert all(each.rfd_small > 0 and each.psnr_db < 60 for each in trials)
    assert decoder_trials(pipeline, pictures, kept, of="three") == trials


def run_of(folder: Path, seed: int) -> RunDir:
    run = RunDir(folder)
    run.create()
    save_tiny(run.model, seed=seed)
    return run


def test_a_decoder_of_the_same_latent_takes_the_place_of_the_other(tmp_path: Path) -> None:
    stage2, decoder = run_of(tmp_path / "stage2", 1), run_of(tmp_path / "decoder", 1)
    other, _ = load_model(run_of(tmp_path / "other", 2).model)
    (tmp_path / "decoder/model/decoder.safetensors").write_bytes(
        (tmp_path / "other/model/decoder.safetensors").read_bytes()
    )
    combined = combined_model({"stage2": stage2, "decoder": decoder})
    own, _ = load_model(stage2.model)
    for ours, theirs in zip(combined.decoder.parameters(), other.decoder.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(combined.base.embed.weight, own.base.embed.weight)


def test_runs_of_two_latents_do_not_go_together(tmp_path: Path) -> None:
    runs = {"stage2": run_of(tmp_path / "stage2", 1), "decoder": run_of(tmp_path / "decoder", 2)}
    with pytest.raises(ConfigError, match="not trained on the same latent"):
        combined_model(runs)
