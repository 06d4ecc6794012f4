"""What people do with a model: encode, decode, reconstruct, generate; with progress, cancelling and previews.

Pictures are clips of one frame, `[B, 3, 1, H, W]` float32 in [-1, 1]. Sizes that the down-sampling does not divide are
padded by replication and cropped back. All noise is drawn per picture from its seed on the CPU.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ul_engine.diffusion import samplers
from ul_engine.diffusion.bitrate import Bitrate, latent_bitrate
from ul_engine.diffusion.grids import logsnr_grid, time_grid
from ul_engine.diffusion.guidance import guided
from ul_engine.diffusion.noise import SeededNoise
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.diffusion.samplers import SamplerStep
from ul_engine.diffusion.schedules import Schedule
from ul_engine.diffusion.weightings import base_bias
from ul_engine.errors import ConfigError, DeviceMemoryError, NumericsError
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import (
    estimate_with_base,
    estimate_with_decoder,
    estimate_with_prior,
    latent_schedule_of,
    picture_schedule_of,
)
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings

SAMPLERS: dict[SamplerName, samplers.Sampler] = {
    SamplerName.DDPM: samplers.ddpm,
    SamplerName.DDIM: samplers.ddim,
    SamplerName.DPMPP_2M: samplers.dpmpp_2m,
    SamplerName.DPMPP_2M_SDE: samplers.dpmpp_2m_sde,
}
FIRST_ORDER = frozenset((SamplerName.DDPM, SamplerName.DDIM))
Phase = Literal["base", "decoder"]
Observe = Callable[[Phase, SamplerStep], None]
"""Called after every network evaluation of either loop; may raise Cancelled."""


def ignore(phase: Phase, step: SamplerStep) -> None:
    """Observer that looks at nothing."""


def sampling_grid(schedule: Schedule, settings: SamplerSettings) -> Tensor:
    """Levels for a sampler: equal times for first-order solvers, equal log-SNR for multistep ones."""
    make = time_grid if settings.name in FIRST_ORDER else logsnr_grid
    return make(schedule, settings.num_steps)


@dataclass(frozen=True)
class Pipeline:
    """A loaded model on its device. `dtype` is the networks' arithmetic; everything around them stays float32.

    In float32 a seed's picture agrees to within 1/255 between batch sizes; bf16 kernels differ more.
    """

    model: UnifiedLatents
    device: torch.device
    dtype: torch.dtype = torch.float32

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.dtype is torch.bfloat16)

    @torch.inference_mode()
    def encode(self, x: Tensor) -> Tensor:
        """z_clean `[B, C, 1, h, w]` of pictures of any size."""
        assert self.model.encoder is not None
        with self._autocast():
            z: Tensor = self.model.encoder(pad_to_multiple(x.to(self.device), self.model.config.downsampling))
        return z

    def native_latent(self, z_clean: Tensor, seeds: Sequence[int]) -> Tensor:
        """z_0: `z_clean` with the encoder's fixed noise, which is all the decoder ever sees."""
        noise = SeededNoise(seeds, "encoder", shape=z_clean.shape[1:], device=self.device)
        return add_noise(z_clean, noise.draw(), self._native_logsnr())

    def _native_logsnr(self) -> Tensor:
        return torch.tensor(self.model.config.latent.logsnr_max, device=self.device)

    @torch.inference_mode()
    def sample_latents(  # noqa: PLR0917 - the five that every generation states, and its observer
        self,
        seeds: Sequence[int],
        latent_size: tuple[int, int],
        condition: Condition | None,
        settings: SamplerSettings,
        guidance: GuidanceSettings,
        observe: Observe = ignore,
    ) -> Tensor:
        """Base model from pure noise down to exactly the native log-SNR: z_0 `[B, C, 1, h, w]`."""
        base = self.model.base
        assert base is not None
        schedule = latent_schedule_of(self.model.config)
        shape = (self.model.config.latent.channels, 1, *latent_size)
        noise = SeededNoise(seeds, "base", shape=shape, device=self.device)
        null = base.conditioner.null(len(seeds), condition.indices.shape[1] if condition is not None else 1)
        null = null.to(self.device) if null is not None else None

        def conditional(z_t: Tensor, logsnr: Tensor) -> Tensor:
            with self._autocast():
                return estimate_with_base(base, z_t, logsnr, self.model.latent_std, condition or null)

        def unconditional(z_t: Tensor, logsnr: Tensor) -> Tensor:
            with self._autocast():
                return estimate_with_base(base, z_t, logsnr, self.model.latent_std, null)

        denoise: samplers.Denoise = conditional
        if condition is not None:
            denoise = guided(
                conditional,
                unconditional,
                weight=guidance.weight,
                logsnr_low=guidance.logsnr_low,
                logsnr_high=guidance.logsnr_high,
            )
        return SAMPLERS[settings.name](
            denoise,
            noise.draw(),
            sampling_grid(schedule, settings),
            draw_noise=noise.draw,
            observe=lambda step: observe("base", step),
        )

    @torch.inference_mode()
    def decode(
        self,
        z_0: Tensor,
        seeds: Sequence[int],
        settings: SamplerSettings,
        observe: Observe = ignore,
        *,
        crop_to: tuple[int, int] | None = None,
    ) -> Tensor:
        """Pixel diffusion from pure noise: pictures `[B, 3, 1, H, W]`, cropped to (height, width) if asked."""
        schedule = picture_schedule_of(self.model.config)
        noise = SeededNoise(seeds, "decoder", shape=self._picture_shape(z_0), device=self.device)
        x = SAMPLERS[settings.name](
            self._decoder_estimate(z_0),
            noise.draw(),
            sampling_grid(schedule, settings),
            draw_noise=noise.draw,
            observe=lambda step: observe("decoder", step),
        )
        if not torch.isfinite(x).all():
            raise NumericsError("the sampled picture is not finite; lower the guidance weight, or take more steps")
        height, width = crop_to if crop_to is not None else x.shape[-2:]
        return x[..., :height, :width].clamp(-1.0, 1.0)

    @torch.inference_mode()
    def glimpse(self, z_hat: Tensor, seeds: Sequence[int]) -> Tensor:
        """Rough pictures of clean latent estimates by one decoder evaluation at its noisiest level.

        The estimate is noised back to the native log-SNR first: the decoder was never shown anything cleaner.
        """
        z_0 = self.native_latent(z_hat, seeds)
        noise = SeededNoise(seeds, "glimpse", shape=self._picture_shape(z_0), device=self.device)
        level = picture_schedule_of(self.model.config).logsnr_min
        logsnr = torch.full((len(seeds),), level, device=self.device)
        return self._decoder_estimate(z_0)(noise.draw(), logsnr).clamp(-1.0, 1.0)

    def _picture_shape(self, z_0: Tensor) -> tuple[int, ...]:
        factor = self.model.config.downsampling
        return self.model.config.image_channels, z_0.shape[2], z_0.shape[3] * factor, z_0.shape[4] * factor

    def _decoder_estimate(self, z_0: Tensor) -> samplers.Denoise:
        decoder = self.model.decoder
        assert decoder is not None

        def denoise(x_t: Tensor, logsnr: Tensor) -> Tensor:
            with self._autocast():
                return estimate_with_decoder(
                    decoder, x_t, logsnr, z_0, config=self.model.config, latent_std=self.model.latent_std
                )

        return denoise

    @torch.inference_mode()
    def bring_back(
        self, z_clean: Tensor, logsnr: float, seeds: Sequence[int], settings: SamplerSettings, observe: Observe = ignore
    ) -> Tensor:
        """One rung of the noise ladder: noise `z_clean` to `logsnr`, let the prior bring it back to the native level.

        At or above the native level the noised latent is returned as it is; above it the decoder is outside its
        training.
        """
        schedule = latent_schedule_of(self.model.config)
        noise = SeededNoise(seeds, "ladder", shape=z_clean.shape[1:], device=self.device)
        z_t = add_noise(z_clean, noise.draw(), torch.tensor(logsnr, device=self.device))
        if logsnr >= schedule.logsnr_max:
            return z_t
        if logsnr < schedule.logsnr_min:
            raise ConfigError(
                f"{logsnr} is below the latent's noisiest level {schedule.logsnr_min}", field="latent_logsnr"
            )
        make = time_grid if settings.name in FIRST_ORDER else logsnr_grid
        share = (schedule.logsnr_max - logsnr) / (schedule.logsnr_max - schedule.logsnr_min)
        num_steps = max(1, round(settings.num_steps * share))
        return SAMPLERS[settings.name](
            self._prior_estimate(),
            z_t,
            make(schedule, num_steps, logsnr_start=logsnr),
            draw_noise=noise.draw,
            observe=lambda step: observe("base", step),
        )

    def _prior_estimate(self) -> samplers.Denoise:
        prior = self.model.prior
        assert prior is not None

        def denoise(z_t: Tensor, logsnr: Tensor) -> Tensor:
            with self._autocast():
                return estimate_with_prior(prior, z_t, logsnr, self.model.latent_std)

        return denoise

    @torch.inference_mode()
    def bitrate(
        self, z_clean: Tensor, seeds: Sequence[int], *, num_times: int, observe: Callable[[], None] = lambda: None
    ) -> Bitrate:
        """The prior's bound on the information in z_0 (eq. 3), per picture, cell and band.

        `observe` is called before each of the `num_times` evaluations; it may raise Cancelled.
        """
        noise = SeededNoise(seeds, "bitrate", shape=z_clean.shape[1:], device=self.device)
        estimate = self._prior_estimate()

        def denoise(z_t: Tensor, logsnr: Tensor) -> Tensor:
            observe()
            return estimate(z_t, logsnr)

        return latent_bitrate(
            denoise,
            z_clean,
            latent_schedule_of(self.model.config),
            num_times=num_times,
            draw_noise=noise.draw,
        )


def default_guidance(latent_std: float, weight: float = 2.0) -> GuidanceSettings:
    """Guidance over log-SNR -3 to 1.5, moved by `-2 ln s`: the scale s of a latent shifts its effective log-SNR.

    Rounded to two decimals, which is what people see and type.
    """
    shift = base_bias(0.0, latent_std)
    return GuidanceSettings(weight=weight, logsnr_low=round(-3.0 + shift, 2), logsnr_high=round(1.5 + shift, 2))


def pad_to_multiple(x: Tensor, factor: int) -> Tensor:
    """Replicate the right and lower edge of `[B, C, T, H, W]` until `factor` divides both sides."""
    height, width = x.shape[-2:]
    right, lower = -width % factor, -height % factor
    return F.pad(x, (0, right, 0, lower, 0, 0), mode="replicate") if right or lower else x


def latent_size(height_px: int, width_px: int, downsampling: int) -> tuple[int, int]:
    """Latent cells (height, width) that cover a picture."""
    return -(-height_px // downsampling), -(-width_px // downsampling)


def out_of_memory(error: Exception) -> DeviceMemoryError | None:
    """The plain error for torch's out-of-memory, on a GPU or in the host's allocator; None for any other failure."""
    text = str(error)
    if (
        isinstance(error, torch.OutOfMemoryError | MemoryError)
        or "can't allocate memory" in text
        or "not enough memory" in text
    ):
        free = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None
        return DeviceMemoryError(
            "the device ran out of memory; make fewer pictures at once (batch size) or smaller ones", free_bytes=free
        )
    return None
