"""``ul-engine bench``: every figure is there and makes sense; no test here looks at a clock."""

import json
import math
from collections.abc import Iterator

import pytest
import torch

from tests.helpers.tiny import class_conditioning, randomised, text_conditioning, tiny_config
from ul_engine.accounting import forward_operations, meta_model
from ul_engine.bench import run as bench_run
from ul_engine.bench.machine import machine_facts, matmul_peaks
from ul_engine.bench.run import Bench, Setup
from ul_engine.bench.shapes import SHAPES
from ul_engine.bench.timing import Timing, measured
from ul_engine.cli import main
from ul_engine.config import ModelConfig, PriorConfig, VideoConfig
from ul_engine.model_folder import NETWORKS
from ul_engine.requests import SamplerSettings, SamplingSettings

CPU = torch.device("cpu")
QUICK = SamplingSettings(base=SamplerSettings(num_steps=2), decoder=SamplerSettings(num_steps=1))
NAMES = {f"{network}_{what}" for network in NETWORKS for what in ("forward", "forward_backward")}
ALL = NAMES | {"stage1_step", "stage2_step", "generate_quick", "reconstruct_quick"}


@pytest.fixture(autouse=True)
def process_as_it_was() -> Iterator[None]:
    """The command sets the process up for speed."""
    precision, threads = torch.get_float32_matmul_precision(), torch.get_num_threads()
    yield
    torch.set_float32_matmul_precision(precision)
    torch.set_num_threads(threads)


def timings(config: ModelConfig, **changes: object) -> dict[str, Timing]:
    fields = {"source": "test", "config": config, "batch_size": 2, "repeats": 1, "sampling": {"Quick": QUICK}}
    bench = Bench(Setup.model_validate(fields | changes), CPU, {"fp32": 1e9, "bf16": 2e9})
    return dict(bench.timings())


def is_sound(timing: Timing) -> bool:
    numbers = list(timing.model_dump().values())
    return all(math.isfinite(number) and number > 0 for number in numbers)


CONFIGS = {
    "unconditional": tiny_config(),
    "text": tiny_config(conditioning=text_conditioning()),
    "class": tiny_config(conditioning=class_conditioning()),
    "clips": tiny_config(video=VideoConfig(num_frames=4, temporal_downsampling=2, context_frames=2)),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_figure_of_every_kind_of_model(name: str) -> None:
    found = timings(CONFIGS[name])
    assert found.keys() == ALL
    for key, timing in found.items():
        assert is_sound(timing), key
        assert timing.wall_s_best <= timing.wall_s
        assert timing.cpu_s_best <= timing.cpu_s
    assert found["generate_quick"].num_samples == (1 if name == "clips" else 4)


@pytest.mark.parametrize("changes", [{"prior": PriorConfig(kind="normal")}, {"training": "single-elbo"}])
def test_models_without_a_prior(changes: dict[str, object]) -> None:
    found = timings(tiny_config(**changes))
    assert found.keys() == ALL - {"prior_forward", "prior_forward_backward"}
    assert all(is_sound(timing) for timing in found.values())


def test_bf16_and_parts() -> None:
    found = timings(tiny_config(), precision="bf16", parts=("training",))
    assert found.keys() == {"stage1_step", "stage2_step"}
    fast, slow = found["stage1_step"], timings(tiny_config(), parts=("training",))["stage1_step"]
    assert fast.flops == slow.flops
    assert fast.share_of_peak == pytest.approx(fast.flops_per_s / 2e9)


def test_work_is_counted_as_the_accounts_do() -> None:
    """Two FLOPs a multiply-add, three passes a training step; the guided base model twice inside its interval."""
    config = tiny_config()
    found = timings(config)
    forward = {name: 2 * cost.total for name, cost in forward_operations(meta_model(config)).items()}
    for name, flops in forward.items():
        assert found[f"{name}_forward"].flops == 2 * flops  # two samples
        assert found[f"{name}_forward_backward"].flops == 6 * flops
    assert found["stage1_step"].flops == 6 * sum(forward[name] for name in ("encoder", "prior", "decoder"))
    assert found["stage2_step"].flops == 6 * forward["base"]
    assert found["generate_quick"].flops == 4 * (2 * forward["base"] + forward["decoder"])
    assert found["reconstruct_quick"].flops == 4 * (forward["encoder"] + forward["decoder"])


def test_training_steps_train() -> None:
    """The benchmark would be no good if it left a part of the step out."""
    config = tiny_config()
    setup = Setup(source="test", config=config, batch_size=2, repeats=1, parts=("training",))
    bench = Bench(setup, CPU, {"fp32": 1e9, "bf16": 1e9})
    randomised(bench.model)  # fresh weights hold zeros that pass no gradient on
    before = {name: weight.detach().clone() for name, weight in bench.model.named_parameters()}
    dict(bench.timings())
    still = {name for name, weight in bench.model.named_parameters() if torch.equal(weight, before[name])}
    assert not still


def test_seconds_are_those_of_the_work() -> None:
    """Warm-up and repetitions, each counted; FLOP/s follow from the seconds."""
    calls = []
    timing = measured(
        lambda: calls.append(sum(range(1000))), CPU, num_samples=3, flops=1000, peak_flops_per_s=1e6, repeats=4
    )
    assert len(calls) == 5
    assert timing.num_samples == 3
    assert timing.flops_per_s == pytest.approx(1000 / timing.cpu_s)  # one thread: CPU seconds
    assert timing.share_of_peak == pytest.approx(timing.flops_per_s / 1e6)


def test_machine_facts() -> None:
    machine = machine_facts(CPU, uses_fast_products=False, keeps_freed_memory=False)
    assert machine.torch == torch.__version__
    assert machine.num_threads == torch.get_num_threads() == 1
    assert machine.processor
    assert machine.device_name == machine.processor
    assert machine.device_bytes > 2**28
    assert torch.backends.cpu.get_cpu_capability() in machine.capabilities


def test_s64_is_what_it_was() -> None:
    """Published numbers are about exactly these shapes."""
    shapes = SHAPES["S64"]
    config = shapes.config
    assert (shapes.batch_size, shapes.num_threads, shapes.precision) == (8, 1, "fp32")
    assert config.image_px == 64
    assert config.latent_shape(64, 64) == (16, 1, 8, 8)
    operations = {name: cost.total for name, cost in forward_operations(meta_model(config)).items()}
    assert operations == {
        "encoder": 136_839_168,
        "prior": 210_845_696,
        "decoder": 375_111_680,
        "base": 83_312_640,
    }


# ---- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def quick_peaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The matmul peak of small products: a test has no second for large ones."""
    monkeypatch.setattr("ul_engine.bench.machine.SIDES", (64, 128))


def test_peaks(quick_peaks: None) -> None:
    peaks = matmul_peaks(CPU)
    assert peaks.keys() == {"fp32", "bf16"}
    assert all(math.isfinite(rate) and rate > 1e6 for rate in peaks.values())


def test_json_holds_every_figure(quick_peaks: None, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", "--preset", "tiny", "--json", "--repeats", "1", "--batch-size", "2", "--device", "cpu"]
    assert main([*arguments, "--threads", "1", "--parts", "networks,training"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report.keys() == {"machine", "setup", "num_parameters", "matmul_flops_per_s", "timings"}
    assert report["timings"].keys() == NAMES | {"stage1_step", "stage2_step"}
    for timing in report["timings"].values():
        assert is_sound(Timing.model_validate(timing))
    assert report["setup"]["source"] == "tiny"
    assert report["setup"]["precision"] == "fp32"
    assert report["setup"]["batch_size"] == 2
    assert report["machine"]["device"] == "cpu"
    assert set(report["num_parameters"]) == set(NETWORKS)


def test_table_has_a_line_per_figure(quick_peaks: None, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", "--preset", "tiny", "--repeats", "1", "--batch-size", "2", "--device", "cpu"]
    assert main([*arguments, "--precision", "bf16", "--parts", "training"]) == 0
    printed = capsys.readouterr().out
    lines = [line.split()[0] for line in printed.splitlines() if "%" in line]
    assert lines == ["stage1_step", "stage2_step"]
    assert "matmul peak: fp32" in printed
    assert "bf16; medians of 1" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shapes", "s65"], "there is no set of shapes 's65'"),
        (["--preset", "tinny"], "did you mean tiny?"),
        (["--preset", "tiny", "--repeats", "0"], "repeats"),
        (["--preset", "tiny", "--precision", "fp16"], "precision"),
        (["--preset", "tiny", "--parts", "networks,dreams"], "parts"),
        (["--preset", "tiny", "--batch-size", "0"], "batch_size"),
        (["--preset", "tiny", "--threads", "-1"], "threads"),
        (["--model", "/nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_explained(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--device", "cpu", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_out_of_memory_is_explained(
    quick_peaks: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def too_large(*arguments: object) -> None:
        torch.empty(2**60)

    monkeypatch.setattr(bench_run, "random_inputs", too_large)
    assert main(["bench", "--preset", "tiny", "--device", "cpu", "--parts", "networks"]) == 1
    assert "ran out of memory" in capsys.readouterr().err
