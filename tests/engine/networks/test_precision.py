"""bf16 networks: near float32, with noise levels, losses and averages kept in float32."""

import copy
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from tests.helpers.tiny import text_conditioning, tiny_config, tiny_model
from ul_engine import processor
from ul_engine.ema import EMA
from ul_engine.models.unified import UnifiedLatents
from ul_engine.nn.embeddings import LogSNREmbedding
from ul_engine.nn.half import halve_weights
from ul_engine.objectives import Stage1Terms, draw_stage1_noise, stage1_terms, stage2_nats

CONFIG = tiny_config(conditioning=text_conditioning())
X = torch.rand(4, 3, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


def terms(*, is_half: bool) -> Stage1Terms:
    model = tiny_model(CONFIG)
    noise = draw_stage1_noise(X, (4, 4, 1, 4, 4), torch.Generator().manual_seed(1))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_half):
        return stage1_terms(
            (model.encoder, model.prior, model.decoder), X, noise, config=CONFIG, latent_std=model.latent_std
        )


def relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm() / b.norm())


def outputs(model: UnifiedLatents, *, is_half: bool) -> list[Tensor]:
    """One evaluation of each network."""
    z = torch.randn(4, 4, 1, 4, 4, generator=torch.Generator().manual_seed(2))
    levels = torch.tensor([-9.0, -3.0, 1.0, 5.0])
    condition = model.condition_from_prompts(["a red cube", "", "blue", "on"])
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_half):
        return [
            model.encoder(X),
            model.prior(z, levels),
            model.base(z, levels, condition),
            model.decoder(X, levels, z),
        ]


def test_networks_in_bf16_are_near_float32() -> None:
    model = tiny_model(CONFIG)
    for half, whole in zip(outputs(model, is_half=True), outputs(model, is_half=False), strict=True):
        assert half.dtype == torch.float32
        assert 0 < relative(half, whole) < 0.05


def test_weights_kept_in_bf16_change_no_bit() -> None:
    """Autocast rounds the very same weights, at every evaluation again."""
    model = tiny_model(CONFIG)
    wanted = outputs(model, is_half=True)
    whole_bytes = sum(weight.nbytes for weight in model.parameters())
    halve_weights(model)
    for kept, rounded in zip(outputs(model, is_half=True), wanted, strict=True):
        assert torch.equal(kept, rounded)
    assert sum(weight.nbytes for weight in model.parameters()) < 0.7 * whole_bytes
    assert model.base.noise_level.hidden.weight.dtype == torch.float32
    with pytest.raises(RuntimeError):
        outputs(model, is_half=False)


def test_levels_and_losses_stay_float32_under_autocast() -> None:
    half, whole = terms(is_half=True), terms(is_half=False)
    assert torch.equal(half.logsnr_z, whole.logsnr_z)
    assert torch.equal(half.logsnr_x, whole.logsnr_x)
    for name in ("prior_nats", "terminal_nats", "decoder_nats", "z_clean", "logsnr_z"):
        assert getattr(half, name).dtype == torch.float32
    assert relative(half.prior_nats, whole.prior_nats) < 0.05
    assert relative(half.decoder_nats, whole.decoder_nats) < 0.05


def test_base_loss_stays_float32_under_autocast() -> None:
    model = tiny_model(CONFIG)
    z, eps = torch.randn(2, 4, 4, 1, 4, 4, generator=torch.Generator().manual_seed(3)).unbind(0)
    t = torch.tensor([0.05, 0.3, 0.6, 0.95])
    condition = model.condition_from_prompts(["red"] * 4)

    def nats() -> Tensor:
        return stage2_nats(model.base, z, t, eps, config=CONFIG, latent_std=model.latent_std, condition=condition)

    whole = nats()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = nats()
    assert half.dtype == torch.float32
    assert relative(half, whole) < 0.05


def test_noise_levels_are_embedded_in_float32() -> None:
    """In bf16 neighbouring levels would fall together (8 bits: steps of 1/16 near 10)."""
    embedding = LogSNREmbedding(32)
    levels = torch.linspace(9.0, 9.1, 40)
    whole = embedding(levels).detach()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = embedding(levels).detach()
    assert torch.equal(half, whole)
    assert len({tuple(row) for row in whole.tolist()}) == 40
    steps = (whole[1:] - whole[:-1]).norm(dim=1)
    assert float(steps.max() / steps.min()) < 1.5


# ---- float32 products on the CPU ----------------------------------------------------------------------------------


@pytest.fixture
def matmul_precision() -> Iterator[None]:
    former = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(former)


def test_fast_products_stay_float32(matmul_precision: None) -> None:
    """Whatever this CPU can do: either the switch is set and products are exact, or it is not set."""
    model = tiny_model(CONFIG)
    wanted = outputs(model, is_half=False)
    is_fast = processor.use_fast_products()
    assert torch.get_float32_matmul_precision() == ("medium" if is_fast else "highest")
    for fast, plain in zip(outputs(model, is_half=False), wanted, strict=True):
        assert relative(fast, plain) < 1e-5


def test_products_that_round_are_refused(matmul_precision: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a CPU with AMX. No CPU's products are as good as this demands."""
    monkeypatch.setattr(processor, "WORST_PRODUCT_ERROR", 1e-12)
    torch.set_float32_matmul_precision("high")
    assert not processor.use_fast_products()
    assert torch.get_float32_matmul_precision() == "high"


def test_the_trial_product_tells_bf16_factors_from_float32() -> None:
    assert processor._product_error() < 1e-6
    a, b = torch.randn(2, 256, 256, generator=torch.Generator().manual_seed(0)).unbind(0)
    rounded = a.bfloat16().float() @ b.bfloat16().float()
    assert relative(rounded, a @ b) > 100 * processor.WORST_PRODUCT_ERROR


def test_memory_is_kept_where_the_c_library_can() -> None:
    assert processor.keep_freed_memory() == (platform.libc_ver()[0] == "glibc")


@pytest.mark.stress
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps memory on request")
def test_kept_memory_is_not_faulted_in_again() -> None:
    """In a process of its own, which loads torch; 64 MB are more than glibc keeps by itself."""
    program = """
import resource, torch
from ul_engine.processor import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        torch.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
plain = faults()
keep_freed_memory()
faults()
print(plain, faults())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    plain, kept = map(int, done.stdout.split())
    assert kept < plain / 4


# ---- the moving average -------------------------------------------------------------------------------------------


def test_average_of_bf16_weights_is_kept_in_float32_and_moves() -> None:
    module = nn.Linear(4, 4, dtype=torch.bfloat16)
    with torch.no_grad():
        module.weight.fill_(1.0)
    ema = EMA(module, 0.9999)
    ema.num_updates = 10**6  # long past the warm-up
    with torch.no_grad():
        module.weight.fill_(2.0)
    for _ in range(100):
        ema.update(module)
    average = dict(ema.named_averages())["weight"]
    assert average.dtype == torch.float32
    assert float(average.mean()) == pytest.approx(2 - 0.9999**100, rel=1e-4)
    assert ema.state_dict()["weight"].dtype == torch.float32


def test_average_is_the_formula_with_its_warm_up() -> None:
    module = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        module.weight.fill_(0.0)
    ema = EMA(module, 0.9)
    wanted = 0.0
    for update in range(200):
        with torch.no_grad():
            module.weight.fill_(float(update + 1))
        ema.update(module)
        decay = min(0.9, (1 + update) / (10 + update))
        wanted = decay * wanted + (1 - decay) * (update + 1)
        assert float(dict(ema.named_averages())["weight"]) == pytest.approx(wanted, rel=1e-5)
    assert ema.num_updates == 200


def test_average_begins_as_a_copy_of_its_own_and_does_not_touch_the_module() -> None:
    module = nn.Linear(3, 2)
    before = copy.deepcopy(module.state_dict())
    ema = EMA(module, 0.5)
    with torch.no_grad():
        module.weight.add_(1.0)
    assert torch.equal(dict(ema.named_averages())["weight"], before["weight"])
    raw = module.weight.detach().clone()
    ema.update(module)
    assert torch.equal(module.weight, raw)
    other = nn.Linear(3, 2)
    ema.copy_to(other)
    assert torch.equal(other.weight, dict(ema.named_averages())["weight"])


def test_average_goes_through_its_state() -> None:
    module = nn.Linear(3, 2)
    first, second = EMA(module, 0.99), EMA(nn.Linear(3, 2), 0.99)
    with torch.no_grad():
        module.weight.add_(1.0)
    first.update(module)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert second.num_updates == 1
    with torch.no_grad():
        module.bias.add_(1.0)
    first.update(module)
    second.update(module)
    for (_, a), (_, b) in zip(first.named_averages(), second.named_averages(), strict=True):
        assert torch.equal(a, b)
