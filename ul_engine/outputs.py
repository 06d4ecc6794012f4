"""Where results go and how they get there: dated folders, a counter, nothing ever overwritten. No torch."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ul_engine.errors import OutputError
from ul_engine.media.formats import DEFAULT_QUALITY, ClipFormat, ClipSettings, format_of
from ul_engine.metadata import embed_result, encode_png, text_chunks
from ul_engine.requests import GenerateRequest, InterpolateRequest
from ul_engine.whole_files import (
    check_space,
    explained,
    publish_counted,
    sync,
    temporary_file,
    temporary_folder,
    write_file,
    written_temporary,
)

if TYPE_CHECKING:
    from ul_engine.media.clips import Frame, WrittenClip

    _Encode = Callable[[Path], WrittenClip]

__all__ = ["explained", "outputs_root", "save_clip", "save_picture", "write_clip", "write_file"]

OUTPUTS_VARIABLE = "UL_STUDIO_OUTPUTS"


def outputs_root() -> Path:
    """Folder of all results: $UL_STUDIO_OUTPUTS, else ``outputs`` of a checkout, else the user's data folder."""
    named = os.environ.get(OUTPUTS_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / "outputs"
    from platformdirs import user_data_path

    return user_data_path("UL Studio", appauthor=False) / "outputs"


def save_picture(
    pixels: Any,
    request: GenerateRequest | InterpolateRequest,
    index: int,
    root: str | os.PathLike[str],
    *,
    shape: tuple[int, ...] | None = None,
    model_name: str = "",
    keeps_request: bool = True,
) -> Path:
    """Write picture `index` of `request` with its settings inside; return its path, ``root/YYYY-MM-DD/NNNNN-seed.png``.

    `pixels` are uint8 RGB: an array ``[H, W, 3]`` or ``[1, H, W, 3]``, or packed bytes with their `shape`.
    `keeps_request` False leaves the settings out. Raises OutputError when the file cannot be written; a file is there
    whole or not at all.
    """
    height_px, width_px = _size(pixels.shape if shape is None else shape)
    packed = pixels if isinstance(pixels, (bytes, bytearray, memoryview)) else pixels.tobytes()
    texts = text_chunks(embed_result(request, index, model_name=model_name), width_px=width_px, height_px=height_px)
    data = encode_png(memoryview(packed), width_px=width_px, height_px=height_px, texts=texts if keeps_request else {})
    folder = Path(root) / date.today().isoformat()
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        check_space(folder, len(data))
        with written_temporary(folder, data) as temporary:
            return publish_counted(temporary, folder, f"{_seed(request, index)}.png")


def save_clip(
    frames: Any,
    request: GenerateRequest | InterpolateRequest,
    index: int,
    root: str | os.PathLike[str],
    *,
    fps: Fraction | float,
    settings: ClipSettings | None = None,
    model_name: str = "",
    keeps_request: bool = True,
) -> "WrittenClip":
    """Write clip `index` of `request` with its settings inside, as ``root/YYYY-MM-DD/NNNNN-seed.mp4``.

    `frames` are uint8 RGB ``[T, H, W, 3]``: an array, or packed bytes as ``memoryview(data).cast("B", shape)``.
    `settings` None: MP4 of the default quality; a PNG sequence becomes a folder ``NNNNN-seed``. `keeps_request` False
    leaves the request out. Returns what was written and where. Raises OutputError, ConfigError (`fps`) and ShapeError;
    a clip is there whole or not at all, and never in another's place.
    """
    import numpy as np

    from ul_engine.media.rates import as_rate

    clip, rate, settings = np.asarray(frames), as_rate(fps), settings or ClipSettings()
    texts = None
    if keeps_request and clip.ndim == 4:
        embedded = embed_result(request, index, model_name=model_name)
        num_frames, height_px, width_px = clip.shape[:3]
        texts = text_chunks(embedded, width_px=width_px, height_px=height_px, num_frames=num_frames, fps=rate)
    folder = Path(root) / date.today().isoformat()
    is_sequence = settings.format is ClipFormat.PNG
    name = f"{_seed(request, index)}" if is_sequence else f"{_seed(request, index)}.{settings.format}"
    encode = _encoder(clip, rate, settings, texts, folder)
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        pattern = "%05d.png" if is_sequence else None
        return _written(folder, encode, lambda done: publish_counted(done, folder, name), pattern=pattern)


def write_clip(
    path: str | os.PathLike[str],
    frames: "Iterable[Frame]",
    fps: Fraction | float | str,
    *,
    quality: int = DEFAULT_QUALITY,
    texts: Mapping[str, str] | None = None,
) -> "WrittenClip":
    """Write a clip to a place that the user chose, in the format of its suffix, replacing what is there in the end.

    `frames`: uint8 ``[T, H, W, 3]``, or any iterable of frames ``[H, W, 3]`` of one size. ``.mp4`` is H.264 (odd sides
    grow by one repeated row or column), ``.webm`` VP9, ``.mkv`` FFV1 without loss, ``.gif`` (whole clip in 256
    colours, at most 50 frames per second), ``.webp`` animated (without loss at quality 100), ``folder/%05d.png`` a
    new folder of pictures. `quality` 1 to 100; `texts` are kept inside (`ul_engine.metadata.text_chunks`), None:
    nothing is. Returns what was written: GIF and WebP round the times of frames to 10 and 1 ms.

    Raises OutputError (unknown suffix, no space, no permission), ConfigError (`fps`, `quality`) and ShapeError; the
    clip is there whole or not at all.
    """
    from ul_engine.media.rates import as_rate

    settings = ClipSettings(format_of(path), quality)
    target = Path(path)
    encode = _encoder(frames, as_rate(fps), settings, texts, target)
    if settings.format is ClipFormat.PNG:
        return _write_pictures(target, encode)
    with explained(target):
        return _written(target.parent, encode, lambda done: done.replace(target))


def _write_pictures(target: Path, encode: "_Encode") -> "WrittenClip":
    from ul_engine.media.sequences import pattern_parts

    folder = target.parent

    def publish(done: Path) -> Path:
        if folder.exists():
            folder.rmdir()
        return done.rename(folder)

    try:
        pattern_parts(target.name)
    except ValueError:
        raise OutputError("name the pictures of a clip as folder/%05d.png", path=target) from None
    with explained(folder):
        if folder.exists() and any(folder.iterdir()):
            raise OutputError("already holds something; choose a new folder for the pictures", path=folder)
        return _written(folder.parent, encode, publish, pattern=target.name)


def _encoder(
    frames: "Iterable[Frame]", fps: Fraction, settings: ClipSettings, texts: Mapping[str, str] | None, shown: Path
) -> "_Encode":
    from ul_engine.media.writing import encode_checked

    return lambda path: encode_checked(path, frames, fps, settings=settings, texts=texts, shown=shown)


def _written(
    folder: Path, encode: "_Encode", publish: Callable[[Path], Path], *, pattern: str | None = None
) -> "WrittenClip":
    """Encode under a hidden name in `folder`, then `publish`; with a `pattern`, a folder of pictures."""
    check_space(folder, 0)
    with (temporary_folder if pattern else temporary_file)(folder) as temporary:
        written = encode(temporary / pattern if pattern else temporary)
        sync(temporary)
        final = publish(temporary)
    return replace(written, path=final / pattern if pattern else final)


def _seed(request: GenerateRequest | InterpolateRequest, index: int) -> int:
    return request.seed if isinstance(request, InterpolateRequest) else request.seed_of(index)


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) == 4 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError(f"one RGB picture [H, W, 3] was expected, not {list(shape)}")
    return shape[0], shape[1]
