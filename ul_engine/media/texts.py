"""The texts inside picture and clip files, by name, whatever the format. Nothing is decoded; light until it is used."""

import os
from pathlib import Path

from ul_engine.errors import DataError
from ul_engine.media.gif_blocks import read_gif_blocks
from ul_engine.media.picture_texts import exif_texts
from ul_engine.media.png_chunks import MAX_TEXT_BYTES, SIGNATURE, png_texts
from ul_engine.media.webp_chunks import read_webp_chunks

_CUT = "is cut short; it was not copied or written to its end"
_OTHER = "is no picture or clip that can keep settings"


def read_texts(path: str | os.PathLike[str]) -> dict[str, str]:
    """All texts of the file at `path` by name in lower case (of a sequence: of its first picture).

    PNG text chunks, EXIF of JPEG and WebP, comments of GIF, tags of MP4, MOV, Matroska and WebM. Texts longer than
    `MAX_TEXT_BYTES` are left out. Raises DataError: gone, unreadable, cut short, damaged, of another kind.
    """
    try:
        texts = _texts(path)
    except FileNotFoundError:
        raise DataError("is no longer there", path=path) from None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error
    return {name.lower(): text for name, text in texts.items() if len(text) <= MAX_TEXT_BYTES}


def _texts(path: str | os.PathLike[str]) -> dict[str, str]:
    name = os.fspath(path)
    if not os.path.isfile(name):
        return _first_of_sequence(name)
    with Path(name).open("rb") as stream:
        head = stream.read(16)
    if head.startswith(SIGNATURE):
        return png_texts(name)
    if head[:4] == b"GIF8":
        return _gif_texts(name)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp_texts(name)
    if head[:2] == b"\xff\xd8":
        return _jpeg_texts(name)
    if head[:4] == b"\x1a\x45\xdf\xa3" or head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide"):
        return _container_texts(name)
    raise DataError(_OTHER, path=path)


def _first_of_sequence(name: str) -> dict[str, str]:
    from ul_engine.media.sequences import is_sequence, sequence_files

    if is_sequence(name):
        return _texts(sequence_files(name)[0])
    raise FileNotFoundError(name)


def _gif_texts(name: str) -> dict[str, str]:
    try:
        blocks = read_gif_blocks(Path(name).read_bytes())
    except ValueError:
        raise DataError("is damaged or cut short", path=name) from None
    if blocks.is_cut:
        raise DataError(_CUT, path=name)
    pairs = (comment.partition(": ") for comment in blocks.comments)
    return {key: text for key, separator, text in pairs if separator}


def _webp_texts(name: str) -> dict[str, str]:
    chunks = read_webp_chunks(Path(name).read_bytes())
    if chunks.is_cut:
        raise DataError(_CUT, path=name)
    return exif_texts(chunks.exif) if chunks.exif else {}


def _jpeg_texts(name: str) -> dict[str, str]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(name) as picture:
            data = picture.info.get("exif")
    except (UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise DataError("is damaged or cut short", path=name) from error
    return exif_texts(data) if isinstance(data, bytes) else {}


def _container_texts(name: str) -> dict[str, str]:
    from ul_engine.media.stream_decoder import opened

    with opened(name) as container:
        return dict(container.metadata)
