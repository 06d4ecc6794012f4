"""What pictures look like, small enough to keep for each of a hundred thousand: a 64-bit hash and a thumbnail. No
torch."""

from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

GREY_SIDE_PX = 32
THUMBNAIL_SIDE_PX = 16
FLAT_DEVIATION = 2.0
"""Below this standard deviation, in steps of 255, a hash would be a hash of noise."""

_SIDE_BITS = 8

FloatArray = npt.NDArray[np.float32]
Uint8Array = npt.NDArray[np.uint8]
HashArray = npt.NDArray[np.uint64]


def grey_of(picture: Image.Image) -> Uint8Array:
    """Any picture -> grey uint8 `[32, 32]`, each value the mean of its part; the shape is not kept."""
    return np.asarray(picture.convert("L").resize((GREY_SIDE_PX, GREY_SIDE_PX), Image.Resampling.BOX))


def thumbnails_of(greys: Uint8Array) -> Uint8Array:
    """`[N, 32, 32]` -> uint8 `[N, 16, 16]`."""
    side = THUMBNAIL_SIDE_PX
    parts = greys.reshape(-1, side, GREY_SIDE_PX // side, side, GREY_SIDE_PX // side)
    thumbnails: Uint8Array = parts.mean(axis=(2, 4)).round().astype(np.uint8)
    return thumbnails


def hashes_of(greys: Uint8Array) -> tuple[HashArray, npt.NDArray[np.bool_]]:
    """64 bits for each grey picture `[N, 32, 32]`, and whether it is too flat for them to mean anything.

    A bit says whether one of the 8x8 slowest cosine terms is above the median of all. Nearly the same after scaling,
    compression and changes of brightness. The constant term says only how bright a picture is, so the ninth term of
    the diagonal stands in its place.
    """
    basis = _cosines()
    values = greys.astype(np.float32)
    terms = basis @ values @ basis.T  # [N, 9, 9]
    slow = terms[:, :_SIDE_BITS, :_SIDE_BITS].reshape(len(greys), -1)
    slow[:, 0] = terms[:, _SIDE_BITS, _SIDE_BITS]
    bits = slow > np.median(slow, axis=1, keepdims=True)
    hashes = np.packbits(bits, axis=1).view(">u8").ravel().astype(np.uint64)
    return hashes, values.std(axis=(1, 2)) < FLAT_DEVIATION


@cache
def _cosines() -> FloatArray:
    """The nine slowest rows of the orthonormal cosine transform (DCT-II) of 32 values, `[9, 32]`."""
    rows = np.arange(_SIDE_BITS + 1)[:, None]
    places = np.arange(GREY_SIDE_PX)[None, :]
    basis = np.cos(np.pi * rows * (2 * places + 1) / (2 * GREY_SIDE_PX)) * np.sqrt(2 / GREY_SIDE_PX)
    basis[0] /= np.sqrt(2)
    rounded: FloatArray = basis.astype(np.float32)
    return rounded
