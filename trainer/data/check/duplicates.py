"""Groups of files with the same bytes, and of pictures that look the same. No torch."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

MAX_DISTANCE = 6
"""Bits in which two hashes of one picture may differ: of 250 photographs scaled to a third, compressed at quality 40
and read in draft, 99 in 100 do not differ in more."""
MIN_CORRELATION = 0.985
"""Of two thumbnails. Different photographs with close hashes reached 0.975, copies of one stayed above 0.990."""

_NUM_BITS = 64
_ROWS_AT_ONCE = 1024

HashArray = npt.NDArray[np.uint64]
IntArray = npt.NDArray[np.int64]
Group = tuple[int, ...]


def same_bytes(digests: Sequence[bytes]) -> list[Group]:
    """Indices that share a digest, two or more each, in order."""
    members: dict[bytes, list[int]] = {}
    for index, digest in enumerate(digests):
        members.setdefault(digest, []).append(index)
    return [tuple(group) for group in members.values() if len(group) > 1]


def same_looks(hashes: HashArray, thumbnails: npt.NDArray[np.uint8]) -> list[Group]:
    """Indices of pictures that look the same, two or more each, in order; a chain of likenesses is one group.

    `hashes` [N] and `thumbnails` `[N, 16, 16]` of `looks`. Candidates are close in their hashes, and the thumbnails
    decide. Pictures of one and the same hash are compared with the first of them only.
    """
    unique, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    standard = _standardised(thumbnails)
    links = _close_pairs(unique)
    pairs = np.concatenate([first[links], np.stack([first[inverse], np.arange(len(hashes))], axis=1)])
    alike = np.einsum("nd,nd->n", standard[pairs[:, 0]], standard[pairs[:, 1]]) >= MIN_CORRELATION
    return _joined(len(hashes), pairs[alike & (pairs[:, 0] != pairs[:, 1])])


def _standardised(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Rows of mean 0 and length 1, so that a product of two is their correlation; flat ones are 0."""
    rows = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > 0, lengths, 1)
    return rows


def _close_pairs(unique: HashArray) -> IntArray:
    """Pairs `[P, 2]` of different hashes that differ in at most `MAX_DISTANCE` bits.

    Two such hashes agree in one of `MAX_DISTANCE` + 1 bands of bits at least, so only hashes that share a band are
    compared: for 100 000 pictures some 70 million pairs instead of 5 000 million.
    """
    found = [np.empty((0, 2), np.int64)]
    for shift, mask in _bands():
        keys = (unique >> np.uint64(shift)) & np.uint64(mask)
        order = np.argsort(keys, kind="stable")
        ends = np.flatnonzero(np.diff(keys[order])) + 1
        found += [pairs for bucket in np.split(order, ends) for pairs in _close_in(bucket, unique)]
    return np.unique(np.concatenate(found), axis=0)


def _bands() -> list[tuple[int, int]]:
    """Shift and mask of each band."""
    edges = [_NUM_BITS * band // (MAX_DISTANCE + 1) for band in range(MAX_DISTANCE + 2)]
    return [(low, (1 << (high - low)) - 1) for low, high in pairwise(edges)]


def _close_in(bucket: IntArray, unique: HashArray) -> Iterable[IntArray]:
    """Close pairs within one bucket, a block of rows at a time."""
    values = unique[bucket]
    for start in range(0, len(bucket) - 1, _ROWS_AT_ONCE):
        block = values[start : start + _ROWS_AT_ONCE]
        near = np.bitwise_count(block[:, None] ^ values[None, start:]) <= MAX_DISTANCE
        rows, columns = np.nonzero(np.triu(near, 1))
        if len(rows):
            yield np.sort(np.stack([bucket[start + rows], bucket[start + columns]], axis=1), axis=1)


def _joined(count: int, pairs: IntArray) -> list[Group]:
    """Connected parts of two or more."""
    parents = list(range(count))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for left, right in pairs.tolist():
        low, high = sorted((root(left), root(right)))
        parents[high] = low
    members: dict[int, list[int]] = {}
    for index in sorted(set(pairs.ravel().tolist())):
        members.setdefault(root(index), []).append(index)
    return [tuple(group) for group in members.values()]
