"""Stage 1: encoder, prior and decoder trained together on the bound."""

import copy
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trainer.config import RunConfig
from trainer.export import write_model
from trainer.loop import StepLoss, seed_step
from trainer.order import batch_indices
from trainer.pictures import PictureSource
from trainer.validation import reconstruction_figures, reconstruction_sheet
from ul_engine.checkpoint import load_network
from ul_engine.data.pixels import Uint8Array, pictures_from_array
from ul_engine.ema import EMA
from ul_engine.model_folder import NetworkName, read_manifest
from ul_engine.models.decoder import Decoder
from ul_engine.models.encoder import Encoder
from ul_engine.models.unified import UnifiedLatents, prefer_channels_last
from ul_engine.models.vit import Prior
from ul_engine.objectives import Stage1Terms, draw_stage1_noise, stage1_terms
from ul_engine.pipelines import Pipeline

STAGE1_NETWORKS = frozenset(("encoder", "prior", "decoder"))
STD_MEMORY = 0.98


class Stage1:
    """The joint loss of Unified Latents (algorithm 1) on a picture source; a `Trainable`."""

    def __init__(self, config: RunConfig, train: PictureSource, valid: PictureSource, *, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.train_pictures = train
        self.valid_pictures = pictures_from_array(valid.batch(np.arange(config.validation.num_images)))
        torch.manual_seed(config.seed)
        self.model = _initial_model(config).to(device)
        prefer_channels_last(self.model)
        self.num_dims = self.valid_pictures[0].numel()
        self.num_pixels = self.num_dims // config.model.image_channels

    @property
    def module(self) -> nn.Module:
        """All three networks and the tracked standard deviation of the latent."""
        return self.model

    def loss(self, step: int) -> StepLoss:
        """Both terms in nats, averaged over the batch, divided by the number of pixel values: one constant for the
        total."""
        config = self.config
        generator = seed_step(config.seed, step)
        indices = batch_indices(config.seed, step, batch_size=config.batch_size, num_samples=len(self.train_pictures))
        x = pictures_from_array(self.train_pictures.batch(indices)).to(self.device)
        latent_shape = (x.shape[0], config.model.latent.channels, 1, *self._latent_size(x))
        noise = draw_stage1_noise(x, latent_shape, generator)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=config.precision == "bf16"):
            terms = stage1_terms(
                stage1_networks(self.model),
                x,
                noise,
                config=config.model,
                latent_std=self.model.latent_std,
                prior_gradient=ramp(step, config.num_steps, config.collapse.prior_gradient_ramp),
                loss_factor=self._loss_factor(step),
            )
        self._track_std(terms.z_clean, is_first=step == 0 and config.init_from is None)
        loss = (terms.prior_nats + terms.decoder_nats).mean() / self.num_dims
        return StepLoss(loss, self._figures(terms))

    def _latent_size(self, x: Tensor) -> tuple[int, int]:
        factor = self.config.model.downsampling
        return x.shape[-2] // factor, x.shape[-1] // factor

    def _loss_factor(self, step: int) -> float:
        collapse, target = self.config.collapse, self.config.model.decoder_loss.loss_factor
        if collapse.loss_factor_warmup == 0.0:
            return target
        done = ramp(step, self.config.num_steps, collapse.loss_factor_warmup)
        return target + (collapse.loss_factor_start - target) * (1.0 - done)

    @torch.no_grad()
    def _track_std(self, z_clean: Tensor, *, is_first: bool) -> None:
        """Follow the latent's standard deviation; it scales network inputs only, and is fixed when the run ends."""
        std = z_clean.std()
        self.model.latent_std.copy_(std if is_first else torch.lerp(std, self.model.latent_std, STD_MEMORY))

    def _figures(self, terms: Stage1Terms) -> dict[str, Tensor]:
        bits = math.log(2.0) * self.num_pixels
        return {
            "prior_bits_per_pixel": terms.prior_nats.mean() / bits,
            "decoder_bits_per_pixel": terms.decoder_nats.mean() / bits,
            "latent_std": terms.z_clean.std(),
        }

    def _averaged_pipeline(self, averaged: EMA) -> Pipeline:
        model = copy.deepcopy(self.model).eval()
        averaged.copy_to(model)
        dtype = torch.bfloat16 if self.config.precision == "bf16" else torch.float32
        return Pipeline(model, self.device, dtype)

    def validate(self, averaged: EMA) -> dict[str, float]:
        """Bits per pixel, PSNR with the right and with a shuffled latent, on fixed pictures and noise."""
        return reconstruction_figures(self._averaged_pipeline(averaged), self.valid_pictures, self.config.validation)

    def preview(self, averaged: EMA) -> Uint8Array:
        """Originals above reconstructions."""
        return reconstruction_sheet(self._averaged_pipeline(averaged), self.valid_pictures, self.config.validation)

    def export(self, averaged: EMA, folder: Path, figures: dict[str, float]) -> None:
        """Model folder with encoder, prior and decoder."""
        write_model(self._averaged_pipeline(averaged).model, self.config, folder, figures)


def ramp(step: int, num_steps: int, share: float) -> float:
    """Rises linearly from 0 to 1 over the first `share` of the run; 1 from the start for share 0."""
    return 1.0 if share == 0.0 else min(1.0, step / (share * num_steps))


def _initial_model(config: RunConfig) -> UnifiedLatents:
    """Fresh weights, or those of the model folder `init_from`; raises CheckpointError if they do not fit."""
    model = UnifiedLatents(config.model, networks=STAGE1_NETWORKS)
    if config.init_from is not None:
        model.latent_std.fill_(read_manifest(config.init_from).latent_std)
        names: tuple[NetworkName, ...] = ("encoder", "prior", "decoder")
        for name, network in zip(names, stage1_networks(model), strict=True):
            load_network(network, config.init_from, name)
    return model


def stage1_networks(model: UnifiedLatents) -> tuple[Encoder, Prior, Decoder]:
    """The three networks that Stage 1 trains."""
    assert model.encoder is not None
    assert model.prior is not None
    assert model.decoder is not None
    return model.encoder, model.prior, model.decoder
