"""Training steps as the trainer takes them: loss, backward pass, clipped gradient, AdamW, moving average."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from ul_engine.bench.inputs import Inputs
from ul_engine.bench.timing import Work
from ul_engine.diffusion.time_sampling import stratified_times
from ul_engine.ema import EMA
from ul_engine.model_folder import NetworkName
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import draw_stage1_noise, stage1_terms, stage2_nats

CLIP_NORM = 1.0
EMA_DECAY = 0.999
LEARNING_RATE = 1e-5

Autocast = Callable[[], AbstractContextManager[None]]


def stage1_step(model: UnifiedLatents, inputs: Inputs, autocast: Autocast) -> Work:
    """A step of encoder, prior (in single-stage training: the base model) and decoder."""
    config, generator = model.config, torch.Generator("cpu").manual_seed(0)
    middle = model.prior if config.training == "two-stage" else model.base
    assert model.encoder is not None and model.decoder is not None
    networks = (model.encoder, middle, model.decoder)

    def loss() -> Tensor:
        noise = draw_stage1_noise(inputs.x, tuple(inputs.z.shape), generator, config=config)
        terms = stage1_terms(
            networks, inputs.x, noise, config=config, latent_std=model.latent_std, condition=inputs.condition
        )
        return terms.loss_nats.mean() / inputs.x[0].numel()

    return _step(nn.ModuleList(network for network in networks if network is not None), loss, autocast)


def stage2_step(model: UnifiedLatents, inputs: Inputs, autocast: Autocast) -> Work:
    """A step of the base model on cached latents."""
    config, generator = model.config, torch.Generator("cpu").manual_seed(0)
    base = model.base
    assert base is not None

    def loss() -> Tensor:
        t = stratified_times(len(inputs.z), generator=generator).to(inputs.z.device)
        eps = torch.randn(inputs.z.shape, generator=generator).to(inputs.z.device)
        nats = stage2_nats(
            base, inputs.z, t, eps, config=config, latent_std=model.latent_std, condition=inputs.condition
        )
        return nats.mean() / inputs.z[0].numel()

    return _step(base, loss, autocast)


def _step(module: nn.Module, loss: Callable[[], Tensor], autocast: Autocast) -> Work:
    module.train()
    parameters = list(module.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, fused=True)
    average = EMA(module, EMA_DECAY)

    def step() -> None:
        with autocast():
            value = loss()
        value.backward()
        norm = nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
        assert math.isfinite(float(norm))
        if float(norm) > CLIP_NORM:
            nn.utils.clip_grads_with_norm_(parameters, CLIP_NORM, norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update(module)

    return step


def network_passes(model: UnifiedLatents, inputs: Inputs, autocast: Autocast) -> dict[NetworkName, tuple[Work, Work]]:
    """By network: its forward pass as in sampling, and its forward and backward pass as in training."""
    passes = {}
    for name, run in inputs.evaluations(model).items():
        network = getattr(model, name)
        passes[name] = (_forward(network, run, autocast), _forward_backward(network, run, autocast))
    return passes


def _forward(network: nn.Module, run: Callable[[], Tensor], autocast: Autocast) -> Work:
    @torch.inference_mode()
    def work() -> None:
        network.eval()
        with autocast():
            run()

    return work


def _forward_backward(network: nn.Module, run: Callable[[], Tensor], autocast: Autocast) -> Work:
    def work() -> None:
        network.train()
        with autocast():
            loss = run().square().mean()
        loss.backward()
        network.zero_grad(set_to_none=True)

    return work
