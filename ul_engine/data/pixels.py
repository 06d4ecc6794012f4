"""The only place where uint8 pictures become float32 tensors in [-1, 1] and back."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ul_engine.errors import ShapeError

Uint8Array = npt.NDArray[np.uint8]


def to_signed(pictures: Tensor) -> Tensor:
    """uint8 0 to 255 -> float32 in [-1, 1], any shape."""
    return pictures.to(torch.float32).mul_(2.0 / 255.0).sub_(1.0)


def to_uint8(pictures: Tensor) -> Tensor:
    """float in [-1, 1] (clipped) -> uint8 0 to 255, rounded to nearest, any shape."""
    return pictures.float().add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def pictures_from_array(array: Uint8Array) -> Tensor:
    """uint8 `[N, H, W, 3]`, also a read-only map -> float32 `[N, 3, 1, H, W]` in [-1, 1]: clips of one frame."""
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[-1] != 3:
        raise ShapeError(f"expected uint8 pictures [N, H, W, 3], got {array.dtype} {array.shape}")
    return to_signed(torch.from_numpy(np.array(array)).permute(0, 3, 1, 2)).unsqueeze(2)


def array_from_pictures(pictures: Tensor) -> Uint8Array:
    """float `[N, 3, 1, H, W]` in [-1, 1] -> contiguous uint8 `[N, H, W, 3]`."""
    if pictures.ndim != 5 or pictures.shape[1] != 3 or pictures.shape[2] != 1:
        raise ShapeError(f"expected pictures [N, 3, 1, H, W], got {tuple(pictures.shape)}")
    array: Uint8Array = to_uint8(pictures[:, :, 0]).permute(0, 2, 3, 1).cpu().contiguous().numpy()
    return array


def clip_from_array(array: Uint8Array) -> Tensor:
    """uint8 `[T, H, W, 3]` -> float32 `[1, 3, T, H, W]` in [-1, 1]."""
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[-1] != 3:
        raise ShapeError(f"expected the uint8 frames of a clip [T, H, W, 3], got {array.dtype} {array.shape}")
    return to_signed(torch.from_numpy(np.array(array)).permute(3, 0, 1, 2)).unsqueeze(0)


def clips_from_frames(frames: Tensor) -> Tensor:
    """uint8 `[B, T, H, W, 3]` on any device -> float32 `[B, 3, T, H, W]` in [-1, 1] there; a picture has one frame."""
    if frames.dtype != torch.uint8 or frames.ndim != 5 or frames.shape[-1] != 3:
        raise ShapeError(f"expected uint8 frames [B, T, H, W, 3], got {frames.dtype} {tuple(frames.shape)}")
    return to_signed(frames.permute(0, 4, 1, 2, 3))


def array_from_clips(clips: Tensor) -> Uint8Array:
    """float `[B, 3, T, H, W]` in [-1, 1] -> contiguous uint8 `[B, T, H, W, 3]`."""
    if clips.ndim != 5 or clips.shape[1] != 3:
        raise ShapeError(f"expected clips [B, 3, T, H, W], got {tuple(clips.shape)}")
    array: Uint8Array = to_uint8(clips).permute(0, 2, 3, 4, 1).cpu().contiguous().numpy()
    return array
