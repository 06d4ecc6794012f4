"""Parts of a picture that stay while the rest is made anew (inpainting), in either diffusion."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from ul_engine.diffusion.samplers import Denoise
from ul_engine.errors import ShapeError


@dataclass(frozen=True)
class Kept:
    """`clean` [B or 1, C, T, H, W] is what stays where `new` [1, 1, T, H, W] is 0; where it is 1 all is made anew, and
    between them both are mixed."""

    clean: Tensor
    new: Tensor

    def held(self, denoise: Denoise) -> Denoise:
        """`denoise` whose clean estimate is `clean` where that stays: `(1 - new) clean + new x_hat`.

        Every solver then carries the kept part along its exact path, q(x_s | x_t, x = clean), down to `clean` at the
        last level's noise, while the network sees it at every level beside what it makes. No step of a solver is
        changed for it. Lugmayr et al., RePaint (arXiv 2201.09865), put the noised picture into the state instead; there
        the noise is another one at every step.
        """

        def estimate(x_t: Tensor, logsnr: Tensor) -> Tensor:
            return self.mixed(denoise(x_t, logsnr).float())

        return estimate

    def mixed(self, x_hat: Tensor) -> Tensor:
        """The estimate with what stays put into it."""
        return self.clean + self.new * (x_hat - self.clean)

    def restored(self, x: Tensor) -> Tensor:
        """`x` with the kept part exactly as it was: a loop ends with its last level's noise on it. Mixed parts stay as
        they are, for they were mixed at every step."""
        return x.where(self.new > 0.0, self.clean)


def cells_of(new: Tensor, *, cell_px: int) -> Tensor:
    """The mask of pixels `[1, 1, 1, H, W]` as one of latent cells: a cell is as new as the newest of its pixels, for it
    stands for all of them. Raises ShapeError unless cells divide the size."""
    if new.shape[-2] % cell_px or new.shape[-1] % cell_px:
        raise ShapeError(f"a mask of {tuple(new.shape[-2:])} pixels is not whole cells of {cell_px}")
    return F.max_pool3d(new, (1, cell_px, cell_px))
