"""Tiny real networks learn: Stage 1 overfits four pictures, the decoder looks at z_0, a base model finds them again."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import class_conditioning, simple_pictures, tiny_config
from ul_engine.data.pixels import pictures_from_array
from ul_engine.diffusion.time_sampling import stratified_times
from ul_engine.ema import EMA
from ul_engine.metrics.distortion import psnr_db
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import draw_stage1_noise, stage1_terms, stage2_nats
from ul_engine.pipelines import Pipeline
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings

NUM = 4
CONFIG = tiny_config(conditioning=class_conditioning(NUM), decoder_loss={"loss_factor": 4.0})
SAMPLER = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=12)


@dataclass
class Trained:
    """A model after both stages, and its losses on the way."""

    pipeline: Pipeline
    pictures: Tensor
    stage1: Tensor
    stage2: Tensor


def train_stage1(model: UnifiedLatents, x: Tensor, *, num_steps: int) -> Tensor:
    networks = (model.encoder, model.prior, model.decoder)
    parameters = [p for network in networks for p in network.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-2, betas=(0.9, 0.99), weight_decay=0.0)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for step in range(num_steps):
        noise = draw_stage1_noise(x, (NUM, 4, 1, 4, 4), generator)
        ramp = min(1.0, step / (0.7 * num_steps))
        terms = stage1_terms(networks, x, noise, config=CONFIG, latent_std=model.latent_std, prior_gradient=ramp)
        loss = (terms.prior_nats + terms.decoder_nats).mean() / x[0].numel()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        model.latent_std.copy_(terms.z_clean.detach().std())
        losses.append(loss.detach())
    return torch.stack(losses)


def train_stage2(model: UnifiedLatents, z: Tensor, *, num_steps: int, copies: int = 8) -> Tensor:
    optimizer = torch.optim.AdamW(model.base.parameters(), lr=5e-3, betas=(0.9, 0.99), weight_decay=0.0)
    generator = torch.Generator().manual_seed(0)
    ema = EMA(model.base, 0.98)
    z, condition = z.repeat(copies, 1, 1, 1, 1), Condition(torch.arange(NUM).repeat(copies)[:, None])
    losses = []
    for _ in range(num_steps):
        t = stratified_times(len(z), generator=generator)
        eps = torch.randn(z.shape, generator=generator)
        nats = stage2_nats(model.base, z, t, eps, config=CONFIG, latent_std=model.latent_std, condition=condition)
        loss = nats.mean() / z[0].numel()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.base.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        ema.update(model.base)
        losses.append(loss.detach())
    ema.copy_to(model.base)
    return torch.stack(losses)


@pytest.fixture(scope="module")
def trained() -> Trained:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = UnifiedLatents(CONFIG)
    x = pictures_from_array(simple_pictures(NUM))
    stage1 = train_stage1(model, x, num_steps=260)
    model.requires_grad_(False)
    pipeline = Pipeline(model, torch.device("cpu"))
    model.base.requires_grad_(True)
    stage2 = train_stage2(model, pipeline.encode(x).clone(), num_steps=200)
    model.eval().requires_grad_(False)
    return Trained(pipeline, x, stage1, stage2)


def test_stage_1_overfits_one_batch(trained: Trained) -> None:
    assert float(trained.stage1[-20:].mean()) < 0.4 * float(trained.stage1[0])


def test_the_decoder_looks_at_z_0(trained: Trained) -> None:
    """Right against shuffled latents: a collapsed latent would make no difference."""
    seeds = range(NUM)
    z_0 = trained.pipeline.native_latent(trained.pipeline.encode(trained.pictures), seeds)
    right = psnr_db(trained.pictures, trained.pipeline.decode(z_0, seeds, SAMPLER)).mean()
    shuffled = psnr_db(trained.pictures, trained.pipeline.decode(z_0.roll(1, 0), seeds, SAMPLER)).mean()
    assert float(right) > 14.0
    assert float(right - shuffled) > 3.0


def test_the_latent_is_alive_and_its_bits_are_counted(trained: Trained) -> None:
    z = trained.pipeline.encode(trained.pictures)
    nats = trained.pipeline.bitrate(z, range(NUM), num_times=32).nats
    assert float(z.std()) > 0.1
    assert (nats > 1.0).all()  # ln 4 = 1.4 nats are needed to tell four pictures apart
    noisy = trained.pipeline.bitrate(z + 2.0, range(NUM), num_times=32).nats
    assert (noisy > nats).all()  # what the prior was never shown costs more


def test_stage_2_overfits_four_latents(trained: Trained) -> None:
    assert float(trained.stage2[-20:].mean()) < 0.4 * float(trained.stage2[:3].mean())


def test_the_base_model_follows_its_class(trained: Trained) -> None:
    """Nearly all samples of class i lie nearest the latent of picture i, and decode to picture i."""
    z = trained.pipeline.encode(trained.pictures)
    labels = torch.arange(NUM).repeat_interleave(6)
    seeds = range(len(labels))
    z_0 = trained.pipeline.sample_latents(
        seeds, (1, 4, 4), Condition(labels[:, None]), SAMPLER, GuidanceSettings(weight=1.0)
    )
    nearest = (z_0[:, None] - z[None]).flatten(2).norm(dim=2).argmin(1)
    pictures = trained.pipeline.decode(z_0, seeds, SAMPLER)
    errors = torch.stack([psnr_db(x[None].expand_as(pictures), pictures) for x in trained.pictures])
    assert float((nearest == labels).float().mean()) > 0.8  # chance: 0.25
    assert float((errors.argmax(0) == labels).float().mean()) > 0.5
