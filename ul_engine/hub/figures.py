"""The measured figures of a manifest in honest words: what each is, and what it is not."""

from collections.abc import Mapping

_FIGURES: dict[str, tuple[str, str]] = {
    "bits_per_pixel": ("latent bits per pixel (upper bound, not a file size)", "{:.4f}"),
    "bits_per_dim": ("bits per latent value (upper bound)", "{:.3f}"),
    "psnr_db": ("PSNR of reconstructions", "{:.2f} dB"),
    "ssim": ("SSIM of reconstructions", "{:.3f}"),
    "psnr_shuffled_db": ("PSNR with another picture's latent", "{:.2f} dB"),
    "shuffle_gap_db": ("right-versus-shuffled gap (what the latent carries)", "{:.2f} dB"),
    "latent_std": ("standard deviation of the latent", "{:.3f}"),
    "guidance_weight": ("guidance weight of the presets (a setting, not a measure)", "{:g}"),
}
_ACCURACY = "prompt_accuracy_"


def labelled_figures(calibration: Mapping[str, float]) -> list[tuple[str, str]]:
    """(what it is, value) of every figure, in the manifest's order; one without a known meaning keeps its own name."""
    return [_labelled(name, value) for name, value in calibration.items()]


def _labelled(name: str, value: float) -> tuple[str, str]:
    if name in _FIGURES:
        label, form = _FIGURES[name]
        return label, form.format(value)
    if name.startswith(_ACCURACY):
        what = name.removeprefix(_ACCURACY).replace("_", " ")
        what = "all attributes at once" if what == "all" else what
        return f"prompt accuracy, {what} (judged by a classifier)", f"{value:.1%}"
    return f"{name} (as recorded)", f"{value:.4g}"
