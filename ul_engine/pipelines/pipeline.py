"""What people do with a model: encode, decode, reconstruct, generate; with progress, cancelling and previews.

Clips are `[B, 3, T, H, W]` float32 in [-1, 1]; a picture is a clip of one frame. Sizes and lengths that the
down-sampling does not divide are padded by repetition and cropped back. All noise is drawn per sample from its seed on
the CPU.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ul_engine.config import ModelConfig
from ul_engine.diffusion import samplers
from ul_engine.diffusion.bitrate import Bitrate, latent_bitrate, normal_bitrate, with_learned_variance
from ul_engine.diffusion.guidance import guided, guided_batched
from ul_engine.diffusion.noise import Seed, SeededNoise
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.errors import CheckpointError, NumericsError
from ul_engine.models.conditioning import Condition, joined_conditions
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import (
    estimate_with_base,
    estimate_with_decoder,
    estimate_with_prior,
    latent_schedule_of,
    picture_schedule_of,
)
from ul_engine.pipelines.keeping import Kept
from ul_engine.pipelines.sampling import Observe, Start, ignore, run_loop
from ul_engine.pipelines.tiles import Crop, distribution_in_parts, in_tiles
from ul_engine.requests import GuidanceSettings, SamplerSettings, TilingSettings

MAX_JOINED_BATCH = 8
"""Samples up to which guidance evaluates both conditions in one batch; larger ones fill the device by themselves."""

Restorer = Literal["prior", "base"]
"""Which network brings a noised latent back, and whose bound counts the bits."""


@dataclass(frozen=True)
class ConditionBlend:
    """Between two conditions: the clean estimates under both are mixed, `(1 - share) first + share second`.

    `share` [B] in [0, 1].
    """

    first: Condition
    second: Condition
    share: Tensor


@dataclass(frozen=True)
class Pipeline:
    """A loaded model on its device. `dtype` is the networks' arithmetic; everything around them stays float32.

    In float32 a seed's picture agrees to within 1/255 between batch sizes; bf16 kernels differ more.
    """

    model: UnifiedLatents
    device: torch.device
    dtype: torch.dtype = torch.float32
    tiling: TilingSettings = field(default_factory=lambda: TilingSettings())
    encoder_part_px: int = 1024

    @property
    def config(self) -> ModelConfig:
        """The model's configuration."""
        return self.model.config

    @property
    def native_restorer(self) -> Restorer:
        """Which network models the latent that encoder and decoder were trained with."""
        return "prior" if self.config.training == "two-stage" else "base"

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.dtype is torch.bfloat16)

    # ---- encoder ------------------------------------------------------------------------------------------------

    def padded(self, x: Tensor) -> Tensor:
        """`x` [B, 3, T, H, W] on the device, its edges and its last frame repeated until the down-sampling divides
        it."""
        return pad_to_multiple(x.to(self.device), self.config.downsampling, self.config.temporal_downsampling)

    def encode(self, x: Tensor) -> Tensor:
        """z_clean `[B, C, Tz, h, w]` of pictures or clips of any size (under a learned variance: its mean)."""
        return self.encode_distribution(x)[0]

    @torch.inference_mode()
    def encode_distribution(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """z_clean and its log-variance; None for a deterministic encoder. Large pictures go through in parts, exactly:
        the encoder looks only so far."""
        encoder = self.model.encoder
        assert encoder is not None
        x = self.padded(x)
        with self._autocast():
            if self.tiling.mode == "off":
                mean, log_variance = encoder.distribution(x)
                return mean, log_variance
            return distribution_in_parts(encoder.distribution, x, self.config, part_px=self.encoder_part_px)

    def encode_sampled(self, x: Tensor, seeds: Sequence[Seed]) -> tuple[Tensor, Tensor | None]:
        """z_clean as training sees it, and its log-variance: where the encoder has a variance, drawn by `seeds`."""
        mean, log_variance = self.encode_distribution(x)
        if log_variance is None:
            return mean, None
        noise = SeededNoise(seeds, "variance", shape=mean.shape[1:], device=self.device)
        return mean + torch.exp(0.5 * log_variance) * noise.draw(), log_variance

    def native_latent(self, z_clean: Tensor, seeds: Sequence[Seed]) -> Tensor:
        """z_0: `z_clean` with the encoder's fixed noise, which is all the decoder ever sees."""
        noise = SeededNoise(seeds, "encoder", shape=z_clean.shape[1:], device=self.device)
        return add_noise(z_clean, noise.draw(), torch.tensor(self.config.latent.logsnr_max, device=self.device))

    @torch.inference_mode()
    def context_latent(self, frames: Tensor, seeds: Sequence[Seed]) -> Tensor:
        """z_0 of the frames a clip continues from, `[B, 3, T, H, W]` encoded alone, so that no target is in them."""
        z_clean = self.encode(frames)
        noise = SeededNoise(seeds, "context", shape=z_clean.shape[1:], device=self.device)
        return add_noise(z_clean, noise.draw(), torch.tensor(self.config.latent.logsnr_max, device=self.device))

    # ---- latents ------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def sample_latents(  # noqa: PLR0917 - the five that every generation states, its observer and its start
        self,
        seeds: Sequence[Seed],
        latent_size: tuple[int, int, int],
        condition: Condition | ConditionBlend | None,
        settings: SamplerSettings,
        guidance: GuidanceSettings,
        observe: Observe = ignore,
        *,
        start: Start | None = None,
        kept: Kept | None = None,
    ) -> Tensor:
        """Base model from pure noise, or from `start`, down to exactly the native log-SNR: z_0 `[B, C, *latent_size]`,
        the size being (frames, height, width) in cells. `kept` is the z_clean that stays in parts of it."""
        shape = (self.config.latent.channels, *latent_size)
        estimate = self._guided_estimate(condition, guidance, len(seeds))
        return run_loop(
            kept.held(estimate) if kept is not None else estimate,
            latent_schedule_of(self.config),
            settings,
            SeededNoise(seeds, "base", shape=shape, device=self.device),
            start=start,
            observe=lambda step: observe("base", step),
        )

    @torch.inference_mode()
    def bring_back(
        self,
        z_clean: Tensor,
        logsnr: float,
        seeds: Sequence[Seed],
        settings: SamplerSettings,
        observe: Observe = ignore,
        *,
        restorer: Restorer = "prior",
    ) -> Tensor:
        """One rung of the noise ladder: noise `z_clean` to `logsnr`, let prior or base model (under the null condition)
        bring it back to the native level.

        The noise is the encoder's own, so that rungs differ by their level alone. At or above the native level the
        noised latent is returned as it is; above it the decoder is outside its training. Raises ConfigError below the
        noisiest level.
        """
        return run_loop(
            self._restoring_estimate(restorer, len(z_clean)),
            latent_schedule_of(self.config),
            settings,
            SeededNoise(seeds, "encoder", shape=z_clean.shape[1:], device=self.device),
            start=Start(z_clean, logsnr),
            observe=lambda step: observe("base", step),
        )

    @torch.inference_mode()
    def bitrate(
        self,
        z_clean: Tensor,
        seeds: Sequence[Seed],
        *,
        num_times: int,
        observe: Callable[[], None] = lambda: None,
        restorer: Restorer = "prior",
        log_variance: Tensor | None = None,
        condition: Condition | None = None,
    ) -> Bitrate:
        """The bound on the information in z_0 (eq. 3) under the prior, or under the base model evaluated with weight 1
        (`condition` None: the null condition), per sample, cell and band.

        A model with a normal prior has the exact KL instead, without bands. `log_variance` subtracts eq. 5.
        `observe` is called before each of the `num_times` evaluations; it may raise Cancelled.
        """
        latent = self.config.latent
        if restorer == "prior" and self.config.prior.kind == "normal":
            bound = normal_bitrate(z_clean, latent.logsnr_max, latent.logsnr_min)
        else:
            estimate = self._restoring_estimate(restorer, len(z_clean), condition)

            def denoise(z_t: Tensor, logsnr: Tensor) -> Tensor:
                observe()
                return estimate(z_t, logsnr)

            draw_noise = SeededNoise(seeds, "bitrate", shape=z_clean.shape[1:], device=self.device).draw
            schedule = latent_schedule_of(self.config)
            bound = latent_bitrate(denoise, z_clean, schedule, num_times=num_times, draw_noise=draw_noise)
        return bound if log_variance is None else with_learned_variance(bound, log_variance, latent.logsnr_max)

    def _restoring_estimate(
        self, restorer: Restorer, batch: int, condition: Condition | None = None
    ) -> samplers.Denoise:
        """Clean estimates by the prior or the base model."""
        if restorer == "base":
            return self._base_estimate(condition, batch)
        prior = self.model.prior
        if prior is None:
            raise CheckpointError("this model has no prior; take its base model instead")

        def network(z_t: Tensor, logsnr: Tensor, crop: Crop) -> Tensor:
            with self._autocast():
                return estimate_with_prior(prior, z_t, logsnr, self.model.latent_std)

        return in_tiles(network, self.config, self.tiling, 1)

    def _base_estimate(self, condition: Condition | None, batch: int) -> samplers.Denoise:
        """The base model under `condition`; None is the null condition."""
        base = self.model.base
        if base is None:
            raise CheckpointError("this model has no base model; train Stage 2 first")
        if condition is None:
            null = base.conditioner.null(batch)
            condition = null.to(self.device) if null is not None else None
        if condition is not None and condition.encoding is None:
            with torch.inference_mode(), self._autocast():
                condition = base.conditioner.encoded(condition)

        def network(z_t: Tensor, logsnr: Tensor, crop: Crop) -> Tensor:
            told = _for_tiles(condition, crop, len(z_t)) if condition is not None else None
            with self._autocast():
                return estimate_with_base(base, z_t, logsnr, self.model.latent_std, told)

        return in_tiles(network, self.config, self.tiling, 1)

    def _guided_estimate(
        self, condition: Condition | ConditionBlend | None, guidance: GuidanceSettings, batch: int
    ) -> samplers.Denoise:
        unconditional = self._base_estimate(None, batch)
        if condition is None:
            return unconditional
        interval = {
            "weight": guidance.weight,
            "logsnr_low": guidance.logsnr_low,
            "logsnr_high": guidance.logsnr_high,
        }
        if isinstance(condition, ConditionBlend):
            return guided(self._blended_estimate(condition, batch), unconditional, **interval)
        conditional = self._base_estimate(condition, batch)
        if batch > MAX_JOINED_BATCH:
            return guided(conditional, unconditional, **interval)
        both = self._base_estimate(joined_conditions(condition, self._null(condition)), 2 * batch)
        return guided_batched(conditional, both, **interval)

    def _null(self, condition: Condition) -> Condition:
        """The condition that says nothing, for as many samples as `condition` has."""
        assert self.model.base is not None
        null = self.model.base.conditioner.null(len(condition.indices))
        return null.to(self.device) if null is not None else Condition(condition.indices)

    def _blended_estimate(self, blend: ConditionBlend, batch: int) -> samplers.Denoise:
        first, second = self._base_estimate(blend.first, batch), self._base_estimate(blend.second, batch)
        share = blend.share.to(self.device).view(-1, 1, 1, 1, 1)

        def denoise(z_t: Tensor, logsnr: Tensor) -> Tensor:
            return torch.lerp(first(z_t, logsnr), second(z_t, logsnr), share)

        return denoise

    # ---- decoder ------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def decode(
        self,
        z_0: Tensor,
        seeds: Sequence[Seed],
        settings: SamplerSettings,
        observe: Observe = ignore,
        *,
        crop_to: tuple[int, int] | None = None,
        num_frames: int | None = None,
        start: Start | None = None,
        kept: Kept | None = None,
    ) -> Tensor:
        """Pixel diffusion from pure noise, or from `start`: clips `[B, 3, T, H, W]`, cropped to (height, width) and to
        the first `num_frames` frames if asked. A decoder trained on the squared error answers at once. `kept` are
        pixels, of the size before cropping, that stay in parts of it, to the bit."""
        if self.config.decoder_loss.kind == "mse":
            x = self._regressed(z_0)
            x = kept.mixed(x) if kept is not None else x
            level = picture_schedule_of(self.config).logsnr_min
            observe("decoder", samplers.SamplerStep(index=1, num_steps=1, logsnr=level, x_hat=x))
        else:
            estimate = self._decoder_estimate(z_0)
            x = run_loop(
                kept.held(estimate) if kept is not None else estimate,
                picture_schedule_of(self.config),
                settings,
                SeededNoise(seeds, "decoder", shape=self._picture_shape(z_0), device=self.device),
                start=start,
                observe=lambda step: observe("decoder", step),
            )
        if not torch.isfinite(x).all():
            raise NumericsError("the sampled picture is not finite; lower the guidance weight, or take more steps")
        height, width = crop_to if crop_to is not None else x.shape[-2:]
        x = kept.restored(x) if kept is not None else x
        return x[:, :, :num_frames, :height, :width].clamp(-1.0, 1.0)

    def _regressed(self, z_0: Tensor) -> Tensor:
        """The one evaluation of a decoder that was trained on the squared error: on an empty `x_t`, as there."""
        empty = torch.zeros((len(z_0), *self._picture_shape(z_0)), device=self.device)
        return self._noisiest_estimate(z_0, empty)

    def _noisiest_estimate(self, z_0: Tensor, x_t: Tensor) -> Tensor:
        level = picture_schedule_of(self.config).logsnr_min
        return self._decoder_estimate(z_0)(x_t, torch.full((len(z_0),), level, device=self.device))

    @torch.inference_mode()
    def glimpse(self, z_hat: Tensor, seeds: Sequence[Seed]) -> Tensor:
        """Rough pictures of clean latent estimates by one decoder evaluation at its noisiest level.

        The estimate is noised back to the native log-SNR first: the decoder was never shown anything cleaner.
        """
        z_0 = self.native_latent(z_hat, seeds)
        if self.config.decoder_loss.kind == "mse":
            return self._regressed(z_0).clamp(-1.0, 1.0)
        noise = SeededNoise(seeds, "glimpse", shape=self._picture_shape(z_0), device=self.device)
        return self._noisiest_estimate(z_0, noise.draw()).clamp(-1.0, 1.0)

    def _picture_shape(self, z_0: Tensor) -> tuple[int, ...]:
        factor, frames = self.config.downsampling, self.config.temporal_downsampling
        return self.config.image_channels, z_0.shape[2] * frames, z_0.shape[3] * factor, z_0.shape[4] * factor

    def _decoder_estimate(self, z_0: Tensor) -> samplers.Denoise:
        decoder = self.model.decoder
        assert decoder is not None

        def network(x_t: Tensor, logsnr: Tensor, crop: Crop) -> Tensor:
            with self._autocast():
                return estimate_with_decoder(
                    decoder, x_t, logsnr, crop(z_0), config=self.config, latent_std=self.model.latent_std
                )

        return in_tiles(network, self.config, self.tiling, self.config.downsampling)


def pad_to_multiple(x: Tensor, factor: int, frame_factor: int = 1) -> Tensor:
    """Replicate the right and lower edge and the last frame of `[B, C, T, H, W]` until the factors divide them."""
    frames, height, width = x.shape[-3:]
    right, lower, later = -width % factor, -height % factor, -frames % frame_factor
    return F.pad(x, (0, right, 0, lower, 0, later), mode="replicate") if right or lower or later else x


def _for_tiles(condition: Condition, crop: Crop, num_tiles: int) -> Condition:
    """What `num_tiles` tiles, equally many of every sample, are told: the same words, and each its own part of the
    frames before."""
    frames = crop(condition.frames) if condition.frames is not None else None
    count = num_tiles // len(condition.indices)
    if count == 1:
        return replace(condition, frames=frames)
    has_frames = condition.has_frames.repeat(count) if condition.has_frames is not None else None
    return Condition(condition.indices.repeat(count, 1), frames, has_frames)
