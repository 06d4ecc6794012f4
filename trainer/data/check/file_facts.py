"""What one file holds: pictures in draft where that is as good, videos by their frames. No torch."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b, file_digest
from io import BytesIO
from pathlib import Path

from PIL import Image

from trainer.config.data import ClipsData
from trainer.data.check.looks import GREY_SIDE_PX, grey_of
from trainer.data.collections import Collection, Entry
from trainer.data.decoding import EncodedPicture
from ul_engine.errors import DataError
from ul_engine.media.rates import as_rate
from ul_engine.media.reading import open_clip

DIGEST_BYTES = 16
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file, after it was read whole. `reason` "": it can be read; sizes are those of an upright picture."""

    digest: bytes
    """Of its bytes, so that equal files are found."""
    reason: str = ""
    format: str = ""
    width_px: int = 0
    height_px: int = 0
    num_pictures: int = 1
    """More than one in animations and files of several pages."""
    grey: bytes = b""
    """The picture as 32 x 32 grey values, row by row, until a scan has made `look` and `thumbnail` of them."""
    look: int | None = None
    """Perceptual hash; None where the picture is flat or cannot be read."""
    thumbnail: bytes = b""
    """16 x 16 grey values, or nothing."""
    num_frames: int = 0
    fps: float = 0.0
    duration_s: float = 0.0
    is_cut: bool = False
    """A video that ends too early."""
    num_clip_frames: int = 0
    """Frames of a video at the rate and stride of the settings."""

    @property
    def is_readable(self) -> bool:
        """Whether a sample can be made of it."""
        return not self.reason

    @property
    def shorter_px(self) -> int:
        """The shorter side."""
        return min(self.width_px, self.height_px)


def picture_facts(collection: Collection, entry: Entry) -> FileFacts:
    """Read and decode a picture; what is wrong with it is a `reason`, no error.

    JPEG files come at the fraction of their size that the hash needs. All of the file is decoded even so, which shows
    whether it is whole; the hashes of 500 photographs differed in at most 6 of 64 bits from those at full size (4 in 99
    of 100), and it takes a quarter of the time.
    """
    digest = b""
    where = collection.where(entry)
    try:
        content = collection.read(entry)
        digest = blake2b(content, digest_size=DIGEST_BYTES).digest()
        with quiet(), EncodedPicture(content, where) as encoded:
            width_px, height_px = encoded.size
            grey = grey_of(encoded.decoded(min(encoded.size) / GREY_SIDE_PX)).tobytes()
            format_, num_pictures = _format_of(content)
    except DataError as error:
        return FileFacts(digest, reason=_reason(error, where))
    return FileFacts(
        digest,
        format=format_,
        width_px=width_px,
        height_px=height_px,
        num_pictures=num_pictures,
        grey=grey,
    )


def clip_facts(collection: Collection, entry: Entry, data: ClipsData, *, needs_digest: bool) -> FileFacts:
    """Count the frames of a video and decode the one at its middle; what is wrong with it is a `reason`, no error.

    `needs_digest` False: no other file has its length, so its bytes need not be read to tell it from them.
    """
    digest = b""
    where = collection.where(entry)
    try:
        path = collection.as_file(entry)
        digest = _digest_of(path) if needs_digest else b""
        with quiet(), open_clip(path) as source:
            info = source.info
            numbers = source.timeline.numbers_at(None if data.fps is None else as_rate(data.fps))
            grey = grey_of(Image.fromarray(source.frame(info.num_frames // 2))).tobytes()
    except DataError as error:
        return FileFacts(digest, reason=_reason(error, error.path or where))
    return FileFacts(
        digest,
        format=info.codec,
        width_px=info.width_px,
        height_px=info.height_px,
        grey=grey,
        num_frames=info.num_frames,
        fps=float(info.fps),
        duration_s=float(info.duration_s),
        is_cut=info.is_cut,
        num_clip_frames=len(numbers[:: data.frame_stride]),
    )


def _format_of(content: bytes) -> tuple[str, int]:
    """Pillow's name of the format, and how many pictures are in the file (a phone's two views of one count as one)."""
    if content.startswith(_JPEG):
        return "JPEG", 1
    with Image.open(BytesIO(content)) as picture:
        format_ = picture.format or "unknown"
        try:
            return format_, int(getattr(picture, "n_frames", 1))
        except (OSError, SyntaxError, ValueError, KeyError, EOFError, struct.error):
            return format_, 1  # the first picture can be read; what follows it is damaged


def _digest_of(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return file_digest(stream, lambda: blake2b(digest_size=DIGEST_BYTES)).digest()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error


def _reason(error: DataError, where: str) -> str:
    """The message without the file's name, which stands beside it."""
    return str(error).removeprefix(f"{where}: ")


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of Pillow (odd EXIF blocks and the like) between the lines of the progress."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
