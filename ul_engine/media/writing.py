"""Encodes a clip into a file of the asked format and looks whether it arrived.

Where the file stands, and that nothing else is overwritten, is the business of `ul_engine.outputs`.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av

from ul_engine.errors import ConfigError, DataError, OutputError, ShapeError
from ul_engine.media.clips import Frame, WrittenClip
from ul_engine.media.formats import ClipFormat, ClipSettings
from ul_engine.media.reading import probe
from ul_engine.media.write_container import write_container
from ul_engine.media.write_gif import write_gif
from ul_engine.media.write_sequence import write_sequence
from ul_engine.media.write_webp import write_webp


def encode_checked(
    path: Path,
    frames: Iterable[Frame],
    fps: Fraction,
    *,
    settings: ClipSettings,
    texts: Mapping[str, str] | None,
    shown: Path,
) -> WrittenClip:
    """Write frames, uint8 `[H, W, 3]` each, to `path` (of PNG: to files of such names in a folder that is there).

    `path` is a hidden name for the time being; errors name `shown` instead.

    The file is opened again and its frames are counted: a disk that is full or failing does not always say so at
    once. Raises ConfigError (quality, rate), ShapeError (no frame, sizes that differ), OutputError, OSError.
    """
    if not 1 <= settings.quality <= 100:
        raise ConfigError(f"must be between 1 and 100, not {settings.quality}", field="quality")
    try:
        written = _encode(path, _not_empty(frames), fps, settings, dict(texts or {}))
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise OutputError(f"cannot be encoded ({error.strerror}); try another format or size", path=shown) from error
    try:
        found = probe(path)
    except DataError as error:
        reason = str(error).removeprefix(f"{error.path}: ")
        raise OutputError(f"was not written as it should be ({reason})", path=shown) from error
    if found.is_cut or found.num_frames != written.num_frames:
        raise OutputError(f"only {found.num_frames} of {written.num_frames} frames reached the disk", path=shown)
    return written


def _encode(
    path: Path, frames: Iterable[Frame], fps: Fraction, settings: ClipSettings, texts: Mapping[str, str]
) -> WrittenClip:
    kind, quality = settings.format, settings.quality
    if kind is ClipFormat.PNG:
        return write_sequence(path.parent, path.name, frames, fps, texts=texts)
    if kind is ClipFormat.GIF:
        return write_gif(path, frames, fps, texts=texts)
    if kind is ClipFormat.WEBP:
        return write_webp(path, frames, fps, quality=quality, texts=texts)
    return write_container(path, frames, fps, kind=kind, quality=quality, texts=texts)


def _not_empty(frames: Iterable[Frame]) -> Iterable[Frame]:
    rest = iter(frames)
    for first in rest:
        return chain((first,), rest)
    raise ShapeError("a clip has at least one frame")
