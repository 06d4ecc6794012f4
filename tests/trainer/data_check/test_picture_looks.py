"""Perceptual hashes and groups of equal or alike pictures, against the definition and a plain search."""

import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from trainer.data.check.duplicates import MAX_DISTANCE, _close_pairs, same_bytes, same_looks
from trainer.data.check.looks import GREY_SIDE_PX, Uint8Array, grey_of, hashes_of, thumbnails_of


def scene(number: int, width: int = 120, height: int = 90) -> Image.Image:
    """A picture of large soft shapes, another for every number."""
    rng = np.random.default_rng(number)
    small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def greys(*pictures: Image.Image) -> Uint8Array:
    return np.stack([grey_of(picture) for picture in pictures])


def compressed(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


def distance(one: Image.Image, other: Image.Image) -> int:
    hashes, _ = hashes_of(greys(one, other))
    return int(np.bitwise_count(hashes[0] ^ hashes[1]))


def test_hash_is_the_sign_of_cosine_terms_against_their_median() -> None:
    grey = grey_of(scene(1)).astype(np.float64)
    places = np.arange(GREY_SIDE_PX)
    terms = []
    for row in range(8):
        for column in range(8):
            u, v = (row, column) if row or column else (8, 8)
            waves = [np.cos(np.pi * order * (2 * places + 1) / (2 * GREY_SIDE_PX)) for order in (u, v)]
            scale = [np.sqrt((1 if order == 0 else 2) / GREY_SIDE_PX) for order in (u, v)]
            terms.append(float((grey * np.outer(*waves)).sum() * scale[0] * scale[1]))
    bits = "".join("1" if term > np.median(terms) else "0" for term in terms)
    hashes, _ = hashes_of(grey.astype(np.uint8)[None])
    assert int(hashes[0]) == int(bits, 2)
    assert bits.count("1") == 32


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: picture.resize((60, 45), Image.Resampling.LANCZOS),
        lambda picture: compressed(picture, 40),
        lambda picture: ImageEnhance.Brightness(picture).enhance(0.85),
        lambda picture: picture.convert("CMYK"),
    ],
    ids=["half the size", "compressed", "darker", "four colours"],
)
def test_copies_stay_close_and_are_one_group(change: object) -> None:
    assert callable(change)
    pictures = [scene(number) for number in range(8)]
    copy = change(pictures[3])
    assert distance(pictures[3], copy) <= MAX_DISTANCE
    values = greys(*pictures, copy)
    hashes, is_flat = hashes_of(values)
    assert not is_flat.any()
    assert same_looks(hashes, thumbnails_of(values)) == [(3, 8)]


def test_other_pictures_are_far_apart() -> None:
    hashes, _ = hashes_of(greys(*(scene(number) for number in range(40))))
    distances = [int(np.bitwise_count(one ^ other)) for one, other in combinations(hashes, 2)]
    assert min(distances) > MAX_DISTANCE
    assert 28 < np.mean(distances) < 36  # bits of strangers agree by chance


def test_flat_pictures_have_no_hash() -> None:
    grain = np.full((40, 40, 3), 90, np.uint8)
    grain[::7] += 3
    _, is_flat = hashes_of(greys(Image.fromarray(grain), scene(0)))
    assert is_flat.tolist() == [True, False]


def test_close_hashes_with_other_thumbnails_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    hashes = np.array([77, 77, 77 ^ 0b11], np.uint64)
    thumbnails = rng.integers(0, 256, (3, 16, 16), dtype=np.uint8)
    assert same_looks(hashes, thumbnails) == []
    thumbnails[2] = thumbnails[0]
    assert same_looks(hashes, thumbnails) == [(0, 2)]


def test_bands_find_every_close_pair() -> None:
    rng = np.random.default_rng(3)
    start = rng.integers(0, 2**63, 60, dtype=np.uint64)
    flips = [np.uint64(sum(1 << int(bit) for bit in rng.choice(64, count, replace=False))) for count in range(1, 10)]
    hashes = np.unique(np.concatenate([start, *(start ^ flip for flip in flips)]))
    close = np.bitwise_count(hashes[:, None] ^ hashes[None]) <= MAX_DISTANCE
    assert _close_pairs(hashes).tolist() == np.argwhere(np.triu(close, 1)).tolist()


def test_many_equal_pictures_are_one_group_and_chains_join() -> None:
    hashes = np.array([5] * 3000 + [5 ^ 0b111111, 5 ^ 0b111111111111, 0xFFFFFFFF00000000], np.uint64)
    thumbnails = np.tile(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), (len(hashes), 1, 1))
    assert same_looks(hashes, thumbnails) == [tuple(range(3002))]


def test_equal_bytes() -> None:
    assert same_bytes([b"a", b"b", b"a", b"c", b"b", b"a"]) == [(0, 2, 5), (1, 4)]
