"""A folder of results as large as one likes: small real pictures with their settings inside, spread over days.

python -m tests.helpers.many_results FOLDER [COUNT]
"""

import os
import sys
from datetime import date, timedelta
from pathlib import Path

from ul_engine.metadata import embed, encode_png, text_chunks
from ul_engine.requests import GenerateRequest

SHAPES = ("sphere", "cube", "cone", "torus", "pyramid")
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "pink")
MODELS = (("scenes-64", "Scenes 64"), ("faces", "Faces"))
LAST_DAY = date(2026, 11, 20)
PER_DAY = 500


def prompt_of(number: int) -> str:
    return f"a {COLOURS[number % 7]} {SHAPES[number % 5]} on a plain floor, number {number}"


def request_of(number: int) -> GenerateRequest:
    return GenerateRequest(
        model=f"/models/{MODELS[number % 2][0]}", prompt=prompt_of(number), num_images=1, seed=number
    )


def write_results(root: Path, count: int, *, side_px: int = 16) -> list[Path]:
    """Pictures number 0 (the newest) to `count` - 1; number n has seed n, a day of its own every `PER_DAY`."""
    paths = []
    for number in range(count):
        day = LAST_DAY - timedelta(days=number // PER_DAY)
        folder = root / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{PER_DAY - number % PER_DAY:05d}-{number}.png"
        texts = text_chunks(
            embed(request_of(number), 0, model_name=MODELS[number % 2][1]), width_px=side_px, height_px=side_px
        )
        colour = bytes((number % 251, number * 7 % 241, number * 13 % 239))
        path.write_bytes(encode_png(colour * side_px**2, width_px=side_px, height_px=side_px, texts=texts))
        noon_s = (day - date(1970, 1, 1)).days * 86400 + 43200 - number % PER_DAY
        os.utime(path, (noon_s, noon_s))
        paths.append(path)
    return paths


if __name__ == "__main__":
    made = write_results(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 25_000)
    print(f"{len(made)} pictures under {sys.argv[1]}")
