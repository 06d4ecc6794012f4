"""Memory of a training step and of generation, counted on the real networks without allocating any of it.

Weights, gradients, both moments of AdamW and the average are float32, as the trainer keeps them. Activations are what
the loss really saves for its backward pass under bf16 autocast (`precision`); storages that several operations share
count once. Not counted: the graphics library's own context and workspaces, and fragmentation; `DEVICE_SHARE` leaves
room for them.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ul_engine.accounting.networks import META, meta_condition, meta_latents, meta_pictures
from ul_engine.accounting.precision import CUDA, MixedPrecision, Policy, kept_in_full
from ul_engine.accounting.storages import PeakBytes, parameter_bytes, saved_for_backward
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import Stage1Noise, stage1_terms, stage2_nats
from ul_engine.requests import FrozenModel

DEVICE_SHARE = 0.85
"""Ours: the part of a graphics card's memory that an estimate may fill; the rest is for what it does not count."""
UNIT_STD = torch.ones(())


class TrainingMemory(FrozenModel):
    """Bytes held by one training step of `batch_size` samples.

    `transient` is what the forward pass needs for a moment beside what it saves. All parts are never alive at once
    (gradients come as activations go), so the sum is an upper bound, a few per cent above the true peak.
    """

    batch_size: int
    weights: int
    gradients: int
    optimizer: int
    average: int
    half_weights: int
    activations: int
    transient: int

    @property
    def total(self) -> int:
        """Sum of the parts."""
        held = self.weights + self.gradients + self.optimizer + self.average
        return held + self.half_weights + self.activations + self.transient


class InferenceMemory(FrozenModel):
    """Bytes held by generating and reconstructing one sample: float32 weights of all networks, and the most that one
    evaluation of any of them needs besides, under bf16 autocast."""

    weights: int
    working: int

    @property
    def total(self) -> int:
        """Sum of both."""
        return self.weights + self.working


def stage1_memory(model: UnifiedLatents, batch_size: int, policy: Policy = CUDA) -> TrainingMemory:
    """Of the joint loss; `model` is on the meta device. Single-stage training has its base model in it."""
    encoder, decoder = model.encoder, model.decoder
    assert encoder is not None and decoder is not None
    config = model.config
    middle = model.prior if config.training == "two-stage" else model.base
    x, noise = meta_pictures(config, batch_size), _meta_noise(model, batch_size)
    condition = meta_condition(config, batch_size) if config.training != "two-stage" else None

    def loss() -> Tensor:
        networks = (encoder, middle, decoder)
        terms = stage1_terms(networks, x, noise, config=config, latent_std=UNIT_STD, condition=condition)
        return terms.loss_nats.mean()

    trained = nn.ModuleList(network for network in (encoder, middle, decoder) if network is not None)
    return _training_memory(trained, loss, batch_size, policy)


def stage2_memory(model: UnifiedLatents, batch_size: int, policy: Policy = CUDA) -> TrainingMemory:
    """Of the base model's loss on cached latents; `model` is on the meta device."""
    base = model.base
    assert base is not None
    config = model.config
    z, t = meta_latents(config, batch_size), torch.empty(batch_size, device=META)
    condition = meta_condition(config, batch_size)

    def loss() -> Tensor:
        nats = stage2_nats(base, z, t, torch.empty_like(z), config=config, latent_std=UNIT_STD, condition=condition)
        return nats.mean()

    return _training_memory(base, loss, batch_size, policy)


def inference_memory(model: UnifiedLatents) -> InferenceMemory:
    """Of all networks, one sample at a time; `model` is on the meta device."""
    config = model.config
    x, z = meta_pictures(config, 1), meta_latents(config, 1)
    logsnr, condition = torch.empty(1, device=META), meta_condition(config, 1)
    encoder, prior, decoder, base = model.encoder, model.prior, model.decoder, model.base
    passes: list[tuple[nn.Module | None, Callable[[nn.Module], object]]] = [
        (encoder, lambda network: network(x)),
        (prior, lambda network: network(z, logsnr)),
        (decoder, lambda network: network(x, logsnr, z, logsnr)),
        (base, lambda network: network(z, logsnr, condition)),
    ]
    present = [(network.eval(), run) for network, run in passes if network is not None]
    return InferenceMemory(
        weights=sum(parameter_bytes(network) for network, _ in present),
        working=max((_working_bytes(network, run) for network, run in present), default=0),
    )


def _working_bytes(network: nn.Module, run: Callable[[nn.Module], object]) -> int:
    """The most that one evaluation holds besides weights and inputs."""
    with torch.no_grad(), PeakBytes(network.parameters()) as peak, MixedPrecision(kept=kept_in_full(network)):
        run(network)
    return int(peak.peak)


def _training_memory(network: nn.Module, loss: Callable[[], Tensor], batch_size: int, policy: Policy) -> TrainingMemory:
    network.train()
    parameters, kept = list(network.parameters()), kept_in_full(network)
    with saved_for_backward() as saved, PeakBytes(parameters) as alive, MixedPrecision(policy, kept) as precision:
        graph = loss()  # held until the saved storages are counted
    copies = list(precision.half_copies.values())
    half_weights = sum(copy.numel() * copy.element_size() for copy in copies)
    activations = saved.num_bytes(besides=[*parameters, *copies])
    del graph
    weights = parameter_bytes(network)
    return TrainingMemory(
        batch_size=batch_size,
        weights=weights,
        gradients=weights,
        optimizer=2 * weights,
        average=weights,
        half_weights=half_weights,
        activations=activations,
        transient=max(0, alive.peak - half_weights - activations),
    )


def _meta_noise(model: UnifiedLatents, batch: int) -> Stage1Noise:
    """Noise of a Stage 1 loss, without values."""
    config = model.config
    x, z, t = meta_pictures(config, batch), meta_latents(config, batch), torch.empty(batch, device=META)
    return Stage1Noise(
        t_z=t,
        eps_prior=z,
        eps_z=z,
        t_x=t,
        eps_x=x,
        eps_variance=z if config.encoder.variance == "learned" else None,
        u_level=t if config.training == "single-weighted" else None,
    )
