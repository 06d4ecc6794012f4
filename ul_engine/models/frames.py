"""Between clips `[B, C, T, H, W]` and what layers work on: pictures `[B * T, C, H, W]` and tokens `[B, N, D]`."""

from torch import Tensor


def fold_frames(x: Tensor) -> Tensor:
    """`[B, C, T, H, W]` -> `[B * T, C, H, W]` in channels-last memory."""
    return x.permute(0, 2, 3, 4, 1).flatten(0, 1).permute(0, 3, 1, 2)


def unfold_frames(x: Tensor, num_frames: int) -> Tensor:
    """`[B * T, C, H, W]` -> `[B, C, T, H, W]`."""
    clips: Tensor = x.unflatten(0, (-1, num_frames))
    return clips.transpose(1, 2)


def to_tokens(x: Tensor) -> Tensor:
    """`[B, C, T, H, W]` -> `[B, T * H * W, C]`."""
    return x.flatten(2).transpose(1, 2)


def from_tokens(tokens: Tensor, grid: tuple[int, int, int]) -> Tensor:
    """`[B, T * H * W, C]` -> `[B, C, T, H, W]`."""
    clips: Tensor = tokens.transpose(1, 2).unflatten(2, grid)
    return clips


def token_grid(x: Tensor) -> tuple[int, int, int]:
    """(T, H, W) of `[B, C, T, H, W]`."""
    return x.shape[2], x.shape[3], x.shape[4]


def halves_time(index: int, num_downs: int, temporal_downsampling: int) -> bool:
    """Whether halving number `index` of the picture's `num_downs` also halves the frames: the last ones do."""
    return num_downs - index <= temporal_downsampling.bit_length() - 1
