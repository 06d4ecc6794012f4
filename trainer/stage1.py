"""Stage 1: encoder, prior and decoder trained together on the bound."""

import copy
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.conditions import Conditions
from trainer.config import RunConfig
from trainer.data.loader import BatchLoader
from trainer.data.order import BatchOrder
from trainer.data.samples import Batch, SampleSource
from trainer.export import write_model
from trainer.figures import Figure, band_edges, sums_by_band
from trainer.initial import TakenOver, model_folder_of, require_same_latent, take_over_model
from trainer.noise import Piece, StepNoise
from trainer.ranks import Ranks
from trainer.trainable import Averages, LossCall, Preview, load_averages
from trainer.validation import VALIDATION_STEP, held_out, reconstruction_figures, reconstruction_preview
from ul_engine.config import ModelConfig
from ul_engine.data.pixels import clips_from_frames
from ul_engine.errors import ConfigError
from ul_engine.model_folder import NETWORKS, NetworkName, read_manifest
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents, prefer_channels_last
from ul_engine.objectives import Networks, Stage1Noise, picture_schedule_of, stage1_terms
from ul_engine.pipelines import Pipeline

STD_MEMORY = 0.98
LN2 = math.log(2.0)


class Stage1Loss(nn.Module):
    """The joint loss as a module, so that it can be spread over ranks."""

    def __init__(self, model: UnifiedLatents, precision: str) -> None:
        super().__init__()
        self.model = model
        self.is_half = precision == "bf16"
        config = model.config
        picture = picture_schedule_of(config)
        edges = (
            band_edges(config.latent.logsnr_min, config.latent.logsnr_max),
            band_edges(picture.logsnr_min, picture.logsnr_max),
        )
        self.register_buffer("edges", torch.tensor(edges), persistent=False)

    def forward(
        self,
        x: Tensor,
        noise: Stage1Noise,
        condition: Condition | None,
        *,
        prior_gradient: float,
        loss_factor: float,
    ) -> dict[str, Tensor]:
        """`x` [B, 3, T, H, W] in [-1, 1] -> "loss_nats" (sum over the batch) and sums of figures."""
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=self.is_half):
            terms = stage1_terms(
                stage1_networks(self.model),
                x,
                noise,
                config=self.model.config,
                latent_std=self.model.latent_std,
                prior_gradient=prior_gradient,
                loss_factor=loss_factor,
                condition=condition,
            )
        assert isinstance(self.edges, Tensor)
        z = terms.z_clean.detach().float()
        diffusion_nats = terms.prior_nats - terms.terminal_nats
        return {
            "loss_nats": terms.loss_nats.sum(),
            "prior_nats": terms.prior_nats.sum(),
            "terminal_nats": terms.terminal_nats.sum(),
            "decoder_nats": terms.decoder_nats.sum(),
            "z_mean": z.flatten(1).mean(1).sum(),
            "z_square": z.square().flatten(1).mean(1).sum(),
            "prior_band_nats": sums_by_band(diffusion_nats, terms.logsnr_z, self.edges[0]),
            "decoder_band_nats": sums_by_band(terms.decoder_nats, terms.logsnr_x, self.edges[1]),
        }


class Stage1:
    """The joint loss of Unified Latents (algorithm 1) on a source of samples; a `Trainable`."""

    def __init__(self, config: RunConfig, train: SampleSource, valid: SampleSource, *, ranks: Ranks) -> None:
        self.config = config
        self.ranks = ranks
        self.device = ranks.device
        self.class_names = train.class_names
        self.held_out = held_out(valid, config.validation.num_images)
        torch.manual_seed(config.seed)
        model = UnifiedLatents(config.model, networks=frozenset(stage1_network_names(config.model)))
        self.taken_over = _taken_over(model, config)
        self._template = copy.deepcopy(model)
        self.model = model.to(self.device)
        if config.fixed_latent:
            fix_latent(self.model)
        prefer_channels_last(self.model)
        self.loss_module: nn.Module = Stage1Loss(self.model, config.precision).to(self.device)
        order = BatchOrder(len(train), config.batch_size, config.seed, buckets=train.buckets)
        self.feed = BatchLoader(
            train,
            order,
            config.loading,
            share=(ranks.rank, ranks.size),
            pin_memory=self.device.type == "cuda",
        )
        self.conditions = Conditions(config.model, self.device)

    @property
    def module(self) -> nn.Module:
        """The networks in training and the tracked standard deviation of the latent."""
        return self.model

    def loss(self, call: LossCall, batch: Batch, rows: slice, piece: Piece) -> tuple[Tensor, dict[str, Tensor]]:
        """Both terms in nats, summed over the samples, divided by the number of pixel values: one constant for the
        total."""
        x = clips_from_frames(batch.frames[rows].to(self.device, non_blocking=True))
        draw = StepNoise(self.config.seed, piece, self.device)
        noise = _drawn(self.config.model, x, draw)
        condition = self._condition(batch, rows, draw)
        draw.seed_dropout()
        sums = call(
            x,
            noise,
            condition,
            prior_gradient=ramp(piece.step, self.config.num_steps, self.config.collapse.prior_gradient_ramp),
            loss_factor=self._loss_factor(piece.step),
        )
        loss = sums.pop("loss_nats")
        sums["samples"] = torch.full((), float(len(x)), device=self.device)
        sums["pixels"] = torch.full((), float(len(x) * x[0, 0].numel()), device=self.device)
        return loss / x[0].numel(), sums

    def _condition(self, batch: Batch, rows: slice, draw: StepNoise) -> Condition | None:
        """The base model's condition, where single-stage training puts it in the prior's place."""
        if self.model.base is None:
            return None
        condition = self.conditions.of(batch.captions[rows], batch.labels[rows])
        return self.conditions.dropped(condition, self.model.base.conditioner, draw)

    def _loss_factor(self, step: int) -> float:
        collapse, target = self.config.collapse, self.config.model.decoder_loss.loss_factor
        if collapse.loss_factor_warmup == 0.0:
            return target
        done = ramp(step, self.config.num_steps, collapse.loss_factor_warmup)
        return target + (collapse.loss_factor_start - target) * (1.0 - done)

    @torch.no_grad()
    def after_step(self, step: int, sums: Mapping[str, Tensor]) -> None:
        """Follow the latent's standard deviation; it scales network inputs only, and is fixed when the run ends.

        Fresh weights start from that of their first batch; what `latent_std` was before means nothing then. A fixed
        latent keeps its own.
        """
        if self.config.fixed_latent:
            return
        moments = torch.stack((sums["z_mean"], sums["z_square"], sums["samples"]))
        mean, square, count = self.ranks.sum_(moments).unbind()
        std = (square / count - (mean / count).square()).clamp(min=0.0).sqrt()
        is_first = step == 0 and self.config.init_from is None
        self.model.latent_std.copy_(std if is_first else torch.lerp(std, self.model.latent_std, STD_MEMORY))

    def figures(self, means: Mapping[str, Figure]) -> dict[str, Figure]:
        """Bits per pixel of both terms, in all and by band of log-SNR, and the latent's moments."""
        bits = LN2 * _scalar(means["pixels"])
        mean, square = _scalar(means["z_mean"]), _scalar(means["z_square"])
        return {
            "prior_bits_per_pixel": _scalar(means["prior_nats"]) / bits,
            "decoder_bits_per_pixel": _scalar(means["decoder_nats"]) / bits,
            "terminal_bits_per_pixel": _scalar(means["terminal_nats"]) / bits,
            "prior_band_bits": [value / bits for value in _vector(means["prior_band_nats"])],
            "decoder_band_bits": [value / bits for value in _vector(means["decoder_band_nats"])],
            "latent_mean": mean,
            "latent_std": math.sqrt(max(0.0, square - mean * mean)),
        }

    def _pipeline(self, averages: Averages) -> Pipeline:
        model = copy.deepcopy(self._template).to(self.device)
        load_averages(model, averages)
        model.latent_std.copy_(self.model.latent_std)
        dtype = torch.bfloat16 if self.config.precision == "bf16" else torch.float32
        return Pipeline(model.eval().requires_grad_(False), self.device, dtype)

    def validate(self, averages: Averages) -> dict[str, float]:
        """Bits per pixel, PSNR with the right and with a shuffled latent, and the loss, on fixed samples and noise."""
        pipeline = self._pipeline(averages)
        figures = reconstruction_figures(pipeline, self.held_out.clips, self.config.validation)
        return {**figures, "loss_bits_per_pixel": self._held_out_loss(pipeline.model)}

    @torch.inference_mode()
    def _held_out_loss(self, model: UnifiedLatents) -> float:
        """What is minimised, in bits per pixel, on the held-out samples with always the same noise."""
        loss, held = Stage1Loss(model, self.config.precision).to(self.device).eval(), self.held_out
        nats = 0.0
        for start, stop in held.pieces(self.device):
            x = held.clips[start:stop].to(self.device)
            piece = Piece(0, VALIDATION_STEP, start, stop, len(held.clips))
            noise = _drawn(self.config.model, x, StepNoise(self.config.seed, piece, self.device))
            condition = None
            if model.base is not None:
                condition = self.conditions.of(held.captions[start:stop], held.labels[start:stop])
            factor = self.config.model.decoder_loss.loss_factor
            nats += float(loss(x, noise, condition, prior_gradient=1.0, loss_factor=factor)["loss_nats"])
        return nats / (LN2 * len(held.clips) * held.clips[0, 0].numel())

    def score(self, figures: Mapping[str, float]) -> float:
        """The held-out loss, turned round."""
        return -figures["loss_bits_per_pixel"]

    def preview(self, averages: Averages) -> Preview:
        """Originals and reconstructions."""
        return reconstruction_preview(self._pipeline(averages), self.held_out.clips, self.config.validation)

    def export(self, averages: Averages, folder: Path, figures: Mapping[str, float]) -> None:
        """Model folder with encoder, prior and decoder."""
        model = self._pipeline(averages).model
        write_model(model, self.config, folder, dict(figures), class_names=self.class_names)


def _scalar(value: Figure) -> float:
    assert isinstance(value, float)
    return value


def _vector(value: Figure) -> list[float]:
    assert isinstance(value, list)
    return value


def _drawn(config: ModelConfig, x: Tensor, draw: StepNoise) -> Stage1Noise:
    """Everything random in the loss; an ablation's own noise is drawn last, so that the rest is the same."""
    latent = config.latent_shape(x.shape[-2], x.shape[-1], x.shape[-3])
    has_variance = config.encoder.variance == "learned"
    t_z, t_x = draw.times(), draw.times()
    level = draw.times() if config.training == "single-weighted" else None
    eps_prior, eps_z, eps_x, *variance = draw.normals(
        (latent, latent, tuple(x.shape[1:]), *((latent,) if has_variance else ()))
    )
    noise = Stage1Noise(t_z=t_z, eps_prior=eps_prior, eps_z=eps_z, t_x=t_x, eps_x=eps_x, u_level=level)
    return replace(noise, eps_variance=variance[0]) if variance else noise


def ramp(step: int, num_steps: int, share: float) -> float:
    """Rises linearly from 0 to 1 over the first `share` of the run; 1 from the start for share 0."""
    return 1.0 if share == 0.0 else min(1.0, step / (share * num_steps))


def _taken_over(model: UnifiedLatents, config: RunConfig) -> tuple[TakenOver, ...]:
    """Fresh weights, or as much as fits of those of `init_from`; of a latent that stays fixed, all."""
    if config.init_from is None:
        return ()
    reports = take_over_model(model, config.init_from, stage1_network_names(config.model))
    if config.fixed_latent:
        require_same_latent(config.model, read_manifest(model_folder_of(config.init_from)).model)
        for report in reports:
            if report.network != "decoder" and not report.is_complete:
                raise ConfigError(f"does not hold the whole latent: {report.summary()}", field="init_from")
    return reports


def fix_latent(model: UnifiedLatents) -> None:
    """Encoder and prior learn no more: their parameters ask for no gradient."""
    for network in (model.encoder, model.prior):
        if network is not None:
            network.requires_grad_(False)


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
