"""Pipelines: seeds decide, batches do not; levels are exact; loops can be watched and stopped."""

import math

import pytest
import torch
from torch import Tensor, nn

from tests.helpers.tiny import class_conditioning, simple_pictures, text_conditioning, tiny_config, tiny_model
from ul_engine.data.pixels import pictures_from_array
from ul_engine.diffusion.samplers import SamplerStep
from ul_engine.errors import Cancelled, ConfigError, DeviceMemoryError, NumericsError
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import latent_schedule_of
from ul_engine.pipelines import Phase, Pipeline, out_of_memory, pad_to_multiple, ready_pipeline, sampling_grid
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings

NO_GUIDANCE = GuidanceSettings(weight=1.0)
NATIVE_SIGMA = math.sqrt(1 / (1 + math.exp(5)))
every_sampler = pytest.mark.parametrize("name", list(SamplerName))


def steps(count: int, name: SamplerName = SamplerName.DPMPP_2M_SDE) -> SamplerSettings:
    return SamplerSettings(name=name, num_steps=count)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    model = tiny_model(tiny_config(conditioning=text_conditioning()))
    return Pipeline(model, torch.device("cpu"))


@pytest.fixture(scope="module")
def fresh() -> Pipeline:
    """Untrained networks predict v = 0: the ideal denoisers of unit Gaussian data."""
    torch.manual_seed(0)
    return Pipeline(UnifiedLatents(tiny_config()).eval().requires_grad_(False), torch.device("cpu"))


def watched(network: nn.Module | None) -> tuple[list[tuple[Tensor, ...]], object]:
    """What a network is given from here on."""
    assert network is not None
    inputs: list[tuple[Tensor, ...]] = []
    return inputs, network.register_forward_pre_hook(lambda module, given: inputs.append(given))


# ---- one seed, one picture ----------------------------------------------------------------------------------------


@every_sampler
@pytest.mark.parametrize("guidance", [NO_GUIDANCE, GuidanceSettings(weight=3.0)])
def test_a_seed_gives_the_same_picture_in_any_batch(
    pipeline: Pipeline, name: SamplerName, guidance: GuidanceSettings
) -> None:
    def pictures(seeds: list[int]) -> Tensor:
        condition = pipeline.model.condition_from_prompts(["a red cube"] * len(seeds))
        z_0 = pipeline.sample_latents(seeds, (1, 4, 5), condition, steps(6, name), guidance)
        return pipeline.decode(z_0, seeds, steps(6, name))

    five = pictures([3, 7, 11, 2**40, 0])
    assert five.shape == (5, 3, 1, 16, 20)
    for index, seed in ((1, 7), (3, 2**40)):
        alone = pictures([seed])
        assert float((alone[0] - five[index]).abs().max()) <= 2 / 255  # 1/255 of the range from -1 to 1
    assert float((five[0] - five[1]).abs().mean()) > 0.01
    assert torch.equal(pictures([3, 7, 11, 2**40, 0]), five)


def test_encoding_and_native_noise_are_the_same_in_any_batch(pipeline: Pipeline) -> None:
    x = pictures_from_array(simple_pictures(3))
    z = pipeline.encode(x)
    torch.testing.assert_close(pipeline.encode(x[1:2]), z[1:2], atol=1e-5, rtol=1e-4)
    assert torch.equal(pipeline.native_latent(z, [1, 2, 3])[1:2], pipeline.native_latent(z[1:2], [2]))
    nats = pipeline.bitrate(z, [1, 2, 3], num_times=4).nats
    torch.testing.assert_close(pipeline.bitrate(z[1:2], [2], num_times=4).nats, nats[1:2], rtol=1e-3, atol=1e-2)


# ---- levels -------------------------------------------------------------------------------------------------------


def test_native_latent_is_at_log_snr_5(pipeline: Pipeline) -> None:
    z = torch.full((64, 4, 1, 8, 8), 2.0)
    z_0 = pipeline.native_latent(z, range(64))
    assert float(z_0.mean()) == pytest.approx(2 * math.sqrt(1 - NATIVE_SIGMA**2), abs=2e-3)
    assert float(z_0.std()) == pytest.approx(NATIVE_SIGMA, rel=0.02)


@every_sampler
def test_untrained_base_samples_unit_gaussians_at_the_native_level(fresh: Pipeline, name: SamplerName) -> None:
    """Fresh networks are the ideal denoisers of N(0, 1) data, whose noisy form has variance 1 at every level."""
    z_0 = fresh.sample_latents(range(64), (1, 4, 8), None, steps(60, name), NO_GUIDANCE)
    assert float(z_0.var()) == pytest.approx(1.0, abs=0.1)  # first-order solvers are 6 % short at 60 steps
    assert float(z_0.mean()) == pytest.approx(0.0, abs=0.05)


@every_sampler
def test_z_0_is_no_clean_estimate(pipeline: Pipeline, name: SamplerName) -> None:
    seen: list[SamplerStep] = []
    condition = pipeline.model.condition_from_prompts(["red"] * 2)
    z_0 = pipeline.sample_latents(
        [1, 2], (1, 4, 4), condition, steps(5, name), NO_GUIDANCE, lambda phase, step: seen.append(step)
    )
    assert not torch.allclose(z_0, seen[-1].x_hat, atol=1e-3)
    grid = sampling_grid(latent_schedule_of(pipeline.model.config), steps(5, name))
    assert [step.logsnr for step in seen] == grid[:-1].tolist()
    assert float(grid[-1]) == 5.0


def test_decoder_is_given_exactly_z_0(pipeline: Pipeline) -> None:
    z_0 = torch.randn(2, 4, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    inputs, hook = watched(pipeline.model.decoder)
    pipeline.decode(z_0, [1, 2], steps(3))
    hook.remove()
    assert len(inputs) == 3
    unit = 1 / math.sqrt((1 - NATIVE_SIGMA**2) * 0.64 + NATIVE_SIGMA**2)
    for _, _, seen, level in inputs:
        assert level.tolist() == [5.0, 5.0]
        torch.testing.assert_close(seen, unit * z_0)


def test_previews_are_noised_back_to_5_first(pipeline: Pipeline) -> None:
    z_hat = torch.full((64, 4, 1, 4, 4), 0.5)
    inputs, hook = watched(pipeline.model.decoder)
    pictures = pipeline.glimpse(z_hat, range(64))
    hook.remove()
    assert pictures.shape == (64, 3, 1, 16, 16)
    assert float(pictures.abs().max()) <= 1.0
    ((_, level, seen, _),) = inputs
    assert level.tolist() == pytest.approx([-10 + 2 * math.log(32 / 16)] * 64)
    z_0 = seen * math.sqrt((1 - NATIVE_SIGMA**2) * 0.64 + NATIVE_SIGMA**2)
    assert float(z_0.std()) == pytest.approx(NATIVE_SIGMA, rel=0.03)
    assert float(z_0.mean()) == pytest.approx(0.5 * math.sqrt(1 - NATIVE_SIGMA**2), abs=0.01)
    torch.testing.assert_close(pipeline.glimpse(z_hat[5:6], [5]), pictures[5:6], atol=1e-4, rtol=1e-4)


# ---- the noise ladder ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("logsnr", [5.0, 7.0, 12.0])
def test_at_and_above_5_the_ladder_only_adds_noise(pipeline: Pipeline, logsnr: float) -> None:
    inputs, hook = watched(pipeline.model.prior)
    z = torch.full((64, 4, 1, 8, 8), 1.5)
    z_t = pipeline.bring_back(z, logsnr, range(64), steps(20))
    hook.remove()
    assert inputs == []
    sigma_squared = 1 / (1 + math.exp(logsnr))
    assert float(z_t.std()) == pytest.approx(math.sqrt(sigma_squared), rel=0.02)
    assert float(z_t.mean()) == pytest.approx(1.5 * math.sqrt(1 - sigma_squared), abs=3e-3)


@pytest.mark.parametrize("logsnr", [4.0, 0.0, -3.0])
@pytest.mark.parametrize("name", [SamplerName.DDPM, SamplerName.DPMPP_2M_SDE])
def test_below_5_the_prior_brings_it_back(fresh: Pipeline, logsnr: float, name: SamplerName) -> None:
    """Unit Gaussian data and their ideal denoiser: variance 1 again, and `alpha_0 alpha^2` of the latent is left."""
    z = torch.randn(32, 4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    z_0 = fresh.bring_back(z, logsnr, range(32), steps(160, name))
    alpha_squared = 1 / (1 + math.exp(-logsnr))
    left = float((z_0 * z).mean() / z.square().mean())
    assert float(z_0.var()) == pytest.approx(1.0, abs=0.08)
    assert left == pytest.approx(math.sqrt(1 - NATIVE_SIGMA**2) * alpha_squared, abs=0.04)


@pytest.mark.parametrize(("logsnr", "wanted"), [(4.0, 2), (0.0, 10), (-2.5, 15), (-10.0, 30)])
def test_a_rung_takes_its_share_of_the_steps(fresh: Pipeline, logsnr: float, wanted: int) -> None:
    seen: list[tuple[Phase, SamplerStep]] = []
    z = torch.zeros(1, 4, 1, 4, 4)
    fresh.bring_back(z, logsnr, [1], steps(30), lambda phase, step: seen.append((phase, step)))
    assert [step.index for _, step in seen] == list(range(1, wanted + 1))
    assert {(phase, step.num_steps) for phase, step in seen} == {("base", wanted)}
    assert seen[0][1].logsnr == logsnr


def test_below_the_noisiest_level_is_refused(fresh: Pipeline) -> None:
    with pytest.raises(ConfigError, match="below the noisiest level -10"):
        fresh.bring_back(torch.zeros(1, 4, 1, 4, 4), -10.5, [1], steps(3))


# ---- watching and stopping ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("phase", "at"), [("base", 1), ("base", 4), ("decoder", 1), ("decoder", 6)])
def test_cancelling_stops_either_loop_at_once(pipeline: Pipeline, phase: Phase, at: int) -> None:
    base_inputs, base_hook = watched(pipeline.model.base)
    decoder_inputs, decoder_hook = watched(pipeline.model.decoder)
    heard: list[tuple[Phase, int]] = []

    def observe(where: Phase, step: SamplerStep) -> None:
        heard.append((where, step.index))
        if (where, step.index) == (phase, at):
            raise Cancelled

    def run() -> None:
        condition = pipeline.model.condition_from_prompts(["red"])
        z_0 = pipeline.sample_latents([1], (1, 4, 4), condition, steps(5), NO_GUIDANCE, observe)
        pipeline.decode(z_0, [1], steps(7), observe)

    with pytest.raises(Cancelled):
        run()
    base_hook.remove()
    decoder_hook.remove()
    assert heard[-1] == (phase, at)
    assert len(base_inputs) == (at if phase == "base" else 5)
    assert len(decoder_inputs) == (0 if phase == "base" else at)


@pytest.mark.parametrize("batch", [1, 9])
def test_guidance_evaluates_twice_only_inside_its_interval(pipeline: Pipeline, batch: int) -> None:
    """A small batch in one evaluation of twice the samples, a larger one in two."""
    guidance = GuidanceSettings(weight=2.0, logsnr_low=-3.0, logsnr_high=1.5)
    condition = pipeline.model.condition_from_prompts(["red"] * batch)
    inputs, hook = watched(pipeline.model.base)
    pipeline.sample_latents(range(batch), (1, 4, 4), condition, steps(15), guidance)
    hook.remove()
    grid = sampling_grid(latent_schedule_of(pipeline.model.config), steps(15))[:-1]
    inside = int(((grid >= -3.0) & (grid <= 1.5)).sum())
    assert 0 < inside < 15
    assert sum(len(z_t) for z_t, *_ in inputs) == batch * (15 + inside)
    assert len(inputs) == (15 if batch == 1 else 15 + inside)


def test_prompts_and_guidance_change_the_result(pipeline: Pipeline) -> None:
    def sample(prompt: str | None, weight: float) -> Tensor:
        condition = pipeline.model.condition_from_prompts([prompt]) if prompt is not None else None
        return pipeline.sample_latents([1], (1, 4, 4), condition, steps(8), GuidanceSettings(weight=weight))

    plain = sample("red cube", 1.0)
    assert not torch.allclose(sample("green cube", 1.0), plain, atol=1e-4)
    assert not torch.allclose(sample("red cube", 4.0), plain, atol=1e-4)
    torch.testing.assert_close(sample("", 1.0), sample(None, 4.0), atol=1e-4, rtol=1e-4)


def test_class_models_sample_with_and_without_a_class() -> None:
    pipeline = Pipeline(tiny_model(tiny_config(conditioning=class_conditioning(2))), torch.device("cpu"))
    condition = pipeline.model.condition_from_class(1, 2)
    first = pipeline.sample_latents([1, 2], (1, 4, 4), condition, steps(4), GuidanceSettings(weight=3.0))
    second = pipeline.sample_latents([1, 2], (1, 4, 4), None, steps(4), NO_GUIDANCE)
    assert not torch.allclose(first, second, atol=1e-4)


# ---- sizes --------------------------------------------------------------------------------------------------------


def test_padding_repeats_the_edges() -> None:
    x = torch.arange(2 * 3 * 5, dtype=torch.float32).view(1, 2, 1, 3, 5)
    padded = pad_to_multiple(x, 4)
    assert padded.shape == (1, 2, 1, 4, 8)
    assert torch.equal(padded[..., :3, :5], x)
    assert torch.equal(padded[..., 3, :5], x[..., 2, :])
    assert torch.equal(padded[..., :3, 7], x[..., :, 4])
    assert pad_to_multiple(padded, 4) is padded
    clip = torch.arange(5.0).view(1, 1, 5, 1, 1)
    assert pad_to_multiple(clip, 1, 4).flatten().tolist() == [0, 1, 2, 3, 4, 4, 4, 4]


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 30), (5, 3)])
def test_pictures_of_any_size_come_back_at_their_size(pipeline: Pipeline, height: int, width: int) -> None:
    x = torch.rand(2, 3, 1, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1
    z = pipeline.encode(x)
    assert z.shape[1:] == pipeline.config.latent_shape(height, width)
    assert z.shape[-2:] == (-(-height // 4), -(-width // 4))
    decoded = pipeline.decode(pipeline.native_latent(z, [1, 2]), [1, 2], steps(3), crop_to=(height, width))
    assert decoded.shape == x.shape
    assert float(decoded.abs().max()) <= 1.0


# ---- arithmetic ---------------------------------------------------------------------------------------------------


def test_half_precision_pipeline_is_near_float32(pipeline: Pipeline) -> None:
    half = Pipeline(pipeline.model, pipeline.device, torch.bfloat16)
    x = pictures_from_array(simple_pictures(2))
    results = []
    for each in (pipeline, half):
        z_0 = each.native_latent(each.encode(x), [1, 2])
        results.append(each.decode(z_0, [1, 2], steps(6, SamplerName.DPMPP_2M)))
    assert results[1].dtype == torch.float32
    assert 0 < float((results[0] - results[1]).abs().mean()) < 0.05


# Once: a picture that is not finite is clamped and handed on, and becomes a black one without a word.
def test_samples_that_are_not_finite_are_an_error() -> None:
    model = tiny_model()
    model.decoder.unpatchify.project.bias.fill_(float("nan"))
    with pytest.raises(NumericsError):
        Pipeline(model, torch.device("cpu")).decode(torch.zeros(1, 4, 1, 4, 4), [1], steps(2))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        MemoryError("Unable to allocate 3.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes"),
    ],
)
def test_running_out_of_memory_is_recognised(error: Exception) -> None:
    assert isinstance(out_of_memory(error), DeviceMemoryError)
    assert "memory" in str(out_of_memory(error))


def test_other_failures_are_not_taken_for_it() -> None:
    assert out_of_memory(RuntimeError("shapes cannot be multiplied")) is None


# ---- made ready ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_made_ready_computes_the_same(dtype: torch.dtype) -> None:
    """Weights laid out anew and, for bf16, rounded once instead of at every evaluation."""
    config = tiny_config(conditioning=text_conditioning())
    plain = Pipeline(tiny_model(config), torch.device("cpu"), dtype)
    ready = ready_pipeline(tiny_model(config), torch.device("cpu"), dtype)
    x = torch.rand(2, 3, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    condition = plain.model.condition_from_prompts(["red cube"] * 2)
    guidance = GuidanceSettings(weight=2.0)
    results = []
    for pipeline in (plain, ready):
        z_clean = pipeline.encode(x)
        z_0 = pipeline.sample_latents([1, 2], (1, 4, 4), condition, steps(3), guidance)
        results.append((z_clean, z_0, pipeline.decode(z_0, [1, 2], steps(3))))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4 if dtype is torch.float32 else 0.02, rtol=0)
    stored = {parameter.dtype for parameter in ready.model.parameters()}
    assert (torch.bfloat16 in stored) == (dtype is torch.bfloat16)
