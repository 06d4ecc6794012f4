"""What a run will cost: counted figures agree with what is really there, measured ones are, and advice fits."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.tiny import tiny_config
from tests.helpers.tiny_clips import clip_config
from tests.helpers.tiny_runs import run_config
from trainer.config import RunConfig, ScenesData, parse_config
from trainer.config.loading import apply_override
from trainer.data.scenes import open_scene_caches, unrendered
from trainer.estimates import RunEstimate, estimate, fitting_advice, step_memory, text
from trainer.estimates.advice import smaller_presets
from trainer.estimates.memory import frozen_bytes
from trainer.estimates.rendering import rendering_bytes, rendering_s
from trainer.estimates.shapes import micro_batch
from trainer.estimates.text import counted, duration, seconds, size
from ul_engine.accounting import meta_model, num_parameters, stage1_memory, stage2_memory
from ul_engine.config import ModelConfig, VideoConfig
from ul_engine.data.scenes.cache import HEADER_NAME, CachePlan
from ul_engine.data.scenes.spec import SceneOptions
from ul_engine.ema import EMA
from ul_engine.errors import DataError
from ul_engine.models.unified import UnifiedLatents

CPU = torch.device("cpu")


def settings(stage: str = "stage1", model: ModelConfig | None = None, **changes: Any) -> dict[str, Any]:
    """Plain settings of a small run; `changes` by dotted name with `__` for the dot."""
    data: dict[str, Any] = {
        "stage": stage,
        "model": (model or tiny_config()).model_dump(mode="json"),
        "data": {"kind": "scenes", "size_px": 16, "num_train": 500},
        "init_from": "m" if stage == "stage2" else None,
        "num_steps": 1000,
        "batch_size": 64,
        "precision": "fp32",
    }
    for name, value in changes.items():
        apply_override(data, f"{name.replace('__', '.')}={value}")
    return data


def config(stage: str = "stage1", model: ModelConfig | None = None, **changes: Any) -> RunConfig:
    return parse_config(settings(stage, model, **changes))


@pytest.mark.parametrize(("stage", "count"), [("stage1", stage1_memory), ("stage2", stage2_memory)])
def test_memory_is_a_straight_line(stage: str, count: Any) -> None:
    wanted = config(stage, precision="bf16")
    line = step_memory(wanted)
    frozen = sum(num_parameters(meta_model(wanted.model))[name] for name in ("encoder", "prior", "decoder")) * 4
    exact = count(meta_model(wanted.model), 32).total + (frozen if stage == "stage2" else 0)
    assert line.at(32) == pytest.approx(exact, rel=0.02)
    budget = line.at(11) + 5
    assert line.largest(budget) == 11
    assert line.largest(line.fixed) == 0


def test_every_setting_moves_the_memory_its_way() -> None:
    """On Stage 2, whose frozen networks no setting touches."""
    plain = step_memory(config("stage2"))
    assert step_memory(config("stage2", precision="bf16")).per_sample < plain.per_sample
    recomputed = step_memory(config("stage2", scale__checkpoint_activations="true"))
    assert recomputed.per_sample < 0.8 * plain.per_sample
    assert recomputed.fixed == pytest.approx(plain.fixed, rel=0.05)
    assert step_memory(config("stage2", data__size_px=32)).per_sample > 3.5 * plain.per_sample
    frozen = frozen_bytes(config("stage2"))
    shared = step_memory(config("stage2", scale__strategy="fsdp"), num_ranks=4)
    assert shared.fixed - frozen == pytest.approx((plain.fixed - frozen) / 4, rel=0.1)
    assert shared.per_sample == plain.per_sample
    assert step_memory(config("stage2"), num_ranks=4) == plain
    assert step_memory(config("stage2", optimizer__kind="muon")).fixed < plain.fixed


def test_recomputing_blocks_is_counted_as_it_happens() -> None:
    """Against real tensors: what a real step saves for its backward pass, with its blocks recomputed."""
    from torch.autograd.graph import saved_tensors_hooks

    from ul_engine.bench.inputs import random_inputs
    from ul_engine.bench.training import stage2_step
    from ul_engine.nn.checkpointing import checkpoint_blocks

    wanted = config("stage2", scale__checkpoint_activations="true")
    model = UnifiedLatents(wanted.model)
    checkpoint_blocks(model)
    found: dict[int, torch.Tensor] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        found[tensor.untyped_storage().data_ptr()] = tensor  # held, so that no address comes twice
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        stage2_step(model, random_inputs(wanted.model, 8, CPU), lambda: torch.autocast("cpu", enabled=False))()
    parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    outside_blocks = sum(t.untyped_storage().nbytes() for key, t in found.items() if key not in parameters)
    line = step_memory(wanted)
    assert outside_blocks < 8 * line.per_sample
    assert 8 * line.per_sample < 8 * step_memory(config("stage2")).per_sample


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_a_measured_estimate(stage: str, tmp_path: Path) -> None:
    wanted = config(stage, batch_size=8, latents__storage="uint8")
    state = torch.random.get_rng_state()
    found = estimate(wanted, device=CPU, measure=True, folder=tmp_path / "runs" / "new")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert RunEstimate.model_validate_json(found.model_dump_json()) == found
    assert found.step.is_measured
    assert found.step.measured_batch == 8
    assert 1e-4 < found.step.seconds < 30
    assert found.memory.fits
    assert found.memory.largest_micro_batch == 8
    trained = {name for name, network in found.networks.items() if network.is_trained}
    assert trained == ({"encoder", "prior", "decoder"} if stage == "stage1" else {"base"})
    forward = sum(found.networks[name].multiply_adds for name in trained)
    assert found.flops_per_step == forward * 2 * 3 * 8
    assert found.total_s == pytest.approx(1000 * found.step.seconds + found.preparing_s)
    assert (found.encoding_s is None) == (stage == "stage1")
    assert found.disk.latents == (None if stage == "stage1" else 500 * 4 * 4 * 4)
    assert found.disk.free is not None
    lines = text(found)
    assert max(map(len, lines.splitlines())) < 160
    for word in (
        stage,
        "parameters",
        "FLOPs",
        "samples at once, fits",
        "per step (median of 3",
        "in all",
        "checkpoints of",
    ):
        assert word in lines


def test_checkpoints_are_as_large_as_said() -> None:
    wanted = config()
    model = UnifiedLatents(wanted.model, networks=frozenset(("encoder", "prior", "decoder")))
    optimizer = torch.optim.AdamW(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    average = EMA(model, 0.9)
    tensors = [*model.state_dict().values(), *flat(average.state_dict()), *flat(optimizer.state_dict())]
    real = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    found = estimate(wanted, device=CPU, measure=False)
    assert found.disk.checkpoint == pytest.approx(real, rel=0.01)
    assert found.disk.num_checkpoints == 4  # two newest, the best, one in the making
    more = config(cadence__milestone_every=100, cadence__keep_best="false")
    assert estimate(more, device=CPU, measure=False).disk.num_checkpoints == 13


def flat(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [tensor for part in parts for tensor in flat(part)]


def test_what_is_not_measured_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not measured;" in estimate(config("stage2"), device=CPU, measure=False).step.how
    monkeypatch.setattr("trainer.estimates.timing.LONGEST_S", 0.0)
    slow = estimate(config("stage2"), device=CPU, measure=True)
    assert not slow.step.is_measured
    assert "one step of 64 samples would take about" in slow.step.how
    monkeypatch.setattr("trainer.estimates.report.memory_of", lambda device: (2**20, 2**40))
    small = estimate(config("stage2"), device=CPU, measure=True)
    assert not small.memory.fits
    assert "does not fit the free memory" in small.step.how
    assert "DOES NOT FIT" in text(small)


def test_clips_ranks_and_micro_batches() -> None:
    clips = clip_config(2, num_frames=8, context_frames=2)
    data = settings("stage2", clips, batch_size=6, latents__storage="uint8")
    data["data"] = {"kind": "clips", "path": "x", "size_px": 16, "num_frames": 8, "num_valid": 64, "flip": True}
    wanted = parse_config(data)
    found = estimate(wanted, device=CPU, measure=False, num_ranks=4, num_samples=100)
    assert found.memory.micro_batch == 2
    assert found.disk.latents == 2 * 100 * 4 * (4 + 1) * 2 * 2  # mirrored too; four latent frames and one before them
    assert estimate(wanted, device=CPU, measure=False).disk.latents is None
    assert micro_batch(config(scale__micro_batch=16), 2) == 16
    assert micro_batch(config(scale__micro_batch=16), 8) == 8


def test_advice_fits_and_can_be_typed_in() -> None:
    wanted = config("stage2", batch_size=512)
    line = step_memory(wanted)
    total = int(line.at(440) / 0.85)
    advice = fitting_advice(wanted, needed=1000, free=0, total=total, held=line.at(440))
    assert advice[0].startswith("--set scale.micro_batch=256 (about 0.")
    assert "same results" in advice[0]
    for start in ("--set precision=bf16", "--set scale.checkpoint_activations=true", "--set scale.strategy=fsdp on 2"):
        assert any(each.startswith(start) for each in advice)
    for each in advice:
        data = settings("stage2", batch_size=512)
        for override in re.findall(r"--set (\S+)", each):
            apply_override(data, override)
        changed = parse_config(data)
        ranks = int(re.findall(r"on (\d) devices", each)[0]) if "devices" in each else 1
        batch = changed.scale.micro_batch or changed.batch_size // ranks
        assert step_memory(changed, num_ranks=ranks).at(batch) <= 0.85 * total


def test_advice_believes_the_device_rather_than_its_estimate() -> None:
    """The step really held three times its estimate: a half is not enough."""
    wanted = config("stage2", batch_size=512)
    held = 3 * step_memory(wanted).at(512)
    advice = fitting_advice(wanted, needed=None, free=0, total=held, held=held)
    (micro_batch,) = re.findall(r"micro_batch=(\d+)", advice[0])
    assert step_memory(wanted).at(int(micro_batch)) * 3 <= 0.85 * held
    assert fitting_advice(wanted, needed=None, free=2**30, total=2**36)  # asks the system what it holds


def test_nothing_fits() -> None:
    assert fitting_advice(config("stage2", batch_size=2), needed=10, free=0, total=1000, held=900) == []


def test_smaller_presets_of_the_same_size() -> None:
    def advised(**changes: Any) -> list[str]:
        return smaller_presets(parse_config(settings(data__size_px=64) | changes), int(8.5e9))

    assert advised()[0].startswith("a smaller model, such as preset desktop-64-12gb with batch 64 (about 8.3 GB")
    of_preset = advised(preset="desktop-64-24gb")
    assert of_preset[0] == "--set preset=desktop-64-12gb --set batch_size=64 (about 8.3 GB; another model)"
    assert len(of_preset) == 2
    assert not smaller_presets(config(data__size_px=48), int(8.5e9))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (duration(12_000), "about 3 h 20 min"),
        (duration(3), "about 3 s"),
        (duration(100), "about 2 min"),
        (duration(3600 * 49), "about 2 d 1 h"),
        (seconds(0.0123), "12 ms"),
        (seconds(2.345), "2.3 s"),
        (seconds(47.3), "47 s"),
        (seconds(600), "about 10 min"),
        (size(5.55e9), "5.5 GB"),
        (size(12e6), "12 MB"),
        (counted(1_234_567), "1.23 M"),
        (counted(5), "5"),
    ],
)
def test_units(found: str, expected: str) -> None:
    assert found == expected


def test_scenes_that_are_still_to_be_rendered_take_room_and_time(tmp_path: Path) -> None:
    """64 and 6 clips of 4 frames; nothing of them once they are there."""
    data = {"kind": "scenes", "size_px": 16, "num_train": 64, "num_valid": 6, "num_frames": 4, "cache": str(tmp_path)}
    video = VideoConfig(num_frames=4, temporal_downsampling=2, fps=8.0)
    wanted = run_config(tmp_path, data=data, model=tiny_config(video=video).model_dump(mode="json"))
    before = estimate(wanted, device=CPU, measure=True)
    assert before.disk.scenes == 70 * 4 * 16 * 16 * 3
    assert before.rendering_s is not None
    assert before.total_s == pytest.approx(before.step.seconds * wanted.num_steps + before.rendering_s)
    assert before.stretched(wanted.num_steps) == before
    assert "to render them once" in text(before)
    assert estimate(wanted, device=CPU, measure=False).rendering_s is None
    open_scene_caches(wanted.data)
    after = estimate(wanted, device=CPU, measure=True)
    assert (after.disk.scenes, after.rendering_s) == (0, None)
    assert before.disk.total - after.disk.total == before.disk.scenes


def test_more_scenes_take_longer_to_render() -> None:
    """A thousand times as many, whatever else the machine does."""
    few, many = (CachePlan(1, 0, count, 16, SceneOptions()) for count in (128, 128_000))
    assert rendering_s([]) == 0.0
    assert rendering_s([many]) > 10 * rendering_s([few]) > 0.0
    assert rendering_bytes([few, many]) == (128 + 128_000) * 16 * 16 * 3


def test_scenes_of_another_renderer_are_rendered_anew(tmp_path: Path) -> None:
    data = ScenesData(kind="scenes", size_px=16, num_train=3, num_valid=2, cache=str(tmp_path))
    train, _ = open_scene_caches(data)
    assert unrendered(data) == []
    header = train.path / HEADER_NAME
    header.write_text(header.read_text().replace(train.plan.fingerprint(), "0" * 32))
    assert unrendered(data) == [train.plan]
    header.write_text("{")
    with pytest.raises(DataError):
        unrendered(data)
