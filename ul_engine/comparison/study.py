"""One picture or clip under one model: its latent, its bits, and its reconstructions, each made once and kept."""

from collections.abc import Callable, Collection
from functools import cached_property

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ul_engine.comparison.bits import BitSpread, bits_by_band
from ul_engine.comparison.memory import Rung, StudyMemory
from ul_engine.comparison.meter import Measured, Meter
from ul_engine.comparison.spread import Spread, spread_of
from ul_engine.data.pixels import Uint8Array, array_from_clips, clip_from_array
from ul_engine.diffusion.bitrate import LN2, Bitrate, mean_bitrate
from ul_engine.diffusion.noise import derived_seed
from ul_engine.pipelines import Observe, Pipeline, Restorer, Start, ignore
from ul_engine.requests import MeasureName, SamplingSettings


class Study:
    """Reconstructions of `original` (uint8 `[T, H, W, 3]`; a picture has T = 1).

    All rungs and all decodes of one draw share their noise: what differs between two of them is the level alone. What
    was decoded is kept in `memory` (None: a new one; else that of an earlier study of the same original with the same
    settings), so that moving along a ladder that was decoded once is instant.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        original: Uint8Array,
        *,
        seed: int = 0,
        sampling: SamplingSettings | None = None,
        restorer: Restorer | None = None,
        bitrate_times: int = 32,
        bitrate_draws: int = 1,
        memory: StudyMemory | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.original = original
        self.seed = seed
        self.sampling = sampling or SamplingSettings()
        self.restorer: Restorer = restorer or pipeline.native_restorer
        self.bitrate_times = bitrate_times
        self.bitrate_draws = bitrate_draws
        self.memory = memory if memory is not None else StudyMemory()

    @property
    def native_logsnr(self) -> float:
        """The level at which the decoder was trained to see latents."""
        return self.pipeline.config.latent.logsnr_max

    @property
    def num_pixels(self) -> int:
        """Height x width x frames of the original."""
        return int(np.prod(self.original.shape[:3]))

    @cached_property
    def x(self) -> Tensor:
        """The original as `[1, 3, T, H, W]` in [-1, 1]."""
        return clip_from_array(self.original)

    @property
    def _encoded(self) -> tuple[Tensor, Tensor | None]:
        """z_clean and its log-variance, on the device."""
        if self.memory.encoded is None:
            z_clean, log_variance = self.pipeline.encode_sampled(self.x, [self.seed])
            self.memory.encoded = z_clean.cpu(), log_variance.cpu() if log_variance is not None else None
        z_clean, log_variance = self.memory.encoded
        device = self.pipeline.device
        return z_clean.to(device), log_variance.to(device) if log_variance is not None else None

    @property
    def z_clean(self) -> Tensor:
        """`[1, C, Tz, h, w]`."""
        z_clean: Tensor = self._encoded[0]
        return z_clean

    def bitrate(self, observe: Callable[[], None] = lambda: None, *, restorer: Restorer | None = None) -> Bitrate:
        """The bound under the prior or the base model, computed once; of several draws of noise their mean."""
        draws = self.bitrate_by_draw(observe, restorer=restorer)
        return draws[0] if len(draws) == 1 else mean_bitrate(draws)

    def bitrate_by_draw(
        self, observe: Callable[[], None] = lambda: None, *, restorer: Restorer | None = None
    ) -> list[Bitrate]:
        """The bound by each draw of the noise that it is estimated with."""
        return [self._bitrate(restorer or self.restorer, draw, observe) for draw in range(self.bitrate_draws)]

    def _bitrate(self, restorer: Restorer, draw: int, observe: Callable[[], None]) -> Bitrate:
        known = self.memory.bitrates
        if (restorer, draw) not in known:
            z_clean, log_variance = self._encoded
            known[restorer, draw] = self.pipeline.bitrate(
                z_clean,
                [self.seed if draw == 0 else derived_seed(self.seed, f"bits {draw}")],
                num_times=self.bitrate_times,
                observe=observe,
                restorer=restorer,
                log_variance=log_variance,
            )
        return known[restorer, draw]

    def bits_per_pixel(self, observe: Callable[[], None] = lambda: None, *, restorer: Restorer | None = None) -> float:
        """Upper bound on the information in z_0, in bits per pixel of the original; not a file size."""
        return float(self.bitrate(observe, restorer=restorer).nats[0]) / (LN2 * self.num_pixels)

    def bits_per_dim(self, observe: Callable[[], None] = lambda: None) -> float:
        """The same per latent value."""
        return float(self.bitrate(observe).nats[0]) / (LN2 * self.z_clean[0].numel())

    def bit_map(self, observe: Callable[[], None] = lambda: None) -> npt.NDArray[np.float32]:
        """Where the bits went: bits per latent cell, `[Tz, h, w]`; they sum to the whole."""
        return (self.bitrate(observe).cell_nats[0] / LN2).numpy()

    def band_bits(self, observe: Callable[[], None] = lambda: None) -> list[tuple[float, float, float]]:
        """Bits per band of latent log-SNR as (low, high, bits), ascending; the terminal KL is not among them, nor what
        a learned variance takes off."""
        return bits_by_band(self.bitrate(observe))

    def bit_spread(self, observe: Callable[[], None] = lambda: None, *, restorer: Restorer | None = None) -> BitSpread:
        """Mean and deviation of the bits over the draws of noise."""
        return BitSpread.of(self.bitrate_by_draw(observe, restorer=restorer))

    def latent(self, logsnr: float, observe: Observe = ignore) -> Tensor:
        """The latent of one rung, at the native level again: `[1, C, Tz, h, w]` on the device. Raises ConfigError below
        the noisiest level."""
        latents = self.memory.latents
        if logsnr not in latents:
            latents[logsnr] = self._new_latent(logsnr, observe).cpu()
        return latents[logsnr].to(self.pipeline.device)

    def _new_latent(self, logsnr: float, observe: Observe) -> Tensor:
        if logsnr == self.native_logsnr:
            return self.pipeline.native_latent(self.z_clean, [self.seed])
        return self.pipeline.bring_back(
            self.z_clean, logsnr, [self.seed], self.sampling.base, observe, restorer=self.restorer
        )

    def picture(self, rung: Rung, *, draw: int = 0, observe: Observe = ignore) -> Uint8Array:
        """Reconstruction uint8 `[T, H, W, 3]`; `draw` numbers independent decodes of the same latent."""
        if (known := self.memory.decode(rung, draw)) is not None:
            return known
        start = None
        if rung.decoder_logsnr is not None:
            start = Start(self.pipeline.padded(self.x), rung.decoder_logsnr)
        decoded = self.pipeline.decode(
            self.latent(rung.latent_logsnr, observe),
            [self.seed if draw == 0 else derived_seed(self.seed, f"decode {draw}")],
            self.sampling.decoder,
            observe,
            crop_to=(self.original.shape[1], self.original.shape[2]),
            num_frames=self.original.shape[0],
            start=start,
        )
        picture: Uint8Array = array_from_clips(decoded)[0]
        self.memory.remember(rung, draw, picture)
        return picture

    def measured(
        self,
        rung: Rung,
        measures: Collection[MeasureName],
        meter: Meter,
        *,
        observe: Observe = ignore,
        before_each: Callable[[], None] = lambda: None,
    ) -> Measured:
        """Figures of the first decode of a rung; what was measured before is not again. `before_each` is called before
        each measure and may raise Cancelled."""
        picture, figures = self.picture(rung, observe=observe), self.memory.figures
        known = figures.get(rung)
        figures[rung] = meter.measure(self.original, picture, measures, known=known, observe=before_each)
        return figures[rung]

    def is_trained_level(self, rung: Rung) -> bool:
        """Whether the decoder was trained on latents such as this rung's: not above the native log-SNR."""
        return rung.latent_logsnr <= self.native_logsnr

    def is_cached(self, rung: Rung, *, draw: int = 0) -> bool:
        """Whether `picture` would answer at once."""
        return (rung, draw) in self.memory.decodes

    def spread(self, rung: Rung, num_decodes: int, *, observe: Observe = ignore) -> Spread:
        """Mean and deviation of `num_decodes` decodes of the latent of one rung."""
        return spread_of(self.picture(rung, draw=draw, observe=observe) for draw in range(num_decodes))
