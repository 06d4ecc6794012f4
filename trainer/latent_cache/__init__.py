"""Latents of the whole training set, encoded once: `z_clean` (never z_0: its noise is drawn anew each time)."""

from trainer.latent_cache.building import ALONE, Sharing, cached_latents
from trainer.latent_cache.layout import CacheLayout, CacheSettings, latent_cache_bytes, layout_of
from trainer.latent_cache.rows import LatentRows, open_latents

__all__ = [
    "ALONE",
    "CacheLayout",
    "CacheSettings",
    "LatentRows",
    "Sharing",
    "cached_latents",
    "latent_cache_bytes",
    "layout_of",
    "open_latents",
]
