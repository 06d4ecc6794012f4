"""The measured figures of a manifest in honest words: what each is, and what it is not."""

from collections.abc import Mapping

_FIGURES: dict[str, tuple[str, str]] = {
    "bits_per_pixel": ("latent bits per pixel (upper bound, not a file size)", "{:.4f}"),
    "bits_per_dim": ("bits per latent value (upper bound)", "{:.3f}"),
    "psnr_db": ("PSNR of reconstructions", "{:.2f} dB"),
    "ssim": ("SSIM of reconstructions", "{:.3f}"),
    "ms_ssim": ("MS-SSIM of reconstructions", "{:.3f}"),
    "flip": ("FLIP of reconstructions (lower is better)", "{:.3f}"),
    "frame_psnr_db": ("PSNR of reconstructions, mean over frames", "{:.2f} dB"),
    "flicker_levels": ("flicker of reconstructions (8-bit levels)", "{:.2f}"),
    "rfd_small": ("rFD-Small of reconstructions (not rFID)", "{:.3g}"),
    "gfd_small": ("gFD-Small of generated pictures (not gFID)", "{:.3g}"),
    "rfd_small_clip": ("rFD-Small-clip of reconstructions (not rFVD)", "{:.3g}"),
    "fd_small_clip": ("FD-Small-clip of generated clips (not FVD)", "{:.3g}"),
    "psnr_shuffled_db": ("PSNR with another picture's latent", "{:.2f} dB"),
    "shuffle_gap_db": ("right-versus-shuffled gap (what the latent carries)", "{:.2f} dB"),
    "latent_std": ("standard deviation of the latent", "{:.3f}"),
    "guidance_weight": ("guidance weight of the presets (a setting, not a measure)", "{:g}"),
}
_SHARES = {
    "prompt_accuracy_two_": "prompts of two objects",
    "prompt_accuracy_": "prompts",
    "drift_": "after the last continuation",
}
_SECONDS = "seconds_"
_SPELLINGS = {"all": "all words at once", "num objects": "number of objects"}


def labelled_figures(calibration: Mapping[str, float]) -> list[tuple[str, str]]:
    """(what it is, value) of every figure, in the manifest's order; one without a known meaning keeps its own name."""
    return [_labelled(name, value) for name, value in calibration.items()]


def _labelled(name: str, value: float) -> tuple[str, str]:
    if name in _FIGURES:
        label, form = _FIGURES[name]
        return label, form.format(value)
    for prefix, kind in _SHARES.items():
        if name.startswith(prefix):
            return f"{kind}: {_words(name.removeprefix(prefix))} (judged by a classifier)", f"{value:.1%}"
    if name.startswith(_SECONDS):
        return f"time of one, {_words(name.removeprefix(_SECONDS))} (where it was measured)", f"{value:.2g} s"
    return f"{name} (as recorded)", f"{value:.4g}"


def _words(name: str) -> str:
    words = name.replace("_", " ").replace("color", "colour")
    for place in ("first", "second"):
        if words.startswith(f"{place} "):
            return f"{words.removeprefix(place).strip()} of the {place}"
    return _SPELLINGS.get(words, words)
