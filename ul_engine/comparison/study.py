"""One picture or clip under one model: its latent, its bits, and its reconstructions, each made once and kept."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ul_engine.comparison.spread import Spread, spread_of
from ul_engine.data.pixels import Uint8Array, array_from_clips, clip_from_array
from ul_engine.diffusion.bitrate import LN2, Bitrate
from ul_engine.diffusion.noise import derived_seed
from ul_engine.pipelines import Observe, Pipeline, Restorer, Start, ignore
from ul_engine.requests import SamplingSettings

CACHE_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Rung:
    """One place on the noise ladders: the latent noised to `latent_logsnr` and brought back (at its native level it is
    z_0 as training has it), the decoder started from the picture at `decoder_logsnr`; None: from pure noise."""

    latent_logsnr: float
    decoder_logsnr: float | None = None


class Study:
    """Reconstructions of `original` (uint8 `[T, H, W, 3]`; a picture has T = 1).

    All rungs and all decodes of one draw share their noise: what differs between two of them is the level alone. What
    was decoded is kept, up to `cache_bytes`, the least recently used going first; moving along a ladder that was
    decoded once is instant.
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
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.pipeline = pipeline
        self.original = original
        self.seed = seed
        self.sampling = sampling or SamplingSettings()
        self.restorer: Restorer = restorer or pipeline.native_restorer
        self.bitrate_times = bitrate_times
        self._cache_bytes = cache_bytes
        self._decodes: OrderedDict[tuple[Rung, int], Uint8Array] = OrderedDict()
        self._latents: dict[float, Tensor] = {}
        self._bitrates: dict[Restorer, Bitrate] = {}

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

    @cached_property
    def _encoded(self) -> tuple[Tensor, Tensor | None]:
        return self.pipeline.encode_sampled(self.x, [self.seed])

    @property
    def z_clean(self) -> Tensor:
        """`[1, C, Tz, h, w]`."""
        z_clean: Tensor = self._encoded[0]
        return z_clean

    def bitrate(self, observe: Callable[[], None] = lambda: None, *, restorer: Restorer | None = None) -> Bitrate:
        """The bound under the prior or the base model; computed once for each."""
        name = restorer or self.restorer
        if name not in self._bitrates:
            z_clean, log_variance = self._encoded
            self._bitrates[name] = self.pipeline.bitrate(
                z_clean,
                [self.seed],
                num_times=self.bitrate_times,
                observe=observe,
                restorer=name,
                log_variance=log_variance,
            )
        return self._bitrates[name]

    def bits_per_pixel(self, observe: Callable[[], None] = lambda: None) -> float:
        """Upper bound on the information in z_0, in bits per pixel of the original; not a file size."""
        return float(self.bitrate(observe).nats[0]) / (LN2 * self.num_pixels)

    def bits_per_dim(self, observe: Callable[[], None] = lambda: None) -> float:
        """The same per latent value."""
        return float(self.bitrate(observe).nats[0]) / (LN2 * self.z_clean[0].numel())

    def bit_map(self, observe: Callable[[], None] = lambda: None) -> npt.NDArray[np.float32]:
        """Where the bits went: bits per latent cell, `[Tz, h, w]`; they sum to the whole."""
        return (self.bitrate(observe).cell_nats[0] / LN2).numpy()

    def band_bits(self, observe: Callable[[], None] = lambda: None) -> list[tuple[float, float, float]]:
        """Bits per band of latent log-SNR as (low, high, bits), ascending; the terminal KL is not among them, nor what
        a learned variance takes off."""
        bound = self.bitrate(observe)
        edges, bits = bound.band_edges.tolist(), (bound.band_nats[0] / LN2).tolist()
        return list(zip(edges[:-1], edges[1:], bits, strict=True))

    def latent(self, logsnr: float, observe: Observe = ignore) -> Tensor:
        """The latent of one rung, at the native level again: `[1, C, Tz, h, w]`. Raises ConfigError below the noisiest
        level."""
        if logsnr not in self._latents:
            seeds = [self.seed]
            if logsnr == self.native_logsnr:
                self._latents[logsnr] = self.pipeline.native_latent(self.z_clean, seeds)
            else:
                self._latents[logsnr] = self.pipeline.bring_back(
                    self.z_clean, logsnr, seeds, self.sampling.base, observe, restorer=self.restorer
                )
        return self._latents[logsnr]

    def picture(self, rung: Rung, *, draw: int = 0, observe: Observe = ignore) -> Uint8Array:
        """Reconstruction uint8 `[T, H, W, 3]`; `draw` numbers independent decodes of the same latent."""
        key = (rung, draw)
        if key in self._decodes:
            self._decodes.move_to_end(key)
            return self._decodes[key]
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
        self._remember(key, array_from_clips(decoded)[0])
        return self._decodes[key]

    def is_trained_level(self, rung: Rung) -> bool:
        """Whether the decoder was trained on latents such as this rung's: not above the native log-SNR."""
        return rung.latent_logsnr <= self.native_logsnr

    def is_cached(self, rung: Rung, *, draw: int = 0) -> bool:
        """Whether `picture` would answer at once."""
        return (rung, draw) in self._decodes

    def spread(self, rung: Rung, num_decodes: int, *, observe: Observe = ignore) -> Spread:
        """Mean and deviation of `num_decodes` decodes of the latent of one rung."""
        return spread_of(self.picture(rung, draw=draw, observe=observe) for draw in range(num_decodes))

    def _remember(self, key: tuple[Rung, int], picture: Uint8Array) -> None:
        self._decodes[key] = picture
        while sum(each.nbytes for each in self._decodes.values()) > self._cache_bytes and len(self._decodes) > 1:
            self._decodes.popitem(last=False)
