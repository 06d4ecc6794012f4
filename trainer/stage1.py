"""Stage 1: encoder, prior and decoder trained together on the bound."""

import copy
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainer.conditions import Conditions
from trainer.config import RunConfig
from trainer.export import write_model
from trainer.loop import StepLoss, seed_step
from trainer.order import batch_indices
from trainer.pictures import PictureSource
from trainer.validation import reconstruction_figures, reconstruction_sheet
from ul_engine.checkpoint import load_network
from ul_engine.config import ModelConfig
from ul_engine.data.pixels import Uint8Array, pictures_from_array
from ul_engine.ema import EMA
from ul_engine.model_folder import NETWORKS, NetworkName, read_manifest
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents, prefer_channels_last
from ul_engine.objectives import Networks, Stage1Terms, draw_stage1_noise, stage1_terms
from ul_engine.pipelines import Pipeline

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
        self.conditions = Conditions(config.model, device)
        self.num_dims = self.valid_pictures[0].numel()
        self.num_pixels = self.num_dims // config.model.image_channels

    @property
    def module(self) -> nn.Module:
        """The networks in training and the tracked standard deviation of the latent."""
        return self.model

    def loss(self, step: int) -> StepLoss:
        """Both terms in nats, averaged over the batch, divided by the number of pixel values: one constant for the
        total."""
        config = self.config
        generator = seed_step(config.seed, step)
        indices = batch_indices(config.seed, step, batch_size=config.batch_size, num_samples=len(self.train_pictures))
        x = pictures_from_array(self.train_pictures.batch(indices)).to(self.device)
        latent_shape = (len(x), *config.model.latent_shape(x.shape[-2], x.shape[-1], x.shape[-3]))
        noise = draw_stage1_noise(x, latent_shape, generator, config=config.model)
        condition = self._condition(indices, generator)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=config.precision == "bf16"):
            terms = stage1_terms(
                stage1_networks(self.model),
                x,
                noise,
                config=config.model,
                latent_std=self.model.latent_std,
                prior_gradient=ramp(step, config.num_steps, config.collapse.prior_gradient_ramp),
                loss_factor=self._loss_factor(step),
                condition=condition,
            )
        self._track_std(terms.z_clean, is_first=step == 0 and config.init_from is None)
        loss = terms.loss_nats.mean() / self.num_dims
        return StepLoss(loss, self._figures(terms))

    def _condition(self, indices: npt.NDArray[np.int64], generator: torch.Generator) -> Condition | None:
        """The base model's condition, where single-stage training puts it in the prior's place."""
        if self.model.base is None:
            return None
        labels = torch.from_numpy(self.train_pictures.labels(indices))
        condition = self.conditions.of(self.train_pictures.captions(indices), labels)
        return self.conditions.dropped(condition, self.model.base.conditioner, generator)

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
    names = stage1_network_names(config.model)
    model = UnifiedLatents(config.model, networks=frozenset(names))
    if config.init_from is not None:
        model.latent_std.fill_(read_manifest(config.init_from).latent_std)
        for name in names:
            load_network(getattr(model, name), config.init_from, name, starts_clips=config.model.video is not None)
    return model


def stage1_network_names(config: ModelConfig) -> tuple[NetworkName, ...]:
    """The networks that Stage 1 trains: the base model in the prior's place in single-stage training, neither under a
    normal prior."""
    absent = {"prior" if not config.has_prior_network else "", "base" if config.training == "two-stage" else ""}
    return tuple(name for name in NETWORKS if name not in absent)


def stage1_networks(model: UnifiedLatents) -> Networks:
    """Encoder, what models the latent, and decoder."""
    assert model.encoder is not None
    assert model.decoder is not None
    return model.encoder, model.base if model.config.training != "two-stage" else model.prior, model.decoder
