"""Network evaluations of a generation, counted on paper and by running one."""

import pytest
import torch

from tests.helpers.tiny import class_conditioning, tiny_config, tiny_model
from ul_engine.accounting import Operations, sampling_cost
from ul_engine.config import ModelConfig, VideoConfig
from ul_engine.pipelines import Pipeline
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings, SamplingSettings

FORWARD = {"base": Operations(linear=3, attention=2), "decoder": Operations(convolution=7)}


def settings(name: SamplerName, guidance: GuidanceSettings) -> SamplingSettings:
    return SamplingSettings(
        base=SamplerSettings(name=name, num_steps=9),
        decoder=SamplerSettings(name=name, num_steps=4),
        guidance=guidance,
    )


@pytest.mark.parametrize("name", [SamplerName.DPMPP_2M, SamplerName.DDIM])
@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_evaluations_are_those_of_a_real_run(name: SamplerName, weight: float) -> None:
    config = tiny_config(conditioning=class_conditioning())
    pipeline = Pipeline(tiny_model(config), torch.device("cpu"))
    calls = {"base": 0, "decoder": 0}

    def counted(network: str):
        def hook(module: object, inputs: tuple[torch.Tensor, ...]) -> None:
            calls[network] += len(inputs[0])  # guidance may evaluate a sample twice in one batch

        return hook

    for network in calls:
        getattr(pipeline.model, network).register_forward_pre_hook(counted(network))
    sampling = settings(name, GuidanceSettings(weight=weight))
    condition = pipeline.model.condition_from_class(1, 1)
    z_0 = pipeline.sample_latents([0], (1, 4, 4), condition, sampling.base, sampling.guidance)
    pipeline.decode(z_0, [0], sampling.decoder)
    cost = sampling_cost(config, sampling, FORWARD)
    assert (cost.base_evaluations, cost.decoder_evaluations) == (calls["base"], calls["decoder"])
    assert cost.base_evaluations > 9 if weight > 1.0 else cost.base_evaluations == 9


def test_multiply_adds_of_all_evaluations() -> None:
    cost = sampling_cost(tiny_config(), settings(SamplerName.DDIM, GuidanceSettings(weight=3.0)), FORWARD)
    assert cost.base_evaluations == 9  # a model that is told nothing has nothing to be guided by
    assert cost.base == Operations(linear=27, attention=18)
    assert cost.decoder == Operations(convolution=28)
    assert cost.total == 73


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (tiny_config(video=VideoConfig(num_frames=4, temporal_downsampling=2, context_frames=2)), (18, 4)),
        (tiny_config(decoder_loss={"kind": "mse"}), (9, 1)),
    ],
)
def test_what_a_model_is_decides(config: ModelConfig, expected: tuple[int, int]) -> None:
    """Frames to continue from can be guided by; a decoder trained on the squared error answers at once."""
    everywhere = GuidanceSettings(weight=3.0, logsnr_low=-20.0, logsnr_high=20.0)
    cost = sampling_cost(config, settings(SamplerName.DPMPP_2M, everywhere), FORWARD)
    assert (cost.base_evaluations, cost.decoder_evaluations) == expected
