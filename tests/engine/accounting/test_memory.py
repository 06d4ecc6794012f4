"""Estimated memory against torch's own autocast, against a whole step followed operation by operation, and by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.helpers.tiny import text_conditioning, tiny_config
from ul_engine.accounting import DEVICE_SHARE, inference_memory, meta_model, stage1_memory, stage2_memory
from ul_engine.accounting.memory import UNIT_STD, _meta_noise
from ul_engine.accounting.networks import latent_shape, meta_pictures
from ul_engine.accounting.precision import HALF, MixedPrecision, Policy, kept_in_full
from ul_engine.accounting.storages import PeakBytes, saved_for_backward
from ul_engine.config import DecoderConfig, ModelConfig
from ul_engine.models.unified import UnifiedLatents
from ul_engine.nn import attention
from ul_engine.objectives import draw_stage1_noise, stage1_terms
from ul_engine.presets import MODEL_PRESETS

META = torch.device("meta")
CPU = Policy(half=HALF, full=frozenset(), widest=frozenset())
"""What autocast on a CPU does to the same operations: layer norms stay in bf16."""


def stage1_networks(model: UnifiedLatents) -> nn.ModuleList:
    return nn.ModuleList((model.encoder, model.prior, model.decoder)).train()


@pytest.mark.parametrize("name", ["tiny", "scenes"])
def test_saved_bytes_are_those_of_real_autocast(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same loss on real tensors under torch's own autocast saves as many bytes, but for rounding in norms."""
    monkeypatch.setattr(attention, "MAX_WRITTEN_OUT", 0)  # the fused attention, as on a graphics card
    config = MODEL_PRESETS[name].config
    networks = stage1_networks(UnifiedLatents(config))
    x = torch.rand(2, 3, 1, config.image_px, config.image_px)
    noise = draw_stage1_noise(x, (2, *latent_shape(config)), torch.Generator().manual_seed(0))
    with saved_for_backward() as saved, torch.autocast("cpu", dtype=torch.bfloat16):
        terms = stage1_terms(tuple(networks), x, noise, config=config, latent_std=UNIT_STD)
    real = saved.num_bytes(besides=networks.parameters())
    assert terms.loss_nats.requires_grad
    estimate = stage1_memory(meta_model(config), 2, CPU)
    assert estimate.half_weights + estimate.activations == pytest.approx(real, rel=0.015)


@pytest.mark.parametrize(
    ("name", "batch", "share"),
    [("tiny", 32, 0.9), ("scenes", 1, 0.5), pytest.param("motion-64", 4, 0.9, marks=pytest.mark.stress)],
)
def test_a_whole_step_stays_below_the_sum(name: str, batch: int, share: float) -> None:
    """Forward and backward, each result followed from birth to death: gradients, copies, activations, transients."""
    config = MODEL_PRESETS[name].config
    model = meta_model(config)
    networks = stage1_networks(model)
    x, noise = meta_pictures(config, batch), _meta_noise(model, batch)
    with PeakBytes(networks.parameters()) as alive:
        with MixedPrecision(kept=kept_in_full(networks)) as precision:
            terms = stage1_terms(tuple(networks), x, noise, config=config, latent_std=UNIT_STD)
            loss = terms.loss_nats.mean()
        del terms
        precision.half_copies.clear()
        loss.backward()
    estimate = stage1_memory(meta_model(config), batch)
    counted = estimate.total - estimate.weights - estimate.optimizer - estimate.average
    assert share * counted < alive.peak <= counted


def test_parts_that_follow_from_the_parameters() -> None:
    config = tiny_config(conditioning=text_conditioning())
    model = meta_model(config)
    trained = sum(part.numel() for part in stage1_networks(model).parameters())
    memory = stage1_memory(model, 4)
    assert memory.batch_size == 4
    assert (memory.weights, memory.gradients, memory.average) == (4 * trained,) * 3
    assert memory.optimizer == 8 * trained
    assert 0 < memory.half_weights < 2 * trained
    base = sum(part.numel() for part in model.base.parameters())
    second = stage2_memory(model, 4)
    assert (second.weights, second.optimizer) == (4 * base, 8 * base)
    parts = second.model_dump()
    assert second.total == sum(parts.values()) - parts["batch_size"]
    assert inference_memory(model).weights == 4 * (trained + base)


@pytest.mark.parametrize("stage", [stage1_memory, stage2_memory])
def test_activations_grow_with_the_batch_and_nothing_else_does(stage) -> None:
    model = meta_model(tiny_config())
    one, two, four = (stage(model, batch) for batch in (8, 16, 32))
    assert four.activations - two.activations == 2 * (two.activations - one.activations)
    assert one.weights == four.weights
    assert one.half_weights == four.half_weights


def test_attention_keeps_no_table_of_scores() -> None:
    """With the picture's area the saved bytes of a decoder grow fourfold, not sixteenfold."""

    def saved(image_px: int) -> int:
        config = tiny_config(image_px=image_px, decoder=DecoderConfig(channels=(16,), width=64, num_blocks=3))
        return stage1_memory(meta_model(config), 1).activations

    assert saved(128) / saved(64) == pytest.approx(4.0, rel=0.1)


def test_dropout_keeps_a_byte_per_value() -> None:
    x = torch.empty(1000, device=META, requires_grad=True)
    with saved_for_backward() as saved, MixedPrecision():
        dropped = F.dropout(x, 0.1, True)
    assert saved.num_bytes(besides=()) == 1000
    with saved_for_backward() as saved, MixedPrecision():
        assert F.dropout(dropped, 0.1, False) is dropped
    assert saved.num_bytes(besides=()) == 0


def test_dtypes_of_mixed_precision() -> None:
    linear = nn.Linear(8, 8, device=META)
    x = torch.empty(2, 8, device=META)
    with MixedPrecision() as precision:
        half = linear(x)
        assert half.dtype == torch.bfloat16
        assert F.layer_norm(half, (8,)).dtype == torch.float32
        assert torch.addcmul(half, half, x).dtype == torch.float32
        assert F.gelu(half).dtype == torch.bfloat16
        linear(x)
    assert len(precision.half_copies) == 2  # weight and bias, copied once each
    with MixedPrecision(kept=frozenset((id(linear.weight),))):
        assert linear(x).dtype == torch.float32
    with torch.no_grad(), MixedPrecision() as precision:
        assert linear(x).dtype == torch.bfloat16
    assert not precision.half_copies


def test_masked_attention_runs_as_its_own_kernel() -> None:
    query = torch.empty(2, 4, 6, 8, device=META, dtype=torch.bfloat16, requires_grad=True)
    mask = torch.empty(2, 1, 1, 6, device=META, dtype=torch.bool)
    with MixedPrecision():
        mixed = F.scaled_dot_product_attention(query, query, query, attn_mask=mask, scale=1.0)
    assert mixed.shape == query.shape
    mixed.sum().backward()
    assert query.grad is not None


def test_peak_of_a_chain_by_hand() -> None:
    x = torch.empty(250, device=META)
    with PeakBytes((x,)) as alive:
        y = x * 2  # 1000 bytes
        y = y + x  # 2000 until the first is gone
        y = y.view(25, 10)  # nothing new
        del y
        x.to(torch.float64)  # 2000 alone
    assert alive.peak == 2000
    with PeakBytes((x,)) as alive:
        x.view(10, 25)
    assert alive.peak == 0


def test_saved_storages_count_once() -> None:
    x = torch.empty(250, device=META, requires_grad=True)
    with saved_for_backward() as saved:
        y = x.exp()  # saves its result
        z = y.view(25, 10).square()  # saves a view of the same
    assert z.requires_grad
    assert saved.num_bytes(besides=()) == 1000
    assert saved.num_bytes(besides=(y,)) == 0


def test_inference_holds_less_than_training() -> None:
    model = meta_model(MODEL_PRESETS["scenes"].config)
    memory = inference_memory(model)
    assert 0 < memory.working < stage1_memory(model, 1).activations
    assert memory.total == memory.weights + memory.working


TIGHTEST = ("desktop-256-4gb", "desktop-256-24gb")
SIZED = [name for name, preset in MODEL_PRESETS.items() if preset.memory_gb is not None]


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in TIGHTEST else pytest.mark.stress) for n in SIZED])
def test_stage_1_fits_its_device_as_stated(name: str) -> None:
    preset = MODEL_PRESETS[name]
    gigabytes = stage1_memory(meta_model(preset.config), preset.batch_size).total / 1e9
    assert gigabytes <= DEVICE_SHARE * preset.memory_gb
    assert gigabytes == pytest.approx(preset.stage1_gb, rel=0.03)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.stress) for name in SIZED])
def test_stage_2_takes_less_than_stage_1(name: str) -> None:
    preset = MODEL_PRESETS[name]
    assert stage2_memory(meta_model(preset.config), preset.batch_size).total < preset.stage1_gb * 1e9


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "batch"), [("scenes", 64), ("desktop-128-8gb", 16)])
def test_estimate_beside_a_real_graphics_card(name: str, batch: int) -> None:
    """Largest allocation of a real step of Stage 1, without AdamW and the average, against the estimate."""
    config: ModelConfig = MODEL_PRESETS[name].config
    device = torch.device("cuda")
    networks = stage1_networks(UnifiedLatents(config)).to(device)
    x = torch.rand(batch, 3, 1, config.image_px, config.image_px, device=device)
    noise = draw_stage1_noise(x, (batch, *latent_shape(config)), torch.Generator().manual_seed(0))
    torch.cuda.reset_peak_memory_stats()
    with torch.autocast("cuda", dtype=torch.bfloat16):
        terms = stage1_terms(tuple(networks), x, noise, config=config, latent_std=UNIT_STD.to(device))
    terms.loss_nats.mean().backward()
    estimate = stage1_memory(meta_model(config), batch)
    counted = estimate.total - estimate.optimizer - estimate.average
    assert torch.cuda.max_memory_allocated() == pytest.approx(counted, rel=0.25)
