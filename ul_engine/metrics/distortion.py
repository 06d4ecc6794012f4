"""How far a reconstruction is from its original. Inputs float32 in [-1, 1], `[B, 3, 1, H, W]`; one value per
picture."""

import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

PEAK_TO_PEAK = 2.0


def psnr_db(x: Tensor, x_hat: Tensor) -> Tensor:
    """Peak signal-to-noise ratio `10 log10(peak^2 / MSE)` in dB, `[B]`; infinite for equal pictures."""
    error = (x.float() - x_hat.float()).square().flatten(1).mean(1)
    return 10.0 * torch.log10(PEAK_TO_PEAK**2 / error)


def ssim(x: Tensor, x_hat: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004; Gaussian window of 11 pixels), `[B]`; 1 for equal pictures.

    Pictures need at least 11 pixels a side.
    """
    value = structural_similarity_index_measure(
        x_hat[:, :, 0].float(), x[:, :, 0].float(), data_range=PEAK_TO_PEAK, reduction="none"
    )
    assert isinstance(value, Tensor)
    return value.reshape(-1)
