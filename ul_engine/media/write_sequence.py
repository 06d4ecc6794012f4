"""Writes clips as folders of PNG pictures."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

from PIL import Image

from ul_engine.media.clips import Frame, WrittenClip, checked_frame
from ul_engine.media.picture_texts import save_options
from ul_engine.media.sequences import FPS_NAME, pattern_parts


def write_sequence(
    folder: Path, pattern: str, frames: Iterable[Frame], fps: Fraction, *, texts: Mapping[str, str]
) -> WrittenClip:
    """Write each frame k = 0, 1, ..., uint8 `[H, W, 3]`, under the name `pattern` gives it, into an existing folder.

    `pattern` has one ``%d`` or ``%05d`` for k, else ValueError. Every picture holds `texts`, and the rate as the text
    ``fps``, which the reader of sequences understands.
    """
    before, num_digits, after = pattern_parts(pattern)
    first, count = None, 0
    options = save_options(".png", {**texts, FPS_NAME: str(fps)})
    for count, given in enumerate(frames, start=1):
        frame = checked_frame(given, like=first)
        first = frame if first is None else first
        Image.fromarray(frame).save(folder / f"{before}{count - 1:0{num_digits}d}{after}", "PNG", **options)
    assert first is not None
    height, width = first.shape[:2]
    return WrittenClip(folder / pattern, count, fps, width, height)
