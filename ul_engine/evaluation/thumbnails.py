"""Small pictures of the worst samples, kept while an evaluation runs: original, reconstruction, difference."""

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ul_engine.data.pixels import Uint8Array
from ul_engine.evaluation.plan import Plan
from ul_engine.evaluation.report import sort_metric, worst_first
from ul_engine.whole_files import explained, write_file

Row = Mapping[str, Any]
NUM_KEPT = 100
TILE_PX = 192
"""Longest side of each of the three; smaller pictures are enlarged in whole steps, their pixels left square."""
GAP_PX = 4
BRIGHTER = 4
"""How much brighter the difference is shown: one of 64 levels is white."""


class Thumbnails:
    """A JPEG per sample in `folder`, of the `NUM_KEPT` worst of all that were offered.

    What is among the worst in the end was so at any time before: an evaluation that goes on after a stop ends with the
    same ones.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan

    def offer(
        self, before: Iterable[Row], rows: Sequence[Row], originals: Sequence[Uint8Array], decodes: Sequence[Uint8Array]
    ) -> None:
        """Keep those of `rows` that are among the worst, with the rows `before`; let go of others. Pictures are uint8
        `[T, H, W, 3]`. Raises OutputError."""
        if sort_metric(self.plan) is None:
            return
        new = {row["index"]: place for place, row in enumerate(rows)}
        others = [row for row in before if "broken" not in row and row["index"] not in new]
        worst = [row["index"] for row in worst_first(self.plan, [*others, *rows])[:NUM_KEPT]]
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        for index in worst:
            if index in new:
                write_file(self._path(index), strip(originals[new[index]], decodes[new[index]]))
        kept = {self._path(index) for index in worst}
        with explained(self.folder):
            for path in self.folder.glob("*.jpg"):
                if path not in kept:
                    path.unlink(missing_ok=True)

    def of(self, index: int) -> bytes | None:
        """The JPEG of a sample; None where there is none."""
        path = self._path(index)
        return path.read_bytes() if path.is_file() else None

    def _path(self, index: int) -> Path:
        return self.folder / f"{index:08d}.jpg"


def strip(original: Uint8Array, decode: Uint8Array) -> bytes:
    """A JPEG of original, reconstruction and their difference side by side; of clips the frame that differs most."""
    errors = np.square(original.astype(np.float32) - decode).mean((1, 2, 3))
    frame = int(errors.argmax())
    difference = np.abs(original[frame].astype(np.int16) - decode[frame])
    bright = np.clip(BRIGHTER * difference, 0, 255).astype(np.uint8)
    tiles = [_tile(each) for each in (original[frame], decode[frame], bright)]
    width, height = tiles[0].size
    sheet = Image.new("RGB", (3 * width + 2 * GAP_PX, height), (255, 255, 255))
    for place, tile in enumerate(tiles):
        sheet.paste(tile, (place * (width + GAP_PX), 0))
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=85, subsampling=0)
    return stream.getvalue()


def _tile(frame: Uint8Array) -> Image.Image:
    picture = Image.fromarray(frame)
    longest = max(picture.size)
    if longest > TILE_PX:
        picture.thumbnail((TILE_PX, TILE_PX), Image.Resampling.BOX)
        return picture
    factor = TILE_PX // longest
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
