"""Small sets of pictures in real files: as a folder, a zip file, tar shards."""

import io
import os
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def picture(number: int, width: int = 40, height: int = 30) -> Image.Image:
    """A smooth pattern that differs from number to number."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [np.sin(x / 5 + number), np.cos(y / 7 - number), np.sin((x + y) / 9 + 2 * number)]
    return Image.fromarray(np.uint8(127 + 120 * np.stack(planes, axis=-1)))


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of a picture file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def two_classes(count: int = 24) -> dict[str, bytes]:
    """Files `cat/03.png` and `dog/04.png`, every other one a portrait, each with a caption beside it."""
    files = {}
    for number in range(count):
        name = f"{('cat', 'dog')[number % 2]}/{number:02d}"
        size = (30, 42) if number % 4 < 2 else (44, 30)
        files[f"{name}.png"] = encoded(picture(number, *size))
        files[f"{name}.txt"] = f"picture number {number}".encode()
    return files


def write_folder(root: Path, files: Mapping[str, bytes]) -> Path:
    """The files below `root`."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def write_zip(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """The files in a zip archive."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, files: Mapping[str, bytes]) -> Path:
    """The files in a tar archive, in their order, as webdataset writes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mtime = 1_700_000_000
            archive.addfile(member, io.BytesIO(content))
    return path


def write_shards(folder: Path, files: Mapping[str, bytes], samples_per_shard: int = 5) -> Path:
    """A folder of tar shards; files of one sample (the same name but for its suffix) stay together."""
    stems = sorted({os.path.splitext(name)[0] for name in files})
    for number, first in enumerate(range(0, len(stems), samples_per_shard)):
        chosen = stems[first : first + samples_per_shard]
        write_tar(folder / f"part-{number:04d}.tar", _of(files, chosen))
    return folder


def _of(files: Mapping[str, bytes], stems: Sequence[str]) -> dict[str, bytes]:
    return {name: files[name] for name in sorted(files) if os.path.splitext(name)[0] in stems}
