"""The pictures it learns from: Scenes renders with their words, and photographs of clothes from a zip archive."""

import io
import zipfile
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ul_engine.data.scenes.cache import SceneCache, build_cache
from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS
from ul_engine.errors import DataError

SIZE_PX = 64
MARGIN_PX = 8
"""Training photographs are this much larger and are cropped at random."""
HELD_OUT_SHARE = 0.2
_BATCH_MARGIN = 2 * MARGIN_PX


@dataclass(frozen=True)
class Clothes:
    """Photographs uint8 `[N, 3, S, S]`, their classes int64 `[N]`, and the names of the classes."""

    pictures: Tensor
    labels: Tensor
    names: tuple[str, ...]


def read_clothes(archive: Path) -> tuple[Clothes, Clothes]:
    """Training photographs of `SIZE_PX + 2 MARGIN_PX` and held-out ones of `SIZE_PX`, middle squares of the originals.

    The archive holds `train/<class>/<name>.jpg`. A hash of the name decides what is held out, so it never changes.
    Raises DataError.
    """
    try:
        with zipfile.ZipFile(archive) as files:
            names = sorted(name for name in files.namelist() if PurePosixPath(name).suffix.lower() == ".jpg")
            classes = tuple(sorted({PurePosixPath(name).parent.name for name in names}))
            if len(classes) < 2:
                raise DataError(
                    "holds no photographs in folders of their classes (train/<class>/<name>.jpg)", path=archive
                )
            held_out = [name for name in names if _is_held_out(name)]
            training = [name for name in names if not _is_held_out(name)]
            return (
                _clothes(files, training, classes, SIZE_PX + _BATCH_MARGIN),
                _clothes(files, held_out, classes, SIZE_PX),
            )
    except (OSError, zipfile.BadZipFile, UnidentifiedImageError) as error:
        raise DataError(f"cannot be read ({error})", path=archive) from error


def _is_held_out(name: str) -> bool:
    digest = blake2b(PurePosixPath(name).name.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") < HELD_OUT_SHARE * 2**32


def _clothes(files: zipfile.ZipFile, names: list[str], classes: tuple[str, ...], size_px: int) -> Clothes:
    pictures = torch.empty(len(names), 3, size_px, size_px, dtype=torch.uint8)
    for index, name in enumerate(names):
        pictures[index] = torch.from_numpy(_middle_square(files.read(name), size_px)).permute(2, 0, 1)
    labels = torch.tensor([classes.index(PurePosixPath(name).parent.name) for name in names])
    return Clothes(pictures, labels, classes)


def _middle_square(content: bytes, size_px: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.resize((size_px, size_px), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    return np.array(square)


def open_scenes(folder: Path, *, num_train: int, num_valid: int) -> tuple[SceneCache, SceneCache]:
    """Training scenes of the series 0 and held-out ones of the series 1, rendered where the folder lacks them."""

    def part(seed: int, count: int) -> SceneCache:
        return build_cache(folder / f"scenes-{SIZE_PX}px-seed{seed}-{count}", seed=seed, count=count, size_px=SIZE_PX)

    return part(0, num_train), part(1, num_valid)


def scene_pictures(cache: SceneCache, indices: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Tensor:
    """uint8 `[B, 3, S, S]`."""
    return torch.from_numpy(np.array(cache.pictures[indices])).permute(0, 3, 1, 2)


def scene_labels(cache: SceneCache, indices: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, Tensor]:
    """Class per attribute, `{name: [B]}` int64."""
    return {name: torch.from_numpy(cache.label(name)[indices].astype(np.int64)) for name in ATTRIBUTE_WORDS}


def cropped(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """A random crop of `SIZE_PX` out of each picture, mirrored or not, `[B, 3, SIZE_PX, SIZE_PX]`."""
    slack = pictures.shape[-1] - SIZE_PX + 1
    tops, lefts = torch.randint(slack, (2, len(pictures)), generator=generator)
    mirrored = torch.rand(len(pictures), generator=generator) < 0.5
    parts = [
        picture[:, top : top + SIZE_PX, left : left + SIZE_PX].flip(-1)
        if is_mirrored
        else picture[:, top : top + SIZE_PX, left : left + SIZE_PX]
        for picture, top, left, is_mirrored in zip(
            pictures, tops.tolist(), lefts.tolist(), mirrored.tolist(), strict=True
        )
    ]
    return torch.stack(parts)
