"""Stage 2: a base model on the frozen encoder's latents, under the sigmoid weight."""

import copy
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trainer.conditions import Conditions
from trainer.config import RunConfig
from trainer.export import write_model
from trainer.latents import cached_latents
from trainer.loop import StepLoss, seed_step
from trainer.order import batch_indices
from trainer.pictures import PictureSource
from trainer.validation import sheet
from ul_engine.checkpoint import load_model, load_network
from ul_engine.config import VideoConfig
from ul_engine.data.pixels import Uint8Array, array_from_pictures, pictures_from_array
from ul_engine.diffusion.bitrate import bits_per_pixel, latent_bitrate, with_learned_variance
from ul_engine.diffusion.noise import SeededNoise
from ul_engine.diffusion.time_sampling import stratified_times
from ul_engine.ema import EMA
from ul_engine.errors import ConfigError
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents
from ul_engine.models.vit import BaseModel
from ul_engine.objectives import estimate_with_base, latent_schedule_of, stage2_nats
from ul_engine.pipelines import Pipeline, default_guidance
from ul_engine.requests import SamplerName, SamplerSettings

PREVIEW_SAMPLER = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=16)
PREVIEW_COLUMNS = 8
SHARED_WITH_STAGE1 = (
    "image_px",
    "image_channels",
    "patch_px",
    "pixel_std",
    "video",
    "training",
    "latent",
    "encoder",
    "prior",
    "decoder",
    "decoder_loss",
)
"""Sections of the model's configuration that Stage 1 trained with and Stage 2 must keep."""


class Stage2:
    """The base model's loss on cached latents; a `Trainable`."""

    def __init__(
        self, config: RunConfig, train: PictureSource, valid: PictureSource, *, device: torch.device, cache: Path
    ) -> None:
        self.config = config
        self.device = device
        assert config.init_from is not None
        stage1, manifest = load_model(config.init_from, device=device)
        _require_same_latent(config, stage1)
        self.frozen = stage1
        pipeline = Pipeline(stage1, device, self._dtype())
        self.train_pictures = train
        encoder_hash = manifest.networks["encoder"].sha256
        self.latents = cached_latents(cache, pipeline, train, encoder_hash=encoder_hash)
        held_out = np.arange(config.validation.num_images)
        self.valid_latents, self.valid_log_variance = pipeline.encode_sampled(
            pictures_from_array(valid.batch(held_out)), held_out.tolist()
        )
        self.valid_captions = valid.captions(held_out)
        self.valid_labels = torch.from_numpy(valid.labels(held_out))
        self.valid_num_pixels = valid.batch(held_out[:1])[0, :, :, 0].size
        torch.manual_seed(config.seed)
        self.base = _initial_base(config).to(device)
        self.conditions = Conditions(config.model, device)

    @property
    def module(self) -> nn.Module:
        """The base model with its text encoder; encoder and decoder stay as they are."""
        return self.base

    def _dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.config.precision == "bf16" else torch.float32

    def loss(self, step: int) -> StepLoss:
        """Sigmoid-weighted loss in nats, averaged over the batch, per latent value."""
        config = self.config
        generator = seed_step(config.seed, step)
        indices = batch_indices(config.seed, step, batch_size=config.batch_size, num_samples=len(self.train_pictures))
        order = np.sort(indices)  # a memory map is read fastest in its own order
        z_clean = torch.from_numpy(np.asarray(self.latents[order])).float().unsqueeze(2).to(self.device)
        labels = torch.from_numpy(self.train_pictures.labels(order))
        condition = self.conditions.of(self.train_pictures.captions(order), labels)
        condition = self.conditions.dropped(condition, self.base.conditioner, generator)
        # The latents lie in sorted order, so the strata must be dealt out at random: stratified_times does.
        t = stratified_times(len(z_clean), generator=generator).to(self.device)
        eps = torch.randn(z_clean.shape, generator=generator).to(self.device)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=config.precision == "bf16"):
            nats = stage2_nats(
                self.base,
                z_clean,
                t,
                eps,
                config=config.model,
                latent_std=self.frozen.latent_std,
                condition=condition,
            )
        loss = nats.mean() / z_clean[0].numel()
        return StepLoss(loss, {"base_weighted_nats": nats.mean()})

    def _averaged_base(self, averaged: EMA) -> BaseModel:
        base = copy.deepcopy(self.base).eval()
        averaged.copy_to(base)
        return base

    @torch.inference_mode()
    def validate(self, averaged: EMA) -> dict[str, float]:
        """The base model's own unweighted bound in bits per pixel, with the captions and without."""
        base = self._averaged_base(averaged)
        condition = self.conditions.of(self.valid_captions, self.valid_labels)
        null = base.conditioner.null(len(self.valid_latents), 1)
        figures = {"base_bits_per_pixel": self._bits(base, null.to(self.device) if null is not None else None)}
        if condition is not None:
            figures["base_bits_per_pixel_conditional"] = self._bits(base, condition)
        return figures

    def _bits(self, base: BaseModel, condition: Condition | None) -> float:
        def denoise(z_t: Tensor, logsnr: Tensor) -> Tensor:
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.precision == "bf16"):
                return estimate_with_base(base, z_t, logsnr, self.frozen.latent_std, condition)

        z = self.valid_latents
        noise = SeededNoise(range(len(z)), "bitrate", shape=z.shape[1:], device=self.device)
        bitrate = latent_bitrate(
            denoise,
            z,
            latent_schedule_of(self.config.model),
            num_times=self.config.validation.bitrate_times,
            draw_noise=noise.draw,
        )
        if self.valid_log_variance is not None:
            logsnr_max = self.config.model.latent.logsnr_max
            bitrate = with_learned_variance(bitrate, self.valid_log_variance, logsnr_max)
        return float(bits_per_pixel(bitrate.nats, num_pixels=self.valid_num_pixels).mean())

    def _full_model(self, averaged: EMA) -> UnifiedLatents:
        model = copy.copy(self.frozen)
        model._modules = dict(self.frozen._modules)
        model.config = self.config.model
        model.base = self._averaged_base(averaged)
        model.tokenizer = self.conditions.tokenizer
        return model

    def preview(self, averaged: EMA) -> Uint8Array:
        """One row of samples per preview prompt."""
        pipeline = Pipeline(self._full_model(averaged), self.device, self._dtype())
        guidance = default_guidance(float(self.frozen.latent_std))
        rows = []
        size = self.config.data.size_px
        seeds = range(PREVIEW_COLUMNS)
        for prompt in self.config.preview_prompts or ("",):
            condition = self.conditions.of([prompt] * len(seeds), torch.zeros(len(seeds), dtype=torch.int64))
            cells = self.config.model.latent_shape(size, size)[1:]
            z_0 = pipeline.sample_latents(seeds, cells, condition, PREVIEW_SAMPLER, guidance)
            settings = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=self.config.validation.decoder_steps)
            rows.append(array_from_pictures(pipeline.decode(z_0, seeds, settings)))
        return sheet(rows)

    def export(self, averaged: EMA, folder: Path, figures: dict[str, float]) -> None:
        """The whole model: Stage 1's networks as they were, and the averaged base model."""
        write_model(self._full_model(averaged), self.config, folder, figures)


def _initial_base(config: RunConfig) -> BaseModel:
    """Fresh weights, or those of the base model in `base_from`; raises CheckpointError if it does not fit."""
    base = BaseModel(config.model)
    if config.base_from is not None:
        load_network(base, config.base_from, "base")
    return base


def _require_same_latent(config: RunConfig, stage1: UnifiedLatents) -> None:
    """Encoder, decoder and latent of the recipe must be those that Stage 1 trained."""
    for section in SHARED_WITH_STAGE1:
        ours, theirs = (_without_context(getattr(model, section)) for model in (config.model, stage1.config))
        if ours != theirs:
            raise ConfigError(
                f"is {json.dumps(_plain(ours))} here, but the Stage 1 model has {json.dumps(_plain(theirs))}; "
                "Stage 2 must keep what Stage 1 trained",
                field=f"model.{section}",
            )


def _without_context(section: object) -> object:
    """A clip model's section without the frames to continue from, which are the base model's own matter."""
    return section.model_copy(update={"context_frames": 0}) if isinstance(section, VideoConfig) else section


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
