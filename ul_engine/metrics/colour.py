"""Colour spaces of the eye: sRGB to linear light, to XYZ, to opponent channels and to L*a*b*.

All functions take and give `[N, 3, H, W]`; the reference white is that of sRGB (D65). Sources: IEC 61966-2-1 (sRGB);
CIE 15 (L*a*b*); for opponent channels, Hunt's adjustment and HyAB, the FLIP paper (Andersson et al. 2020), section 4.1.
"""

import torch
from torch import Tensor

PRIMARIES_XY = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))  # red, green, blue
WHITE_XY = (0.3127, 0.3290)
LAB_DELTA = 6.0 / 29.0


def linear_from_srgb(rgb: Tensor) -> Tensor:
    """Gamma-coded sRGB in [0, 1] -> linear light in [0, 1]."""
    return torch.where(rgb > 0.04045, ((rgb.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def opponent_from_rgb(rgb: Tensor) -> Tensor:
    """sRGB in [0, 1] -> YCxCz: lightness-like Y in [-16, 100], red-green and blue-yellow, all linear in light."""
    x, y, z = _relative_xyz(linear_from_srgb(rgb)).unbind(1)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=1)


def linear_rgb_from_opponent(opponent: Tensor) -> Tensor:
    """YCxCz -> linear light, which may leave [0, 1]."""
    lightness, red_green, blue_yellow = opponent.unbind(1)
    y = (lightness + 16) / 116
    relative = torch.stack((y + red_green / 500, y, y - blue_yellow / 200), dim=1)
    return _mixed(torch.linalg.inv(_relative_matrix()), relative)


def achromatic(opponent: Tensor) -> Tensor:
    """Y of YCxCz, brought to [0, 1], `[N, 1, H, W]`."""
    return (opponent[:, :1] + 16) / 116


def lab_from_rgb(linear_rgb: Tensor) -> Tensor:
    """Linear light in [0, 1] -> L*a*b*."""
    relative = _relative_xyz(linear_rgb)
    line = relative / (3 * LAB_DELTA**2) + 4.0 / 29.0
    x, y, z = torch.where(relative > LAB_DELTA**3, relative.clamp_min(LAB_DELTA**3) ** (1 / 3), line).unbind(1)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=1)


def hunt_adjusted(lab: Tensor) -> Tensor:
    """Hunt's effect: colours look duller in the dark, a* and b* are multiplied by L* / 100."""
    lightness = lab[:, :1]
    return torch.cat((lightness, 0.01 * lightness * lab[:, 1:]), dim=1)


def hyab(lab: Tensor, other: Tensor) -> Tensor:
    """HyAB distance: that of lightness plus the Euclidean one of colour, `[N, 1, H, W]`."""
    difference = lab - other
    return difference[:, :1].abs() + torch.hypot(difference[:, 1:2], difference[:, 2:3])


def _relative_xyz(linear_rgb: Tensor) -> Tensor:
    """XYZ divided by that of white."""
    return _mixed(_relative_matrix(), linear_rgb)


def _relative_matrix() -> Tensor:
    """Linear sRGB to XYZ / white, float64 `[3, 3]`, from the primaries' chromaticities: each row sums to 1."""
    primaries = torch.tensor([[x / y, 1.0, (1 - x - y) / y] for x, y in PRIMARIES_XY], dtype=torch.float64).T
    white = torch.tensor([WHITE_XY[0] / WHITE_XY[1], 1.0, (1 - sum(WHITE_XY)) / WHITE_XY[1]], dtype=torch.float64)
    amounts: Tensor = torch.linalg.solve(primaries, white)  # of each primary in white
    return primaries * amounts / white[:, None]


def _mixed(matrix: Tensor, channels: Tensor) -> Tensor:
    return torch.einsum("ij,njhw->nihw", matrix.to(channels), channels)
