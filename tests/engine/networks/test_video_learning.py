"""A tiny model of clips learns two motions and goes on with them: Stage 1, Stage 2 with frames before, continuing."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import tiny_config
from tests.helpers.tiny_clips import moving_square
from ul_engine.config import VideoConfig
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.diffusion.time_sampling import stratified_times
from ul_engine.ema import EMA
from ul_engine.metrics.distortion import psnr_db
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import draw_stage1_noise, stage1_terms, stage2_nats
from ul_engine.pipelines import ClipJob, Pipeline, continue_clips
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings, SamplingSettings

SIZE_PX, NUM_FRAMES, CONTEXT = 8, 8, 3
NUM_STEPS = 300
CONFIG = tiny_config(
    image_px=SIZE_PX,
    video=VideoConfig(num_frames=NUM_FRAMES, temporal_downsampling=2, context_frames=CONTEXT),
    decoder_loss={"loss_factor": 20.0, "sigmoid_bias": 2.0},
)
STEPS = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=8)
SAMPLING = SamplingSettings(base=STEPS, decoder=STEPS, guidance=GuidanceSettings(weight=1.0))


def clips() -> Tensor:
    """A red square that moves right and a blue one that moves down, a pixel per frame around an 8-pixel picture, each
    from all 8 places: `[16, 3, 8, 8, 8]`. So every clip goes on as it began, for ever."""
    red = moving_square(NUM_FRAMES, right=1, down=0, colour=(0.9, -0.6, -0.6), size_px=SIZE_PX, side=3)
    blue = moving_square(NUM_FRAMES, right=0, down=1, colour=(-0.6, 0.9, 0.9), size_px=SIZE_PX, side=3)
    return torch.cat([torch.cat((red.roll(place, 4), blue.roll(place, 3))) for place in range(8)])


@dataclass(frozen=True)
class Learner:
    """An optimizer whose rate falls to nothing over the second half."""

    parameters: list[torch.nn.Parameter]
    rate: float

    def steps(self) -> "tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]":
        optimizer = torch.optim.AdamW(self.parameters, lr=self.rate, betas=(0.9, 0.99), weight_decay=0.0)
        falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 - 2 * step / NUM_STEPS))
        return optimizer, falling


def train_stage1(model: UnifiedLatents, x: Tensor) -> None:
    networks = (model.encoder, model.prior, model.decoder)
    learner = Learner([p for network in networks for p in network.parameters()], 1e-2)
    optimizer, falling = learner.steps()
    generator = torch.Generator().manual_seed(0)
    shape = (len(x), *CONFIG.latent_shape(SIZE_PX, SIZE_PX, NUM_FRAMES))
    for step in range(NUM_STEPS):
        noise = draw_stage1_noise(x, shape, generator)
        ramp = min(1.0, step / (0.7 * NUM_STEPS))
        terms = stage1_terms(networks, x, noise, config=CONFIG, latent_std=model.latent_std, prior_gradient=ramp)
        (terms.loss_nats.mean() / x[0].numel()).backward()
        torch.nn.utils.clip_grad_norm_(learner.parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        falling.step()
        model.latent_std.copy_(terms.z_clean.detach().std())


def train_stage2(model: UnifiedLatents, z: Tensor, before: Tensor) -> None:
    """`before`: latents of the frames that are given, encoded alone; a fifth of the samples does not see them."""
    learner = Learner(list(model.base.parameters()), 5e-3)
    optimizer, falling = learner.steps()
    generator, ema = torch.Generator().manual_seed(0), EMA(model.base, 0.98)
    z, before = z.repeat(2, 1, 1, 1, 1), before.repeat(2, 1, 1, 1, 1)
    no_words = torch.zeros(len(z), 0, dtype=torch.int64)
    for _ in range(NUM_STEPS):
        t = stratified_times(len(z), generator=generator)
        eps, eps_before = (torch.randn(each.shape, generator=generator) for each in (z, before))
        has_frames = torch.rand(len(z), generator=generator) > 0.2
        told = Condition(no_words, add_noise(before, eps_before, torch.tensor(5.0)), has_frames)
        nats = stage2_nats(model.base, z, t, eps, config=CONFIG, latent_std=model.latent_std, condition=told)
        (nats.mean() / z[0].numel()).backward()
        torch.nn.utils.clip_grad_norm_(learner.parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        falling.step()
        ema.update(model.base)
    ema.copy_to(model.base)


@pytest.fixture(scope="module")
def trained() -> Pipeline:
    torch.set_num_threads(1)
    torch.manual_seed(2)
    model, x = UnifiedLatents(CONFIG), clips()
    train_stage1(model, x)
    model.requires_grad_(False)
    pipeline = Pipeline(model, torch.device("cpu"))
    model.base.requires_grad_(True)
    train_stage2(model, pipeline.encode(x).clone(), pipeline.encode(x[:, :, :CONTEXT]).clone())
    model.eval().requires_grad_(False)
    return pipeline


def continued(pipeline: Pipeline, frames: Tensor, count: int) -> Tensor:
    job = ClipJob(seeds=range(len(frames)), size=(SIZE_PX, SIZE_PX), sampling=SAMPLING)
    return continue_clips(pipeline, job, frames, count)


def likeness(x: Tensor, y: Tensor) -> Tensor:
    """PSNR in dB of each clip, [B]; two other clips of this set are 10 dB apart."""
    return psnr_db(x, y)


def other_motion(x: Tensor) -> Tensor:
    """For each clip one of the other colour and direction."""
    return x.unflatten(0, (8, 2)).flip(1).flatten(0, 1)


def test_clips_are_reconstructed_from_their_latents(trained: Pipeline) -> None:
    x, seeds = clips(), range(16)
    z = trained.encode(x)
    assert z.shape == (16, 4, 4, 2, 2)
    assert float(z.std()) > 0.2
    made = trained.decode(trained.native_latent(z, seeds), seeds, STEPS)
    right, wrong = likeness(x, made), likeness(other_motion(x), made)
    assert float(right.mean()) > 19.0
    assert float(right.min()) > 14.0
    assert float((right - wrong).min()) > 4.0
    standing_still = likeness(x, x[:, :, :1].expand_as(x))
    assert float((right - standing_still).mean()) > 6.0


def test_a_clip_goes_on_as_its_first_frames_say(trained: Pipeline) -> None:
    x = clips()
    rest = x[:, :, CONTEXT:]
    made = continued(trained, x[:, :, :CONTEXT], NUM_FRAMES - CONTEXT)
    right, wrong = likeness(rest, made), likeness(other_motion(rest), made)
    assert float(right.mean()) > 18.0
    assert float((right - wrong).min()) > 2.5
    for motion in (0, 1):
        assert float((right - wrong)[motion::2].mean()) > 7.0
    standing_still = likeness(rest, x[:, :, CONTEXT - 1 : CONTEXT].expand_as(rest))
    assert float((right - standing_still).mean()) > 6.0


def test_the_frames_decide_and_not_the_seed(trained: Pipeline) -> None:
    """The same noise, after frames of the other motion: the other motion."""
    x = clips()
    made = continued(trained, other_motion(x)[:, :, :CONTEXT], NUM_FRAMES - CONTEXT)
    right = likeness(other_motion(x)[:, :, CONTEXT:], made)
    assert float((right - likeness(x[:, :, CONTEXT:], made)).mean()) > 7.0


def test_chained_windows_keep_the_motion_beyond_the_training_length(trained: Pipeline) -> None:
    """Three windows of 5 new frames after 3 given ones; the truth comes round every 8 frames."""
    x = clips()
    truth = torch.cat((x, x, x), dim=2)[:, :, CONTEXT : CONTEXT + 15]
    made = continued(trained, x[:, :, :CONTEXT], 15)
    assert made.shape == truth.shape
    for window in range(3):
        part = slice(5 * window, 5 * window + 5)
        right = likeness(truth[:, :, part], made[:, :, part])
        assert float(right.mean()) > 16.0
        assert float((right - likeness(other_motion(truth)[:, :, part], made[:, :, part])).mean()) > 5.0
