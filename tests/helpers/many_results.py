"""A folder of results as large as one likes: small real pictures with their settings inside, spread over days.

python -m tests.helpers.many_results FOLDER [COUNT]
"""

import os
import struct
import sys
import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from ul_engine.media.png_chunks import SIGNATURE
from ul_engine.metadata import embed, encode_png, text_chunks
from ul_engine.requests import GenerateRequest

SHAPES = ("sphere", "cube", "cone", "torus", "pyramid")
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "pink")
MODELS = (("scenes", "Scenes"), ("faces", "Faces"))
LAST_DAY = date(2026, 11, 20)
PER_DAY = 500
_NUMBER, _PROMPT = b"987654321", b"the prompt"


def prompt_of(number: int) -> str:
    return f"a {COLOURS[number % 7]} {SHAPES[number % 5]} on a plain floor, number {number}"


def write_results(root: Path, count: int, *, side_px: int = 16) -> list[Path]:
    """Pictures number 0 (the newest) to `count` - 1; number n has seed n, a day of its own every `PER_DAY`."""
    paths = []
    for number in range(count):
        day = LAST_DAY - timedelta(days=number // PER_DAY)
        folder = root / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{PER_DAY - number % PER_DAY:05d}-{number}.png"
        path.write_bytes(_picture(number, side_px))
        noon_s = (day - date(1970, 1, 1)).days * 86400 + 43200 - number % PER_DAY
        os.utime(path, (noon_s, noon_s))
        paths.append(path)
    return paths


def _picture(number: int, side_px: int) -> bytes:
    """One of a few real files, with the number put into its settings and a colour of its own: 25 000 in seconds."""
    parts = []
    for kind, body in _chunks(_pattern(number % 2, side_px)):
        content = body
        if kind == b"IDAT":
            colour = bytes((number % 251, number * 7 % 241, number * 13 % 239))
            content = zlib.compress((b"\0" + colour * side_px) * side_px)
        elif kind == b"tEXt":
            content = body.replace(_NUMBER, str(number).encode()).replace(_PROMPT, prompt_of(number).encode())
        parts.append(struct.pack(">I", len(content)) + kind + content)
        parts.append(struct.pack(">I", zlib.crc32(kind + content)))
    return SIGNATURE + b"".join(parts)


@cache
def _pattern(model: int, side_px: int) -> bytes:
    folder, name = MODELS[model]
    request = GenerateRequest(model=f"/models/{folder}", prompt=_PROMPT.decode(), num_images=1, seed=int(_NUMBER))
    texts = text_chunks(embed(request, 0, model_name=name), width_px=side_px, height_px=side_px)
    return encode_png(bytes(3 * side_px**2), width_px=side_px, height_px=side_px, texts=texts)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


if __name__ == "__main__":
    made = write_results(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 25_000)
    print(f"{len(made)} pictures under {sys.argv[1]}")
